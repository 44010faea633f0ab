/* SPDX-License-Identifier: MIT */
/*
 * A test program: its tests, run by Check, each in a process of its own and without a time limit. Titles are sentences.
 * A test that fails also prints where the library's failures began.
 */
#ifndef SUPPORT_SUITE_H
#define SUPPORT_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

#include <keep/status.h>

struct test {
    const TTest *test;
    int runs; /* with _i from 0 */
};

/* Lines of a program's table of tests. */
#define ONCE(title) { title, 1 }
#define TIMES(title, count) { title, (int)(count) }

/* Runs a program's tests; the exit status. */
int run_suite(const char *name, const struct test *tests, size_t count);

/* The main function of a test program: RUN_SUITE("slab", ONCE(a_title), ...) */
#define RUN_SUITE(name, ...) \
    int main(void) \
    { \
        const struct test tests[] = { __VA_ARGS__ }; \
        return run_suite(name, tests, sizeof tests / sizeof *tests); \
    }

#define assert_status(call, wanted) \
    do { \
        keep_status got_status = (call); \
        ck_assert_msg(got_status == (wanted), "%s gave %s", #call, keep_status_name(got_status)); \
    } while (0)

#define assert_ok(call) assert_status(call, KEEP_OK)

#define assert_bytes(got, wanted, len) ck_assert_mem_eq(got, wanted, len)

/* Whether `len` bytes all have one value. */
static inline bool are_all(const void *bytes, int value, size_t len)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < len; i++) {
        if (at[i] != value)
            return false;
    }
    return true;
}

#endif
