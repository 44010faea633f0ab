/* SPDX-License-Identifier: MIT */
/*
 * Pool: making pools and ending them.
 *
 * A pool is in root->pools from the moment it is made until its last page is unmapped, so a purge finds all of it.
 */
#include "memory/pool.h"

#include "base/die.h"
#include "base/heap.h"
#include "base/options.h"
#include "base/trace.h"
#include "base/banned.h"

#define DEFAULT_MAX_BYTES UINT64_C(4194304)
#define DEFAULT_RESPLIT_VIEWS 256

static keep_status read_pool_options(const keep_pool_options *given, keep_pool_options *out, keep__tier_plan *out_plan)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    keep_status st =
        keep__options_read(given, KEEP__SIZE_UP_TO(keep_pool_options, resplit_views), sizeof options, &options);

    if (st != KEEP_OK)
        return st;
    if (options.max_bytes > KEEP_MAX_POOL_BYTES || options.backing > KEEP_BACKING_LOCKED ||
        options.lock_policy > KEEP_LOCK_ALLOW_UNLOCKED || options.hot_cache > KEEP_MAX_HOT_CACHE)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (options.max_bytes == 0)
        options.max_bytes = DEFAULT_MAX_BYTES;
    if (options.resplit_views == 0)
        options.resplit_views = DEFAULT_RESPLIT_VIEWS;
    *out = options;
    return keep__layout_tiers(&options, options.max_bytes, out_plan);
}

static keep_pool *make_shell(void)
{
    keep_pool *pool = keep__heap_new_line(sizeof *pool);

    if (pool == NULL)
        return NULL;
    for (uint32_t i = 0; i < KEEP_MAX_TIERS; i++)
        keep__tier_init(&pool->tiers[i], pool, i);
    keep__coffer_init(&pool->coffer);
    keep__cache_init(&pool->cache);
    return pool;
}

/* A pool's memory, used again or new. */
static keep_pool *new_shell(keep__root *root)
{
    keep_pool *pool;

    keep__lock_acquire(&root->directory);
    pool = root->free_pools;
    if (pool != NULL)
        root->free_pools = pool->next;
    keep__lock_release(&root->directory);
    return pool != NULL ? pool : make_shell();
}

static void give_shell(keep__root *root, keep_pool *pool)
{
    keep__lock_acquire(&root->directory);
    pool->next = root->free_pools;
    root->free_pools = pool;
    keep__lock_release(&root->directory);
}

static void list_pool(keep__root *root, keep_pool *pool)
{
    keep__lock_acquire(&root->listing);
    pool->next = root->pools;
    root->pools = pool;
    keep__lock_release(&root->listing);
}

static void reset_counters(keep_pool *pool)
{
    _Atomic uint64_t *const counters[] = {
        &pool->slab_bytes, &pool->locked_bytes,  &pool->unlocked_bytes, &pool->guarded_bytes,
        &pool->guarded,    &pool->growths,       &pool->waits,          &pool->timeouts,
        &pool->fallbacks,  &pool->lock_failures, &pool->resplits,
    };

    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        atomic_store(counters[i], 0);
    atomic_store(&pool->last_lock_errno, 0);
    atomic_store(&pool->backing, 0);
}

static void set_up(keep_pool *pool, const keep_pool_options *options, const keep__tier_plan *plan)
{
    reset_counters(pool);
    pool->wish = (keep__pages_wish){ options->backing, options->lock_policy };
    pool->max_bytes = options->max_bytes;
    pool->resplit_views = options->resplit_views;
    pool->plan = *plan;
    for (uint32_t i = 0; i < plan->count; i++)
        keep__tier_begin(&pool->tiers[i], plan->len[i], plan->max_slots[i]);
    keep__cache_begin(&pool->cache, options->hot_cache);
    atomic_store(&pool->refs, 1);
    atomic_store(&pool->stamp, keep__guard_stamp());
}

static keep_status make_initial_slots(keep_pool *pool)
{
    keep_status st = KEEP_OK;

    for (uint32_t i = 0; st == KEEP_OK && i < pool->plan.count; i++) {
        if (pool->plan.slots[i] != 0)
            st = keep__tier_reserve(&pool->tiers[i], pool->plan.slots[i]);
    }
    return st;
}

static keep_status make_pool(const keep_pool_options *options, const keep__tier_plan *plan, keep_pool **out_pool)
{
    keep_pool *pool;
    keep_status st = keep__guard_enter();

    if (st != KEEP_OK)
        return st;
    pool = new_shell(keep__guard_root());
    if (pool == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    set_up(pool, options, plan);
    list_pool(keep__guard_root(), pool);
    st = make_initial_slots(pool);
    if (st != KEEP_OK)
        keep__pool_release(pool);
    else
        *out_pool = pool;
    return st;
}

static keep_status make_default_locked(keep__root *root, const keep_pool_options *given)
    KEEP_HOLDS(root->making_default)
{
    keep_pool_options options;
    keep__tier_plan plan;
    keep_pool *pool;
    keep_status st = read_pool_options(given, &options, &plan);

    if (st == KEEP_OK && atomic_load(&root->default_pool) != NULL)
        return given == NULL ? KEEP_OK : keep__trace(KEEP_ERR_STATE);
    if (st == KEEP_OK)
        st = make_pool(&options, &plan, &pool);
    if (st == KEEP_OK)
        atomic_store(&root->default_pool, pool); /* the pool's own reference: it never ends */
    return st;
}

/* The default pool, made with `given` if there is none yet. STATE: there is one, and `given` is not NULL. */
static keep_status need_default(const keep_pool_options *given, keep_pool **out)
{
    keep__root *root;
    keep_status st = keep__guard_enter();

    if (st != KEEP_OK)
        return st;
    root = keep__guard_root();
    if (given != NULL || atomic_load(&root->default_pool) == NULL) {
        keep__lock_acquire(&root->making_default);
        st = make_default_locked(root, given);
        keep__lock_release(&root->making_default);
    }
    if (st == KEEP_OK)
        *out = atomic_load(&root->default_pool);
    return st;
}

keep_status keep__pool_resolve(keep_pool *pool, keep_pool **out)
{
    if (pool == NULL)
        return need_default(NULL, out);
    *out = pool;
    return keep__guard_check(atomic_load_explicit(&pool->stamp, memory_order_relaxed));
}

void keep__pool_retain(keep_pool *pool)
{
    atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
}

static bool take_all_tiers(keep_pool *pool)
{
    for (uint32_t i = 0; i < pool->plan.count; i++) {
        if (keep__tier_take_whole(&pool->tiers[i]))
            continue;
        for (uint32_t taken = 0; taken < i; taken++)
            keep__tier_put_back_whole(&pool->tiers[taken]);
        return false;
    }
    return true;
}

static bool unlist_if_empty_locked(keep__root *root, keep_pool *pool) KEEP_HOLDS(root->listing)
{
    keep_pool **link = &root->pools;

    while (*link != NULL && *link != pool)
        link = &(*link)->next;
    /* another thread ended it meanwhile; or it lives again as another pool */
    if (*link == NULL || atomic_load(&pool->refs) != 0)
        return false;
    for (uint32_t i = 0; i < pool->plan.count; i++)
        atomic_fetch_or(&pool->tiers[i].attention, KEEP__CLOSING);
    if (!take_all_tiers(pool))
        return false;
    *link = pool->next;
    return true;
}

static void end_pool(keep__root *root, keep_pool *pool)
{
    for (uint32_t i = 0; i < pool->plan.count; i++)
        keep__tier_end(&pool->tiers[i]);
    keep__cache_end(&pool->cache);
    keep__coffer_end(pool);
    keep__assert(atomic_load(&pool->locked_bytes) == 0 && atomic_load(&pool->unlocked_bytes) == 0);
    give_shell(root, pool);
}

void keep__pool_settle(keep_pool *pool)
{
    keep__root *root = keep__guard_root();
    bool is_empty;

    keep__lock_acquire(&root->listing);
    is_empty = unlist_if_empty_locked(root, pool);
    keep__lock_release(&root->listing);
    if (is_empty)
        end_pool(root, pool);
}

void keep__pool_release(keep_pool *pool)
{
    if (atomic_fetch_sub(&pool->refs, 1) == 1)
        keep__pool_settle(pool);
}

keep_status keep__pool_map(keep_pool *pool, size_t len, keep__pages *out)
{
    keep_status st = keep__pages_map(len, pool->wish, out);

    if (out->lock_errno != 0) {
        atomic_fetch_add(&pool->lock_failures, 1);
        atomic_store(&pool->last_lock_errno, out->lock_errno);
    }
    if (st != KEEP_OK)
        return st;
    atomic_store(&pool->backing, out->backing);
    atomic_fetch_add(out->locked ? &pool->locked_bytes : &pool->unlocked_bytes, len);
    return KEEP_OK;
}

void keep__pool_unmap(keep_pool *pool, keep__pages *pages)
{
    atomic_fetch_sub(pages->locked ? &pool->locked_bytes : &pool->unlocked_bytes, pages->len);
    keep__pages_unmap(pages);
}

keep__tier *keep__pool_tier(keep_pool *pool, size_t len)
{
    for (uint32_t i = 0; i < pool->plan.count; i++) {
        if (len <= pool->plan.len[i])
            return &pool->tiers[i];
    }
    return NULL;
}

keep_status keep_pool_new(const keep_pool_options *options, keep_pool **out_pool)
{
    keep_pool_options read;
    keep__tier_plan plan;
    keep_status st;

    if (out_pool == NULL)
        return KEEP_ERR_INVALID_ARGUMENT;
    st = read_pool_options(options, &read, &plan);
    return st != KEEP_OK ? st : make_pool(&read, &plan, out_pool);
}

keep_status keep_pool_default(const keep_pool_options *options, keep_pool **out_pool)
{
    keep_pool *pool;
    keep_status st = out_pool == NULL ? KEEP_ERR_INVALID_ARGUMENT : need_default(options, &pool);

    if (st != KEEP_OK)
        return st;
    keep__pool_retain(pool);
    *out_pool = pool;
    return KEEP_OK;
}

void keep_pool_free(keep_pool **pool)
{
    keep_pool *freed = pool == NULL ? NULL : *pool;

    if (freed == NULL)
        return;
    *pool = NULL;
    if (keep__guard_check(atomic_load_explicit(&freed->stamp, memory_order_relaxed)) == KEEP_OK)
        keep__pool_release(freed);
}
