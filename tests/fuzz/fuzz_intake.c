/* SPDX-License-Identifier: MIT */
/*
 * Datagrams for an observer: bytes are feeds. Agents that the ledger counts are those it lists, no more stalled than
 * there are, and the metrics have the length they tell.
 */
#include "faults.h"
#include "fuzz.h"

#include <string.h>

#include <keep/observer.h>
#include <keep/tracker.h>

enum {
    HEAD_LEN = 8,
    EVENTS = 40
};

/* The next so many bytes, or fewer. */
struct supply {
    const uint8_t *at;
    size_t left;
};

static keep_bytes take(struct supply *supply, size_t len)
{
    keep_bytes taken = { supply->at, len < supply->left ? len : supply->left };

    supply->at += taken.len;
    supply->left -= taken.len;
    return taken;
}

/* A datagram: 8 bytes say what is known of it, then come so many of its own. */
static keep_datagram next_datagram(struct supply *supply)
{
    static const uint8_t lens[] = { 0, 31, 32, 32, 32, 60, 64, 12 };
    const uint8_t *head = take(supply, HEAD_LEN).data;

    return (keep_datagram){
        .data = take(supply, head[0] < 128 ? lens[head[0] % 8] : head[0] - 128),
        .ns_inode = head[1] % 3,
        .generation = head[2] % 3,
        .kernel_pid = head[3] % 5,
        .uid = head[4] % 3,
        .source = 1 + head[5] % 4,
        .marks = head[6] % 16,
    };
}

static void check_ledger(const keep_tracker *tracker)
{
    struct keep_tracker_stats stats = KEEP_TRACKER_STATS_INIT;
    keep_agent_info info = KEEP_AGENT_INFO_INIT;
    uint64_t cursor = 0, agents = 0, stalled = 0;
    size_t count;

    fuzz_needs(keep_tracker_stats(tracker, &stats) == KEEP_OK);
    while (keep_tracker_list(tracker, &cursor, &info, 1, &count) == KEEP_OK && count == 1) {
        agents++;
        stalled += info.state == KEEP_AGENT_STALLED;
    }
    fuzz_needs(agents == stats.agents && stalled == stats.stalled);
}

static void check_metrics(keep_observer *observer)
{
    static char text[32768];
    size_t len = 0, again = 0;

    fuzz_needs(keep_observer_metrics(observer, NULL, 0, &len) == KEEP_ERR_BUFFER_TOO_SMALL);
    fuzz_needs(len < sizeof text && keep_observer_metrics(observer, text, sizeof text, &again) == KEEP_OK);
    fuzz_needs(len == again && text[len - 1] == '\n');
}

static void feed_all(keep_observer *observer, struct supply *supply)
{
    keep_event events[EVENTS];
    uint64_t now = 0;

    while (supply->left >= HEAD_LEN) {
        uint8_t step = supply->at[7];
        keep_datagram datagram = next_datagram(supply);
        size_t count = 0;

        now += step < 200 ? step * UINT64_C(500000) : step * UINT64_C(100000000);
        fuzz_needs(keep_observer_feed(observer, &datagram, 1, now, events, EVENTS, &count) == KEEP_OK);
        fuzz_needs(count <= EVENTS);
        for (size_t i = 0; i < count; i++)
            fuzz_needs(events[i].kind >= KEEP_EVENT_BEAT && events[i].kind <= KEEP_EVENT_IO_ERROR);
    }
}

static void observe(const uint8_t *bytes, size_t len)
{
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;
    keep_observer_options given = KEEP_OBSERVER_OPTIONS_INIT;
    keep_tracker *tracker = NULL;
    keep_observer *observer = NULL;
    struct supply supply = { bytes, len };

    options.capacity = 3;
    options.threshold_ns = 10000000;
    options.statistics = 1;
    given.any_uid = 1;
    given.report_beats = 1;
    given.global_burst = 20;
    given.own_namespace_only = len % 2;
    given.own_ns_inode = 1;
    if (fuzz_works(keep_tracker_new(&options, &tracker)) &&
        fuzz_works(keep_observer_new(&given, tracker, &observer, NULL))) {
        feed_all(observer, &supply);
        check_ledger(tracker);
        check_metrics(observer);
    }
    keep_observer_free(&observer);
    keep_tracker_free(&tracker);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_with_faults(observe, bytes, len);
    return 0;
}
