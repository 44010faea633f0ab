/* SPDX-License-Identifier: MIT */
/*
 * Trace, white box: the origins that are kept, and how they are told.
 */
#include "base/trace.h"

#include <errno.h>
#include <string.h>

#include "support/forked.h"
#include "support/suite.h"

#define KEPT 64

static void note_and_tell(void *count)
{
    for (int i = 0; i < *(int *)count; i++) {
        errno = i;
        child_needs(keep__trace(KEEP_ERR_SYSTEM) == KEEP_ERR_SYSTEM);
    }
    keep__trace_print();
    keep__trace_print(); /* told once, forgotten */
}

static int lines_of(const char *text)
{
    int lines = 0;

    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

START_TEST(an_origin_names_status_errno_and_function)
{
    int count = 3;
    struct outcome outcome = run_forked(note_and_tell, &count);

    ck_assert_int_eq(lines_of(outcome.said), 3);
    ck_assert_ptr_nonnull(strstr(outcome.said, "origin: SYSTEM errno 0 in note_and_tell:"));
    ck_assert_ptr_nonnull(strstr(outcome.said, "errno 2"));
}
END_TEST

START_TEST(the_oldest_origins_are_forgotten)
{
    int count = KEPT + 10;
    struct outcome outcome = run_forked(note_and_tell, &count);

    ck_assert_ptr_null(strstr(outcome.said, "errno 9 "));
    ck_assert_ptr_nonnull(strstr(outcome.said, "errno 10 "));
}
END_TEST

RUN_SUITE("trace", ONCE(an_origin_names_status_errno_and_function), ONCE(the_oldest_origins_are_forgotten))
