/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

void watch_open(struct watch *watch, uint32_t capacity, uint32_t limit_ms)
{
    const char *parent = getenv("TMPDIR");
    keep_tracker_options tracker = KEEP_TRACKER_OPTIONS_INIT;
    keep_observer_options observer = KEEP_OBSERVER_OPTIONS_INIT;
    keep_listen_options listen = KEEP_LISTEN_OPTIONS_INIT;

    tracker.capacity = capacity;
    tracker.threshold_ns = limit_ms * UINT64_C(1000000);
    observer.report_beats = 1;
    observer.per_pid_rate = observer.global_rate = 0;
    (void)snprintf(watch->folder, sizeof watch->folder, "%s/keep-XXXXXX", parent == NULL ? "/tmp" : parent);
    BENCH_CHECK(mkdtemp(watch->folder) != NULL);
    (void)snprintf(watch->path, sizeof watch->path, "%s/observer", watch->folder);
    listen.path = watch->path;
    BENCH_CHECK(keep_tracker_new(&tracker, &watch->tracker) == KEEP_OK);
    BENCH_CHECK(keep_observer_new(&observer, watch->tracker, &watch->observer, NULL) == KEEP_OK);
    BENCH_CHECK(keep_observer_listen(watch->observer, &listen, NULL) == KEEP_OK);
}

void watch_close(struct watch *watch)
{
    keep_observer_free(&watch->observer);
    keep_tracker_free(&watch->tracker);
    (void)rmdir(watch->folder);
}

void watch_poll(struct watch *watch)
{
    struct pollfd poller = { .events = POLLIN };

    BENCH_CHECK(keep_observer_fd(watch->observer, &poller.fd) == KEEP_OK);
    (void)poll(&poller, 1, -1);
    BENCH_CHECK(keep_observer_poll(watch->observer, watch->events, WATCH_EVENTS, &watch->count, NULL) == KEEP_OK);
}
