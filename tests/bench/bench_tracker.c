/* SPDX-License-Identifier: MIT */
/*
 * Tracker: a beat with its drain, an idle drain, evictions, and a beacon's beat beside the bare send. Every result is
 * checked.
 */
#include <keep/keep.h>

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum {
    BATCH = 64,
    EVICTIONS = 1000000
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

static double seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A full ledger in which everybody stalled long ago: each new pid evicts one, beats once, and stalls in its turn. */
static void evict_many(const char *name, uint32_t capacity)
{
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;
    keep_tracker *tracker = NULL;
    static keep_alarm alarms[64];
    keep_admission admission;
    double tenths[10];
    uint64_t now_ns = 1;
    uint32_t pid = 0;
    char text[80];

    options.capacity = capacity;
    options.threshold_ns = 1000;
    BENCH_CHECK(keep_tracker_new(&options, &tracker) == KEEP_OK);
    for (; pid < capacity; pid++) {
        keep_sighting sighting = { .pid = pid + 1, .nonce = 1, .origin = KEEP_ORIGIN_KERNEL };

        BENCH_CHECK(keep_tracker_record(tracker, &sighting, 1, now_ns, &admission) == KEEP_OK);
        BENCH_CHECK(admission.verdict == KEEP_VERDICT_INSERTED);
    }
    for (int tenth = 0; tenth < 10; tenth++) {
        double begin = seconds();

        for (int i = 0; i < EVICTIONS / 10; i++) {
            keep_sighting sighting = { .pid = ++pid, .nonce = 1, .origin = KEEP_ORIGIN_KERNEL };
            size_t count;

            now_ns += 20000;
            do
                BENCH_CHECK(keep_tracker_drain(tracker, now_ns, alarms, 64, &count) == KEEP_OK);
            while (count == 64);
            BENCH_CHECK(keep_tracker_record(tracker, &sighting, 1, now_ns, &admission) == KEEP_OK);
            BENCH_CHECK(admission.evicted_pid != 0);
        }
        tenths[tenth] = (seconds() - begin) / (EVICTIONS / 10) * 1e9;
    }
    (void)snprintf(text, sizeof text, "%s.first", name);
    bench_tell(text, tenths[0]);
    (void)snprintf(text, sizeof text, "%s.last", name);
    bench_tell(text, tenths[9]);
    keep_tracker_free(&tracker);
}

/* --- a beacon --- */

/* A socket on which somebody listens, and who reads it. */
struct ear {
    int fd, sender;
    keep_beacon *beacon;
};

static char ear_name[64];

static struct ear open_ear(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    struct ear ear = { .fd = socket(AF_UNIX, SOCK_DGRAM, 0) };
    socklen_t len;

    (void)snprintf(ear_name, sizeof ear_name, "@keep-bench-%d", (int)getpid());
    len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(ear_name));
    memcpy(address.sun_path + 1, ear_name + 1, strlen(ear_name) - 1);
    BENCH_CHECK(bind(ear.fd, (const struct sockaddr *)&address, len) == 0);
    ear.sender = socket(AF_UNIX, SOCK_DGRAM, 0);
    BENCH_CHECK(connect(ear.sender, (const struct sockaddr *)&address, len) == 0);
    options.path = ear_name;
    options.reconnect_after = 0;
    BENCH_CHECK(keep_beacon_new(&options, &ear.beacon, NULL) == KEEP_OK);
    return ear;
}

static void listen_to(const struct ear *ear)
{
    char frame[64];

    BENCH_CHECK(recv(ear->fd, frame, sizeof frame, 0) == KEEP_BEAT_LEN);
}

static void send_bare(void *state, size_t count)
{
    const struct ear *ear = state;
    static const char frame[KEEP_BEAT_LEN];

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(send(ear->sender, frame, sizeof frame, MSG_DONTWAIT | MSG_NOSIGNAL) == KEEP_BEAT_LEN);
        listen_to(ear);
    }
}

static void beat_heard(void *state, size_t count)
{
    const struct ear *ear = state;
    keep_outcome outcome;

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(keep_beacon_beat(ear->beacon, KEEP_HEALTH_OK, 0, &outcome) == KEEP_OK);
        BENCH_CHECK(outcome.kind == KEEP_OUTCOME_SENT);
        listen_to(ear);
    }
}

static void receive_bare(void *state, size_t count)
{
    const struct ear *ear = state;
    char frame[64];

    for (size_t i = 0; i < count; i++)
        BENCH_CHECK(recv(ear->fd, frame, sizeof frame, MSG_DONTWAIT) < 0);
}

static void send_unheard(void *state, size_t count)
{
    const struct ear *ear = state;
    static const char frame[KEEP_BEAT_LEN];

    for (size_t i = 0; i < count; i++)
        BENCH_CHECK(send(ear->sender, frame, sizeof frame, MSG_DONTWAIT | MSG_NOSIGNAL) < 0);
}

static void beat_unheard(void *state, size_t count)
{
    const struct ear *ear = state;
    keep_outcome outcome;

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(keep_beacon_beat(ear->beacon, KEEP_HEALTH_OK, 0, &outcome) == KEEP_OK);
        BENCH_CHECK(outcome.kind == KEEP_OUTCOME_DROPPED_QUEUE_FULL);
    }
}

static void fill_queue(const struct ear *ear)
{
    static const char frame[KEEP_BEAT_LEN];

    while (send(ear->sender, frame, sizeof frame, MSG_DONTWAIT) > 0)
        continue;
}

/* --- memory --- */

static double heap_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return (double)(info.uordblks + info.hblkhd);
}

static void measure_memory(void)
{
    enum {
        AGENTS = 65536
    };
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;

    options.capacity = AGENTS;
    for (uint32_t statistics = 0; statistics <= 1; statistics++) {
        double before = heap_in_use();
        keep_tracker *tracker = NULL;
        keep_observer *observer = NULL;
        double with_tracker;

        options.statistics = statistics;
        BENCH_CHECK(keep_tracker_new(&options, &tracker) == KEEP_OK);
        with_tracker = heap_in_use();
        bench_tell(statistics == 0 ? "memory.tracker" : "memory.tracker_statistics", (with_tracker - before) / AGENTS);
        BENCH_CHECK(keep_observer_new(NULL, tracker, &observer, NULL) == KEEP_OK);
        if (statistics == 0)
            bench_tell("memory.observer", (heap_in_use() - with_tracker) / AGENTS);
        keep_observer_free(&observer);
        keep_tracker_free(&tracker);
    }
    {
        double before = heap_in_use();
        keep_tracker *tracker = NULL;
        keep_observer *observer = NULL;

        options.capacity = 1;
        BENCH_CHECK(keep_tracker_new(&options, &tracker) == KEEP_OK);
        BENCH_CHECK(keep_observer_new(NULL, tracker, &observer, NULL) == KEEP_OK);
        bench_tell("memory.observer_of_one", heap_in_use() - before);
        keep_observer_free(&observer);
        keep_tracker_free(&tracker);
    }
}

int main(void)
{
    static const uint32_t sizes[] = { 256, 4096, 65536 };
    struct crowd crowd = gather(4096);
    struct ear ear = open_ear();
    char name[64];

    bench_run("tracker.beat_4096", beat_and_drain, &crowd);
    bench_run("tracker.beat_batch_64", beat_batches, &crowd);
    disperse(&crowd);
    for (size_t i = 0; i < 3; i++) {
        crowd = gather(sizes[i]);
        (void)snprintf(name, sizeof name, "tracker.drain_idle_%u", sizes[i]);
        bench_run(name, drain_idle, &crowd);
        disperse(&crowd);
        (void)snprintf(name, sizeof name, "tracker.evict_%u", sizes[i]);
        evict_many(name, sizes[i]);
    }
    bench_run("floor.send_and_receive", send_bare, &ear);
    bench_run("tracker.beat_and_receive", beat_heard, &ear);
    bench_run("floor.receive_nothing", receive_bare, &ear);
    fill_queue(&ear);
    bench_run("floor.send_full", send_unheard, &ear);
    bench_run("tracker.beat_full", beat_unheard, &ear);
    keep_beacon_free(&ear.beacon);
    measure_memory();
    return 0;
}
