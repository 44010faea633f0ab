/* SPDX-License-Identifier: MIT */
/*
 * Pages: data between two guard pages, locked, out of dumps, wiped in or absent from a forked child, touched so that
 * nothing faults later. Nobody else in core/ maps memory.
 */
#ifndef KEEP_MEMORY_PAGES_H
#define KEEP_MEMORY_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/pool.h"
#include "keep/status.h"

/* Besides KEEP_BACKING_...: pages that hold no secret at rest; never locked. */
#define KEEP__BACKING_PLAIN 3

typedef enum keep__access {
    KEEP__ACCESS_NONE,
    KEEP__ACCESS_READ,
    KEEP__ACCESS_WRITE /* and read */
} keep__access;

/* What the pages shall be. */
typedef struct keep__pages_wish {
    uint32_t backing;     /* KEEP_BACKING_... or KEEP__BACKING_PLAIN */
    uint32_t lock_policy; /* KEEP_LOCK_... */
} keep__pages_wish;

typedef struct keep__pages {
    uint8_t *data;
    size_t len;
    uint32_t backing; /* what they are: KEEP_BACKING_MEMFD_SECRET, KEEP_BACKING_LOCKED or KEEP__BACKING_PLAIN */
    bool locked;
    int lock_errno;   /* why locking was refused, also when the call succeeded; else 0 */
} keep__pages;

size_t keep__page_size(void);

static inline bool keep__pages_hold(const keep__pages *pages, const uint8_t *bytes)
{
    return bytes >= pages->data && bytes < pages->data + pages->len;
}

/* Whether the kernel has memfd_secret. */
bool keep__pages_has_memfd_secret(void);

/*
 * Maps `len` bytes, a multiple of the page size. They are zero, readable and writable. On failure everything is undone,
 * and `out` tells nothing but lock_errno.
 *
 * KEEP_ERR_LOCK_LIMIT  locking was refused, and the wish requires it
 * KEEP_ERR_NO_MEMORY   memory was refused
 * KEEP_ERR_UNSUPPORTED the backing or an advice is not known here
 * KEEP_ERR_SYSTEM      anything else
 */
keep_status keep__pages_map(size_t len, keep__pages_wish wish, keep__pages *out);

/* The caller has wiped them. Pages of length 0 are nothing. */
void keep__pages_unmap(keep__pages *pages);

/* KEEP_ERR_SYSTEM: the kernel refused; the pages are as they were. */
keep_status keep__pages_protect(const keep__pages *pages, keep__access access);

#endif
