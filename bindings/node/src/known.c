/* SPDX-License-Identifier: MIT */
/*
 * Known answers.
 */
#include "known.h"

#include "args.h"

static bool take_name(const shim_call *call, napi_value value, char (*room)[SHIM_TEXT_LEN + 2])
{
    const char *name;

    if (!shim_take_text(call, value, "name", room, &name))
        return false;
    return name != NULL || shim_refuse_type(call, "name", "a string");
}

/* Asks for the length first, then computes into a buffer of it. */
static napi_value answer(const shim_call *call, shim_known function, const char *name, const shim_bytes *in,
                         keep_status *out_status)
{
    napi_value buffer;
    uint8_t *data;
    size_t len = 0;

    *out_status = function(name, in->data, in->len, NULL, 0, &len);
    if (*out_status != KEEP_OK && *out_status != KEEP_ERR_BUFFER_TOO_SMALL)
        return NULL;
    buffer = shim_buffer(call, len, &data);
    if (buffer != NULL)
        *out_status = function(name, in->data, in->len, data, len, &len);
    return buffer;
}

napi_value shim_known_answer(napi_env env, napi_callback_info info, shim_known function)
{
    char name[SHIM_TEXT_LEN + 2];
    shim_call call;
    shim_bytes in;
    napi_value buffer;
    keep_status st;

    if (!shim_begin(env, info, &call) || !take_name(&call, call.args[0], &name) ||
        !shim_take_bytes(&call, call.args[1], "bytes", &in))
        return NULL;
    buffer = answer(&call, function, name, &in, &st);
    st = shim_end_bytes(&in, st);
    return st == KEEP_OK ? buffer : shim_settle(&call, st);
}

napi_value shim_known_answer_into(napi_env env, napi_callback_info info, shim_known function)
{
    char name[SHIM_TEXT_LEN + 2];
    shim_call call;
    shim_bytes in;
    keep_status st;
    uint8_t *out;
    size_t room, len = 0;

    if (!shim_begin(env, info, &call) || !shim_take_room(&call, call.args[0], "out", &out, &room) ||
        !take_name(&call, call.args[1], &name) || !shim_take_bytes(&call, call.args[2], "bytes", &in))
        return NULL;
    st = shim_end_bytes(&in, function(name, in.data, in.len, out, room, &len));
    return shim_settle_len(&call, st, len);
}
