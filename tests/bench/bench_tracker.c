/* SPDX-License-Identifier: MIT */
/*
 * The ledger: a beat with its drain, beats in batches, an idle drain, evictions, memory. Every result is checked.
 */
#include <keep/keep.h>

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

enum {
    BATCH = 64,
    EVICTIONS = 1000000,
    TRACKER_FIXED = 64 * 1024, /* bytes whatever the capacity */
    OBSERVER_FIXED = 512 * 1024
};

/* Agents that beat in random order, 1 µs after each other. */
struct crowd {
    keep_tracker *tracker;
    uint32_t agents;
    uint32_t *order;
    uint64_t *nonces;
    uint64_t now_ns, beats;
};

static uint64_t random_state = 88172645463325252U;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static keep_sighting next_sighting(struct crowd *crowd)
{
    uint32_t at = crowd->order[crowd->beats++ % crowd->agents];

    return (keep_sighting){
        .nonce = ++crowd->nonces[at],
        .timestamp_ns = crowd->now_ns,
        .ns_inode = 1,
        .generation = 1,
        .pid = 1000 + at,
        .origin = KEEP_ORIGIN_KERNEL,
    };
}

static void record_one(struct crowd *crowd, uint32_t verdict)
{
    keep_sighting sighting = next_sighting(crowd);
    keep_admission admission;

    BENCH_CHECK(keep_tracker_record(crowd->tracker, &sighting, 1, crowd->now_ns, &admission) == KEEP_OK);
    BENCH_CHECK(admission.verdict == verdict);
}

static struct crowd gather(uint32_t agents)
{
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;
    struct crowd crowd = { .agents = agents, .now_ns = 1 };

    options.capacity = agents;
    BENCH_CHECK(keep_tracker_new(&options, &crowd.tracker) == KEEP_OK);
    crowd.order = calloc(agents, sizeof *crowd.order);
    crowd.nonces = calloc(agents, sizeof *crowd.nonces);
    for (uint32_t i = 0; i < agents; i++)
        crowd.order[i] = i;
    for (uint32_t i = agents - 1; i > 0; i--) {
        uint32_t other = (uint32_t)(next_random() % (i + 1));
        uint32_t kept = crowd.order[i];

        crowd.order[i] = crowd.order[other];
        crowd.order[other] = kept;
    }
    for (uint32_t i = 0; i < agents; i++)
        record_one(&crowd, KEEP_VERDICT_INSERTED);
    return crowd;
}

static void disperse(struct crowd *crowd)
{
    keep_tracker_free(&crowd->tracker);
    free(crowd->order);
    free(crowd->nonces);
}

static void beat_and_drain(void *state, size_t count)
{
    struct crowd *crowd = state;
    static keep_alarm alarms[16];
    size_t alarm_count = 0;

    for (size_t i = 0; i < count; i++) {
        crowd->now_ns += 1000;
        record_one(crowd, KEEP_VERDICT_REFRESHED);
        BENCH_CHECK(keep_tracker_drain(crowd->tracker, crowd->now_ns, alarms, 16, &alarm_count) == KEEP_OK);
        BENCH_CHECK(alarm_count == 0);
    }
}

static void beat_batches(void *state, size_t count)
{
    struct crowd *crowd = state;
    static keep_sighting sightings[BATCH];
    static keep_admission admissions[BATCH];

    for (size_t done = 0; done < count; done += BATCH) {
        crowd->now_ns += 1000;
        for (size_t i = 0; i < BATCH; i++)
            sightings[i] = next_sighting(crowd);
        BENCH_CHECK(keep_tracker_record(crowd->tracker, sightings, BATCH, crowd->now_ns, admissions) == KEEP_OK);
        for (size_t i = 0; i < BATCH; i++)
            BENCH_CHECK(admissions[i].verdict == KEEP_VERDICT_REFRESHED);
    }
}

static void drain_idle(void *state, size_t count)
{
    struct crowd *crowd = state;
    static keep_alarm alarms[16];
    size_t alarm_count = 0;

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(keep_tracker_drain(crowd->tracker, ++crowd->now_ns, alarms, 16, &alarm_count) == KEEP_OK);
        BENCH_CHECK(alarm_count == 0);
    }
}

/* A full ledger in which everybody stalled long ago: each new pid evicts one, beats once, and stalls in its turn. */
struct procession {
    keep_tracker *tracker;
    uint64_t now_ns;
    uint32_t pid;
};

static keep_admission admit_next(struct procession *procession)
{
    keep_sighting sighting = { .pid = ++procession->pid, .nonce = 1, .origin = KEEP_ORIGIN_KERNEL };
    keep_admission admission;

    BENCH_CHECK(keep_tracker_record(procession->tracker, &sighting, 1, procession->now_ns, &admission) == KEEP_OK);
    BENCH_CHECK(admission.verdict == KEEP_VERDICT_INSERTED);
    return admission;
}

static void evict(void *state, size_t count)
{
    struct procession *procession = state;
    static keep_alarm alarms[BATCH];
    size_t told;

    for (size_t i = 0; i < count; i++) {
        procession->now_ns += 20000;
        do
            BENCH_CHECK(keep_tracker_drain(procession->tracker, procession->now_ns, alarms, BATCH, &told) == KEEP_OK);
        while (told == BATCH);
        BENCH_CHECK(admit_next(procession).evicted_pid != 0);
    }
}

static void measure_evictions(uint32_t capacity)
{
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;
    struct procession procession = { .now_ns = 1 };
    char name[64];

    options.capacity = capacity;
    options.threshold_ns = 1000;
    BENCH_CHECK(keep_tracker_new(&options, &procession.tracker) == KEEP_OK);
    while (procession.pid < capacity)
        (void)admit_next(&procession);
    evict(&procession, 1); /* the first drain tells of them all */
    for (int tenth = 1; tenth <= 10; tenth++) {
        double time = bench_time(evict, &procession, EVICTIONS / 10);

        (void)snprintf(name, sizeof name, "evict_%u_tenth_%d", capacity, tenth);
        bench_tell(name, time / (EVICTIONS / 10));
    }
    keep_tracker_free(&procession.tracker);
}

/* --- memory --- */

static double heap_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return (double)(info.uordblks + info.hblkhd);
}

/* Bytes per agent of capacity, beyond those that even one agent needs. */
static void measure_memory(uint32_t statistics, const char *tracker_name, const char *observer_name)
{
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;
    keep_tracker *tracker = NULL;
    keep_observer *observer = NULL;
    double before = heap_in_use(), with_tracker, with_both;

    options.capacity = KEEP_MAX_AGENTS;
    options.statistics = statistics;
    BENCH_CHECK(keep_tracker_new(&options, &tracker) == KEEP_OK);
    with_tracker = heap_in_use();
    BENCH_CHECK(keep_observer_new(NULL, tracker, &observer, NULL) == KEEP_OK);
    with_both = heap_in_use();
    bench_tell(tracker_name, (with_tracker - before - TRACKER_FIXED) / KEEP_MAX_AGENTS);
    bench_tell(observer_name, (with_both - with_tracker - OBSERVER_FIXED) / KEEP_MAX_AGENTS);
    keep_observer_free(&observer);
    keep_tracker_free(&tracker);
}

int main(void)
{
    static const uint32_t sizes[] = { 256, 4096, 65536 };
    struct crowd crowd = gather(4096);
    char name[64];

    bench_run("beat_4096", beat_and_drain, &crowd);
    bench_run("beat_batch_64", beat_batches, &crowd);
    disperse(&crowd);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        crowd = gather(sizes[i]);
        (void)snprintf(name, sizeof name, "drain_idle_%u", sizes[i]);
        bench_run(name, drain_idle, &crowd);
        disperse(&crowd);
        measure_evictions(sizes[i]);
    }
    measure_memory(0, "bytes.tracker", "bytes.observer");
    measure_memory(1, "bytes.tracker_statistics", "bytes.observer_statistics");
    return 0;
}
