/* SPDX-License-Identifier: MIT */
/*
 * Acquire, white box: the order of the ways to a slot, and what is claimed.
 */
#include "memory/pool.h"

#include "keep/sealed.h"
#include "memory/guarded.h"
#include "memory/place.h"
#include "support/pools.h"

keep_status __real_keep__pages_map(size_t len, keep__pages_wish wish, keep__pages *out);
keep_status __wrap_keep__pages_map(size_t len, keep__pages_wish wish, keep__pages *out);

static bool is_refused;

keep_status __wrap_keep__pages_map(size_t len, keep__pages_wish wish, keep__pages *out)
{
    if (!is_refused)
        return __real_keep__pages_map(len, wish, out);
    *out = (keep__pages){ 0 };
    return KEEP_ERR_LOCK_LIMIT;
}

static const keep_acquire_options none = KEEP_ACQUIRE_OPTIONS_INIT;

static keep__spot claim(keep_pool *pool, size_t len, uint32_t flags)
{
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;
    keep__spot spot;

    options.flags = flags;
    assert_ok(keep__pool_claim(pool, len, &options, &spot));
    return spot;
}

START_TEST(what_is_claimed_is_zero_and_nobody_can_name_it)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);

    for (uint32_t flags = 0; flags <= KEEP_ACQUIRE_GUARDED; flags += KEEP_ACQUIRE_GUARDED) {
        keep__spot spot = claim(pool, 20, flags);

        ck_assert(are_all(keep__place_bytes(spot), 0, 20));
        ck_assert_uint_eq(keep__place_is_guarded(spot), flags != 0);
        ck_assert_ptr_eq(keep__place_pool(spot), pool);
        assert_status(keep__slab_check(spot), KEEP_ERR_CLOSED);
        keep__place_clear_and_give(spot);
    }
    ck_assert_uint_eq(stats_of(pool).guarded, 0);
}
END_TEST

/* memory R9: a free slot, then the cache, then a new region */
START_TEST(the_cache_gives_way_before_a_region_is_made_and_after_the_last_free_slot)
{
    keep_pool_options options = one_tier(32, 0);
    KEEP_AUTO(keep_pool) pool = NULL;
    KEEP_AUTO(keep_sealed) sealed = NULL;
    keep_secret *secret = NULL;
    keep__spot spots[300];
    uint64_t slots;

    options.hot_cache = 1;
    pool = new_pool(&options);
    assert_ok(keep_sealed_new(pool, "exactly thirty-two bytes of text", 32, 0, &sealed));
    assert_ok(keep_sealed_open(sealed, NULL, &secret));
    assert_ok(keep_secret_free(&secret));
    slots = stats_of(pool).tiers[0].slots;
    for (uint64_t i = 0; i < slots - 1; i++)
        spots[i] = claim(pool, 32, 0);
    ck_assert_uint_eq(stats_of(pool).cache_entries, 1);
    spots[slots - 1] = claim(pool, 32, 0);
    ck_assert_uint_eq(stats_of(pool).cache_entries, 0);
    ck_assert_uint_eq(stats_of(pool).growths, 1);
    spots[slots] = claim(pool, 32, 0);
    ck_assert_uint_eq(stats_of(pool).growths, 2);
    for (uint64_t i = 0; i <= slots; i++)
        keep__place_clear_and_give(spots[i]);
}
END_TEST

/* memory R12: without a wait the failure of growing is told */
START_TEST(what_growing_failed_with_is_told)
{
    keep_pool_options options = one_tier(32, 1);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep__spot first = claim(pool, 32, 0);
    keep__spot second;

    assert_status(keep__pool_claim(pool, 32, &none, &second), KEEP_ERR_EXHAUSTED);
    second = claim(pool, 32, KEEP_ACQUIRE_FALLBACK | KEEP_ACQUIRE_ALIGN16);
    ck_assert(keep__place_is_guarded(second));
    ck_assert_uint_eq(keep__guarded_flags(second), KEEP_ACQUIRE_ALIGN16);
    ck_assert_uint_eq((uintptr_t)keep__place_bytes(second) % 16, 0);
    keep__place_clear_and_give(second);
    keep__place_clear_and_give(first);
}
END_TEST

/* memory R7 */
START_TEST(what_no_tier_holds_is_a_guarded_buffer)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    keep__spot spot = claim(pool, 1025, 0);

    ck_assert(keep__place_is_guarded(spot));
    ck_assert_uint_eq(keep__guarded_capacity(spot), 1025);
    keep__place_clear_and_give(spot);
}
END_TEST

START_TEST(options_are_read_over_the_defaults)
{
    keep_acquire_options given = { .size = sizeof given, .timeout_ms = 7, .flags = 15 };
    keep_acquire_options read;

    assert_ok(keep__pool_read_options(NULL, &read));
    ck_assert(read.timeout_ms == 0 && read.flags == 0);
    assert_ok(keep__pool_read_options(&given, &read));
    ck_assert(read.timeout_ms == 7 && read.flags == 15);
    given.flags = 16;
    assert_status(keep__pool_read_options(&given, &read), KEEP_ERR_INVALID_ARGUMENT);
    given.flags = 0;
    given.size--;
    assert_status(keep__pool_read_options(&given, &read), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

/* memory R13 */
START_TEST(a_free_slot_is_first_offered_to_whoever_waits)
{
    keep_pool_options options = one_tier(32, 1);
    KEEP_AUTO(keep_pool) pool = NULL;
    keep_acquire_options patient = { .size = sizeof patient, .timeout_ms = KEEP_WAIT_FOREVER };
    keep__spot spot;

    options.tier_slots[0] = 1;
    pool = new_pool(&options);
    atomic_fetch_add(&pool->tiers[0].attention, 1); /* somebody waits */
    assert_status(keep__pool_claim(pool, 32, &none, &spot), KEEP_ERR_EXHAUSTED);
    assert_ok(keep__pool_claim(pool, 32, &patient, &spot)); /* in the line, where nobody else stands any more */
    atomic_fetch_sub(&pool->tiers[0].attention, 1);
    ck_assert(stats_of(pool).waits == 1 && stats_of(pool).timeouts == 0);
    keep__place_clear_and_give(spot);
}
END_TEST

START_TEST(a_fallback_that_fails_is_told)
{
    keep_pool_options options = one_tier(32, 1);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep_acquire_options fallback = { .size = sizeof fallback, .flags = KEEP_ACQUIRE_FALLBACK };
    keep__spot first = claim(pool, 32, 0);
    keep__spot second;

    is_refused = true;
    assert_status(keep__pool_claim(pool, 32, &fallback, &second), KEEP_ERR_LOCK_LIMIT);
    is_refused = false;
    ck_assert_uint_eq(stats_of(pool).fallbacks, 0);
    keep__place_clear_and_give(first);
}
END_TEST

RUN_SUITE("acquire", ONCE(what_is_claimed_is_zero_and_nobody_can_name_it),
          ONCE(the_cache_gives_way_before_a_region_is_made_and_after_the_last_free_slot),
          ONCE(what_growing_failed_with_is_told), ONCE(what_no_tier_holds_is_a_guarded_buffer),
          ONCE(options_are_read_over_the_defaults), ONCE(a_free_slot_is_first_offered_to_whoever_waits),
          ONCE(a_fallback_that_fails_is_told))
