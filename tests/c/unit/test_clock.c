/* SPDX-License-Identifier: MIT */
/*
 * Clock, white box: what the clocks promise without any wall clock.
 */
#include "base/clock.h"

#include <time.h>

#include "support/suite.h"

int __real_clock_gettime(clockid_t id, struct timespec *out);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);

static bool is_refused;

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    return is_refused ? -1 : __real_clock_gettime(id, out);
}

START_TEST(the_clock_never_goes_back)
{
    uint64_t before = keep__clock_now_ns();

    ck_assert_uint_ne(before, 0);
    for (int i = 0; i < 10000; i++) {
        uint64_t now = keep__clock_now_ns();

        ck_assert_uint_ge(now, before);
        before = now;
    }
}
END_TEST

START_TEST(the_coarse_clock_is_the_same_clock_and_not_ahead)
{
    uint64_t coarse = keep__clock_coarse_ns();

    ck_assert_uint_ne(coarse, 0);
    ck_assert_uint_le(coarse, keep__clock_now_ns());
    ck_assert_uint_ge(keep__clock_coarse_ns(), coarse);
}
END_TEST

START_TEST(a_clock_that_cannot_be_read_stands_at_zero)
{
    is_refused = true;
    ck_assert_uint_eq(keep__clock_now_ns(), 0);
    is_refused = false;
    ck_assert_uint_ne(keep__clock_now_ns(), 0);
}
END_TEST

RUN_SUITE("clock", ONCE(the_clock_never_goes_back), ONCE(the_coarse_clock_is_the_same_clock_and_not_ahead),
          ONCE(a_clock_that_cannot_be_read_stands_at_zero))
