/* SPDX-License-Identifier: MIT */
/*
 * Thread, white box: numbers of threads, and the hook of fork.
 */
#include "base/thread.h"

#include "support/forked.h"
#include "support/suite.h"
#include "support/threads.h"

static uint32_t numbers[MAX_THREADS];
static bool is_told;

static void note_number(struct worker *worker)
{
    numbers[worker->index] = keep__thread_number();
    ck_assert_uint_eq(keep__thread_number(), numbers[worker->index]);
}

START_TEST(every_thread_has_a_number_of_its_own)
{
    struct crew crew = { 0 };

    crew_add(&crew, 8, note_number, NULL);
    crew_run(&crew, 8);
    for (int i = 0; i < 8; i++) {
        for (int other = 0; other < i; other++)
            ck_assert_uint_ne(numbers[i], numbers[other]);
    }
}
END_TEST

static void tell(void)
{
    is_told = true;
}

static void look(void *unused)
{
    (void)unused;
    child_needs(is_told);
}

START_TEST(the_hook_runs_in_a_child)
{
    assert_ok(keep__thread_at_fork(tell));
    assert_returns(look, NULL);
    ck_assert(!is_told);
}
END_TEST

START_TEST(yielding_returns)
{
    for (int i = 0; i < 100; i++)
        keep__thread_yield();
}
END_TEST

RUN_SUITE("thread", ONCE(every_thread_has_a_number_of_its_own), ONCE(the_hook_runs_in_a_child), ONCE(yielding_returns))
