/* SPDX-License-Identifier: MIT */
/*
 * The tracker's items: frames of detached beacons with the times at which they came, which every observer must judge
 * alike, and a process that beats to another's observer.
 */
#include "exchange.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <sodium.h>

enum {
    MAX_AGENTS = 8,
    MAX_EVENTS = 16,
    MAX_PATH = 1024,
    NS_PER_MS = 1000000,
    BEATS = 100,
    PATIENCE = 6000, /* tries of some milliseconds */
    LIVE_MS = 300
};

static const size_t frame_lens[] = { KEEP_BEAT_LEN, KEEP_BEAT_SHARED_LEN, KEEP_BEAT_MASTER_LEN };

struct agent {
    int pid, source, mode;
    keep_beacon *beacon;
};

static uint64_t ns_of(int ms)
{
    return (uint64_t)ms * NS_PER_MS;
}

static keep_secret *key_of(json_t *inputs)
{
    const char *hex = json_string_value(json_object_get(inputs, "key"));
    uint8_t bytes[32];
    keep_secret *key = NULL;

    if (sodium_hex2bin(bytes, sizeof bytes, hex, strlen(hex), NULL, NULL, NULL) == 0)
        must(keep_secret_from_bytes(NULL, bytes, sizeof bytes, &key));
    return key;
}

/* --- writing --- */

static keep_beacon *detached(const struct agent *agent, const keep_secret *key)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) own = NULL;
    keep_beacon *beacon = NULL;

    if (agent->mode == KEEP_BEAT_MASTER)
        must(keep_beacon_agent_key(key, (uint32_t)agent->pid, &own));
    options.agent_pid = (uint32_t)agent->pid;
    options.mode = (uint8_t)agent->mode;
    options.reconnect_after = 0;
    options.key = agent->mode == KEEP_BEAT_PLAIN ? NULL : own != NULL ? own : key;
    must(keep_beacon_new(&options, &beacon, NULL));
    return beacon;
}

/* One frame as it came: [ms, source, pid, hex]. */
static json_t *record_frame(json_t *plan, const struct agent *agents)
{
    int number, at_ms, health, payload, damage, error;
    uint8_t frame[KEEP_BEAT_MASTER_LEN];
    char hex[2 * sizeof frame + 1];
    keep_outcome outcome;
    const struct agent *agent;

    if (json_unpack(plan, "[iiiiii]", &number, &at_ms, &health, &payload, &damage, &error) != 0)
        return NULL;
    agent = &agents[number];
    must(keep_beacon_prepare(agent->beacon, (uint32_t)health, (uint32_t)payload, ns_of(at_ms), frame));
    must(keep_beacon_commit(agent->beacon, (uint32_t)error, &outcome));
    frame[0] ^= (uint8_t)damage;
    (void)sodium_bin2hex(hex, sizeof hex, frame, frame_lens[agent->mode]);
    return json_pack("[iiis]", at_ms, agent->source, agent->pid, hex);
}

static json_t *record_frames(json_t *inputs)
{
    KEEP_AUTO(keep_secret) key = key_of(inputs);
    struct agent agents[MAX_AGENTS] = { 0 };
    json_t *frames = json_array(), *value;
    size_t i;

    json_array_foreach(json_object_get(inputs, "agents"), i, value)
    {
        (void)json_unpack(value, "[iii]", &agents[i].pid, &agents[i].source, &agents[i].mode);
        agents[i].beacon = detached(&agents[i], key);
    }
    json_array_foreach(json_object_get(inputs, "frames"), i, value)
        json_array_append_new(frames, record_frame(value, agents));
    for (i = 0; i < MAX_AGENTS; i++)
        keep_beacon_free(&agents[i].beacon);
    return frames;
}

/* --- judging --- */

static keep_observer *observer_of(json_t *inputs)
{
    keep_tracker_options ledger = KEEP_TRACKER_OPTIONS_INIT;
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) key = key_of(inputs);
    KEEP_AUTO(keep_tracker) tracker = NULL;
    keep_observer *observer = NULL;

    ledger.threshold_ns = ns_of((int)json_integer_value(json_object_get(inputs, "threshold_ms")));
    ledger.statistics = 1;
    options.any_uid = 1;
    options.report_beats = 1;
    must(keep_tracker_new(&ledger, &tracker));
    must(keep_observer_new(&options, tracker, &observer, NULL));
    must(keep_observer_add_key(observer, key, KEEP_BEAT_SHARED));
    must(keep_observer_add_key(observer, key, KEEP_BEAT_MASTER));
    return observer;
}

static json_t *event_row(const keep_event *event)
{
    return json_pack("[I, i, i, i, I, I, I, i, i, i, i, i]", (json_int_t)event->at_ns, (int)event->kind,
                     (int)event->detail, (int)event->pid, (json_int_t)event->nonce, (json_int_t)event->last_ns,
                     (json_int_t)event->silence_ns, event->health, (int)event->payload, event->origin,
                     (int)event->stalled, (int)event->agents);
}

static void feed(keep_observer *observer, const keep_datagram *datagram, int at_ms, json_t *rows)
{
    keep_event events[MAX_EVENTS];
    size_t count = 0;

    must(keep_observer_feed(observer, datagram, datagram != NULL, ns_of(at_ms), events, MAX_EVENTS, &count));
    for (size_t i = 0; i < count; i++)
        json_array_append_new(rows, event_row(&events[i]));
}

static void feed_frame(keep_observer *observer, json_t *frame, json_t *rows)
{
    uint8_t bytes[KEEP_BEAT_MASTER_LEN];
    keep_datagram datagram = { .data = { bytes, 0 }, .ns_inode = 1, .generation = 1 };
    const char *hex = "";
    int at_ms = 0, source = 0, pid = 0;

    (void)json_unpack(frame, "[iiis]", &at_ms, &source, &pid, &hex);
    (void)sodium_hex2bin(bytes, sizeof bytes, hex, strlen(hex), NULL, &datagram.data.len, NULL);
    datagram.source = (uint32_t)source;
    datagram.kernel_pid = (uint32_t)pid;
    feed(observer, &datagram, at_ms, rows);
}

static char *metrics_of(keep_observer *observer)
{
    size_t len = 0;
    char *text;

    if (keep_observer_metrics(observer, NULL, 0, &len) != KEEP_ERR_BUFFER_TOO_SMALL)
        return NULL;
    text = calloc(1, len + 1);
    must(keep_observer_metrics(observer, text, len, &len));
    return text;
}

/* What an observer says when the frames come at their times, and its numbers in the end; free() both. */
struct summary {
    char *events, *metrics;
};

static struct summary judge(json_t *inputs, json_t *frames)
{
    KEEP_AUTO(keep_observer) observer = observer_of(inputs);
    json_t *rows = json_array(), *frame;
    size_t i;

    json_array_foreach(frames, i, frame) feed_frame(observer, frame, rows);
    feed(observer, NULL, (int)json_integer_value(json_object_get(inputs, "end_ms")), rows);
    return (struct summary){ compact(json_pack("{s: o}", "events", rows)), metrics_of(observer) };
}

static void free_summary(struct summary *summary)
{
    free(summary->events);
    free(summary->metrics);
}

bool write_tracker(const char *folder, json_t *files)
{
    json_t *inputs = inputs_of("tracker"), *frames = record_frames(inputs);
    struct summary summary = judge(inputs, frames);
    char *text = compact(json_pack("{s: o}", "frames", frames));
    bool is_written;

    is_written = write_file(folder, "tracker/frames.json", text, files) &&
                 write_file(folder, "tracker/events.json", summary.events, files) &&
                 write_file(folder, "tracker/metrics.txt", summary.metrics, files);
    free(text);
    free_summary(&summary);
    json_decref(inputs);
    return is_written;
}

bool is_same_tracker(const char *folder)
{
    char *text = read_file(folder, "tracker/frames.json");
    json_t *theirs = text == NULL ? NULL : json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    json_t *inputs = inputs_of("tracker"), *frames = json_object_get(theirs, "frames");
    struct summary summary = judge(inputs, frames);
    bool is_same = json_array_size(frames) == json_array_size(json_object_get(inputs, "frames")) &&
                   is_in_file(folder, "tracker/events.json", summary.events) &&
                   is_in_file(folder, "tracker/metrics.txt", summary.metrics);

    free(text);
    free_summary(&summary);
    json_decref(inputs);
    json_decref(theirs);
    return is_same;
}

/* --- alive --- */

bool beat_to(const char *path)
{
    const struct timespec pause = { 0, 5 * NS_PER_MS };
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    KEEP_AUTO(keep_beacon) beacon = NULL;
    keep_outcome outcome;
    int sent = 0;

    options.path = path;
    must(keep_beacon_new(&options, &beacon, NULL));
    for (int tries = 0; tries < PATIENCE && sent < BEATS; tries++) {
        must(keep_beacon_beat(beacon, KEEP_HEALTH_OK, (uint32_t)sent, &outcome));
        sent += outcome.kind == KEEP_OUTCOME_SENT;
        if (outcome.kind != KEEP_OUTCOME_SENT)
            (void)nanosleep(&pause, NULL);
    }
    while (getchar() != EOF)
        continue;
    return sent == BEATS;
}

/* What was heard of the one process that beats. */
struct heard {
    uint64_t nonce;
    int beats;
    bool has_gap, has_stalled; /* stalled: after the last beat */
};

static void hear(struct heard *heard, const keep_event *event)
{
    if (event->kind == KEEP_EVENT_BEAT) {
        heard->has_gap = heard->has_gap || (heard->beats > 0 && event->nonce != heard->nonce + 1);
        heard->nonce = event->nonce;
        heard->beats++;
    }
    if (event->kind == KEEP_EVENT_STALL && heard->beats == BEATS)
        heard->has_stalled = event->nonce == heard->nonce;
}

static keep_observer *live_observer(const char *path)
{
    keep_tracker_options ledger = KEEP_TRACKER_OPTIONS_INIT;
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    keep_listen_options listen = KEEP_LISTEN_OPTIONS_INIT;
    KEEP_AUTO(keep_tracker) tracker = NULL;
    keep_observer *observer = NULL;

    ledger.threshold_ns = ns_of(LIVE_MS);
    options.report_beats = 1;
    options.per_pid_rate = 0;
    listen.path = path;
    must(keep_tracker_new(&ledger, &tracker));
    must(keep_observer_new(&options, tracker, &observer, NULL));
    must(keep_observer_listen(observer, &listen, NULL));
    return observer;
}

bool observe_at(const char *path)
{
    KEEP_AUTO(keep_observer) observer = live_observer(path);
    struct pollfd poller = { .events = POLLIN };
    struct heard heard = { 0 };
    keep_event events[MAX_EVENTS];
    size_t count;

    must(keep_observer_fd(observer, &poller.fd));
    for (int tries = 0; tries < PATIENCE && !heard.has_stalled; tries++) {
        (void)poll(&poller, 1, 100);
        must(keep_observer_poll(observer, events, MAX_EVENTS, &count, NULL));
        for (size_t i = 0; i < count; i++)
            hear(&heard, &events[i]);
    }
    return heard.beats == BEATS && !heard.has_gap && heard.has_stalled;
}
