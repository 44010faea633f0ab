/* SPDX-License-Identifier: MIT */
/*
 * An observer in a crowd: bench_observer SENDERS [SECONDS]
 *
 * Nothing is limited and every beat is an event.
 */
#include <keep/keep.h>

#include "bench.h"
#include "crowd.h"
#include "watch.h"

#define HOUR_MS (3600 * 1000)

static struct watch watch;
static size_t heard;

/* The beats of one poll. */
static size_t hear_once(void)
{
    watch_poll(&watch);
    for (size_t i = 0; i < watch.count; i++)
        BENCH_CHECK(watch.events[i].kind == KEEP_EVENT_BEAT);
    return watch.count;
}

static void hear_all(void *state, size_t agents)
{
    struct keep_tracker_stats stats = KEEP_TRACKER_STATS_INIT;

    (void)state;
    while (stats.agents < agents) {
        (void)hear_once();
        BENCH_CHECK(keep_tracker_stats(watch.tracker, &stats) == KEEP_OK);
    }
}

/* What one poll hears beyond `count` counts for the next. */
static void hear(void *state, size_t count)
{
    (void)state;
    while (heard < count)
        heard += hear_once();
    heard -= count;
}

static struct crowd_hearer open_observer(void)
{
    heard = 0;
    watch_open(&watch, CROWD_AGENTS, HOUR_MS);
    return (struct crowd_hearer){ .path = watch.path, .hear_all = hear_all, .hear = hear };
}

static void close_observer(void)
{
    watch_close(&watch);
}

int main(int argc, char **argv)
{
    struct crowd_call call = crowd_read(argc, argv);

    crowd_measure(&call, open_observer, close_observer);
    return 0;
}
