/* SPDX-License-Identifier: MIT */
/*
 * Pool, white box: what pools share, and what becomes of their memory.
 */
#include "memory/pool.h"

#include "keep/sealed.h"
#include "memory/guard.h"
#include "support/meanwhile.h"
#include "support/pools.h"

void __real_keep__lock_acquire(keep__lock *lock);
void __wrap_keep__lock_acquire(keep__lock *lock);

void __wrap_keep__lock_acquire(keep__lock *lock)
{
    do_awaited("lock");
    __real_keep__lock_acquire(lock);
}

static int count_pools(void)
{
    int count = 0;

    for (const keep_pool *pool = keep__guard_root()->pools; pool != NULL; pool = pool->next)
        count++;
    return count;
}

START_TEST(a_pools_memory_is_used_again_and_begins_anew)
{
    keep_pool_options options = one_tier(32, 0);
    keep_pool *pool;
    keep_pool *before;
    keep_secret *secret;

    options.hot_cache = 3;
    pool = before = new_pool(&options);
    secret = new_secret(pool, 1);
    assert_ok(keep_secret_free(&secret));
    ck_assert_uint_eq(stats_of(pool).growths, 1);
    keep_pool_free(&pool);
    ck_assert_int_eq(count_pools(), 0);
    pool = new_pool(NULL);
    ck_assert_ptr_eq(pool, before);
    ck_assert_int_eq(count_pools(), 1);
    ck_assert_uint_eq(stats_of(pool).growths, 0);
    ck_assert_uint_eq(stats_of(pool).tier_count, 4);
    ck_assert_uint_eq(pool->cache.cap, 0);
    keep_pool_free(&pool);
}
END_TEST

/* memory R19 */
START_TEST(a_pool_ends_with_the_last_of_what_keeps_it)
{
    keep_pool *pool = new_pool(NULL);
    keep_secret *slot = new_secret(pool, 1);
    keep_secret *guarded = new_guarded(pool, 1, 0);
    keep_sealed *sealed = NULL;

    assert_ok(keep_sealed_new(pool, "x", 1, 0, &sealed));
    keep_pool_free(&pool);
    ck_assert_int_eq(count_pools(), 1);
    assert_ok(keep_secret_free(&guarded));
    ck_assert_int_eq(count_pools(), 1);
    keep_sealed_free(&sealed);
    ck_assert_int_eq(count_pools(), 1);
    assert_ok(keep_secret_free(&slot));
    ck_assert_int_eq(count_pools(), 0);
}
END_TEST

START_TEST(a_duplicate_keeps_a_pool_whose_handle_is_gone)
{
    keep_pool *pool = new_pool(NULL);
    keep_secret *secret = secret_of(pool, "first");
    keep_secret *copy = NULL;

    keep_pool_free(&pool);
    assert_ok(keep_secret_duplicate(secret, &copy));
    assert_ok(keep_secret_free(&secret));
    ck_assert_int_eq(count_pools(), 1);
    ck_assert(holds(copy, "first"));
    assert_ok(keep_secret_free(&copy));
    ck_assert_int_eq(count_pools(), 0);
}
END_TEST

START_TEST(null_is_the_default_pool)
{
    keep_pool *resolved = NULL;
    keep_pool *handle = NULL;

    assert_ok(keep__pool_resolve(NULL, &resolved));
    assert_ok(keep_pool_default(NULL, &handle));
    ck_assert_ptr_eq(handle, resolved);
    ck_assert_uint_eq(atomic_load(&handle->refs), 2);
    keep_pool_free(&handle);
    ck_assert_uint_eq(atomic_load(&resolved->refs), 1);
    assert_ok(keep__pool_resolve(resolved, &handle));
    ck_assert_ptr_eq(handle, resolved);
}
END_TEST

START_TEST(a_pool_counts_the_pages_it_maps)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    size_t page = keep__page_size();
    keep__pages pages;

    assert_ok(keep__pool_map(pool, page, &pages));
    ck_assert_uint_eq(atomic_load(&pool->locked_bytes), page);
    keep__pool_unmap(pool, &pages);
    ck_assert_uint_eq(atomic_load(&pool->locked_bytes), 0);
}
END_TEST

/* memory R7 */
START_TEST(a_length_finds_the_smallest_tier_that_holds_it)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);

    ck_assert_ptr_eq(keep__pool_tier(pool, 0), &pool->tiers[0]);
    ck_assert_ptr_eq(keep__pool_tier(pool, 32), &pool->tiers[0]);
    ck_assert_ptr_eq(keep__pool_tier(pool, 33), &pool->tiers[1]);
    ck_assert_ptr_eq(keep__pool_tier(pool, 1024), &pool->tiers[3]);
    ck_assert_ptr_null(keep__pool_tier(pool, 1025));
}
END_TEST

static void make_default_too(void *out)
{
    assert_ok(keep__pool_resolve(NULL, out));
}

START_TEST(of_two_that_need_the_default_pool_one_makes_it)
{
    keep_pool *others = NULL;
    keep_pool *pool = NULL;

    assert_ok(keep__guard_enter());
    before_call("lock", make_default_too, &others);
    assert_ok(keep__pool_resolve(NULL, &pool));
    ck_assert_ptr_nonnull(pool);
    ck_assert_ptr_eq(pool, others);
}
END_TEST

START_TEST(a_pool_that_another_thread_ended_is_not_ended_again)
{
    keep_pool *pool = new_pool(NULL);
    keep_pool *ended = pool;

    keep_pool_free(&pool);
    keep__pool_settle(ended);
    ck_assert_int_eq(count_pools(), 0);
    pool = new_pool(NULL);
    ck_assert_ptr_eq(pool, ended);
    keep_pool_free(&pool);
}
END_TEST

RUN_SUITE("pool", ONCE(a_pools_memory_is_used_again_and_begins_anew), ONCE(a_pool_ends_with_the_last_of_what_keeps_it),
          ONCE(a_duplicate_keeps_a_pool_whose_handle_is_gone), ONCE(null_is_the_default_pool),
          ONCE(a_pool_counts_the_pages_it_maps), ONCE(a_length_finds_the_smallest_tier_that_holds_it),
          ONCE(of_two_that_need_the_default_pool_one_makes_it),
          ONCE(a_pool_that_another_thread_ended_is_not_ended_again))
