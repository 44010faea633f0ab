/* SPDX-License-Identifier: MIT */
/*
 * Mark, white box: which tx keys are in use.
 */
#include "packet/mark.h"

#include <string.h>

#include "memory/guard.h"

#include "support/suite.h"
#include "support/threads.h"

static keep_status try_mark(int number, struct keep__tx_mark **out)
{
    uint8_t key[32] = { (uint8_t)number, (uint8_t)(number >> 8) };

    assert_ok(keep__guard_enter());
    return keep__mark_set(key, out);
}

START_TEST(a_key_is_marked_until_its_mark_ends)
{
    struct keep__tx_mark *first = NULL;
    struct keep__tx_mark *second = NULL;
    struct keep__tx_mark *none = NULL;

    assert_ok(try_mark(1, &first));
    assert_ok(try_mark(2, &second));
    assert_status(try_mark(1, &none), KEEP_ERR_STATE);
    assert_status(try_mark(2, &none), KEEP_ERR_STATE);
    ck_assert_ptr_null(none);
    keep__mark_end(first);
    assert_ok(try_mark(1, &first));
    keep__mark_end(first);
    keep__mark_end(second);
    keep__mark_end(NULL);
}
END_TEST

START_TEST(ended_marks_are_used_again)
{
    struct keep__tx_mark *kept = NULL;
    struct keep__tx_mark *mark = NULL;
    struct keep__tx_mark *again = NULL;

    assert_ok(try_mark(1, &kept));
    assert_ok(try_mark(2, &mark));
    keep__mark_end(mark);
    assert_ok(try_mark(3, &again));
    ck_assert_ptr_eq(mark, again);
    assert_status(try_mark(1, &mark), KEEP_ERR_STATE);
}
END_TEST

/* Of all threads that want a key one has it at a time. */
static void mark_and_end(struct worker *worker)
{
    atomic_int *owners = worker->shared;
    int count = rounds(100000);

    for (int i = 0; i < count; i++) {
        int number = (int)stream_below(&worker->stream, 4);
        struct keep__tx_mark *mark = NULL;
        keep_status st = try_mark(number + 1, &mark);

        if (st == KEEP_ERR_STATE)
            continue;
        assert_ok(st);
        ck_assert_int_eq(atomic_fetch_add(&owners[number], 1), 0);
        atomic_fetch_sub(&owners[number], 1);
        keep__mark_end(mark);
    }
}

/* packet R12 */
START_TEST(of_many_threads_one_has_a_key)
{
    atomic_int owners[4] = { 0 };
    struct crew crew = { 0 };

    crew_add(&crew, 8, mark_and_end, owners);
    crew_run(&crew, 8);
}
END_TEST

RUN_SUITE("mark", ONCE(a_key_is_marked_until_its_mark_ends), ONCE(ended_marks_are_used_again),
          ONCE(of_many_threads_one_has_a_key))
