/* SPDX-License-Identifier: MIT */
/*
 * Reports, by table.
 */
#include "report.h"

#include <string.h>

static napi_value read_bigint(const shim_call *call, const void *place, bool is_signed)
{
    napi_value value = NULL;
    int64_t number;

    memcpy(&number, place, sizeof number);
    if (!is_signed)
        return shim_bigint(call, (uint64_t)number);
    (void)shim_ok(call, napi_create_bigint_int64(call->env, number, &value));
    return value;
}

static napi_value read_number(const shim_call *call, const void *place, bool is_signed)
{
    uint32_t number;

    memcpy(&number, place, sizeof number);
    return shim_number(call, is_signed ? (double)(int32_t)number : (double)number);
}

static napi_value read_scalar(const shim_call *call, shim_field_type type, const void *place)
{
    switch (type) {
    case SHIM_FIELD_FLAG:
        return shim_boolean(call, *(const uint8_t *)place != 0);
    case SHIM_FIELD_UINT8:
        return shim_number(call, *(const uint8_t *)place);
    case SHIM_FIELD_UINT32:
    case SHIM_FIELD_INT32:
        return read_number(call, place, type == SHIM_FIELD_INT32);
    case SHIM_FIELD_UINT64:
    case SHIM_FIELD_INT64:
        return read_bigint(call, place, type == SHIM_FIELD_INT64);
    case SHIM_FIELD_TEXT:
        return shim_text(call, place);
    case SHIM_FIELD_BYTES:
        break;
    }
    return NULL;
}

static napi_value read_bytes(const shim_call *call, const char *place, size_t len)
{
    napi_value buffer = NULL;

    (void)shim_ok(call, napi_create_buffer_copy(call->env, len, place, NULL, &buffer));
    return buffer;
}

/* Of 32-bit integers. */
static napi_value read_numbers(const shim_call *call, const shim_field *field, const char *place)
{
    napi_value array = NULL, element;
    uint32_t i;

    if (!shim_ok(call, napi_create_array_with_length(call->env, field->count, &array)))
        return NULL;
    for (i = 0; i < field->count; i++) {
        element = read_scalar(call, field->type, place + i * sizeof(uint32_t));
        if (element == NULL || !shim_ok(call, napi_set_element(call->env, array, i, element)))
            return NULL;
    }
    return shim_freeze(call, array);
}

static napi_value read_field(const shim_call *call, const shim_field *field, const char *place)
{
    if (field->type == SHIM_FIELD_BYTES)
        return read_bytes(call, place, field->count);
    return field->count > 0 ? read_numbers(call, field, place) : read_scalar(call, field->type, place);
}

bool shim_set(const shim_call *call, napi_value object, const char *name, napi_value value)
{
    return value != NULL && shim_ok(call, napi_set_named_property(call->env, object, name, value));
}

bool shim_set_null(const shim_call *call, napi_value object, const char *name)
{
    napi_value null = NULL;

    return shim_ok(call, napi_get_null(call->env, &null)) && shim_set(call, object, name, null);
}

napi_value shim_freeze(const shim_call *call, napi_value object)
{
    if (object == NULL || !shim_ok(call, napi_object_freeze(call->env, object)))
        return NULL;
    return object;
}

napi_value shim_report(const shim_call *call, const shim_field *fields, size_t count, const void *base)
{
    napi_value object = NULL, value;
    size_t i;

    if (!shim_ok(call, napi_create_object(call->env, &object)))
        return NULL;
    for (i = 0; i < count; i++) {
        value = read_field(call, &fields[i], (const char *)base + fields[i].offset);
        if (!shim_set(call, object, fields[i].name, value))
            return NULL;
    }
    return object;
}

bool shim_append_reports(const shim_call *call, napi_value array, const shim_layout *layout, const void *first,
                         size_t len)
{
    napi_value object;
    uint32_t at = 0;
    size_t i;

    if (!shim_ok(call, napi_get_array_length(call->env, array, &at)))
        return false;
    for (i = 0; i < len; i++) {
        object = shim_report(call, layout->fields, layout->count, (const char *)first + i * layout->size);
        object = shim_freeze(call, object);
        if (object == NULL || !shim_ok(call, napi_set_element(call->env, array, at + (uint32_t)i, object)))
            return false;
    }
    return true;
}

napi_value shim_reports(const shim_call *call, const shim_layout *layout, const void *first, size_t len)
{
    napi_value array = NULL;

    if (!shim_ok(call, napi_create_array(call->env, &array)) || !shim_append_reports(call, array, layout, first, len))
        return NULL;
    return array;
}
