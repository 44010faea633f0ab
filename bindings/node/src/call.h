/* SPDX-License-Identifier: MIT */
/*
 * One call from JavaScript, and what it answers.
 *
 * Every native function begins with shim_begin, takes its arguments, calls C, and returns a value or throws. A helper
 * that returns false, or a null value, has thrown: its caller returns NULL at once.
 */
#ifndef SHIM_CALL_H
#define SHIM_CALL_H

#include <node_api.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <keep/keep.h>

enum {
    SHIM_MAX_ARGS = 9
};

/* A row of a noun's table: `name` is what lib/ calls, `op` what an error tells its reader. */
typedef struct shim_method {
    const char *name;
    const char *op;
    napi_callback function;
} shim_method;

/* A public constant; a member of the frozen object `group`, if it has one. */
typedef struct shim_constant {
    const char *group;
    const char *name;
    int64_t value;
} shim_constant;

/* What addon.c hands to JavaScript; each noun's file defines one. */
typedef struct shim_table {
    const shim_method *methods;
    size_t method_count;
    const shim_constant *constants;
    size_t constant_count;
} shim_table;

#define SHIM_COUNT(array) (sizeof(array) / sizeof *(array))

/* What belongs to one environment: the main thread or a worker. */
typedef struct shim_instance {
    napi_ref error_class;
    atomic_bool stopping; /* the environment ends: waits give up */
    void *scratch;        /* of the call that runs: what is too large for the stack */
    size_t scratch_len;
} shim_instance;

typedef struct shim_call {
    napi_env env;
    const char *op;
    napi_value args[SHIM_MAX_ARGS]; /* missing ones are undefined */
} shim_call;

bool shim_begin(napi_env env, napi_callback_info info, shim_call *call);

/* True if Node-API succeeded; else an exception is pending. */
bool shim_ok(const shim_call *call, napi_status status);

/* Throws the KeepError of a status; `undefined` for KEEP_OK. Always NULL. */
napi_value shim_settle(const shim_call *call, keep_status status);

/* The same for KEEP_ERR_BUFFER_TOO_SMALL, with the length that would do. */
napi_value shim_settle_needed(const shim_call *call, keep_status status, size_t needed);

/* The length that a call wrote; or throws, with the length that would do. */
napi_value shim_settle_len(const shim_call *call, keep_status status, size_t len);

/* Memory of the running call, once per call; NULL after a throw. Secret content in it is the call's to wipe. */
void *shim_scratch(const shim_call *call, size_t len);

/* The KeepError of a status, not thrown; NULL if it could not be made. `needed` 0: none. */
napi_value shim_error(const shim_call *call, keep_status status, size_t needed);

/* Throws TypeError or RangeError, with Node's own codes: `The "len" argument must be ...`. Always false. */
bool shim_refuse_type(const shim_call *call, const char *name, const char *expected);
bool shim_refuse_range(const shim_call *call, const char *name, const char *expected);

/* Values for JavaScript; NULL if one could not be made. */
napi_value shim_number(const shim_call *call, double value);
napi_value shim_bigint(const shim_call *call, uint64_t value);
napi_value shim_boolean(const shim_call *call, bool value);
napi_value shim_text(const shim_call *call, const char *text);

/* A Buffer with memory of its own, never a part of Node's pool; `*out_data` is not NULL, also for length 0. */
napi_value shim_buffer(const shim_call *call, size_t len, uint8_t **out_data);

#endif
