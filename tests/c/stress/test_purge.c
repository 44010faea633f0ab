/* SPDX-License-Identifier: MIT */
/*
 * Purges beside everything else. An opening either gives the bytes or PURGED, and never AUTH: a purge is no attack.
 */
#include <stdint.h>
#include <string.h>

#include <keep/keep.h>

#include "support/pools.h"
#include "support/threads.h"

#define TEXT "exactly thirty-two bytes of text"

static bool is_expected(keep_status st)
{
    return st == KEEP_OK || st == KEEP_ERR_PURGED;
}

/* The bytes, or PURGED if a purge came between. */
static void need_text_or_purged(keep_secret *secret)
{
    int equal = 0;
    keep_status st = keep_secret_equal_bytes(secret, TEXT, 32, &equal);

    ck_assert(is_expected(st));
    assert_ok(keep_secret_free(&secret));
}

static void open_once(struct worker *worker, const keep_sealed *sealed)
{
    keep_secret *secret = NULL;
    keep_status st = keep_sealed_open(sealed, NULL, &secret);

    ck_assert_msg(is_expected(st), "open gave %s", keep_status_name(st));
    if (st == KEEP_OK && stream_below(&worker->stream, 2) == 0)
        need_text_or_purged(secret);
    else if (st == KEEP_OK)
        assert_ok(keep_secret_free(&secret));
}

static void seal_and_open(struct worker *worker)
{
    int count = rounds(20000);

    for (int i = 0; i < count; i++) {
        keep_sealed *sealed = NULL;
        keep_status st = keep_sealed_new(worker->shared, TEXT, 32, 0, &sealed);

        ck_assert_msg(is_expected(st), "seal gave %s", keep_status_name(st));
        for (uint64_t times = stream_below(&worker->stream, 4); st == KEEP_OK && times > 0; times--)
            open_once(worker, sealed);
        keep_sealed_free(&sealed);
    }
}

static void purge_all_the_time(struct worker *worker)
{
    while (!atomic_load(&worker->crew->is_over)) {
        assert_ok(keep_purge(NULL));
        sched_yield();
    }
}

static void trim_all_the_time(struct worker *worker)
{
    while (!atomic_load(&worker->crew->is_over))
        assert_ok(keep_pool_trim(worker->shared, NULL));
}

/* memory T14, R51 */
START_TEST(a_seal_or_open_beside_a_purge_gives_the_bytes_or_purged)
{
    keep_pool_options options = one_tier(32, 0);
    KEEP_AUTO(keep_pool) pool = NULL;
    struct crew crew = { 0 };

    options.hot_cache = _i == 0 ? 0 : 8;
    options.resplit_views = 3;
    pool = new_pool(&options);
    crew_add(&crew, 4, seal_and_open, pool);
    crew_add(&crew, 1, purge_all_the_time, pool);
    crew_run(&crew, 4);
    assert_ok(keep_purge(NULL));
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
    ck_assert_uint_eq(stats_of(pool).cache_entries, 0);
}
END_TEST

/* Acquires many, checks after a purge of its own that each is purged. */
static void own_secrets_end(struct worker *worker)
{
    int count = rounds(500);

    for (int i = 0; i < count; i++) {
        keep_secret *secrets[300];

        assert_ok(keep_pool_acquire_batch(worker->shared, 32, 300, secrets));
        assert_ok(keep_purge(NULL));
        for (int at = 0; at < 300; at++)
            ck_assert_uint_eq(info_of(secrets[at]).purged, 1);
        assert_ok(keep_secret_free_batch(secrets, 300));
    }
}

/* memory R49: also while others grow and trim the pool */
START_TEST(a_purge_misses_nobody_while_regions_come_and_go)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    struct crew crew = { 0 };

    crew_add(&crew, 3, own_secrets_end, pool);
    crew_add(&crew, 1, trim_all_the_time, pool);
    crew_run(&crew, 3);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
}
END_TEST

static void acquire_and_free(struct worker *worker)
{
    int count = rounds(200000);

    for (int i = 0; i < count; i++) {
        keep_secret *secret = new_secret(worker->shared, 32);

        assert_ok(keep_secret_free(&secret));
    }
}

/* memory 5: a free that meets a purge leaves the slot to it */
START_TEST(a_secret_may_be_freed_while_it_is_purged)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    struct crew crew = { 0 };

    crew_add(&crew, 3, acquire_and_free, pool);
    crew_add(&crew, 1, purge_all_the_time, pool);
    crew_run(&crew, 3);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
}
END_TEST

static void make_and_free_guarded(struct worker *worker)
{
    int count = rounds(5000);

    for (int i = 0; i < count; i++) {
        keep_secret *secret = new_guarded(worker->shared, 100, 0);

        assert_ok(keep_secret_free(&secret));
    }
}

START_TEST(a_guarded_buffer_may_be_freed_while_it_is_purged)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    struct crew crew = { 0 };

    crew_add(&crew, 3, make_and_free_guarded, pool);
    crew_add(&crew, 1, purge_all_the_time, pool);
    crew_run(&crew, 3);
    ck_assert_uint_eq(stats_of(pool).guarded, 0);
}
END_TEST

static void make_and_end_pools(struct worker *worker)
{
    int count = rounds(3000);

    for (int i = 0; i < count; i++) {
        keep_pool *pool = new_pool(NULL);
        keep_secret *secret = new_secret(pool, 1);

        if (stream_below(&worker->stream, 2) == 0)
            keep_pool_free(&pool);
        assert_ok(keep_secret_free(&secret));
        keep_pool_free(&pool);
    }
}

START_TEST(a_pool_may_end_while_it_is_purged)
{
    struct crew crew = { 0 };

    crew_add(&crew, 3, make_and_end_pools, NULL);
    crew_add(&crew, 1, purge_all_the_time, NULL);
    crew_run(&crew, 3);
}
END_TEST

/* A copy of a secret that a purge wiped is no secret that survived it. */
struct copied {
    keep_secret *original;
    keep_pool *pool;
    pthread_barrier_t barrier;
};

static void copy_beside_purge(struct worker *worker)
{
    struct copied *copied = worker->shared;
    int count = rounds(5000);

    for (int i = 0; i < count; i++) {
        keep_secret *copy = NULL;
        keep_sealed *sealed = NULL;
        keep_status st;

        if (worker->index == 0)
            copied->original = secret_of(copied->pool, TEXT);
        pthread_barrier_wait(&copied->barrier);
        if (worker->index == 0) {
            assert_ok(keep_purge(NULL));
        } else if (worker->index == 1) {
            st = keep_secret_duplicate(copied->original, &copy);
            ck_assert(is_expected(st));
        } else {
            st = keep_sealed_from_secret(copied->original, 0, &sealed);
            ck_assert(is_expected(st));
        }
        pthread_barrier_wait(&copied->barrier);
        if (copy != NULL) {
            ck_assert_uint_eq(info_of(copy).purged, 1);
            assert_ok(keep_secret_free(&copy));
        }
        if (sealed != NULL) {
            struct keep_sealed_info info = KEEP_SEALED_INFO_INIT;

            assert_ok(keep_sealed_info(sealed, &info));
            ck_assert_uint_eq(info.purged, 1);
            keep_sealed_free(&sealed);
        }
        if (worker->index == 0)
            assert_ok(keep_secret_free(&copied->original));
    }
}

/* memory R49, R51 */
START_TEST(no_copy_of_a_secret_survives_the_purge_that_wipes_it)
{
    struct copied copied = { .pool = new_pool(NULL) };
    struct crew crew = { 0 };

    pthread_barrier_init(&copied.barrier, NULL, 3);
    crew_add(&crew, 3, copy_beside_purge, &copied);
    crew_run(&crew, 3);
    keep_pool_free(&copied.pool);
}
END_TEST

RUN_SUITE("purge", TIMES(a_seal_or_open_beside_a_purge_gives_the_bytes_or_purged, 2),
          ONCE(a_purge_misses_nobody_while_regions_come_and_go), ONCE(a_secret_may_be_freed_while_it_is_purged),
          ONCE(a_guarded_buffer_may_be_freed_while_it_is_purged), ONCE(a_pool_may_end_while_it_is_purged),
          ONCE(no_copy_of_a_secret_survives_the_purge_that_wipes_it))
