/* SPDX-License-Identifier: MIT */
/*
 * Guarded buffers: a secret in pages of its own, its last byte at the rear guard page, canaries in the slack, and no
 * access at rest. Places of guarded buffers stand in groups of their own; 64 of them share a lock, since a window is
 * a change of protection and of the word together.
 */
#ifndef KEEP_MEMORY_GUARDED_H
#define KEEP_MEMORY_GUARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/pool.h"
#include "keep/status.h"
#include "memory/slab.h"

/* Claims a buffer of `len` zero bytes, writable until it is handed out. flags: KEEP_ACQUIRE_ALIGN16, _RESIDENT. */
keep_status keep__guarded_claim(keep_pool *pool, size_t len, uint32_t flags, keep__spot *out);

/* Makes it live and closes its pages. SYSTEM: they could not be closed; it stays claimed. */
keep_status keep__guarded_hand_out(keep__spot *spot, size_t len, uint64_t flags);

/* Wipes and unmaps a claimed buffer, and frees its place. */
void keep__guarded_end(keep__spot spot);

/* Of a claimed place, or one with an open window. */
keep_pool *keep__guarded_pool(keep__spot spot);
size_t keep__guarded_capacity(keep__spot spot);
uint8_t *keep__guarded_bytes(keep__spot spot);
uint32_t keep__guarded_flags(keep__spot spot); /* KEEP_ACQUIRE_ALIGN16, KEEP_ACQUIRE_RESIDENT */

/* The statuses of the slab's transitions, and SYSTEM. */
keep_status keep__guarded_read_begin(keep__spot spot, const uint8_t **out_data, size_t *out_len);
keep_status keep__guarded_write_begin(keep__spot spot, uint8_t **out_data, size_t *out_len);
keep_status keep__guarded_window_end(keep__spot spot);
keep_status keep__guarded_freeze(keep__spot spot);
keep_status keep__guarded_melt(keep__spot spot);
keep_status keep__guarded_free(keep__spot spot);

/* What info tells; CLOSED if the buffer went meanwhile. */
typedef struct keep__guarded_facts {
    size_t capacity;
    uint32_t backing;
    bool locked;
} keep__guarded_facts;

keep_status keep__guarded_tell(keep__spot spot, keep__guarded_facts *out);

/* Marks every live buffer purged and wipes it; counts the windows that were open. SYSTEM: one could not be wiped. */
keep_status keep__guarded_purge(uint64_t *windows);

#endif
