/* SPDX-License-Identifier: MIT */
/*
 * A borrowed run of bytes, for functions that take several of them, and the one way to wipe bytes.
 *
 * Lifetime: `keep_bytes` owns nothing; what it points to must live during the call it is given to.
 * Threads: immutable
 * Limits: `data` is NULL only if `len` is 0.
 */
#ifndef KEEP_BYTES_H
#define KEEP_BYTES_H

#include <stddef.h>

#include <keep/attributes.h>

KEEP_BEGIN_DECLS

typedef struct keep_bytes {
    const void *data;
    size_t len;
} keep_bytes;

/*
 * Overwrites memory with zeros in a way that no compiler removes. For the caller's own copies: what libkeep holds
 * it wipes itself. Cannot fail.
 *
 * ptr   NULL only if `len` is 0
 *
 * Binding: none each language wipes its own buffers in place
 */
KEEP_API void keep_wipe(void *KEEP_NULLABLE ptr, size_t len);

KEEP_END_DECLS

#endif
