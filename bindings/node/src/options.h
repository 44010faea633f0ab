/* SPDX-License-Identifier: MIT */
/*
 * Options: an object of JavaScript into an options struct of C, by a table of its keys. A missing or undefined value
 * leaves the struct's default; an unknown key is a TypeError.
 */
#ifndef SHIM_OPTIONS_H
#define SHIM_OPTIONS_H

#include "call.h"

typedef enum shim_option_type {
    SHIM_OPTION_UINT8,       /* number */
    SHIM_OPTION_UINT16,      /* number */
    SHIM_OPTION_UINT32,      /* number */
    SHIM_OPTION_UINT64,      /* bigint */
    SHIM_OPTION_BOOLEAN,     /* boolean: a uint8_t */
    SHIM_OPTION_FLAG,        /* boolean: sets `flag` in a uint32_t */
    SHIM_OPTION_UINT32_LIST, /* array of at most KEEP_MAX_TIERS numbers */
} shim_option_type;

typedef struct shim_option {
    const char *name;
    shim_option_type type;
    size_t offset;
    uint32_t flag;
    size_t count_offset; /* of the uint32_t that tells a list's length; 0: none */
} shim_option;

/* Rows for a field of the struct `type`: a value, or one bit of it. */
#define SHIM_OPTION(type, name, kind, field) \
    { \
        name, kind, offsetof(type, field), 0, 0 \
    }
#define SHIM_FLAG(type, name, bit, field) \
    { \
        name, SHIM_OPTION_FLAG, offsetof(type, field), bit, 0 \
    }

/* `undefined` sets nothing. */
bool shim_take_options(const shim_call *call, napi_value value, const shim_option *table, size_t count, void *out);

extern const shim_option shim_pool_options[];
extern const size_t shim_pool_option_count;

#endif
