/* SPDX-License-Identifier: MIT */
/*
 * Lock, white box: exclusion, waiting, and the order of ranks.
 */
#include "base/lock.h"

#include <signal.h>
#include <stddef.h>

#include "base/clock.h"
#include "support/forked.h"
#include "support/suite.h"
#include "support/threads.h"

#define ROUNDS 20000

static keep__lock lock;
static keep__condition condition;
static long counter;
static bool is_ready;
static atomic_bool is_waiting;

static void count_up(struct worker *worker)
{
    (void)worker;
    for (int i = 0; i < ROUNDS; i++) {
        keep__lock_acquire(&lock);
        counter++;
        keep__lock_release(&lock);
    }
}

START_TEST(one_thread_at_a_time_holds_a_lock)
{
    struct crew crew = { 0 };

    keep__lock_init(&lock, KEEP__RANK_CACHE);
    crew_add(&crew, 4, count_up, NULL);
    crew_run(&crew, 4);
    ck_assert_int_eq(counter, 4L * ROUNDS);
    keep__lock_end(&lock);
}
END_TEST

START_TEST(a_wait_ends_at_its_deadline_and_not_before)
{
    uint64_t deadline = keep__clock_now_ns() + 30000000;

    keep__lock_init(&lock, KEEP__RANK_WAITING);
    keep__condition_init(&condition);
    keep__lock_acquire(&lock);
    while (keep__condition_wait(&condition, &lock, deadline))
        continue;
    keep__lock_release(&lock);
    ck_assert_uint_ge(keep__clock_now_ns(), deadline);
    keep__condition_end(&condition);
    keep__lock_end(&lock);
}
END_TEST

static void wait_for_it(struct worker *worker)
{
    (void)worker;
    keep__lock_acquire(&lock);
    atomic_store(&is_waiting, true); /* and nobody gets the lock before it waits */
    while (!is_ready)
        (void)keep__condition_wait(&condition, &lock, UINT64_MAX);
    keep__lock_release(&lock);
}

static void say_it(struct worker *worker)
{
    (void)worker;
    wait_until(atomic_load(&is_waiting));
    keep__lock_acquire(&lock);
    is_ready = true;
    keep__condition_wake(&condition);
    keep__lock_release(&lock);
}

START_TEST(a_wait_without_deadline_ends_when_woken)
{
    struct crew crew = { 0 };

    keep__lock_init(&lock, KEEP__RANK_WAITING);
    keep__condition_init(&condition);
    crew_add(&crew, 1, wait_for_it, NULL);
    crew_add(&crew, 1, say_it, NULL);
    crew_run(&crew, 2);
    keep__condition_end(&condition);
    keep__lock_end(&lock);
}
END_TEST

KEEP__UNCHECKED static void invert(void *unused)
{
    keep__lock upper;
    keep__lock lower;

    (void)unused;
    keep__lock_init(&upper, KEEP__RANK_CACHE);
    keep__lock_init(&lower, KEEP__RANK_GROWTH);
    keep__lock_acquire(&upper);
    keep__lock_acquire(&lower);
}

/* style R22: only builds with assertions look */
START_TEST(a_lock_of_lower_rank_under_a_higher_one_ends_the_process)
{
    struct outcome outcome = run_forked(invert, NULL);

#ifdef NDEBUG
    ck_assert_int_eq(outcome.signal, 0);
#else
    ck_assert_int_eq(outcome.signal, SIGABRT);
#endif
}
END_TEST

RUN_SUITE("lock", ONCE(one_thread_at_a_time_holds_a_lock), ONCE(a_wait_ends_at_its_deadline_and_not_before),
          ONCE(a_wait_without_deadline_ends_when_woken), ONCE(a_lock_of_lower_rank_under_a_higher_one_ends_the_process))
