/* SPDX-License-Identifier: MIT */
/*
 * Cache. Invariant: `count` entries are listed, each with a claimed slot that no handle names, and each is remembered by
 * its sealed secret. A slot is given back only after the lock is released: that may wake a waiter.
 */
#include "memory/cache.h"

#include <stddef.h>
#include <string.h>

#include "base/crypto.h"
#include "base/die.h"
#include "base/heap.h"
#include "memory/place.h"
#include "memory/tier.h"
#include "base/banned.h"

struct keep__entry {
    keep__entry *newer;
    keep__entry *older;
    keep__cached *cached;
    keep__spot spot;
};

static keep__tier *tier_of(const keep__entry *entry)
{
    return atomic_load_explicit(&entry->spot.group->tier, memory_order_relaxed);
}

static void unlink_locked(keep__cache *cache, keep__entry *entry) KEEP_HOLDS(cache->lock)
{
    if (entry->newer == NULL)
        cache->newest = entry->older;
    else
        entry->newer->older = entry->older;
    if (entry->older == NULL)
        cache->oldest = entry->newer;
    else
        entry->older->newer = entry->newer;
}

static void link_newest_locked(keep__cache *cache, keep__entry *entry) KEEP_HOLDS(cache->lock)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    if (cache->newest == NULL)
        cache->oldest = entry;
    else
        cache->newest->newer = entry;
    cache->newest = entry;
}

/* Takes an entry out and tells its slot, which is the caller's claim then. */
static keep__spot remove_locked_entry(keep__cache *cache, keep__entry *entry) KEEP_HOLDS(cache->lock)
{
    unlink_locked(cache, entry);
    entry->cached->entry = NULL;
    entry->older = cache->unused;
    cache->unused = entry;
    atomic_fetch_sub(&cache->count, 1);
    atomic_fetch_sub(&tier_of(entry)->cached, 1);
    return entry->spot;
}

/* All entries at once; if memory is refused nothing is cached. */
static bool prepare_locked(keep__cache *cache) KEEP_HOLDS(cache->lock)
{
    if (cache->block != NULL)
        return true;
    cache->block = keep__heap_new(cache->cap * sizeof *cache->block);
    for (uint32_t i = 0; cache->block != NULL && i < cache->cap; i++) {
        cache->block[i].older = cache->unused;
        cache->unused = &cache->block[i];
    }
    return cache->block != NULL;
}

static bool take_locked(keep__cache *cache, const keep__cached *cached, keep__spot *out) KEEP_HOLDS(cache->lock)
{
    keep__entry *entry = cached->entry;
    keep__tier *tier;

    if (entry == NULL)
        return false;
    tier = tier_of(entry);
    if (keep__tier_waiting(tier) == 0 && keep__tier_take(tier, out)) {
        keep__place_check_free(*out);
        memcpy(keep__spot_bytes(*out), keep__spot_bytes(entry->spot), tier->slot_len);
        unlink_locked(cache, entry);
        link_newest_locked(cache, entry);
    } else {
        *out = remove_locked_entry(cache, entry);
    }
    atomic_fetch_add(&cache->hits, 1);
    return true;
}

void keep__cache_init(keep__cache *cache)
{
    keep__lock_init(&cache->lock, KEEP__RANK_CACHE);
}

void keep__cache_begin(keep__cache *cache, uint32_t cap)
{
    keep__assert(atomic_load(&cache->count) == 0);
    cache->cap = cap;
    atomic_store(&cache->hits, 0);
    atomic_store(&cache->misses, 0);
    atomic_store(&cache->evictions, 0);
}

bool keep__cache_take(keep__cache *cache, const keep__cached *cached, keep__spot *out)
{
    bool is_hit;

    keep__lock_acquire(&cache->lock);
    is_hit = take_locked(cache, cached, out);
    keep__lock_release(&cache->lock);
    return is_hit;
}

/* Links a filled slot. False: another thread kept the same secret, or memory was refused; the slot stays the caller's. */
static bool insert_locked(keep__cache *cache, keep__cached *cached, keep__spot spot, keep__spot *out_evicted)
    KEEP_HOLDS(cache->lock)
{
    keep__entry *entry;

    if (cached->entry != NULL || !prepare_locked(cache))
        return false;
    if (cache->unused == NULL) {
        *out_evicted = remove_locked_entry(cache, cache->oldest);
        atomic_fetch_add(&cache->evictions, 1);
    }
    entry = cache->unused;
    cache->unused = entry->older;
    entry->spot = spot;
    entry->cached = cached;
    cached->entry = entry;
    link_newest_locked(cache, entry);
    atomic_fetch_add(&cache->count, 1);
    atomic_fetch_add(&tier_of(entry)->cached, 1);
    return true;
}

void keep__cache_keep(keep__cache *cache, keep__tier *tier, keep__cached *cached, const uint8_t *bytes)
{
    keep__spot evicted = { .group = NULL };
    keep__spot spot;
    bool is_kept;

    if (keep__tier_waiting(tier) != 0 || !keep__tier_take(tier, &spot))
        return;
    keep__place_check_free(spot);
    memcpy(keep__spot_bytes(spot), bytes, tier->slot_len);
    keep__lock_acquire(&cache->lock);
    is_kept = insert_locked(cache, cached, spot, &evicted);
    keep__lock_release(&cache->lock);
    if (!is_kept)
        keep__place_clear_and_give(spot);
    if (evicted.group != NULL)
        keep__place_clear_and_give(evicted);
    if (keep__tier_waiting(tier) != 0) /* either this is seen, or the waiter sees what is cached */
        keep__cache_forget(cache, cached);
}

void keep__cache_count_miss(keep__cache *cache)
{
    atomic_fetch_add(&cache->misses, 1);
}

static bool evict_locked(keep__cache *cache, const keep__tier *tier, keep__spot *out) KEEP_HOLDS(cache->lock)
{
    keep__entry *entry = cache->oldest;

    while (entry != NULL && tier_of(entry) != tier)
        entry = entry->newer;
    if (entry == NULL)
        return false;
    *out = remove_locked_entry(cache, entry);
    atomic_fetch_add(&cache->evictions, 1);
    return true;
}

bool keep__cache_evict(keep__cache *cache, const keep__tier *tier)
{
    keep__spot spot;
    bool is_evicted;

    if (atomic_load(&tier->cached) == 0)
        return false;
    keep__lock_acquire(&cache->lock);
    is_evicted = evict_locked(cache, tier, &spot);
    keep__lock_release(&cache->lock);
    if (is_evicted)
        keep__place_clear_and_give(spot);
    return is_evicted;
}

static bool forget_locked(keep__cache *cache, keep__entry *entry, keep__spot *out) KEEP_HOLDS(cache->lock)
{
    if (entry == NULL)
        return false;
    *out = remove_locked_entry(cache, entry);
    return true;
}

void keep__cache_forget(keep__cache *cache, const keep__cached *cached)
{
    keep__spot spot;
    bool is_found;

    keep__lock_acquire(&cache->lock);
    is_found = forget_locked(cache, cached->entry, &spot);
    keep__lock_release(&cache->lock);
    if (is_found)
        keep__place_clear_and_give(spot);
}

void keep__cache_clear(keep__cache *cache)
{
    keep__spot spot;
    bool is_found;

    do {
        keep__lock_acquire(&cache->lock);
        is_found = forget_locked(cache, cache->oldest, &spot);
        keep__lock_release(&cache->lock);
        if (is_found)
            keep__place_clear_and_give(spot);
    } while (is_found);
}

void keep__cache_end(keep__cache *cache)
{
    keep__assert(cache->newest == NULL);
    keep__lock_acquire(&cache->lock);
    keep__heap_free(cache->block, cache->cap * sizeof *cache->block);
    cache->block = NULL;
    cache->unused = NULL;
    keep__lock_release(&cache->lock);
}
