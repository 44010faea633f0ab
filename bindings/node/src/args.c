/* SPDX-License-Identifier: MIT */
/*
 * Arguments: numbers, booleans, bytes.
 */
#include "args.h"

#include <math.h>

#include "handle.h"

static const double MAX_SAFE_INTEGER = 9007199254740991.0;

bool shim_is_undefined(const shim_call *call, napi_value value)
{
    napi_valuetype type = napi_undefined;

    (void)napi_typeof(call->env, value, &type);
    return type == napi_undefined;
}

static bool take_integer(const shim_call *call, napi_value value, const char *name, double max, double *out)
{
    if (napi_get_value_double(call->env, value, out) != napi_ok)
        return shim_refuse_type(call, name, "a number");
    if (!(*out >= 0 && *out <= max) || floor(*out) != *out)
        return shim_refuse_range(call, name,
                                 max == UINT32_MAX ? "an integer from 0 to 4294967295" : "a safe integer from 0 on");
    return true;
}

bool shim_take_size(const shim_call *call, napi_value value, const char *name, size_t *out)
{
    double number;

    if (!take_integer(call, value, name, MAX_SAFE_INTEGER, &number))
        return false;
    *out = (size_t)number;
    return true;
}

bool shim_take_uint32(const shim_call *call, napi_value value, const char *name, uint32_t *out)
{
    double number;

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

/* The place of a Uint8Array's bytes; `*out_data` is not NULL, also for an empty or detached one. */
static bool find_array(const shim_call *call, napi_value value, uint8_t **out_data, size_t *out_len)
{
    static const uint8_t nothing;
    napi_typedarray_type type;
    void *data = NULL;

    if (napi_get_typedarray_info(call->env, value, &type, out_len, &data, NULL, NULL) != napi_ok ||
        type != napi_uint8_array)
        return false;
    *out_data = data != NULL ? data : (uint8_t *)(uintptr_t)&nothing;
    return true;
}

bool shim_take_room(const shim_call *call, napi_value value, const char *name, uint8_t **out_data, size_t *out_len)
{
    return find_array(call, value, out_data, out_len) || shim_refuse_type(call, name, "a Uint8Array");
}

bool shim_take_bytes(const shim_call *call, napi_value value, const char *name, shim_bytes *out)
{
    uint8_t *data;
    keep_secret *secret;
    keep_status st;

    out->window = NULL;
    if (find_array(call, value, &data, &out->len)) {
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
