/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a slot: fair, and without a lost wake-up.
 */
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include <keep/keep.h>

#include "support/pools.h"
#include "support/threads.h"

enum {
    WAITERS = 8
};

static const keep_acquire_options patient = { .size = sizeof patient, .timeout_ms = KEEP_WAIT_FOREVER };

static keep_pool *new_pool_of(uint32_t slots)
{
    keep_pool_options options = one_tier(32, slots);

    return new_pool(&options);
}

static uint64_t count_waiting(keep_pool *pool)
{
    return stats_of(pool).tiers[0].waiting;
}

/* Waiters who come one after the other, and the order in which they were served. */
struct queue {
    keep_pool *pool;
    atomic_int served;
    int order[WAITERS];
    keep_secret *got[WAITERS];
    keep_secret *held; /* what the first of them waits for */
};

static void wait_in_turn(struct worker *worker)
{
    struct queue *queue = worker->shared;

    wait_until(count_waiting(queue->pool) == (uint64_t)worker->index);
    assert_ok(keep_pool_acquire(queue->pool, 1, &patient, &queue->got[worker->index]));
    queue->order[atomic_fetch_add(&queue->served, 1)] = worker->index;
}

static void release_one_by_one(struct worker *worker)
{
    struct queue *queue = worker->shared;
    keep_secret *secret = queue->held;

    wait_until(count_waiting(queue->pool) == WAITERS);
    for (int i = 0; i < WAITERS; i++) {
        assert_ok(keep_secret_free(&secret));
        wait_until(atomic_load(&queue->served) == i + 1);
        ck_assert_uint_eq(count_waiting(queue->pool), (uint64_t)(WAITERS - 1 - i)); /* one slot wakes one */
        secret = queue->got[i];
    }
    assert_ok(keep_secret_free(&secret));
}

/* memory T4, R13 */
START_TEST(waiters_are_served_in_their_order_one_per_release)
{
    struct queue queue = { .pool = new_pool_of(1) };
    struct crew crew = { 0 };

    queue.held = new_secret(queue.pool, 1);
    crew_add(&crew, WAITERS, wait_in_turn, &queue);
    crew_add(&crew, 1, release_one_by_one, &queue);
    crew_run(&crew, WAITERS + 1);
    for (int i = 0; i < WAITERS; i++)
        ck_assert_int_eq(queue.order[i], i);
    ck_assert_uint_eq(stats_of(queue.pool).tiers[0].in_use, 0);
    keep_pool_free(&queue.pool);
}
END_TEST

static void wait_and_keep(struct worker *worker)
{
    struct queue *queue = worker->shared;

    assert_ok(keep_pool_acquire(queue->pool, 1, &patient, &queue->got[worker->index]));
}

static void try_to_overtake(struct worker *worker)
{
    struct queue *queue = worker->shared;
    keep_secret *first = queue->held;
    keep_secret *mine = NULL;

    wait_until(count_waiting(queue->pool) == 1);
    assert_ok(keep_secret_free(&first));
    assert_status(keep_pool_acquire(queue->pool, 1, NULL, &mine), KEEP_ERR_EXHAUSTED);
}

/* memory R13 */
START_TEST(an_acquire_does_not_overtake_a_waiter)
{
    struct queue queue = { .pool = new_pool_of(1) };
    struct crew crew = { 0 };

    queue.held = new_secret(queue.pool, 1);
    crew_add(&crew, 1, wait_and_keep, &queue);
    crew_add(&crew, 1, try_to_overtake, &queue);
    crew_run(&crew, 2);
    assert_ok(keep_secret_free(&queue.got[0]));
    keep_pool_free(&queue.pool);
}
END_TEST

static void release_when_waited_for(struct worker *worker)
{
    struct queue *queue = worker->shared;

    wait_until(count_waiting(queue->pool) == 1);
    assert_ok(keep_secret_free(&queue->held));
}

/* memory T4: woken by another thread */
START_TEST(a_release_wakes_who_waits)
{
    struct queue queue = { .pool = new_pool_of(1) };
    struct crew crew = { 0 };

    queue.held = new_secret(queue.pool, 1);
    crew_add(&crew, 1, wait_and_keep, &queue);
    crew_add(&crew, 1, release_when_waited_for, &queue);
    crew_run(&crew, 2);
    ck_assert_uint_eq(stats_of(queue.pool).waits, 1);
    ck_assert_uint_eq(stats_of(queue.pool).timeouts, 0);
    assert_ok(keep_secret_free(&queue.got[0]));
    keep_pool_free(&queue.pool);
}
END_TEST

static void do_nothing(int unused)
{
    (void)unused;
}

/* Signals the waiter again and again, and frees what it waits for only when many have come. */
static void disturb_and_release(struct worker *worker)
{
    struct queue *queue = worker->shared;

    wait_until(count_waiting(queue->pool) == 1);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(pthread_kill(worker->crew->threads[0], SIGUSR1), 0);
        sched_yield();
        ck_assert_uint_eq(count_waiting(queue->pool), 1);
    }
    assert_ok(keep_secret_free(&queue->held));
}

/* memory R12 */
START_TEST(signals_do_not_end_a_wait)
{
    struct queue queue = { .pool = new_pool_of(1) };
    struct sigaction action = { .sa_handler = do_nothing }; /* no SA_RESTART: system calls are interrupted */
    struct crew crew = { 0 };

    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
    queue.held = new_secret(queue.pool, 1);
    crew_add(&crew, 1, wait_and_keep, &queue);
    crew_add(&crew, 1, disturb_and_release, &queue);
    crew_run(&crew, 2);
    ck_assert_uint_eq(stats_of(queue.pool).timeouts, 0);
    assert_ok(keep_secret_free(&queue.got[0]));
    keep_pool_free(&queue.pool);
}
END_TEST

static void share_few_slots(struct worker *worker)
{
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;
    int count = rounds(100000);

    for (int i = 0; i < count; i++) {
        keep_secret *secret = NULL;
        keep_status st;

        options.timeout_ms = stream_below(&worker->stream, 4) == 0 ? 1 : KEEP_WAIT_FOREVER;
        st = keep_pool_acquire(worker->shared, 1, &options, &secret);
        ck_assert(st == KEEP_OK || (st == KEEP_ERR_TIMEOUT && options.timeout_ms == 1));
        if (st == KEEP_OK)
            assert_ok(keep_secret_free(&secret));
    }
}

static void trim_all_the_time(struct worker *worker)
{
    while (!atomic_load(&worker->crew->is_over))
        assert_ok(keep_pool_trim(worker->shared, NULL));
}

/* memory 5: no lost wake-up, or this does not end */
START_TEST(nobody_waits_for_ever_while_slots_come_back)
{
    KEEP_AUTO(keep_pool) pool = new_pool_of(2);
    struct crew crew = { 0 };

    crew_add(&crew, 6, share_few_slots, pool);
    crew_add(&crew, 1, trim_all_the_time, pool);
    crew_run(&crew, 6);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
    ck_assert_uint_eq(count_waiting(pool), 0);
}
END_TEST

/* A waiter is given what the hot cache held. */
static void open_and_free(struct worker *worker)
{
    int count = rounds(40000);

    for (int i = 0; i < count; i++) {
        keep_secret *secret = NULL;

        assert_ok(keep_sealed_open(worker->shared, &patient, &secret));
        assert_ok(keep_secret_free(&secret));
    }
}

/* memory R45 */
START_TEST(the_cache_keeps_no_slot_from_who_waits)
{
    keep_pool_options options = one_tier(32, 2);
    KEEP_AUTO(keep_pool) pool = NULL;
    KEEP_AUTO(keep_sealed) sealed = NULL;
    struct crew crew = { 0 };

    options.hot_cache = 2;
    pool = new_pool(&options);
    assert_ok(keep_sealed_new(pool, "exactly thirty-two bytes of text", 32, 0, &sealed));
    crew_add(&crew, 5, open_and_free, sealed);
    crew_run(&crew, 5);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
}
END_TEST

/* One opens and holds what it opened until the other has a slot, for which the cache must give way. */
struct pair {
    keep_pool *pool;
    keep_sealed *sealed;
    pthread_barrier_t barrier;
};

static void open_and_hold(struct worker *worker)
{
    struct pair *pair = worker->shared;
    int count = rounds(200000);

    for (int i = 0; i < count; i++) {
        keep_secret *secret = NULL;

        pthread_barrier_wait(&pair->barrier);
        assert_ok(keep_sealed_open(pair->sealed, NULL, &secret));
        pthread_barrier_wait(&pair->barrier);
        assert_ok(keep_secret_free(&secret));
    }
}

static void wait_for_the_other_slot(struct worker *worker)
{
    struct pair *pair = worker->shared;
    const keep_acquire_options options = { .size = sizeof options, .timeout_ms = 60000 };
    int count = rounds(200000);

    for (int i = 0; i < count; i++) {
        keep_secret *secret = NULL;

        pthread_barrier_wait(&pair->barrier);
        assert_ok(keep_pool_acquire(pair->pool, 1, &options, &secret));
        pthread_barrier_wait(&pair->barrier);
        assert_ok(keep_secret_free(&secret));
    }
}

/* memory R9, R45: also a slot that is cached while somebody begins to wait */
START_TEST(a_slot_that_is_just_being_cached_goes_to_who_waits)
{
    keep_pool_options options = one_tier(32, 2);
    struct pair pair = { 0 };
    struct crew crew = { 0 };

    options.hot_cache = 1;
    pair.pool = new_pool(&options);
    assert_ok(keep_sealed_new(pair.pool, "exactly thirty-two bytes of text", 32, 0, &pair.sealed));
    pthread_barrier_init(&pair.barrier, NULL, 2);
    crew_add(&crew, 1, open_and_hold, &pair);
    crew_add(&crew, 1, wait_for_the_other_slot, &pair);
    crew_run(&crew, 2);
    keep_sealed_free(&pair.sealed);
    keep_pool_free(&pair.pool);
}
END_TEST

RUN_SUITE("waiting", ONCE(waiters_are_served_in_their_order_one_per_release),
          ONCE(an_acquire_does_not_overtake_a_waiter), ONCE(a_release_wakes_who_waits),
          ONCE(signals_do_not_end_a_wait),
          ONCE(nobody_waits_for_ever_while_slots_come_back), ONCE(the_cache_keeps_no_slot_from_who_waits),
          ONCE(a_slot_that_is_just_being_cached_goes_to_who_waits))
