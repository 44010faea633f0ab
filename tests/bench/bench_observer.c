/* SPDX-License-Identifier: MIT */
/*
 * An observer beside processes that beat as fast as it takes it: bench_observer SENDERS [SECONDS]
 *
 * Nothing is limited and every beat is an event. Told is the time from one beat to the next.
 */
#include <keep/keep.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench.h"
#include "watch.h"

enum {
    AGENTS = 4096,
    BEATS = 10000, /* between looks at the clock */
    HOUR_MS = 3600 * 1000
};

struct measure {
    const char *senders; /* the program */
    double seconds;
    struct watch watch;
    size_t heard;
};

static void allow_descriptors(void)
{
    struct rlimit limit;

    BENCH_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    BENCH_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* The beats of one poll. */
static size_t hear(struct watch *watch)
{
    watch_poll(watch);
    for (size_t i = 0; i < watch->count; i++)
        BENCH_CHECK(watch->events[i].kind == KEEP_EVENT_BEAT);
    return watch->count;
}

static void hear_until_all_are_there(struct watch *watch, size_t agents)
{
    struct keep_tracker_stats stats = KEEP_TRACKER_STATS_INIT;

    while (stats.agents < agents) {
        (void)hear(watch);
        BENCH_CHECK(keep_tracker_stats(watch->tracker, &stats) == KEEP_OK);
    }
}

static void hear_some(void *state, size_t count)
{
    struct measure *measure = state;
    size_t end = measure->heard + count;

    while (measure->heard < end)
        measure->heard += hear(&measure->watch);
}

static void measure_rate(struct measure *measure, unsigned busy, unsigned idle)
{
    char name[64], command[512];
    double time = 0;
    FILE *senders;

    watch_open(&measure->watch, AGENTS, HOUR_MS);
    (void)snprintf(name, sizeof name, "observer_rate_%u", busy);
    (void)snprintf(command, sizeof command, "exec %s %s %u %u", measure->senders, measure->watch.path, busy, idle);
    senders = popen(command, "w");
    BENCH_CHECK(senders != NULL);
    hear_until_all_are_there(&measure->watch, busy + idle);
    measure->heard = 0;
    while (time < measure->seconds * 1e9)
        time += bench_time(hear_some, measure, BEATS);
    bench_tell(name, time / (double)measure->heard);
    (void)pclose(senders);
    watch_close(&measure->watch);
}

int main(int argc, char **argv)
{
    static struct measure measure;

    BENCH_CHECK(argc == 2 || argc == 3);
    measure.senders = argv[1];
    measure.seconds = argc == 3 ? strtod(argv[2], NULL) : 2;
    allow_descriptors();
    measure_rate(&measure, 8, 8);
    measure_rate(&measure, 64, AGENTS - 64);
    return 0;
}
