/* SPDX-License-Identifier: MIT */
/*
 * Stats: what a pool tells of itself. Each number is one load or one walk: true during the call, not all at one moment.
 */
#include "memory/pool.h"

#include "base/options.h"
#include "base/banned.h"

static void tell_tier(keep__tier *tier, keep_tier_stats *out)
{
    uint64_t slots = atomic_load(&tier->slots);
    uint64_t cached = atomic_load(&tier->cached);
    uint64_t idle = keep__tier_count_free(tier) + cached;

    out->slot_len = tier->slot_len;
    out->slots = slots;
    out->cached = cached;
    out->in_use = idle < slots ? slots - idle : 0;
    out->waiting = keep__tier_waiting(tier);
    out->regions = atomic_load(&tier->region_count);
}

static void tell_counts(keep_pool *pool, struct keep_pool_stats *out)
{
    out->growths = atomic_load(&pool->growths);
    out->waits = atomic_load(&pool->waits);
    out->timeouts = atomic_load(&pool->timeouts);
    out->fallbacks = atomic_load(&pool->fallbacks);
    out->lock_failures = atomic_load(&pool->lock_failures);
    out->last_lock_errno = atomic_load(&pool->last_lock_errno);
    out->resplits = atomic_load(&pool->resplits);
    out->purges = atomic_load(&keep__guard_root()->purge_count);
    out->cache_entries = atomic_load(&pool->cache.count);
    out->cache_hits = atomic_load(&pool->cache.hits);
    out->cache_misses = atomic_load(&pool->cache.misses);
    out->cache_evictions = atomic_load(&pool->cache.evictions);
}

static void tell_bytes(keep_pool *pool, struct keep_pool_stats *out)
{
    out->backing = atomic_load(&pool->backing);
    out->locked_bytes = atomic_load(&pool->locked_bytes);
    out->unlocked_bytes = atomic_load(&pool->unlocked_bytes);
    out->guarded_bytes = atomic_load(&pool->guarded_bytes);
    out->guarded = atomic_load(&pool->guarded);
    out->metadata_bytes = sizeof *pool;
    for (uint32_t i = 0; i < pool->plan.count; i++)
        out->metadata_bytes += keep__tier_metadata(&pool->tiers[i]);
}

keep_status keep_pool_stats(keep_pool *pool, struct keep_pool_stats *out_stats)
{
    struct keep_pool_stats stats = KEEP_POOL_STATS_INIT;
    keep_status st = keep__report_check(out_stats, KEEP__SIZE_UP_TO(struct keep_pool_stats, tiers));

    if (st == KEEP_OK)
        st = keep__pool_resolve(pool, &pool);
    if (st != KEEP_OK)
        return st;
    tell_bytes(pool, &stats);
    tell_counts(pool, &stats);
    stats.tier_count = pool->plan.count;
    for (uint32_t i = 0; i < pool->plan.count; i++)
        tell_tier(&pool->tiers[i], &stats.tiers[i]);
    keep__report_fill(out_stats, &stats, sizeof stats);
    return KEEP_OK;
}
