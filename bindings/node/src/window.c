/* SPDX-License-Identifier: MIT */
/*
 * Windows: begin, copy, call, copy back, wipe, end.
 *
 * The callback may do anything to its copy, also give its memory away. So the copy's place is asked for again after the
 * callback; nothing is read or wiped at a place that was left.
 */
#include "window.h"

#include <string.h>

#include "handle.h"

typedef struct window {
    keep_secret *secret;
    bool writes;
    uint8_t *slot;
    size_t len;
    napi_value copy;
} window;

static keep_status begin(window *w)
{
    const uint8_t *data = NULL;
    keep_status st;

    if (w->writes)
        return keep_secret_write_begin(w->secret, &w->slot, &w->len);
    st = keep_secret_read_begin(w->secret, &data, &w->len);
    w->slot = (uint8_t *)(uintptr_t)data; /* written only by a write window */
    return st;
}

/* The copy as the callback left it; NULL if its memory was given away. */
static uint8_t *find_copy(const shim_call *call, const window *w)
{
    size_t len = 0;
    void *data = NULL;

    if (napi_get_typedarray_info(call->env, w->copy, NULL, &len, &data, NULL, NULL) != napi_ok || len != w->len)
        return NULL;
    return data;
}

static bool is_purged(const keep_secret *secret)
{
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;

    return keep_secret_info(secret, &info) != KEEP_OK || info.purged;
}

/* Calls fn(copy); NULL after a throw. */
static napi_value call_back(const shim_call *call, const window *w)
{
    napi_value undefined, result = NULL;
    bool is_promise = false;

    if (!shim_ok(call, napi_get_undefined(call->env, &undefined)) ||
        !shim_ok(call, napi_call_function(call->env, undefined, call->args[1], 1, &w->copy, &result)) ||
        !shim_ok(call, napi_is_promise(call->env, result, &is_promise)))
        return NULL;
    if (!is_promise)
        return result;
    (void)shim_refuse_type(call, "fn", "a function that is done when it returns, not an async one");
    return NULL;
}

static napi_value use(const shim_call *call, window *w)
{
    napi_value result;
    uint8_t *copy;

    if (!shim_ok(call, napi_create_buffer_copy(call->env, w->len, w->slot, NULL, &w->copy)))
        return NULL;
    result = call_back(call, w);
    copy = find_copy(call, w);
    if (copy == NULL && w->len > 0 && result != NULL) {
        (void)shim_refuse_type(call, "fn", "a function that keeps the copy's memory");
        return NULL;
    }
    if (copy == NULL)
        return result;
    /* a purge in the callback emptied the slot: nothing comes back into it */
    if (result != NULL && w->writes && !is_purged(w->secret))
        memcpy(w->slot, copy, w->len);
    keep_wipe(copy, w->len);
    return result;
}

static napi_value run_window(napi_env env, napi_callback_info info, bool writes)
{
    shim_call call;
    window w = { .writes = writes };
    napi_valuetype type = napi_undefined;
    napi_value result;
    keep_status st;

    if (!shim_begin(env, info, &call) || !shim_take_secret(&call, call.args[0], "this", &w.secret))
        return NULL;
    (void)napi_typeof(env, call.args[1], &type);
    if (type != napi_function) {
        (void)shim_refuse_type(&call, "fn", "a function");
        return NULL;
    }
    st = begin(&w);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    result = use(&call, &w);
    st = keep_secret_end(w.secret);
    return result != NULL && st != KEEP_OK ? shim_settle(&call, st) : result;
}

napi_value shim_secret_read(napi_env env, napi_callback_info info)
{
    return run_window(env, info, false);
}

napi_value shim_secret_write(napi_env env, napi_callback_info info)
{
    return run_window(env, info, true);
}
