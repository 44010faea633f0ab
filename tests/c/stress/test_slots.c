/* SPDX-License-Identifier: MIT */
/*
 * Slots from many threads: nobody ever sees a byte of somebody else.
 */
#include <stdint.h>
#include <string.h>

#include <keep/keep.h>

#include "support/forked.h"
#include "support/memories.h"
#include "support/pools.h"
#include "support/threads.h"

enum {
    SHARERS = 8,
    HELD = 40,
    SLOT_LEN = 32
};

static void need_own_bytes(const keep_secret *secret, int mark, size_t len)
{
    const uint8_t *data;
    size_t seen;

    assert_ok(keep_secret_read_begin(secret, &data, &seen));
    ck_assert(seen == len && are_all(data, mark, len));
    assert_ok(keep_secret_end(secret));
}

/* Acquires, finds zeros, fills with a mark of its own, finds it again, frees. */
static void acquire_fill_verify_free(struct worker *worker)
{
    keep_pool *pool = worker->shared;
    keep_secret *held[HELD] = { NULL };
    int mark = worker->index + 1;
    int count = all_rounds(1000000 / SHARERS);

    for (int i = 0; i < count; i++) {
        keep_secret **secret = &held[stream_below(&worker->stream, HELD)];
        uint8_t *data;
        size_t len;

        if (*secret == NULL) {
            *secret = new_secret(pool, SLOT_LEN);
            assert_ok(keep_secret_write_begin(*secret, &data, &len));
            ck_assert(are_all(data, 0, len));
            memset(data, mark, len);
            assert_ok(keep_secret_end(*secret));
        } else {
            need_own_bytes(*secret, mark, SLOT_LEN);
            assert_ok(keep_secret_free(secret));
        }
    }
    assert_ok(keep_secret_free_batch(held, HELD));
}

static void trim_all_the_time(struct worker *worker)
{
    while (!atomic_load(&worker->crew->is_over))
        assert_ok(keep_pool_trim(worker->shared, NULL));
}

static void ask_stats_all_the_time(struct worker *worker)
{
    while (!atomic_load(&worker->crew->is_over)) {
        struct keep_pool_stats stats = stats_of(worker->shared);

        ck_assert_uint_le(stats.tiers[0].in_use, SHARERS * HELD);
    }
}

/* memory T5 */
START_TEST(eight_threads_share_a_pool_beside_trimming_and_stats)
{
    keep_pool_options options = one_tier(SLOT_LEN, 0);
    KEEP_AUTO(keep_pool) pool = NULL;
    struct crew crew = { 0 };

    if (!has_memory(_i))
        return;
    options.backing = options_of(_i).backing;
    pool = new_pool(&options);
    crew_add(&crew, SHARERS, acquire_fill_verify_free, pool);
    crew_add(&crew, 1, trim_all_the_time, pool);
    crew_add(&crew, 1, ask_stats_all_the_time, pool);
    crew_run(&crew, SHARERS);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
    assert_ok(keep_pool_trim(pool, NULL));
    ck_assert_uint_eq(stats_of(pool).tiers[0].regions, 1);
}
END_TEST

/* Two pools whose groups go from one to the other: a searcher may meet the other's group through an old table. */
static void grow_and_trim(struct worker *worker)
{
    keep_pool *pool = ((keep_pool **)worker->shared)[worker->index % 2];
    int count = rounds(4000);

    for (int i = 0; i < count; i++) {
        keep_secret *secrets[512];
        size_t wanted = 1 + stream_below(&worker->stream, 512);

        assert_ok(keep_pool_acquire_batch(pool, SLOT_LEN, wanted, secrets));
        for (size_t at = 0; at < wanted; at += 64)
            assert_ok(keep_secret_put(secrets[at], 0, &worker->index, sizeof worker->index));
        for (size_t at = 0; at < wanted; at += 64) {
            int seen;

            assert_ok(keep_secret_get(secrets[at], 0, &seen, sizeof seen));
            ck_assert_int_eq(seen, worker->index);
        }
        assert_ok(keep_secret_free_batch(secrets, wanted));
        assert_ok(keep_pool_trim(pool, NULL));
    }
}

START_TEST(two_pools_that_grow_and_trim_take_nothing_from_each_other)
{
    keep_pool *pools[2] = { new_pool(NULL), new_pool(NULL) };
    struct crew crew = { 0 };

    crew_add(&crew, 4, grow_and_trim, pools);
    crew_run(&crew, 4);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(stats_of(pools[i]).tiers[0].in_use, 0);
        ck_assert_uint_eq(stats_of(pools[i]).tiers[0].regions, 1);
        keep_pool_free(&pools[i]);
    }
}
END_TEST

/* A pool with a cap of one slot for each thread is never exhausted for them. */
static void use_own_share(struct worker *worker)
{
    int count = rounds(200000);

    for (int i = 0; i < count; i++) {
        keep_secret *secret = new_secret(worker->shared, SLOT_LEN);

        assert_ok(keep_secret_free(&secret));
    }
}

START_TEST(nobody_is_refused_while_a_slot_is_free)
{
    keep_pool_options options = one_tier(SLOT_LEN, 4);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    struct crew crew = { 0 };

    crew_add(&crew, 4, use_own_share, pool);
    crew_add(&crew, 1, trim_all_the_time, pool);
    crew_run(&crew, 4);
}
END_TEST

/* Two threads race for one handle: one wins. */
struct race {
    keep_secret *secret;
    atomic_int freed;
    pthread_barrier_t barrier;
    keep_pool *pool;
};

static void free_the_same(struct worker *worker)
{
    struct race *race = worker->shared;
    int count = rounds(50000);

    for (int i = 0; i < count; i++) {
        keep_secret *copy;
        keep_status st;

        if (worker->index == 0) {
            race->secret = new_secret(race->pool, 1);
            atomic_store(&race->freed, 0);
        }
        pthread_barrier_wait(&race->barrier);
        copy = race->secret;
        st = keep_secret_free(&copy);
        ck_assert(st == KEEP_OK || st == KEEP_ERR_CLOSED);
        atomic_fetch_add(&race->freed, st == KEEP_OK);
        pthread_barrier_wait(&race->barrier);
        ck_assert_int_eq(atomic_load(&race->freed), 1);
        pthread_barrier_wait(&race->barrier);
    }
}

/* memory 5: who loses a race gets CLOSED, never another one's slot */
START_TEST(of_two_who_free_one_secret_one_wins)
{
    struct race race = { .pool = new_pool(NULL) };
    struct crew crew = { 0 };

    pthread_barrier_init(&race.barrier, NULL, 2);
    crew_add(&crew, 2, free_the_same, &race);
    crew_run(&crew, 2);
    ck_assert_uint_eq(stats_of(race.pool).tiers[0].in_use, 0);
    keep_pool_free(&race.pool);
}
END_TEST

/* Windows of one secret from all sides. */
static void open_windows_at_random(struct worker *worker)
{
    keep_secret *secret = *(keep_secret **)worker->shared;
    int count = rounds(100000);
    keep_secret *made;

    for (int i = 0; i < count; i++) {
        const uint8_t *data;
        uint8_t *writable;
        size_t len;
        keep_status st;

        switch (stream_below(&worker->stream, 6)) {
        case 0:
            st = keep_secret_read_begin(secret, &data, &len);
            if (st == KEEP_OK) {
                ck_assert(are_all(data, data[0], len));
                assert_ok(keep_secret_end(secret));
            }
            break;
        case 1:
            st = keep_secret_write_begin(secret, &writable, &len);
            if (st == KEEP_OK) {
                memset(writable, worker->index, len);
                assert_ok(keep_secret_end(secret));
            }
            break;
        case 2:
            st = keep_secret_freeze(secret);
            break;
        case 3:
            st = keep_secret_melt(secret);
            break;
        case 4:
            st = keep_secret_clear(secret);
            break;
        default:
            st = keep_secret_duplicate(secret, &made);
            if (st == KEEP_OK)
                assert_ok(keep_secret_free(&made));
        }
        ck_assert(st == KEEP_OK || st == KEEP_ERR_BUSY || st == KEEP_ERR_STATE);
    }
}

START_TEST(a_slots_windows_exclude_each_other_between_threads)
{
    keep_secret *secret = new_secret(NULL, 32);
    struct crew crew = { 0 };

    crew_add(&crew, 4, open_windows_at_random, &secret);
    crew_run(&crew, 4);
    ck_assert_uint_eq(info_of(secret).windows, 0);
    assert_ok(keep_secret_free(&secret));
}
END_TEST

START_TEST(a_guarded_buffers_windows_exclude_each_other_between_threads)
{
    keep_secret *secret = new_guarded(NULL, 32, 0);
    struct crew crew = { 0 };

    crew_add(&crew, 4, open_windows_at_random, &secret);
    crew_run(&crew, 4);
    ck_assert_uint_eq(info_of(secret).windows, 0);
    assert_ok(keep_secret_free(&secret));
}
END_TEST

/* A window that one thread begins and another one ends. */
struct handed {
    keep_secret *secret;
    pthread_barrier_t barrier;
};

static void begin_or_end(struct worker *worker)
{
    struct handed *handed = worker->shared;
    const uint8_t *data;
    size_t len;

    if (worker->index == 0)
        assert_ok(keep_secret_read_begin(handed->secret, &data, &len));
    pthread_barrier_wait(&handed->barrier);
    if (worker->index == 1)
        assert_ok(keep_secret_end(handed->secret));
}

/* memory R22 */
START_TEST(another_thread_may_end_a_window)
{
    struct handed handed = { .secret = _i == 0 ? new_secret(NULL, 32) : new_guarded(NULL, 32, 0) };
    struct crew crew = { 0 };

    pthread_barrier_init(&handed.barrier, NULL, 2);
    crew_add(&crew, 2, begin_or_end, &handed);
    crew_run(&crew, 2);
    assert_status(keep_secret_end(handed.secret), KEEP_ERR_STATE);
    assert_ok(keep_secret_free(&handed.secret));
}
END_TEST

static void make_and_free_guarded(struct worker *worker)
{
    int count = rounds(5000);

    for (int i = 0; i < count; i++) {
        keep_secret *secret = new_guarded(worker->shared, 100, 0);

        assert_ok(keep_secret_put(secret, 0, &worker->index, sizeof worker->index));
        assert_ok(keep_secret_free(&secret));
    }
}

START_TEST(guarded_buffers_are_made_and_freed_by_all)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    struct crew crew = { 0 };

    crew_add(&crew, 4, make_and_free_guarded, pool);
    crew_run(&crew, 4);
    ck_assert_uint_eq(stats_of(pool).guarded, 0);
}
END_TEST

/* Pools whose handle is freed while another thread frees the last secret. */
static void end_pools(struct worker *worker)
{
    struct race *race = worker->shared;
    int count = rounds(5000);

    for (int i = 0; i < count; i++) {
        if (worker->index == 0) {
            race->pool = new_pool(NULL);
            race->secret = new_secret(race->pool, 1);
        }
        pthread_barrier_wait(&race->barrier);
        if (worker->index == 0)
            keep_pool_free(&race->pool);
        else
            assert_ok(keep_secret_free(&race->secret));
        pthread_barrier_wait(&race->barrier);
    }
}

/* memory R19 */
START_TEST(a_pool_ends_with_its_last_handle_or_secret_in_any_order)
{
    struct race race = { 0 };
    struct crew crew = { 0 };

    pthread_barrier_init(&race.barrier, NULL, 2);
    crew_add(&crew, 2, end_pools, &race);
    crew_run(&crew, 2);
}
END_TEST

static void use_default_pool(struct worker *worker)
{
    keep_secret *secret = new_secret(NULL, 1);

    (void)worker;
    assert_ok(keep_secret_free(&secret));
}

/* In a child: the process that it leaves has never used the library. */
static void begin_together(void *unused)
{
    struct crew crew = { 0 };

    (void)unused;
    crew_add(&crew, 8, use_default_pool, NULL);
    crew_run(&crew, 8);
    child_needs(stats_of(NULL).tiers[0].in_use == 0);
}

/* memory R6, R54 */
START_TEST(a_first_use_by_all_threads_at_once_makes_one_default_pool)
{
    int count = rounds(2000);

    for (int i = 0; i < count; i++)
        assert_returns(begin_together, NULL);
}
END_TEST

RUN_SUITE("slots", TIMES(eight_threads_share_a_pool_beside_trimming_and_stats, BACKINGS),
          ONCE(two_pools_that_grow_and_trim_take_nothing_from_each_other),
          ONCE(nobody_is_refused_while_a_slot_is_free), ONCE(of_two_who_free_one_secret_one_wins),
          ONCE(a_slots_windows_exclude_each_other_between_threads),
          ONCE(a_guarded_buffers_windows_exclude_each_other_between_threads),
          TIMES(another_thread_may_end_a_window, 2), ONCE(guarded_buffers_are_made_and_freed_by_all),
          ONCE(a_pool_ends_with_its_last_handle_or_secret_in_any_order),
          ONCE(a_first_use_by_all_threads_at_once_makes_one_default_pool))
