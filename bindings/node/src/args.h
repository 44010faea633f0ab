/* SPDX-License-Identifier: MIT */
/*
 * Arguments from JavaScript: checked, converted, never kept. `name` is the argument's name in an exception. Functions
 * that return false have thrown.
 *
 * A length is read once, when the argument is taken: JavaScript may change a buffer's bytes during a call, never what C
 * believes of its size.
 */
#ifndef SHIM_ARGS_H
#define SHIM_ARGS_H

#include "call.h"

/* Bytes to read: of a Uint8Array, or of a Secret through a read window that shim_end_bytes ends. */
typedef struct shim_bytes {
    const uint8_t *data;
    size_t len;
    const keep_secret *window; /* NULL: no window is open */
} shim_bytes;

bool shim_is_undefined(const shim_call *call, napi_value value);
bool shim_is_array(const shim_call *call, napi_value value);

/* A safe integer from 0 on. */
bool shim_take_size(const shim_call *call, napi_value value, const char *name, size_t *out);
bool shim_take_uint8(const shim_call *call, napi_value value, const char *name, uint8_t *out);
bool shim_take_uint16(const shim_call *call, napi_value value, const char *name, uint16_t *out);
bool shim_take_uint32(const shim_call *call, napi_value value, const char *name, uint32_t *out);
bool shim_take_uint64(const shim_call *call, napi_value value, const char *name, uint64_t *out);
bool shim_take_boolean(const shim_call *call, napi_value value, const char *name, bool *out);

enum {
    SHIM_TEXT_LEN = 127 /* longer names, paths and addresses are nowhere taken */
};

/* Text that C takes with a NUL at its end; `undefined` is NULL. What is too long or has a NUL itself is the status. */
bool shim_take_text(const shim_call *call, napi_value value, const char *name, char (*room)[SHIM_TEXT_LEN + 2],
                    const char **out);

/* How many elements an array has. */
bool shim_take_count(const shim_call *call, napi_value value, const char *name, uint32_t *out);

/* Room to write into: a Uint8Array. */
bool shim_take_room(const shim_call *call, napi_value value, const char *name, uint8_t **out_data, size_t *out_len);

/* A table that C reads or writes in place: a Uint32Array. */
bool shim_take_table(const shim_call *call, napi_value value, const char *name, uint32_t **out_words,
                     size_t *out_count);

bool shim_take_bytes(const shim_call *call, napi_value value, const char *name, shim_bytes *out);

/* Ends what shim_take_bytes began, after the call that used the bytes gave `status`; gives the first failure of the two. */
keep_status shim_end_bytes(const shim_bytes *bytes, keep_status status);

/* Whether two pieces of memory have a byte in common. */
bool shim_overlap(const void *one, size_t one_len, const void *other, size_t other_len);

#endif
