/* SPDX-License-Identifier: MIT */
/*
 * How long until it is known: from a kill to the event, and from the end of a limit to the event. Told are medians, 99th
 * percentiles and the longest, in nanoseconds.
 */
#include <keep/keep.h>

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "watch.h"

enum {
    TIMES = 200,
    BEAT_MS = 5,
    LIMIT_MS = 20
};

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void beat_for_ever(const char *path)
{
    const struct timespec pause = { .tv_nsec = BEAT_MS * 1000000 };
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    keep_beacon *beacon = NULL;
    keep_outcome outcome;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    options.path = path;
    BENCH_CHECK(keep_beacon_new(&options, &beacon, NULL) == KEEP_OK);
    for (;;) {
        BENCH_CHECK(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome) == KEEP_OK);
        (void)nanosleep(&pause, NULL);
    }
}

static keep_event await(struct watch *watch, uint32_t kind, pid_t pid)
{
    for (;;) {
        watch_poll(watch);
        for (size_t i = 0; i < watch->count; i++) {
            if (watch->events[i].kind == kind && watch->events[i].pid == (uint32_t)pid)
                return watch->events[i];
        }
    }
}

/* An agent that beats; it is tracked. */
static pid_t start_agent(struct watch *watch)
{
    pid_t pid = fork();

    BENCH_CHECK(pid >= 0);
    if (pid == 0)
        beat_for_ever(watch->path);
    (void)await(watch, KEEP_EVENT_BEAT, pid);
    return pid;
}

static double time_to_exited(struct watch *watch)
{
    pid_t pid = start_agent(watch);
    uint64_t killed_ns = now_ns();
    double time_ns;

    BENCH_CHECK(kill(pid, SIGKILL) == 0);
    (void)await(watch, KEEP_EVENT_EXITED, pid);
    time_ns = (double)(now_ns() - killed_ns);
    BENCH_CHECK(waitpid(pid, NULL, 0) == pid);
    return time_ns;
}

static double time_to_stall(struct watch *watch)
{
    pid_t pid = start_agent(watch);
    uint64_t limit_ns;
    double time_ns;

    BENCH_CHECK(kill(pid, SIGSTOP) == 0);
    limit_ns = await(watch, KEEP_EVENT_STALL, pid).last_ns + LIMIT_MS * UINT64_C(1000000);
    time_ns = (double)(now_ns() - limit_ns);
    BENCH_CHECK(kill(pid, SIGKILL) == 0);
    (void)await(watch, KEEP_EVENT_EXITED, pid);
    BENCH_CHECK(waitpid(pid, NULL, 0) == pid);
    return time_ns;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static void tell_times(const char *name, double (*time_to)(struct watch *watch), struct watch *watch)
{
    double times[TIMES];
    char text[64];

    for (size_t i = 0; i < TIMES; i++)
        times[i] = time_to(watch);
    qsort(times, TIMES, sizeof *times, by_size);
    (void)snprintf(text, sizeof text, "%s_p50", name);
    bench_tell(text, times[TIMES / 2]);
    (void)snprintf(text, sizeof text, "%s_p99", name);
    bench_tell(text, times[TIMES * 99 / 100]);
    (void)snprintf(text, sizeof text, "%s_longest", name);
    bench_tell(text, times[TIMES - 1]);
}

int main(void)
{
    static struct watch watch;

    watch_open(&watch, 1, LIMIT_MS);
    tell_times("kill_to_exited", time_to_exited, &watch);
    tell_times("limit_to_stall", time_to_stall, &watch);
    watch_close(&watch);
    return 0;
}
