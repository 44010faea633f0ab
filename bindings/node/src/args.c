/* SPDX-License-Identifier: MIT */
/*
 * Arguments: numbers, booleans, bytes.
 */
#include "args.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "handle.h"

#define MAX_SAFE_INTEGER INT64_C(9007199254740991)

bool shim_is_undefined(const shim_call *call, napi_value value)
{
    napi_valuetype type = napi_undefined;

    (void)napi_typeof(call->env, value, &type);
    return type == napi_undefined;
}

bool shim_is_array(const shim_call *call, napi_value value)
{
    bool is_array = false;

    (void)napi_is_array(call->env, value, &is_array);
    return is_array;
}

static bool refuse_integer(const shim_call *call, const char *name, int64_t max)
{
    char expected[48] = "a safe integer from 0 on";

    if (max < MAX_SAFE_INTEGER)
        (void)snprintf(expected, sizeof expected, "an integer from 0 to %" PRId64, max);
    return shim_refuse_range(call, name, expected);
}

/* int64_t holds every number that is not refused, and a processor converts to it and back at once. */
static bool take_integer(const shim_call *call, napi_value value, const char *name, int64_t max, int64_t *out)
{
    double number;

    if (napi_get_value_double(call->env, value, &number) != napi_ok)
        return shim_refuse_type(call, name, "a number");
    if (!(number >= 0 && number <= (double)max) || (double)(int64_t)number != number)
        return refuse_integer(call, name, max);
    *out = (int64_t)number;
    return true;
}

bool shim_take_size(const shim_call *call, napi_value value, const char *name, size_t *out)
{
    int64_t number = 0;

    if (!take_integer(call, value, name, MAX_SAFE_INTEGER, &number))
        return false;
    *out = (size_t)number;
    return true;
}

bool shim_take_uint8(const shim_call *call, napi_value value, const char *name, uint8_t *out)
{
    int64_t number = 0;

    if (!take_integer(call, value, name, UINT8_MAX, &number))
        return false;
    *out = (uint8_t)number;
    return true;
}

bool shim_take_uint16(const shim_call *call, napi_value value, const char *name, uint16_t *out)
{
    int64_t number = 0;

    if (!take_integer(call, value, name, UINT16_MAX, &number))
        return false;
    *out = (uint16_t)number;
    return true;
}

bool shim_take_uint32(const shim_call *call, napi_value value, const char *name, uint32_t *out)
{
    int64_t number = 0;

    if (!take_integer(call, value, name, UINT32_MAX, &number))
        return false;
    *out = (uint32_t)number;
    return true;
}

bool shim_take_uint64(const shim_call *call, napi_value value, const char *name, uint64_t *out)
{
    bool lossless = false;

    if (napi_get_value_bigint_uint64(call->env, value, out, &lossless) != napi_ok)
        return shim_refuse_type(call, name, "a bigint");
    if (!lossless)
        return shim_refuse_range(call, name, "from 0n to 18446744073709551615n");
    return true;
}

bool shim_take_boolean(const shim_call *call, napi_value value, const char *name, bool *out)
{
    if (napi_get_value_bool(call->env, value, out) != napi_ok)
        return shim_refuse_type(call, name, "a boolean");
    return true;
}

bool shim_take_text(const shim_call *call, napi_value value, const char *name, char (*room)[SHIM_TEXT_LEN + 2],
                    const char **out)
{
    size_t len = 0;

    *out = NULL;
    if (shim_is_undefined(call, value))
        return true;
    if (napi_get_value_string_utf8(call->env, value, *room, sizeof *room, &len) != napi_ok)
        return shim_refuse_type(call, name, "a string");
    *out = *room;
    if (len <= SHIM_TEXT_LEN && strlen(*room) == len)
        return true;
    (void)shim_settle(call, KEEP_ERR_INVALID_ARGUMENT);
    return false;
}

bool shim_take_count(const shim_call *call, napi_value value, const char *name, uint32_t *out)
{
    return napi_get_array_length(call->env, value, out) == napi_ok || shim_refuse_type(call, name, "an array");
}

/* The place of an array's elements, if it is of the type; `*out_data` is not NULL, also for an empty or detached one. */
static bool find_array(const shim_call *call, napi_value value, napi_typedarray_type wanted, void **out_data,
                       size_t *out_count)
{
    static const uint64_t nothing;
    napi_typedarray_type type;
    void *data = NULL;

    if (napi_get_typedarray_info(call->env, value, &type, out_count, &data, NULL, NULL) != napi_ok || type != wanted)
        return false;
    *out_data = data != NULL ? data : (void *)(uintptr_t)&nothing;
    return true;
}

bool shim_take_room(const shim_call *call, napi_value value, const char *name, uint8_t **out_data, size_t *out_len)
{
    void *data;

    if (!find_array(call, value, napi_uint8_array, &data, out_len))
        return shim_refuse_type(call, name, "a Uint8Array");
    *out_data = data;
    return true;
}

bool shim_take_table(const shim_call *call, napi_value value, const char *name, uint32_t **out_words, size_t *out_count)
{
    void *data;

    if (!find_array(call, value, napi_uint32_array, &data, out_count))
        return shim_refuse_type(call, name, "a Uint32Array");
    *out_words = data;
    return true;
}

bool shim_take_bytes(const shim_call *call, napi_value value, const char *name, shim_bytes *out)
{
    void *data;
    keep_secret *secret;
    keep_status st;

    out->window = NULL;
    if (find_array(call, value, napi_uint8_array, &data, &out->len)) {
        out->data = data;
        return true;
    }
    if (!shim_is_secret(call, value))
        return shim_refuse_type(call, name, "a Uint8Array or a Secret");
    if (!shim_take_secret(call, value, name, &secret))
        return false;
    st = keep_secret_read_begin(secret, &out->data, &out->len);
    if (st == KEEP_OK)
        out->window = secret;
    (void)shim_settle(call, st);
    return st == KEEP_OK;
}

keep_status shim_end_bytes(const shim_bytes *bytes, keep_status status)
{
    keep_status st = bytes->window != NULL ? keep_secret_end(bytes->window) : KEEP_OK;

    return status != KEEP_OK ? status : st;
}

bool shim_overlap(const void *one, size_t one_len, const void *other, size_t other_len)
{
    uintptr_t a = (uintptr_t)one, b = (uintptr_t)other;

    return one_len > 0 && other_len > 0 && a < b + other_len && b < a + one_len;
}
