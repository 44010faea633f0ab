/* SPDX-License-Identifier: MIT */
/*
 * A tier: the slots of one length of a pool. Claiming and giving back a slot takes no lock; growing and trimming is one
 * thread's at a time.
 */
#ifndef KEEP_MEMORY_TIER_H
#define KEEP_MEMORY_TIER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "keep/pool.h"
#include "keep/status.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/table.h"
#include "memory/waiting.h"

/* A bit of `attention` beside the count of waiters: the pool ends with its last slot. */
#define KEEP__CLOSING (UINT64_C(1) << 63)

typedef struct keep__region keep__region; /* pages and the groups in them */

typedef struct keep__tier {
    _Alignas(64) _Atomic uint64_t attention; /* waiters, KEEP__CLOSING: looked at by every free */
    keep_pool *pool;
    uint32_t index;
    uint32_t slot_len;
    uint32_t max_slots;
    _Atomic(keep__table *) table;
    keep__lock growth;
    keep__region *regions; /* guarded by growth; the first one made is the last of the list */
    keep__group *spare;    /* guarded by growth: of trimmed regions, to be used again */
    keep__table *tables;   /* guarded by growth: all there were, a searcher may still look at an old one */
    _Atomic uint64_t bytes, slots, region_count;
    _Atomic uint64_t cached; /* slots that the hot cache holds */
    keep__line line;
} keep__tier;

static inline uint64_t keep__tier_waiting(keep__tier *tier)
{
    return atomic_load(&tier->attention) & ~KEEP__CLOSING;
}

/* Once for the tier's memory; then for each pool that lives in it. */
void keep__tier_init(keep__tier *tier, keep_pool *pool, uint32_t index);
void keep__tier_begin(keep__tier *tier, uint32_t slot_len, uint32_t max_slots);

/* Claims a free slot, also past waiters. False: every slot was seen in use. */
bool keep__tier_take(keep__tier *tier, keep__spot *out);

/* Frees a claimed, wiped slot, and hands it to whoever waits. */
void keep__tier_give(keep__tier *tier, keep__spot spot);

/* What giving back means to others: waiters are served, a closing pool may end. */
void keep__tier_attend(keep__tier *tier);

/*
 * Makes a region with at least `want` slots. If `unless_free`, only if no slot is free by the time its turn has come.
 * EXHAUSTED LOCK_LIMIT NO_MEMORY UNSUPPORTED SYSTEM.
 */
keep_status keep__tier_grow(keep__tier *tier, uint64_t want, bool unless_free);

/* Grows until `count` slots are free. As growing; nothing is allocated on failure. */
keep_status keep__tier_reserve(keep__tier *tier, uint64_t count);

/* Unmaps regions that are free but the first one; the bytes given back. */
uint64_t keep__tier_trim(keep__tier *tier);

/* Slots that are free at this moment. */
uint64_t keep__tier_count_free(keep__tier *tier);

/* Bytes of tables, regions and groups. */
uint64_t keep__tier_metadata(keep__tier *tier);

/* The pages that a slot's bytes lie in; of length 0 if they are not the tier's. */
keep__pages keep__tier_pages(keep__tier *tier, const uint8_t *bytes);

/* Claims every slot if all are free; else none. One thread at a time: under root->listing. */
bool keep__tier_take_whole(keep__tier *tier);
void keep__tier_put_back_whole(keep__tier *tier);

/* Unmaps everything. All slots are claimed by the caller. */
void keep__tier_end(keep__tier *tier);

/* Marks every secret in use purged and wipes it; the windows that were open. */
uint64_t keep__tier_purge(keep__tier *tier);

#endif
