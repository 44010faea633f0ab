/* SPDX-License-Identifier: MIT */
/*
 * keep/pool.h from outside. What needs threads stands in tests/c/stress.
 */
#include <keep/pool.h>

#include <stdint.h>
#include <time.h>

#include "support/forked.h"
#include "support/memories.h"
#include "support/pools.h"

/* memory T1 */
START_TEST(the_default_tiers_are_32_64_256_and_1024)
{
    static const uint64_t lens[] = { 32, 64, 256, 1024 };
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    struct keep_pool_stats stats = stats_of(pool);

    ck_assert_uint_eq(stats.tier_count, 4);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(stats.tiers[i].slot_len, lens[i]);
}
END_TEST

/* memory T1 */
START_TEST(a_tier_gives_as_many_slots_as_its_cap_and_no_more)
{
    keep_pool_options options = options_of(_i);
    keep_secret *secrets[126];
    keep_secret *one_more = NULL;
    KEEP_AUTO(keep_pool) pool = NULL;
    size_t len = 0;
    const uint8_t *data;

    if (!has_memory(_i))
        return;
    options.tier_count = 1;
    options.tier_len[0] = 64;
    options.tier_max_slots[0] = 126;
    pool = new_pool(&options);
    for (int i = 0; i < 126; i++) {
        secrets[i] = new_secret(pool, 64);
        for (int before = 0; before < i; before++)
            ck_assert_ptr_ne(secrets[i], secrets[before]);
        assert_ok(keep_secret_put(secrets[i], 0, "x", 1));
    }
    assert_status(keep_pool_acquire(pool, 64, NULL, &one_more), KEEP_ERR_EXHAUSTED);
    ck_assert_ptr_null(one_more);
    assert_ok(keep_secret_free(&secrets[77]));
    one_more = new_secret(pool, 64);
    assert_ok(keep_secret_read_begin(one_more, &data, &len));
    ck_assert(len == 64 && are_all(data, 0, len));
    assert_ok(keep_secret_end(one_more));
    assert_ok(keep_secret_free(&one_more));
    assert_ok(keep_secret_free_batch(secrets, 126));
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
}
END_TEST

/* memory R4 */
START_TEST(options_that_cannot_be_are_refused)
{
    static const struct {
        size_t offset;
        uint32_t value;
    } cases[] = {
        { offsetof(keep_pool_options, tier_count), KEEP_MAX_TIERS + 1 },
        { offsetof(keep_pool_options, tier_len), 8 },
        { offsetof(keep_pool_options, tier_len), 33 },
        { offsetof(keep_pool_options, tier_len), 16400 },
        { offsetof(keep_pool_options, backing), 3 },
        { offsetof(keep_pool_options, lock_policy), 2 },
        { offsetof(keep_pool_options, hot_cache), KEEP_MAX_HOT_CACHE + 1 },
        { offsetof(keep_pool_options, max_bytes) + 4, 1 }, /* 4 GiB */
        { offsetof(keep_pool_options, tier_slots), 200000 }, /* more than max_bytes */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        keep_pool_options options = one_tier(32, 0);
        keep_pool *pool = NULL;

        memcpy((char *)&options + cases[i].offset, &cases[i].value, sizeof cases[i].value);
        assert_status(keep_pool_new(&options, &pool), KEEP_ERR_INVALID_ARGUMENT);
        assert_status(keep_pool_default(&options, &pool), KEEP_ERR_INVALID_ARGUMENT);
        ck_assert_ptr_null(pool);
    }
}
END_TEST

/* style R12 */
START_TEST(options_may_come_from_a_newer_header_if_its_additions_are_zero)
{
    struct {
        keep_pool_options options;
        uint64_t newer;
    } given = { KEEP_POOL_OPTIONS_INIT, 0 };
    keep_pool *pool = NULL;

    given.options.size = sizeof given;
    assert_ok(keep_pool_new(&given.options, &pool));
    keep_pool_free(&pool);
    given.newer = 1;
    assert_status(keep_pool_new(&given.options, &pool), KEEP_ERR_INVALID_ARGUMENT);
    given.options.size = sizeof given.options - 1;
    assert_status(keep_pool_new(&given.options, &pool), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_null(pool);
}
END_TEST

START_TEST(null_outputs_and_lengths_beyond_the_maximum_are_refused)
{
    static const size_t lens[] = { KEEP_MAX_SECRET_LEN + 1, SIZE_MAX, SIZE_MAX - 4096 };
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    keep_secret *secrets[1] = { NULL };
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;

    assert_status(keep_pool_new(NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_pool_default(NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_pool_acquire(pool, 1, NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_pool_acquire_batch(pool, 1, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_pool_acquire_batch(pool, 1, 0, secrets), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_pool_acquire_batch(pool, 1, KEEP_MAX_BATCH + 1, secrets), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_pool_stats(pool, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.flags = 16;
    assert_status(keep_pool_acquire(pool, 1, &options, secrets), KEEP_ERR_INVALID_ARGUMENT);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        assert_status(keep_pool_acquire(pool, lens[i], NULL, secrets), KEEP_ERR_INVALID_ARGUMENT);
        assert_status(keep_pool_acquire_batch(pool, lens[i], 1, secrets), KEEP_ERR_INVALID_ARGUMENT);
        assert_status(keep_pool_reserve(pool, lens[i], 1), KEEP_ERR_INVALID_ARGUMENT);
    }
    assert_status(keep_pool_reserve(pool, 1025, 1), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_pool_reserve(pool, 1, 0), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_pool_reserve(pool, 1, KEEP_MAX_SECRETS + 1), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_null(secrets[0]);
    ck_assert_uint_eq(stats_of(pool).growths, 0);
}
END_TEST

/* memory R5 */
START_TEST(a_new_pool_maps_nothing_but_its_initial_slots)
{
    keep_pool_options options = options_of(_i);
    struct keep_pool_stats stats;
    keep_pool *pool;

    if (!has_memory(_i))
        return;
    pool = new_pool(&options);
    stats = stats_of(pool);
    ck_assert_uint_eq(stats.locked_bytes + stats.unlocked_bytes, 0);
    ck_assert_uint_eq(stats.backing, 0);
    keep_pool_free(&pool);
    options.tier_count = 2;
    options.tier_len[0] = 32;
    options.tier_len[1] = 64;
    options.tier_slots[1] = 10;
    pool = new_pool(&options);
    stats = stats_of(pool);
    ck_assert_uint_eq(stats.tiers[0].slots, 0);
    ck_assert_uint_ge(stats.tiers[1].slots, 10);
    ck_assert_uint_eq(stats.backing, options.backing);
    keep_pool_free(&pool);
    ck_assert_ptr_null(pool);
}
END_TEST

/* memory R7 */
START_TEST(a_length_goes_to_the_smallest_tier_that_holds_it)
{
    static const struct {
        size_t len;
        uint64_t capacity;
        uint32_t tier;
    } cases[] = {
        { 0, 32, 0 },   { 1, 32, 0 },   { 32, 32, 0 },     { 33, 64, 1 },        { 64, 64, 1 },
        { 65, 256, 2 }, { 256, 256, 2 }, { 257, 1024, 3 }, { 1024, 1024, 3 }, { 1025, 1025, KEEP_MAX_TIERS },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        KEEP_AUTO(keep_secret) secret = new_secret(NULL, cases[i].len);
        struct keep_secret_info info = info_of(secret);

        ck_assert_uint_eq(info.len, cases[i].len);
        ck_assert_uint_eq(info.capacity, cases[i].capacity);
        ck_assert_uint_eq(info.tier, cases[i].tier);
        ck_assert_uint_eq(info.kind, cases[i].tier == KEEP_MAX_TIERS ? KEEP_KIND_GUARDED : KEEP_KIND_SLOT);
        ck_assert_uint_eq(info.locked, 1);
    }
}
END_TEST

/* memory R7: never a larger tier */
START_TEST(an_exhausted_tier_takes_no_slot_of_a_larger_one)
{
    keep_pool_options options = one_tier(32, 1);
    KEEP_AUTO(keep_pool) pool = NULL;
    KEEP_AUTO(keep_secret) first = NULL;
    keep_secret *second = NULL;

    options.tier_count = 2;
    options.tier_len[1] = 64;
    pool = new_pool(&options);
    first = new_secret(pool, 32);
    assert_status(keep_pool_acquire(pool, 32, NULL, &second), KEEP_ERR_EXHAUSTED);
    assert_ok(keep_pool_acquire(pool, 33, NULL, &second));
    assert_ok(keep_secret_free(&second));
}
END_TEST

/* memory R12 */
START_TEST(a_fallback_is_a_guarded_buffer_of_exactly_the_length)
{
    keep_pool_options options = one_tier(32, 1);
    keep_acquire_options fallback = KEEP_ACQUIRE_OPTIONS_INIT;
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    KEEP_AUTO(keep_secret) first = NULL;
    KEEP_AUTO(keep_secret) second = NULL;

    fallback.flags = KEEP_ACQUIRE_FALLBACK;
    assert_ok(keep_pool_acquire(pool, 7, &fallback, &first));
    ck_assert_uint_eq(info_of(first).kind, KEEP_KIND_SLOT);
    assert_ok(keep_pool_acquire(pool, 7, &fallback, &second));
    ck_assert_uint_eq(info_of(second).kind, KEEP_KIND_GUARDED);
    ck_assert_uint_eq(info_of(second).capacity, 7);
    ck_assert_uint_eq(stats_of(pool).fallbacks, 1);
    ck_assert_uint_eq(stats_of(pool).guarded, 1);
}
END_TEST

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* memory T4 */
START_TEST(a_wait_times_out_not_before_its_time)
{
    keep_pool_options options = one_tier(32, 1);
    keep_acquire_options wait = KEEP_ACQUIRE_OPTIONS_INIT;
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    KEEP_AUTO(keep_secret) first = new_secret(pool, 1);
    keep_secret *second = NULL;
    uint64_t begin = now_ms();

    wait.timeout_ms = 50;
    assert_status(keep_pool_acquire(pool, 1, &wait, &second), KEEP_ERR_TIMEOUT);
    ck_assert_uint_ge(now_ms() - begin, 50 - 1); /* both times are cut to milliseconds */
    ck_assert_uint_eq(stats_of(pool).waits, 1);
    ck_assert_uint_eq(stats_of(pool).timeouts, 1);
    ck_assert_uint_eq(stats_of(pool).tiers[0].waiting, 0);
    wait.flags = KEEP_ACQUIRE_FALLBACK;
    assert_ok(keep_pool_acquire(pool, 1, &wait, &second));
    ck_assert_uint_eq(info_of(second).kind, KEEP_KIND_GUARDED);
    assert_ok(keep_secret_free(&second));
}
END_TEST

/* memory R12: a wait for a slot that cannot come would be for nothing */
START_TEST(nobody_waits_for_a_tier_without_slots)
{
    keep_pool_options options = one_tier(16384, 0);
    keep_acquire_options wait = KEEP_ACQUIRE_OPTIONS_INIT;
    KEEP_AUTO(keep_pool) pool = NULL;
    keep_secret *secret = NULL;

    options.max_bytes = 4096; /* no slot fits */
    pool = new_pool(&options);
    wait.timeout_ms = KEEP_WAIT_FOREVER;
    assert_status(keep_pool_acquire(pool, 1, &wait, &secret), KEEP_ERR_EXHAUSTED);
    ck_assert_uint_eq(stats_of(pool).waits, 0);
}
END_TEST

/* memory R14 */
START_TEST(a_batch_is_all_or_none)
{
    keep_pool_options options = one_tier(32, 10);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep_secret *secrets[11] = { NULL };

    assert_status(keep_pool_acquire_batch(pool, 32, 11, secrets), KEEP_ERR_EXHAUSTED);
    for (int i = 0; i < 11; i++)
        ck_assert_ptr_null(secrets[i]);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
    assert_ok(keep_pool_acquire_batch(pool, 32, 10, secrets));
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 10);
    assert_ok(keep_secret_free_batch(secrets, 11));
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
}
END_TEST

/* memory R15 */
START_TEST(after_a_reserve_that_many_slots_are_free)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_secret) in_use = new_secret(pool, 32);
    struct keep_pool_stats before;
    struct keep_pool_stats after;
    keep_secret *secrets[1000];

    assert_ok(keep_pool_reserve(pool, 20, 1000));
    before = stats_of(pool);
    ck_assert_uint_ge(before.tiers[0].slots, 1001);
    assert_ok(keep_pool_acquire_batch(pool, 32, 1000, secrets));
    after = stats_of(pool);
    ck_assert_uint_eq(after.growths, before.growths);
    assert_ok(keep_pool_reserve(pool, 32, 1));
    assert_ok(keep_secret_free_batch(secrets, 1000));
}
END_TEST

/* memory R15 */
START_TEST(a_reserve_beyond_the_caps_allocates_nothing)
{
    keep_pool_options options = one_tier(32, 100);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);

    assert_status(keep_pool_reserve(pool, 32, 101), KEEP_ERR_EXHAUSTED);
    ck_assert_uint_eq(stats_of(pool).tiers[0].slots, 0);
    assert_ok(keep_pool_reserve(pool, 32, 100));
    ck_assert_uint_eq(stats_of(pool).tiers[0].slots, 100);
}
END_TEST

/* memory R16 */
START_TEST(trim_gives_back_free_regions_but_the_first)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    keep_secret *secrets[1024];
    struct keep_pool_stats before;
    struct keep_pool_stats after;
    uint64_t bytes = 0;

    assert_ok(keep_pool_acquire_batch(pool, 32, 1024, secrets));
    before = stats_of(pool);
    ck_assert_uint_gt(before.tiers[0].regions, 1);
    assert_ok(keep_pool_trim(pool, &bytes));
    ck_assert_uint_eq(bytes, 0);
    assert_ok(keep_secret_free_batch(secrets, 1024));
    assert_ok(keep_pool_trim(pool, &bytes));
    after = stats_of(pool);
    ck_assert_uint_eq(after.tiers[0].regions, 1);
    ck_assert_uint_eq(before.locked_bytes - after.locked_bytes, bytes);
    ck_assert_uint_eq(after.locked_bytes, 8192);
    assert_ok(keep_pool_acquire_batch(pool, 32, 1024, secrets));
    assert_ok(keep_secret_free_batch(secrets, 1024));
    assert_ok(keep_pool_trim(pool, NULL));
}
END_TEST

/* memory R16 */
START_TEST(trim_leaves_a_region_with_a_slot_in_use)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_secret) last = NULL;
    keep_secret *secrets[256];

    assert_ok(keep_pool_acquire_batch(pool, 32, 256, secrets)); /* the whole first region */
    last = secret_of(pool, "kept");
    assert_ok(keep_secret_free_batch(secrets, 256));
    assert_ok(keep_pool_trim(pool, NULL));
    ck_assert_uint_eq(stats_of(pool).tiers[0].regions, 2);
    ck_assert(holds(last, "kept"));
}
END_TEST

/* memory R10 */
START_TEST(the_pool_grows_no_further_than_max_bytes)
{
    keep_pool_options options = one_tier(1024, 0);
    KEEP_AUTO(keep_pool) pool = NULL;
    keep_secret *secrets[9] = { NULL };

    options.max_bytes = 8192;
    pool = new_pool(&options);
    assert_ok(keep_pool_acquire_batch(pool, 1024, 8, secrets));
    assert_status(keep_pool_acquire(pool, 1024, NULL, &secrets[8]), KEEP_ERR_EXHAUSTED);
    assert_ok(keep_secret_free_batch(secrets, 9));
}
END_TEST

/* memory R19 */
START_TEST(secrets_keep_their_freed_pool_alive)
{
    keep_pool_options options = options_of(_i);
    keep_pool *pool;
    keep_secret *slot;
    keep_secret *guarded;

    if (!has_memory(_i))
        return;
    pool = new_pool(&options);
    slot = secret_of(pool, "in a slot");
    guarded = new_guarded(pool, 9, 0);
    keep_pool_free(&pool);
    ck_assert(holds(slot, "in a slot"));
    assert_ok(keep_secret_put(guarded, 0, "guarded!!", 9));
    assert_ok(keep_secret_free(&slot));
    ck_assert(holds(guarded, "guarded!!"));
    assert_ok(keep_secret_free(&guarded));
}
END_TEST

/* memory T17 */
START_TEST(the_default_pool_is_made_once)
{
    keep_pool_options options = one_tier(48, 0);
    keep_pool *pool = NULL;
    keep_pool *again = NULL;

    assert_ok(keep_pool_default(&options, &pool));
    ck_assert_uint_eq(stats_of(NULL).tiers[0].slot_len, 48);
    assert_status(keep_pool_default(&options, &again), KEEP_ERR_STATE);
    ck_assert_ptr_null(again);
    assert_ok(keep_pool_default(NULL, &again));
    keep_pool_free(&pool);
    keep_pool_free(&again);
    assert_status(keep_pool_default(&options, &again), KEEP_ERR_STATE);
    ck_assert_uint_eq(stats_of(NULL).tiers[0].slot_len, 48);
}
END_TEST

START_TEST(freeing_no_pool_is_nothing)
{
    keep_pool *pool = NULL;

    keep_pool_free(&pool);
    keep_pool_free(NULL);
}
END_TEST

/* memory R18 */
START_TEST(stats_count_what_happened)
{
    keep_pool_options options = one_tier(32, 0);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    KEEP_AUTO(keep_secret) slot = new_secret(pool, 1);
    KEEP_AUTO(keep_secret) guarded = new_guarded(pool, 5000, 0);
    struct keep_pool_stats stats = stats_of(pool);

    ck_assert_uint_eq(stats.growths, 1);
    ck_assert_uint_eq(stats.tiers[0].in_use, 1);
    ck_assert_uint_eq(stats.tiers[0].regions, 1);
    ck_assert_uint_eq(stats.guarded, 1);
    ck_assert_uint_eq(stats.guarded_bytes, 8192);
    ck_assert_uint_eq(stats.locked_bytes, 16384);
    ck_assert_uint_gt(stats.metadata_bytes, 0);
}
END_TEST

/* style R12 */
START_TEST(a_report_is_filled_as_far_as_its_size)
{
    struct {
        struct keep_pool_stats stats;
        uint64_t newer;
    } report = { KEEP_POOL_STATS_INIT, 0x1122334455667788 };

    report.stats.size = sizeof report;
    assert_ok(keep_pool_stats(NULL, &report.stats));
    ck_assert_uint_eq(report.newer, 0x1122334455667788);
    ck_assert_uint_eq(report.stats.size, sizeof report);
    report.stats.size = sizeof report.stats - 1;
    assert_status(keep_pool_stats(NULL, &report.stats), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

RUN_SUITE("pool", ONCE(the_default_tiers_are_32_64_256_and_1024),
          TIMES(a_tier_gives_as_many_slots_as_its_cap_and_no_more, MEMORIES),
          ONCE(options_that_cannot_be_are_refused),
          ONCE(options_may_come_from_a_newer_header_if_its_additions_are_zero),
          ONCE(null_outputs_and_lengths_beyond_the_maximum_are_refused),
          TIMES(a_new_pool_maps_nothing_but_its_initial_slots, BACKINGS),
          ONCE(a_length_goes_to_the_smallest_tier_that_holds_it),
          ONCE(an_exhausted_tier_takes_no_slot_of_a_larger_one),
          ONCE(a_fallback_is_a_guarded_buffer_of_exactly_the_length), ONCE(a_wait_times_out_not_before_its_time),
          ONCE(nobody_waits_for_a_tier_without_slots), ONCE(a_batch_is_all_or_none),
          ONCE(after_a_reserve_that_many_slots_are_free), ONCE(a_reserve_beyond_the_caps_allocates_nothing),
          ONCE(trim_gives_back_free_regions_but_the_first), ONCE(trim_leaves_a_region_with_a_slot_in_use),
          ONCE(the_pool_grows_no_further_than_max_bytes), TIMES(secrets_keep_their_freed_pool_alive, BACKINGS),
          ONCE(the_default_pool_is_made_once), ONCE(freeing_no_pool_is_nothing), ONCE(stats_count_what_happened),
          ONCE(a_report_is_filled_as_far_as_its_size))
