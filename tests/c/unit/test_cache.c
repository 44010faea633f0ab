/* SPDX-License-Identifier: MIT */
/*
 * Cache, white box: its entries and their slots.
 */
#include "memory/cache.h"

#include <string.h>

#include "base/heap.h"
#include "memory/place.h"
#include "memory/pool.h"
#include "support/meanwhile.h"
#include "support/pools.h"

enum {
    LEN = 32
};

void *__real_keep__heap_new(size_t len);
void *__wrap_keep__heap_new(size_t len);
void __real_keep__place_check_free(keep__spot spot);
void __wrap_keep__place_check_free(keep__spot spot);

static bool is_refused;

void *__wrap_keep__heap_new(size_t len)
{
    return is_refused ? NULL : __real_keep__heap_new(len);
}

void __wrap_keep__place_check_free(keep__spot spot)
{
    do_awaited("check");
    __real_keep__place_check_free(spot);
}

static uint8_t bytes[LEN] = "exactly thirty-two bytes of text";

static keep_pool *new_caching_pool(uint32_t entries, uint32_t slots)
{
    keep_pool_options options = one_tier(LEN, slots);

    options.hot_cache = entries;
    options.tier_slots[0] = slots;
    return new_pool(&options);
}

static void keep_bytes_in(keep_pool *pool, keep__cached *cached)
{
    keep__cache_keep(&pool->cache, &pool->tiers[0], cached, bytes);
}

static void need_hit(keep_pool *pool, keep__cached *cached)
{
    keep__spot spot;

    ck_assert(keep__cache_take(&pool->cache, cached, &spot));
    assert_bytes(keep__place_bytes(spot), bytes, LEN);
    keep__place_clear_and_give(spot);
}

START_TEST(what_is_kept_is_a_copy_in_a_slot_of_its_own)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(2, 4);
    keep__cached cached = { NULL };

    keep_bytes_in(pool, &cached);
    ck_assert_ptr_nonnull(cached.entry);
    ck_assert_uint_eq(keep__tier_count_free(&pool->tiers[0]), 3);
    need_hit(pool, &cached);
    ck_assert_ptr_nonnull(cached.entry);
    keep__cache_forget(&pool->cache, &cached);
    ck_assert_ptr_null(cached.entry);
    ck_assert_uint_eq(keep__tier_count_free(&pool->tiers[0]), 4);
}
END_TEST

/* memory R47 */
START_TEST(the_last_slot_leaves_the_cache_with_its_bytes)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(2, 1);
    keep__cached cached = { NULL };

    keep_bytes_in(pool, &cached);
    need_hit(pool, &cached);
    ck_assert_ptr_null(cached.entry);
    ck_assert_uint_eq(atomic_load(&pool->cache.count), 0);
    ck_assert_uint_eq(keep__tier_count_free(&pool->tiers[0]), 1);
}
END_TEST

/* memory R45: without a free slot nothing is cached and no entry leaves */
START_TEST(without_a_free_slot_nothing_changes)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(2, 1);
    keep__cached one = { NULL };
    keep__cached two = { NULL };

    keep_bytes_in(pool, &one);
    keep_bytes_in(pool, &two);
    ck_assert(one.entry != NULL && two.entry == NULL);
    ck_assert_uint_eq(atomic_load(&pool->cache.evictions), 0);
    keep__cache_forget(&pool->cache, &one);
}
END_TEST

/* memory R46 */
START_TEST(a_hit_makes_an_entry_the_most_recent)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(3, 8);
    keep__cached cached[4] = { { NULL } };

    for (int i = 0; i < 3; i++)
        keep_bytes_in(pool, &cached[i]);
    need_hit(pool, &cached[0]);
    keep_bytes_in(pool, &cached[3]);
    ck_assert_ptr_null(cached[1].entry);
    ck_assert(cached[0].entry != NULL && cached[2].entry != NULL && cached[3].entry != NULL);
    ck_assert(keep__cache_evict(&pool->cache, &pool->tiers[0]));
    ck_assert_ptr_null(cached[2].entry);
    keep__cache_clear(&pool->cache);
    ck_assert(cached[0].entry == NULL && cached[3].entry == NULL);
    ck_assert_uint_eq(keep__tier_count_free(&pool->tiers[0]), 8);
    ck_assert(!keep__cache_evict(&pool->cache, &pool->tiers[0]));
}
END_TEST

START_TEST(what_was_kept_twice_is_one_entry)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(3, 8);
    keep__cached cached = { NULL };

    keep_bytes_in(pool, &cached);
    keep_bytes_in(pool, &cached);
    ck_assert_uint_eq(atomic_load(&pool->cache.count), 1);
    ck_assert_uint_eq(keep__tier_count_free(&pool->tiers[0]), 7);
    keep__cache_clear(&pool->cache);
}
END_TEST

START_TEST(forgetting_what_is_not_there_is_nothing)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(3, 8);
    keep__cached cached = { NULL };
    keep__spot spot;

    keep__cache_forget(&pool->cache, &cached);
    ck_assert(!keep__cache_take(&pool->cache, &cached, &spot));
    keep__cache_clear(&pool->cache);
    ck_assert_uint_eq(atomic_load(&pool->cache.hits), 0);
}
END_TEST

/* memory R9: only the tier's own entries give way */
START_TEST(an_entry_of_another_tier_stays)
{
    keep_pool_options options = one_tier(LEN, 4);
    KEEP_AUTO(keep_pool) pool = NULL;
    keep__cached cached = { NULL };

    options.tier_count = 2;
    options.tier_len[1] = 64;
    options.hot_cache = 2;
    options.tier_slots[0] = 4;
    pool = new_pool(&options);
    keep_bytes_in(pool, &cached);
    ck_assert(!keep__cache_evict(&pool->cache, &pool->tiers[1]));
    ck_assert(keep__cache_evict(&pool->cache, &pool->tiers[0]));
    ck_assert_ptr_null(cached.entry);
}
END_TEST

START_TEST(without_memory_nothing_is_cached)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(3, 8);
    keep__cached cached = { NULL };

    is_refused = true;
    keep_bytes_in(pool, &cached);
    is_refused = false;
    ck_assert_ptr_null(cached.entry);
    ck_assert_uint_eq(keep__tier_count_free(&pool->tiers[0]), 8);
    keep_bytes_in(pool, &cached);
    ck_assert_ptr_nonnull(cached.entry);
    keep__cache_clear(&pool->cache);
}
END_TEST

/* Somebody lines up: what he would do further is for tests/c/unit/test_waiting.c. */
static void line_up(void *tier)
{
    atomic_fetch_add(&((keep__tier *)tier)->attention, 1);
}

/* memory R45 */
START_TEST(nothing_is_cached_while_somebody_waits)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(2, 4);
    keep__tier *tier = &pool->tiers[0];
    keep__cached cached = { NULL };
    keep__spot spot;

    before_call("check", line_up, tier);
    keep_bytes_in(pool, &cached); /* he lines up after the look */
    ck_assert_ptr_null(cached.entry);
    keep_bytes_in(pool, &cached); /* and stands there */
    ck_assert_ptr_null(cached.entry);
    ck_assert_uint_eq(keep__tier_count_free(tier), 4);
    atomic_store(&tier->attention, 0);
    keep_bytes_in(pool, &cached);
    line_up(tier);
    ck_assert(keep__cache_take(&pool->cache, &cached, &spot)); /* the entry itself: no free slot is his to lose */
    ck_assert_ptr_null(cached.entry);
    atomic_store(&tier->attention, 0);
    keep__place_clear_and_give(spot);
}
END_TEST

START_TEST(an_entry_that_left_before_it_was_evicted_is_not_missed)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(2, 4);

    atomic_store(&pool->tiers[0].cached, 1); /* as it was when it was looked at */
    ck_assert(!keep__cache_evict(&pool->cache, &pool->tiers[0]));
    atomic_store(&pool->tiers[0].cached, 0);
}
END_TEST

RUN_SUITE("cache", ONCE(what_is_kept_is_a_copy_in_a_slot_of_its_own),
          ONCE(the_last_slot_leaves_the_cache_with_its_bytes), ONCE(without_a_free_slot_nothing_changes),
          ONCE(a_hit_makes_an_entry_the_most_recent), ONCE(what_was_kept_twice_is_one_entry),
          ONCE(forgetting_what_is_not_there_is_nothing), ONCE(an_entry_of_another_tier_stays),
          ONCE(without_memory_nothing_is_cached), ONCE(nothing_is_cached_while_somebody_waits),
          ONCE(an_entry_that_left_before_it_was_evicted_is_not_missed))
