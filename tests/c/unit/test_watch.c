/* SPDX-License-Identifier: MIT */
/*
 * Watch, white box: when the set becomes readable, and how seldom the timer is set for it. What each failing call does is
 * in tests/fault.
 */
#include "tracker/watch.h"

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "keep/observer.h"
#include "support/suite.h"

#define SOON_NS (2 * KEEP__NS_PER_MS)
#define HOUR_NS (3600 * KEEP__NS_PER_S)

static int settings; /* of the timer */

int __real_timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *before);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *before);

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *wanted, struct itimerspec *before)
{
    settings++;
    return __real_timerfd_settime(fd, flags, wanted, before);
}

static keep__watch open_watch(void)
{
    keep__watch watch;

    assert_ok(keep__watch_open(KEEP_CLOCK_MONOTONIC, &watch, NULL));
    return watch;
}

static bool is_readable(const keep__watch *watch, int wait_ms)
{
    struct pollfd poller = { .fd = watch->set, .events = POLLIN };

    return poll(&poller, 1, wait_ms) == 1;
}

START_TEST(a_timer_that_is_put_off_is_set_when_it_has_gone_off)
{
    keep__watch watch = open_watch();
    uint64_t begin = keep__clock_now_ns();

    ck_assert_int_eq(keep__watch_arm(&watch, begin, begin + SOON_NS), 0);
    for (uint64_t later = 0; later < 1000; later++)
        ck_assert_int_eq(keep__watch_arm(&watch, begin + later, begin + HOUR_NS + later), 0);
    ck_assert_int_eq(settings, 1);
    ck_assert(is_readable(&watch, -1));
    ck_assert_uint_ge(keep__clock_now_ns(), begin + SOON_NS);
    ck_assert_int_eq(keep__watch_arm(&watch, keep__clock_now_ns(), begin + HOUR_NS), 0);
    ck_assert_int_eq(settings, 2);
    ck_assert(!is_readable(&watch, 0));
    keep__watch_close(&watch);
}
END_TEST

START_TEST(an_earlier_time_is_set_at_once)
{
    keep__watch watch = open_watch();
    uint64_t now_ns = keep__clock_now_ns();

    ck_assert_int_eq(keep__watch_arm(&watch, now_ns, now_ns + HOUR_NS), 0);
    ck_assert(!is_readable(&watch, 0));
    ck_assert_int_eq(keep__watch_arm(&watch, now_ns, now_ns + SOON_NS), 0);
    ck_assert(is_readable(&watch, -1));
    keep__watch_close(&watch);
}
END_TEST

START_TEST(a_time_that_has_passed_is_told_until_another_is_set)
{
    static const uint64_t passed[] = { 0, 1 };
    keep__watch watch = open_watch();
    uint64_t now_ns = keep__clock_now_ns();

    ck_assert_int_eq(keep__watch_arm(&watch, now_ns, passed[_i]), 0);
    ck_assert(is_readable(&watch, -1));
    ck_assert(is_readable(&watch, 0));
    ck_assert_int_eq(keep__watch_arm(&watch, now_ns, UINT64_MAX), 0);
    ck_assert(!is_readable(&watch, 0));
    keep__watch_close(&watch);
}
END_TEST

START_TEST(without_a_time_nothing_is_set)
{
    keep__watch watch = open_watch();

    ck_assert_int_eq(keep__watch_arm(&watch, keep__clock_now_ns(), UINT64_MAX), 0);
    ck_assert_int_eq(settings, 0);
    keep__watch_close(&watch);
}
END_TEST

START_TEST(what_is_readable_is_named_but_not_the_timer)
{
    keep__watch watch = open_watch();
    uint64_t tags[KEEP__WATCH_TAGS];
    int first[2], second[2], code;

    ck_assert(pipe(first) == 0 && pipe(second) == 0);
    ck_assert(keep__watch_add(&watch, first[0], 5) && keep__watch_add(&watch, second[0], 7));
    ck_assert_int_eq(keep__watch_arm(&watch, keep__clock_now_ns(), 1), 0);
    ck_assert(is_readable(&watch, -1));
    ck_assert_uint_eq(keep__watch_ready(&watch, tags, &code), 0);
    ck_assert_int_eq(write(second[1], "", 1), 1);
    ck_assert_uint_eq(keep__watch_ready(&watch, tags, &code), 1);
    ck_assert_uint_eq(tags[0], 7);
    ck_assert_int_eq(code, 0);
    keep__watch_close(&watch);
}
END_TEST

RUN_SUITE("watch", ONCE(a_timer_that_is_put_off_is_set_when_it_has_gone_off), ONCE(an_earlier_time_is_set_at_once),
          TIMES(a_time_that_has_passed_is_told_until_another_is_set, 2), ONCE(without_a_time_nothing_is_set),
          ONCE(what_is_readable_is_named_but_not_the_timer))
