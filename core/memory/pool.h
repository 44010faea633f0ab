/* SPDX-License-Identifier: MIT */
/*
 * A pool from inside: what its parts share.
 *
 * A pool is alive while `refs` (handles, sealed secrets, guarded buffers; the default pool's own one) is not 0 or a
 * slot is in use. Slots are not counted, as that would be a word all threads write: when refs reaches 0 the tiers are
 * marked closing, and whoever then frees a slot looks whether it was the last. Pools are never given back to the heap,
 * only used again: a late free may always look at its tier.
 */
#ifndef KEEP_MEMORY_POOL_H
#define KEEP_MEMORY_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/pool.h"
#include "keep/status.h"
#include "memory/cache.h"
#include "memory/coffer.h"
#include "memory/guard.h"
#include "memory/layout.h"
#include "memory/pages.h"
#include "memory/tier.h"

struct keep_pool {
    _Atomic uint32_t stamp;
    _Atomic uint64_t refs;
    keep__pages_wish wish;
    uint64_t max_bytes;
    uint32_t resplit_views;
    keep__tier_plan plan;
    keep__tier tiers[KEEP_MAX_TIERS];
    keep__coffer coffer;
    keep__cache cache;
    _Atomic uint64_t slab_bytes; /* of all tiers, at most max_bytes */
    _Atomic uint64_t locked_bytes, unlocked_bytes, guarded_bytes, guarded;
    _Atomic uint64_t growths, waits, timeouts, fallbacks, lock_failures, resplits;
    _Atomic int32_t last_lock_errno;
    _Atomic uint32_t backing;
    keep_pool *next; /* of root->pools, or of root->free_pools */
};

/* A pool argument: NULL is the default pool, made if need be. FORKED, and the statuses of making it. */
keep_status keep__pool_resolve(keep_pool *pool, keep_pool **out);

void keep__pool_retain(keep_pool *pool);
void keep__pool_release(keep_pool *pool);

/* Ends a closing pool whose last slot was freed; else nothing. */
void keep__pool_settle(keep_pool *pool);

/* Maps pages for the pool and counts them, or the refusal to lock them. */
keep_status keep__pool_map(keep_pool *pool, size_t len, keep__pages *out);
void keep__pool_unmap(keep_pool *pool, keep__pages *pages);

/* The smallest tier whose slots hold `len`; NULL: none does. */
keep__tier *keep__pool_tier(keep_pool *pool, size_t len);

/*
 * A place for `len` bytes that nobody can name yet: all zero, and writable at keep__place_bytes until it is handed out
 * or given up. Statuses of acquiring, and TIMEOUT.
 */
keep_status keep__pool_claim(keep_pool *pool, size_t len, const keep_acquire_options *options, keep__spot *out);

/* Checks acquire options, NULL: defaults. INVALID_ARGUMENT. */
keep_status keep__pool_read_options(const keep_acquire_options *given, keep_acquire_options *out);

#endif
