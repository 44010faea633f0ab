/* SPDX-License-Identifier: MIT */
/*
 * Reports: a struct of C into a frozen object, by a table of its fields. uint64_t and int64_t become bigint, shorter
 * integers number, flags of uint8_t boolean, arrays of char string, those of uint8_t Buffer.
 */
#ifndef SHIM_REPORT_H
#define SHIM_REPORT_H

#include "call.h"

typedef enum shim_field_type {
    SHIM_FIELD_FLAG,  /* uint8_t: a boolean */
    SHIM_FIELD_UINT8, /* uint8_t: a number */
    SHIM_FIELD_UINT32,
    SHIM_FIELD_INT32,
    SHIM_FIELD_UINT64,
    SHIM_FIELD_INT64,
    SHIM_FIELD_TEXT,  /* char[], ended by NUL */
    SHIM_FIELD_BYTES, /* uint8_t[count] */
} shim_field_type;

typedef struct shim_field {
    const char *name;
    shim_field_type type;
    size_t offset;
    uint32_t count; /* of the elements of an array of numbers or bytes; 0: no array */
} shim_field;

/* A row for a field of the struct `type`. */
#define SHIM_FIELD(type, name, kind, field) \
    { \
        name, kind, offsetof(type, field), 0 \
    }

/* A plain object with the fields; NULL after a throw. */
napi_value shim_report(const shim_call *call, const shim_field *fields, size_t count, const void *base);

/* A struct of which there are many in a row. */
typedef struct shim_layout {
    const shim_field *fields;
    size_t count;
    size_t size; /* of the struct */
} shim_layout;

#define SHIM_LAYOUT(type, fields) \
    { \
        fields, SHIM_COUNT(fields), sizeof(type) \
    }

/* Appends frozen objects of `len` structs to an array; false after a throw. */
bool shim_append_reports(const shim_call *call, napi_value array, const shim_layout *layout, const void *first,
                         size_t len);

/* An array of such objects; NULL after a throw. */
napi_value shim_reports(const shim_call *call, const shim_layout *layout, const void *first, size_t len);

bool shim_set(const shim_call *call, napi_value object, const char *name, napi_value value);

/* Sets what is not there. */
bool shim_set_null(const shim_call *call, napi_value object, const char *name);

napi_value shim_freeze(const shim_call *call, napi_value object);

#endif
