/* SPDX-License-Identifier: MIT */
/*
 * Purge: the end of every secret at once. Order: the epoch first, so that whoever uses a key meanwhile sees that it
 * changed; then the keys, the caches, and every secret in use.
 *
 * A pool is retained while it is purged, so it can end only afterwards.
 */
#include "keep/protect.h"

#include "memory/guard.h"
#include "memory/guarded.h"
#include "memory/pool.h"
#include "base/banned.h"

/* The pool after `pool` in the list (NULL: the first), retained. */
static keep_pool *next_pool(keep__root *root, const keep_pool *pool)
{
    keep_pool *next;

    keep__lock_acquire(&root->listing);
    next = pool == NULL ? root->pools : pool->next;
    if (next != NULL)
        keep__pool_retain(next);
    keep__lock_release(&root->listing);
    return next;
}

static uint64_t purge_pool(keep_pool *pool)
{
    uint64_t windows = 0;

    keep__coffer_purge(&pool->coffer, keep__guard_epoch());
    keep__cache_clear(&pool->cache);
    for (uint32_t i = 0; i < pool->plan.count; i++)
        windows += keep__tier_purge(&pool->tiers[i]);
    return windows;
}

static keep_status purge_all(keep__root *root, uint64_t *windows)
{
    keep_pool *pool;
    keep_status st;

    keep__guard_new_epoch();
    pool = next_pool(root, NULL);
    while (pool != NULL) {
        keep_pool *next;

        *windows += purge_pool(pool);
        next = next_pool(root, pool);
        keep__pool_release(pool);
        pool = next;
    }
    st = keep__guarded_purge(windows);
    atomic_fetch_add(&root->purge_count, 1);
    return st;
}

keep_status keep_purge(uint64_t *out_open_windows)
{
    keep__root *root;
    uint64_t windows = 0;
    keep_status st = keep__guard_enter();

    if (st != KEEP_OK)
        return st;
    root = keep__guard_root();
    keep__lock_acquire(&root->purge);
    st = purge_all(root, &windows);
    keep__lock_release(&root->purge);
    if (out_open_windows != NULL)
        *out_open_windows = windows;
    return st;
}
