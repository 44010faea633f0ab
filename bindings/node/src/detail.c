/* SPDX-License-Identifier: MIT */
/*
 * Details of errors.
 */
#include "detail.h"

#include "report.h"

static napi_value list_values(const shim_call *call, const keep_error *detail)
{
    napi_value array = NULL, value;
    uint32_t i;

    if (!shim_ok(call, napi_create_array_with_length(call->env, SHIM_COUNT(detail->value), &array)))
        return NULL;
    for (i = 0; i < SHIM_COUNT(detail->value); i++) {
        value = shim_bigint(call, detail->value[i]);
        if (value == NULL || !shim_ok(call, napi_set_element(call->env, array, i, value)))
            return NULL;
    }
    return shim_freeze(call, array);
}

static napi_value make_code(const shim_call *call, const keep_error *detail)
{
    napi_value code = NULL;

    (void)shim_ok(call, napi_create_bigint_int64(call->env, detail->code, &code));
    return code;
}

static bool set_detail(const shim_call *call, napi_value error, const keep_error *detail)
{
    return shim_set(call, error, "layer", shim_number(call, detail->layer)) &&
           shim_set(call, error, "layerCode", make_code(call, detail)) &&
           shim_set(call, error, "reason", shim_text(call, keep_reason_name(detail->reason))) &&
           shim_set(call, error, "values", list_values(call, detail)) &&
           (detail->message[0] == '\0' || shim_set(call, error, "message", shim_text(call, detail->message)));
}

napi_value shim_throw_detail(const shim_call *call, const keep_error *detail, napi_value report)
{
    napi_value error = shim_error(call, (keep_status)detail->status, 0);

    if (error != NULL && set_detail(call, error, detail) &&
        (report == NULL || shim_set(call, error, "report", report)))
        (void)napi_throw(call->env, error);
    return NULL;
}

napi_value shim_settle_detail(const shim_call *call, keep_status status, const keep_error *detail)
{
    if (status == KEEP_OK || (keep_status)detail->status != status) /* C had nothing to add */
        return shim_settle(call, status);
    return shim_throw_detail(call, detail, NULL);
}
