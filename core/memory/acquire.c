/* SPDX-License-Identifier: MIT */
/*
 * Acquire: claiming a place in a pool, in the order free slot, least recently used cache entry, new region, waiting,
 * guarded buffer; and what callers do with a pool's slots before they hold one.
 */
#include "memory/pool.h"

#include <string.h>

#include "base/heap.h"
#include "base/options.h"
#include "base/trace.h"
#include "keep/secret.h"
#include "memory/guarded.h"
#include "memory/place.h"
#include "base/banned.h"

#define ACQUIRE_FLAGS (KEEP_ACQUIRE_FALLBACK | KEEP_ACQUIRE_GUARDED | KEEP_ACQUIRE_ALIGN16 | KEEP_ACQUIRE_RESIDENT)

/* A free slot, the slot of the tier's least recently used cache entry, or a slot of a new region. */
static keep_status claim_now(keep__tier *tier, keep__spot *out)
{
    keep_status st = KEEP_OK;

    while (st == KEEP_OK) {
        if (keep__tier_waiting(tier) == 0 && keep__tier_take(tier, out))
            return KEEP_OK;
        if (!keep__cache_evict(&tier->pool->cache, tier))
            st = keep__tier_grow(tier, 1, keep__tier_waiting(tier) == 0);
    }
    return st;
}

static keep_status claim_waiting(keep__tier *tier, uint32_t timeout_ms, keep__spot *out)
{
    keep_status st;

    atomic_fetch_add(&tier->pool->waits, 1);
    st = keep__line_wait(tier, timeout_ms, out);
    if (st != KEEP_OK)
        atomic_fetch_add(&tier->pool->timeouts, 1);
    return st;
}

static keep_status claim_slot(keep__tier *tier, const keep_acquire_options *options, keep__spot *out)
{
    keep_status st = claim_now(tier, out);

    if (st != KEEP_OK && options->timeout_ms != 0 && atomic_load(&tier->slots) != 0)
        st = claim_waiting(tier, options->timeout_ms, out);
    if (st == KEEP_OK)
        keep__place_check_free(*out);
    return st;
}

keep_status keep__pool_claim(keep_pool *pool, size_t len, const keep_acquire_options *options, keep__spot *out)
{
    keep__tier *tier = (options->flags & KEEP_ACQUIRE_GUARDED) != 0 ? NULL : keep__pool_tier(pool, len);
    keep_status st;

    if (tier == NULL)
        return keep__guarded_claim(pool, len, options->flags, out);
    if (KEEP__LIKELY(keep__tier_waiting(tier) == 0 && keep__tier_take(tier, out))) {
        keep__place_check_free(*out);
        return KEEP_OK;
    }
    st = claim_slot(tier, options, out);
    if (st == KEEP_OK || (options->flags & KEEP_ACQUIRE_FALLBACK) == 0)
        return st;
    st = keep__guarded_claim(pool, len, options->flags, out);
    if (st == KEEP_OK)
        atomic_fetch_add(&pool->fallbacks, 1);
    return st;
}

keep_status keep__pool_read_options(const keep_acquire_options *given, keep_acquire_options *out)
{
    keep_status st;

    *out = (keep_acquire_options)KEEP_ACQUIRE_OPTIONS_INIT;
    st = keep__options_read(given, KEEP__SIZE_UP_TO(keep_acquire_options, flags), sizeof *out, out);
    if (st == KEEP_OK && (out->flags & ~(uint32_t)ACQUIRE_FLAGS) != 0)
        st = KEEP_ERR_INVALID_ARGUMENT;
    return st;
}

static bool is_secret_len(size_t len)
{
    return len <= KEEP_MAX_SECRET_LEN;
}

/* Claims and hands out. */
static keep_status acquire(keep_pool *pool, size_t len, const keep_acquire_options *options, keep_secret **out_secret)
{
    keep__spot spot;
    keep_status st = keep__pool_claim(pool, len, options, &spot);

    if (st != KEEP_OK)
        return st;
    st = keep__place_hand_out(&spot, len, 0);
    if (st != KEEP_OK) {
        keep__place_clear_and_give(spot);
        return st;
    }
    *out_secret = keep__place_handle(spot);
    return KEEP_OK;
}

keep_status keep_pool_acquire(keep_pool *pool, size_t len, const keep_acquire_options *options,
                              keep_secret **out_secret)
{
    keep_acquire_options read;
    keep_status st;

    if (out_secret == NULL)
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__pool_read_options(options, &read);
    if (st == KEEP_OK && !is_secret_len(len))
        st = KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK)
        st = keep__pool_resolve(pool, &pool);
    return st != KEEP_OK ? st : acquire(pool, len, &read, out_secret);
}

/* All or none. `made` has room for `count` handles. */
static keep_status acquire_all(keep_pool *pool, size_t len, size_t count, keep_secret **made)
{
    static const keep_acquire_options none = KEEP_ACQUIRE_OPTIONS_INIT;
    keep_status st = KEEP_OK;
    size_t done = 0;

    while (st == KEEP_OK && done < count) {
        st = acquire(pool, len, &none, &made[done]);
        done += st == KEEP_OK;
    }
    if (st != KEEP_OK && done != 0)
        (void)keep_secret_free_batch(made, done);
    return st;
}

keep_status keep_pool_acquire_batch(keep_pool *pool, size_t len, size_t count, keep_secret **out_secrets)
{
    keep_secret **made;
    keep_status st;

    if (out_secrets == NULL || count == 0 || count > KEEP_MAX_BATCH || !is_secret_len(len))
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__pool_resolve(pool, &pool);
    if (st != KEEP_OK)
        return st;
    made = keep__heap_new(count * sizeof *made); /* apart, so that a failure leaves the output untouched */
    if (made == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    st = acquire_all(pool, len, count, made);
    if (st == KEEP_OK)
        memcpy(out_secrets, made, count * sizeof *made);
    keep__heap_free(made, count * sizeof *made);
    return st;
}

keep_status keep_pool_reserve(keep_pool *pool, size_t len, size_t count)
{
    keep__tier *tier;
    keep_status st;

    if (!is_secret_len(len) || count == 0 || count > KEEP_MAX_SECRETS)
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__pool_resolve(pool, &pool);
    if (st != KEEP_OK)
        return st;
    tier = keep__pool_tier(pool, len);
    return tier == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__tier_reserve(tier, count);
}

keep_status keep_pool_trim(keep_pool *pool, uint64_t *out_bytes)
{
    uint64_t bytes = 0;
    keep_status st = keep__pool_resolve(pool, &pool);

    if (st != KEEP_OK)
        return st;
    for (uint32_t i = 0; i < pool->plan.count; i++)
        bytes += keep__tier_trim(&pool->tiers[i]);
    if (out_bytes != NULL)
        *out_bytes = bytes;
    return KEEP_OK;
}
