/* SPDX-License-Identifier: MIT */
/*
 * Watch: the seam of epoll and timerfd. Setting the timer anew also makes it unreadable, so it is never read; and it is
 * left alone while it goes off soon enough, since most calls only put it off.
 */
#include "tracker/watch.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/units.h"
#include "keep/observer.h"
#include "base/banned.h"

#define TIMER_TAG UINT64_MAX

static keep_status fail_watch(keep_error *err, const char *sentence)
{
    const keep__origin origin = { .layer = KEEP_LAYER_ERRNO, .code = errno };

    return keep__error_fill(err, KEEP_ERR_SYSTEM, &origin, sentence);
}

keep_status keep__watch_open(uint32_t clock, keep__watch *out, keep_error *err)
{
    int id = clock == KEEP_CLOCK_BOOTTIME ? CLOCK_BOOTTIME : CLOCK_MONOTONIC;
    keep__watch watch = { .set = epoll_create1(EPOLL_CLOEXEC), .timer = -1 };
    keep_status st = KEEP_OK;

    if (watch.set < 0)
        return fail_watch(err, "no set of descriptors to wait on");
    watch.timer = timerfd_create(id, TFD_NONBLOCK | TFD_CLOEXEC);
    if (watch.timer < 0)
        st = fail_watch(err, "no timer");
    else if (!keep__watch_add(&watch, watch.timer, TIMER_TAG))
        st = fail_watch(err, "the timer cannot be waited on");
    if (st == KEEP_OK)
        *out = watch;
    else
        keep__watch_close(&watch);
    return st;
}

bool keep__watch_add(keep__watch *watch, int fd, uint64_t tag)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = tag };

    return epoll_ctl(watch->set, EPOLL_CTL_ADD, fd, &event) == 0;
}

int keep__watch_arm(keep__watch *watch, uint64_t now_ns, uint64_t at_ns)
{
    struct itimerspec when = { .it_value = { 0 } };
    uint64_t wanted = at_ns == UINT64_MAX ? 0 : at_ns + (at_ns == 0); /* a time of 0 would disarm it */

    if (wanted == watch->armed_ns || (watch->armed_ns > now_ns && watch->armed_ns <= at_ns))
        return 0;
    when.it_value.tv_sec = (time_t)(wanted / KEEP__NS_PER_S);
    when.it_value.tv_nsec = (long)(wanted % KEEP__NS_PER_S);
    if (timerfd_settime(watch->timer, TFD_TIMER_ABSTIME, &when, NULL) != 0)
        return errno;
    watch->armed_ns = wanted;
    return 0;
}

size_t keep__watch_ready(keep__watch *watch, uint64_t tags[KEEP__WATCH_TAGS], int *out_errno)
{
    struct epoll_event events[KEEP__WATCH_TAGS];
    size_t found = 0;
    int count;

    do {
        count = epoll_wait(watch->set, events, KEEP__WATCH_TAGS, 0);
    } while (count < 0 && errno == EINTR);
    *out_errno = count < 0 ? errno : 0;
    for (int i = 0; i < count; i++) {
        if (events[i].data.u64 != TIMER_TAG)
            tags[found++] = events[i].data.u64;
    }
    return found;
}

void keep__watch_close(keep__watch *watch)
{
    if (watch->timer >= 0)
        (void)close(watch->timer);
    (void)close(watch->set);
}
