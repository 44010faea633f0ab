/* SPDX-License-Identifier: MIT */
/*
 * What a layer below libkeep said when a call failed. Functions that touch the outside world take a nullable
 * `keep_error *` as their last parameter; hot functions return the status alone. There is no last error per thread or
 * per handle.
 *
 * Lifetime: the caller's own struct, set to KEEP_ERROR_INIT before its first use. It is written only when the call
 * fails, then whole; on success it is untouched. It holds no secret, key, plaintext or file content.
 * Threads: immutable
 * Limits: 256 bytes for ever. With `size` below 256 it counts as NULL; above, only 256 bytes are written.
 */
#ifndef KEEP_ERROR_H
#define KEEP_ERROR_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/status.h>

KEEP_BEGIN_DECLS

/* The layer whose number stands in `code`. */
enum {
    KEEP_LAYER_NONE = 0,
    KEEP_LAYER_ERRNO = 1,
    KEEP_LAYER_TSS2 = 2,
    KEEP_LAYER_SQLITE = 3,
    KEEP_LAYER_CRYPTO = 4,
    KEEP_LAYER_LOADER = 5
};

/*
 * X(word, number) of every reason. A reason says which rule of several that give one status was broken; the subsystem
 * that gives it appends its words here.
 */
#define KEEP_REASON_MAP(X) \
    X(none, 0)

typedef struct keep_error {
    size_t size;       /* KEEP_ERROR_INIT */
    int32_t status;    /* what the call returned */
    int32_t layer;     /* KEEP_LAYER_... */
    int64_t code;      /* errno, TSS2_RC, SQLite's extended code, OpenSSL's error, else 0 */
    uint32_t reason;   /* a word for keep_reason_name; 0: none */
    uint32_t reserved; /* 0 */
    uint64_t value[4]; /* numbers that belong to the reason or status, else 0 */
    char message[192]; /* UTF-8, ends with NUL, cut between characters */
} keep_error;

#define KEEP_ERROR_INIT KEEP_SIZED(keep_error)

/*
 * The word of a reason number, "path_empty"; "none" for 0, "unknown" for a number that has no word. It lives for ever.
 * Cannot fail.
 */
KEEP_API const char *keep_reason_name(uint32_t reason);

KEEP_END_DECLS

#endif
