/* SPDX-License-Identifier: MIT */
/*
 * Lists of bytes, and the windows through which those of secrets are read.
 */
#include "list.h"

#include <stdlib.h>
#include <string.h>

void shim_begin_list(shim_list *list)
{
    list->items = list->few_items;
    list->windows = list->few_windows;
    list->count = 0;
    list->room = SHIM_FEW_ITEMS;
}

static void free_items(shim_list *list)
{
    if (list->items == list->few_items)
        return;
    free(list->items);
    free(list->windows);
}

static bool move(shim_list *list, size_t room)
{
    keep_bytes *items = calloc(room, sizeof *items);
    const keep_secret **windows = calloc(room, sizeof *windows);

    if (items == NULL || windows == NULL) {
        free(items);
        free(windows);
        return false;
    }
    memcpy(items, list->items, list->count * sizeof *items);
    memcpy(windows, list->windows, list->count * sizeof *windows);
    free_items(list);
    list->items = items;
    list->windows = windows;
    list->room = room;
    return true;
}

/* Makes room for `more` items; false after a throw. */
static bool reserve(const shim_call *call, shim_list *list, size_t more)
{
    if (more <= list->room - list->count || move(list, 2 * (list->count + more)))
        return true;
    (void)shim_settle(call, KEEP_ERR_NO_MEMORY);
    return false;
}

static bool append(const shim_call *call, napi_value value, const char *name, shim_list *list)
{
    shim_bytes bytes;

    if (!shim_take_bytes(call, value, name, &bytes))
        return false;
    list->items[list->count] = (keep_bytes){ bytes.data, bytes.len };
    list->windows[list->count] = bytes.window;
    list->count++;
    return true;
}

static bool append_array(const shim_call *call, napi_value array, const char *name, uint32_t count, shim_list *list)
{
    napi_value element;
    uint32_t i;

    if (!reserve(call, list, count))
        return false;
    for (i = 0; i < count; i++)
        if (!shim_ok(call, napi_get_element(call->env, array, i, &element)) || !append(call, element, name, list))
            return false;
    return true;
}

bool shim_append_list(const shim_call *call, napi_value values, const char *name, size_t most, shim_list *list,
                      size_t *out_count)
{
    bool is_array = shim_is_array(call, values);
    uint32_t count = 1;

    if (is_array && !shim_ok(call, napi_get_array_length(call->env, values, &count)))
        return false;
    *out_count = count;
    if (!is_array)
        return reserve(call, list, 1) && append(call, values, name, list);
    return count > most || append_array(call, values, name, count, list);
}

bool shim_take_list(const shim_call *call, napi_value values, const char *name, size_t most, shim_list *out,
                    size_t *out_count)
{
    shim_begin_list(out);
    if (shim_append_list(call, values, name, most, out, out_count))
        return true;
    (void)shim_end_list(out, KEEP_OK);
    return false;
}

keep_status shim_end_list(shim_list *list, keep_status status)
{
    size_t i;

    for (i = 0; i < list->count; i++) {
        keep_status st = list->windows[i] != NULL ? keep_secret_end(list->windows[i]) : KEEP_OK;

        if (status == KEEP_OK)
            status = st;
    }
    free_items(list);
    return status;
}
