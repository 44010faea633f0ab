/* SPDX-License-Identifier: MIT */
/*
 * Sealed secrets from many threads, while the halves of the key change under them.
 */
#include <stdint.h>
#include <string.h>

#include <keep/keep.h>

#include "support/pools.h"
#include "support/threads.h"

#define TEXT "exactly thirty-two bytes of text"

static keep_pool *new_pool_with(uint32_t resplit_views, uint32_t hot_cache)
{
    keep_pool_options options = one_tier(32, 0);

    options.resplit_views = resplit_views;
    options.hot_cache = hot_cache;
    return new_pool(&options);
}

static void need_text(const keep_sealed *sealed)
{
    keep_secret *secret = NULL;

    assert_ok(keep_sealed_open(sealed, NULL, &secret));
    ck_assert(holds(secret, TEXT));
    assert_ok(keep_secret_free(&secret));
}

static void open_the_same(struct worker *worker)
{
    int count = rounds(50000);

    for (int i = 0; i < count; i++)
        need_text(worker->shared);
}

/* memory T12, R44 */
START_TEST(four_threads_open_while_every_view_splits_the_key_anew)
{
    KEEP_AUTO(keep_pool) pool = new_pool_with(1, 0);
    KEEP_AUTO(keep_sealed) sealed = NULL;
    struct crew crew = { 0 };

    assert_ok(keep_sealed_new(pool, TEXT, 32, 0, &sealed));
    crew_add(&crew, 4, open_the_same, sealed);
    crew_run(&crew, 4);
    ck_assert_uint_gt(stats_of(pool).resplits, 0);
}
END_TEST

/* memory R41 */
START_TEST(a_cached_sealed_secret_is_opened_by_all_at_once)
{
    KEEP_AUTO(keep_pool) pool = new_pool_with(0, 1);
    KEEP_AUTO(keep_sealed) sealed = NULL;
    struct crew crew = { 0 };

    assert_ok(keep_sealed_new(pool, TEXT, 32, 0, &sealed));
    crew_add(&crew, 4, open_the_same, sealed);
    crew_run(&crew, 4);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
    ck_assert_uint_le(stats_of(pool).cache_entries, 1);
}
END_TEST

static void seal_open_and_free(struct worker *worker)
{
    int count = rounds(20000);

    for (int i = 0; i < count; i++) {
        keep_sealed *sealed = NULL;

        assert_ok(keep_sealed_new(worker->shared, TEXT, 32, (uint32_t)i, &sealed));
        need_text(sealed);
        need_text(sealed);
        keep_sealed_free(&sealed);
    }
}

START_TEST(the_first_seals_of_many_threads_share_one_key)
{
    KEEP_AUTO(keep_pool) pool = new_pool_with(7, 3);
    struct crew crew = { 0 };

    crew_add(&crew, 4, seal_open_and_free, pool);
    crew_run(&crew, 4);
    ck_assert_uint_eq(stats_of(pool).cache_entries, 0);
}
END_TEST

RUN_SUITE("sealed", ONCE(four_threads_open_while_every_view_splits_the_key_anew),
          ONCE(a_cached_sealed_secret_is_opened_by_all_at_once),
          ONCE(the_first_seals_of_many_threads_share_one_key))
