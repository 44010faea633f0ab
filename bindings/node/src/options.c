/* SPDX-License-Identifier: MIT */
/*
 * Options objects, by table.
 */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "args.h"

#define POOL(key, kind, field) SHIM_OPTION(keep_pool_options, key, kind, field)

const shim_option shim_pool_options[] = {
    { "tierLen", SHIM_OPTION_UINT32_LIST, offsetof(keep_pool_options, tier_len), 0,
      offsetof(keep_pool_options, tier_count) },
    POOL("tierSlots", SHIM_OPTION_UINT32_LIST, tier_slots),
    POOL("tierMaxSlots", SHIM_OPTION_UINT32_LIST, tier_max_slots),
    POOL("maxBytes", SHIM_OPTION_UINT64, max_bytes),
    POOL("backing", SHIM_OPTION_UINT32, backing),
    POOL("lockPolicy", SHIM_OPTION_UINT32, lock_policy),
    POOL("hotCache", SHIM_OPTION_UINT32, hot_cache),
    POOL("resplitViews", SHIM_OPTION_UINT32, resplit_views),
};
const size_t shim_pool_option_count = SHIM_COUNT(shim_pool_options);

static bool take_flag(const shim_call *call, napi_value value, const shim_option *option, uint32_t *flags)
{
    bool wanted;

    if (!shim_take_boolean(call, value, option->name, &wanted))
        return false;
    *flags = wanted ? *flags | option->flag : *flags & ~option->flag;
    return true;
}

static bool take_boolean(const shim_call *call, napi_value value, const shim_option *option, uint8_t *out)
{
    bool given;

    if (!shim_take_boolean(call, value, option->name, &given))
        return false;
    *out = given;
    return true;
}

static bool take_list(const shim_call *call, napi_value value, const shim_option *option, void *out)
{
    uint32_t *list = (void *)((char *)out + option->offset), len = 0, i;
    napi_value element;

    if (!shim_take_count(call, value, option->name, &len))
        return false;
    if (len > KEEP_MAX_TIERS) {
        (void)shim_settle(call, KEEP_ERR_INVALID_ARGUMENT);
        return false;
    }
    for (i = 0; i < len; i++)
        if (!shim_ok(call, napi_get_element(call->env, value, i, &element)) ||
            !shim_take_uint32(call, element, option->name, &list[i]))
            return false;
    if (option->count_offset > 0)
        memcpy((char *)out + option->count_offset, &len, sizeof len);
    return true;
}

static bool take_option(const shim_call *call, napi_value value, const shim_option *option, void *out)
{
    void *field = (char *)out + option->offset;

    switch (option->type) {
    case SHIM_OPTION_UINT8:
        return shim_take_uint8(call, value, option->name, field);
    case SHIM_OPTION_UINT16:
        return shim_take_uint16(call, value, option->name, field);
    case SHIM_OPTION_UINT32:
        return shim_take_uint32(call, value, option->name, field);
    case SHIM_OPTION_UINT64:
        return shim_take_uint64(call, value, option->name, field);
    case SHIM_OPTION_BOOLEAN:
        return take_boolean(call, value, option, field);
    case SHIM_OPTION_FLAG:
        return take_flag(call, value, option, field);
    case SHIM_OPTION_UINT32_LIST:
        return take_list(call, value, option, out);
    }
    return false;
}

static const shim_option *find_option(const shim_call *call, napi_value key, const shim_option *table, size_t count)
{
    char name[64], message[96];
    size_t len = 0, i;

    if (!shim_ok(call, napi_get_value_string_utf8(call->env, key, name, sizeof name, &len)))
        return NULL;
    for (i = 0; i < count; i++)
        if (strcmp(name, table[i].name) == 0)
            return &table[i];
    (void)snprintf(message, sizeof message, "Unknown option \"%s\"", name);
    (void)napi_throw_type_error(call->env, "ERR_INVALID_ARG_VALUE", message);
    return NULL;
}

/* The object's own keys: an array, or NULL after a throw. */
static napi_value list_keys(const shim_call *call, napi_value value, uint32_t *out_len)
{
    napi_valuetype type = napi_undefined;
    napi_value keys = NULL;

    (void)napi_typeof(call->env, value, &type);
    if (type != napi_object) {
        (void)shim_refuse_type(call, "options", "an object");
        return NULL;
    }
    if (!shim_ok(call, napi_get_all_property_names(call->env, value, napi_key_own_only,
                                                   napi_key_enumerable | napi_key_skip_symbols,
                                                   napi_key_numbers_to_strings, &keys)) ||
        !shim_ok(call, napi_get_array_length(call->env, keys, out_len)))
        return NULL;
    return keys;
}

bool shim_take_options(const shim_call *call, napi_value value, const shim_option *table, size_t count, void *out)
{
    uint32_t len = 0, i;
    napi_value keys, key, element;
    const shim_option *option;

    if (shim_is_undefined(call, value))
        return true;
    if ((keys = list_keys(call, value, &len)) == NULL)
        return false;
    for (i = 0; i < len; i++) {
        if (!shim_ok(call, napi_get_element(call->env, keys, i, &key)) ||
            (option = find_option(call, key, table, count)) == NULL ||
            !shim_ok(call, napi_get_property(call->env, value, key, &element)))
            return false;
        if (!shim_is_undefined(call, element) && !take_option(call, element, option, out))
            return false;
    }
    return true;
}
