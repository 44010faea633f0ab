/* SPDX-License-Identifier: MIT */
/*
 * A guarded buffer's pages: data against the rear guard page, canaries in the slack, and what the pages allow. Who may do
 * what when is decided in guarded.c.
 */
#ifndef KEEP_MEMORY_BUFFER_H
#define KEEP_MEMORY_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "keep/pool.h"
#include "keep/status.h"
#include "memory/layout.h"
#include "memory/pages.h"

typedef struct keep__buffer {
    keep__pages pages;
    keep_pool *pool; /* whose bytes these are */
    size_t capacity;
    size_t offset;       /* of the data in the pages */
    uint32_t flags;      /* KEEP_ACQUIRE_ALIGN16, KEEP_ACQUIRE_RESIDENT */
    keep__access access; /* what the pages allow */
    uint8_t canary[KEEP__CANARY_LEN];
} keep__buffer;

static inline uint8_t *keep__buffer_data(const keep__buffer *buffer)
{
    return buffer->pages.data + buffer->offset;
}

/* A buffer of `len` zero bytes, writable. flags: of acquiring; those of no buffer are ignored. Statuses of acquiring. */
keep_status keep__buffer_new(keep_pool *pool, size_t len, uint32_t flags, keep__buffer **out_buffer);

/* Wipes and unmaps. */
void keep__buffer_free(keep__buffer *buffer);

/* Exactly this access, or at least this. SYSTEM: the kernel refused, and the pages are as they were. */
keep_status keep__buffer_allow(keep__buffer *buffer, keep__access access);
keep_status keep__buffer_need(keep__buffer *buffer, keep__access access);

/* Ends the process if the slack, or the bytes from `len` on, were written to. The pages are readable. */
void keep__buffer_check(const keep__buffer *buffer, size_t len);

#endif
