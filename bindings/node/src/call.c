/* SPDX-License-Identifier: MIT */
/*
 * Calls: their frame, their exceptions, their simple values.
 */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>

bool shim_begin(napi_env env, napi_callback_info info, shim_call *call)
{
    size_t argc = SHIM_MAX_ARGS;
    void *method = NULL;

    call->env = env;
    call->op = "";
    if (!shim_ok(call, napi_get_cb_info(env, info, &argc, call->args, NULL, &method)))
        return false;
    call->op = ((const shim_method *)method)->op;
    return true;
}

bool shim_ok(const shim_call *call, napi_status status)
{
    bool pending = false;

    if (status == napi_ok)
        return true;
    (void)napi_is_exception_pending(call->env, &pending);
    if (!pending)
        (void)napi_throw_error(call->env, NULL, "Node-API refused a call");
    return false;
}

void *shim_scratch(const shim_call *call, size_t len)
{
    shim_instance *instance = NULL;

    if (!shim_ok(call, napi_get_instance_data(call->env, (void **)&instance)))
        return NULL;
    if (len > instance->scratch_len) {
        free(instance->scratch);
        instance->scratch = malloc(len);
        instance->scratch_len = instance->scratch != NULL ? len : 0;
        if (instance->scratch == NULL)
            (void)shim_settle(call, KEEP_ERR_NO_MEMORY);
    }
    return instance->scratch;
}

napi_value shim_error(const shim_call *call, keep_status status, size_t needed)
{
    shim_instance *instance = NULL;
    napi_value class, error = NULL, args[3];

    if (!shim_ok(call, napi_get_instance_data(call->env, (void **)&instance)) ||
        !shim_ok(call, napi_get_reference_value(call->env, instance->error_class, &class)) ||
        !shim_ok(call, napi_get_undefined(call->env, &args[2])))
        return NULL;
    args[0] = shim_number(call, status);
    args[1] = shim_text(call, call->op);
    if (needed > 0)
        args[2] = shim_number(call, (double)needed);
    if (!shim_ok(call, napi_new_instance(call->env, class, SHIM_COUNT(args), args, &error)))
        return NULL;
    return error;
}

napi_value shim_settle_needed(const shim_call *call, keep_status status, size_t needed)
{
    napi_value error;

    if (status == KEEP_OK)
        return NULL;
    error = shim_error(call, status, status == KEEP_ERR_BUFFER_TOO_SMALL ? needed : 0);
    if (error != NULL)
        (void)napi_throw(call->env, error);
    return NULL;
}

napi_value shim_settle(const shim_call *call, keep_status status)
{
    return shim_settle_needed(call, status, 0);
}

napi_value shim_settle_len(const shim_call *call, keep_status status, size_t len)
{
    return status == KEEP_OK ? shim_number(call, (double)len) : shim_settle_needed(call, status, len);
}

static void describe(char (*message)[160], const char *name, const char *expected)
{
    (void)snprintf(*message, sizeof *message, "The \"%s\" argument must be %s", name, expected);
}

bool shim_refuse_type(const shim_call *call, const char *name, const char *expected)
{
    char message[160];

    describe(&message, name, expected);
    (void)napi_throw_type_error(call->env, "ERR_INVALID_ARG_TYPE", message);
    return false;
}

bool shim_refuse_range(const shim_call *call, const char *name, const char *expected)
{
    char message[160];

    describe(&message, name, expected);
    (void)napi_throw_range_error(call->env, "ERR_OUT_OF_RANGE", message);
    return false;
}

napi_value shim_number(const shim_call *call, double value)
{
    napi_value number = NULL;

    (void)shim_ok(call, napi_create_double(call->env, value, &number));
    return number;
}

napi_value shim_bigint(const shim_call *call, uint64_t value)
{
    napi_value bigint = NULL;

    (void)shim_ok(call, napi_create_bigint_uint64(call->env, value, &bigint));
    return bigint;
}

napi_value shim_boolean(const shim_call *call, bool value)
{
    napi_value boolean = NULL;

    (void)shim_ok(call, napi_get_boolean(call->env, value, &boolean));
    return boolean;
}

napi_value shim_text(const shim_call *call, const char *text)
{
    napi_value string = NULL;

    (void)shim_ok(call, napi_create_string_utf8(call->env, text, NAPI_AUTO_LENGTH, &string));
    return string;
}

napi_value shim_buffer(const shim_call *call, size_t len, uint8_t **out_data)
{
    static const uint8_t nothing;
    napi_value buffer = NULL;
    void *data = NULL;

    if (!shim_ok(call, napi_create_buffer(call->env, len, &data, &buffer)))
        return NULL;
    *out_data = data != NULL ? data : (uint8_t *)(uintptr_t)&nothing;
    return buffer;
}
