/* SPDX-License-Identifier: MIT */
/*
 * The hot cache of a pool: opened secrets kept in the clear, in claimed slots, so that opening them again is a copy.
 * It trades secrecy for time. It gives way: nobody is refused a slot that the cache holds.
 */
#ifndef KEEP_MEMORY_CACHE_H
#define KEEP_MEMORY_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/lock.h"
#include "keep/sealed.h"
#include "keep/status.h"
#include "memory/slab.h"

struct keep__tier;
typedef struct keep__entry keep__entry;

typedef struct keep__cache {
    keep__lock lock;
    uint32_t cap;
    keep__entry *newest; /* guarded by lock: the list, most recently used first */
    keep__entry *oldest; /* guarded by lock */
    keep__entry *unused; /* guarded by lock */
    keep__entry *block;  /* guarded by lock: all entries, made at the first miss */
    _Atomic uint64_t count, hits, misses, evictions;
} keep__cache;

/* What a sealed secret remembers of the cache: its entry, or NULL. Guarded by the cache's lock. */
typedef struct keep__cached {
    keep__entry *entry;
} keep__cached;

/* Once for the cache's memory; then for each pool that lives in it. */
void keep__cache_init(keep__cache *cache);
void keep__cache_begin(keep__cache *cache, uint32_t cap);

/*
 * A hit: a claimed slot with the plaintext. A free slot is taken and copied into; if there is none, the entry's own
 * slot leaves the cache and becomes the result. False: a miss.
 */
bool keep__cache_take(keep__cache *cache, const keep__cached *cached, keep__spot *out);

/* After a miss: keeps a copy of `bytes`, as long as the tier's slots, if a further slot is free and nobody waits. */
void keep__cache_keep(keep__cache *cache, struct keep__tier *tier, keep__cached *cached, const uint8_t *bytes);

/* Counts an opening that succeeded. */
void keep__cache_count_miss(keep__cache *cache);

/* Wipes the tier's least recently used entry and frees its slot. False: the tier has none. */
bool keep__cache_evict(keep__cache *cache, const struct keep__tier *tier);

/* Forgets one sealed secret, or everything. */
void keep__cache_forget(keep__cache *cache, const keep__cached *cached);
void keep__cache_clear(keep__cache *cache);

void keep__cache_end(keep__cache *cache);

#endif
