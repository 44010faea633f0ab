/* SPDX-License-Identifier: MIT */
/*
 * Schema keep-tracker-1 (tracker §4): frames, sealing, limits and send errors, and scripts over trackers, observers and
 * beacons.
 */
#include "vectors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct args {
    keep_tracker *tracker;
    keep_observer *observer;
    keep_beacon *beacon;
    void *either; /* a tracker or an observer */
    const char *as, *mode, *fault, *op, *origin, *policy, *reason, *error, *outcome, *from;
    json_t *steps, *calls, *faults, *pids, *datagrams, *marks, *uids, *events, *alarms;
    keep_bytes data, wire, key, frame, iv_prefix, salt, prefix, master;
    uint64_t crc, value, health, pid, timestamp_ns, nonce, payload, threshold_ms, grace_ms, misses, iv_counter, index;
    uint64_t rate, burst, now_ns, step_ns, first, last, count, cap, capacity, statistics, threshold_ns, grace_ns;
    uint64_t max_gap_ns, ns_inode, generation, claimed_pid, kernel_pid, uid, pid_max, per_pid_rate, global_rate;
    uint64_t global_burst, own_ns_inode, session_gap_ns, min_threshold_ns, max_threshold_ns, reconnect_after;
    uint64_t start_nonce;
    bool unnumbered, unarmed, any_uid, require_pid_match, own_namespace_only, report_beats, allow;
};

/* --- words --- */

struct word {
    const char *text;
    uint32_t value;
};

static const struct word origins[] = {
    { "network", KEEP_ORIGIN_NETWORK },   { "socket_mode", KEEP_ORIGIN_SOCKET_MODE },
    { "operator", KEEP_ORIGIN_OPERATOR }, { "kernel", KEEP_ORIGIN_KERNEL },
    { "none", KEEP_ORIGIN_NONE },         { NULL, 0 },
};
static const struct word verdicts[] = {
    { "inserted", KEEP_VERDICT_INSERTED },
    { "refreshed", KEEP_VERDICT_REFRESHED },
    { "out_of_order", KEEP_VERDICT_OUT_OF_ORDER },
    { "capacity_exceeded", KEEP_VERDICT_CAPACITY_EXCEEDED },
    { "origin_conflict", KEEP_VERDICT_ORIGIN_CONFLICT },
    { "namespace_conflict", KEEP_VERDICT_NAMESPACE_CONFLICT },
    { NULL, 0 },
};
/* Sorted. */
static const struct word admission_flags[] = {
    { "evicted", KEEP_ADMISSION_EVICTED },
    { "recovered", KEEP_ADMISSION_RECOVERED },
    { "recycled", KEEP_ADMISSION_RECYCLED },
    { "terminal", KEEP_ADMISSION_TERMINAL },
    { "upgraded", KEEP_ADMISSION_UPGRADED },
    { "wrapped", KEEP_ADMISSION_WRAPPED },
    { NULL, 0 },
};
static const struct word policies[] = {
    { "strict", KEEP_POLICY_STRICT },
    { "balanced", KEEP_POLICY_BALANCED },
    { NULL, 0 },
};
static const struct word reasons[] = {
    { "goodbye", KEEP_REASON_GOODBYE },
    { "exited", KEEP_REASON_EXITED },
    { "recycled", KEEP_REASON_RECYCLED },
    { "operator", KEEP_REASON_OPERATOR },
    { NULL, 0 },
};
static const struct word states[] = {
    { "unarmed", KEEP_AGENT_UNARMED }, { "registered", KEEP_AGENT_REGISTERED }, { "starting", KEEP_AGENT_STARTING },
    { "alive", KEEP_AGENT_ALIVE },     { "stalled", KEEP_AGENT_STALLED },       { NULL, 0 },
};
static const struct word faults[] = {
    { "bad_length", KEEP_FAULT_BAD_LENGTH },
    { "bad_magic", KEEP_FAULT_BAD_MAGIC },
    { "bad_version", KEEP_FAULT_BAD_VERSION },
    { "bad_crc", KEEP_FAULT_BAD_CRC },
    { "bad_status", KEEP_FAULT_BAD_STATUS },
    { "stall_on_wire", KEEP_FAULT_STALL_ON_WIRE },
    { "bad_pid", KEEP_FAULT_BAD_PID },
    { "bad_timestamp", KEEP_FAULT_BAD_TIMESTAMP },
    { "bad_nonce", KEEP_FAULT_BAD_NONCE },
    { "bad_reserved", KEEP_FAULT_BAD_RESERVED },
    { NULL, 0 },
};
static const struct word modes[] = {
    { "shared", KEEP_BEAT_SHARED },
    { "master", KEEP_BEAT_MASTER },
    { NULL, 0 },
};
static const struct word notices[] = {
    { "register", 1 },
    { "goodbye", 2 },
    { NULL, 0 },
};
static const struct word kinds[] = {
    { "beat", KEEP_EVENT_BEAT },
    { "stall", KEEP_EVENT_STALL },
    { "recovered", KEEP_EVENT_RECOVERED },
    { "exited", KEEP_EVENT_EXITED },
    { "goodbye", KEEP_EVENT_GOODBYE },
    { "registered", KEEP_EVENT_REGISTERED },
    { "ready", KEEP_EVENT_READY },
    { "failed", KEEP_EVENT_FAILED },
    { "crash", KEEP_EVENT_CRASH },
    { "evicted", KEEP_EVENT_EVICTED },
    { "recycled", KEEP_EVENT_RECYCLED },
    { "decode_error", KEEP_EVENT_DECODE_ERROR },
    { "uid_refused", KEEP_EVENT_UID_REFUSED },
    { "auth_failure", KEEP_EVENT_AUTH_FAILURE },
    { "origin_conflict", KEEP_EVENT_ORIGIN_CONFLICT },
    { "namespace_conflict", KEEP_EVENT_NAMESPACE_CONFLICT },
    { "outage", KEEP_EVENT_OUTAGE },
    { "io_error", KEEP_EVENT_IO_ERROR },
    { NULL, 0 },
};
static const struct word sources[] = {
    { "unix", KEEP_SOURCE_UNIX },
    { "udp", KEEP_SOURCE_UDP },
    { "udp_sealed", KEEP_SOURCE_UDP_SEALED },
    { NULL, 0 },
};
static const struct word marks[] = {
    { "truncated", KEEP_MARK_TRUNCATED },
    { "no_credentials", KEEP_MARK_NO_CREDENTIALS },
    { "sender_gone", KEEP_MARK_SENDER_GONE },
    { "attested", KEEP_MARK_ATTESTED },
    { NULL, 0 },
};
static const struct word outcomes[] = {
    { "sent", KEEP_OUTCOME_SENT },
    { "dropped_queue_full", KEEP_OUTCOME_DROPPED_QUEUE_FULL },
    { "dropped_no_observer", KEEP_OUTCOME_DROPPED_NO_OBSERVER },
    { "dropped_peer_gone", KEEP_OUTCOME_DROPPED_PEER_GONE },
    { "dropped_storage_full", KEEP_OUTCOME_DROPPED_STORAGE_FULL },
    { "failed", KEEP_OUTCOME_FAILED },
    { NULL, 0 },
};
static const struct word actions[] = {
    { "none", KEEP_ACTION_NONE },
    { "reconnect", KEEP_ACTION_RECONNECT },
    { NULL, 0 },
};
static const struct word errors[] = {
    { "none", 0 },
    { "EAGAIN", EAGAIN },
    { "ENOBUFS", ENOBUFS },
    { "ECONNREFUSED", ECONNREFUSED },
    { "ENOENT", ENOENT },
    { "ECONNRESET", ECONNRESET },
    { "ENOTCONN", ENOTCONN },
    { "EPIPE", EPIPE },
    { "ENOSPC", ENOSPC },
    { "EACCES", EACCES },
    { "EMSGSIZE", EMSGSIZE },
    { "EPERM", EPERM },
    { "EINVAL", EINVAL },
    { "EIO", EIO },
    { NULL, 0 },
};

/* The value of a word; of no word, that of the first. */
static uint32_t value_of(struct vector_step *step, const struct word *words, const char *text)
{
    const struct word *word = words;

    if (text == NULL)
        return words->value;
    while (word->text != NULL && strcmp(word->text, text) != 0)
        word++;
    if (word->text == NULL)
        fail(step->run, "a word", words->text, text);
    return word->value;
}

static void expect_word(struct vector_step *step, const char *key, const struct word *words, uint32_t got)
{
    while (words->text != NULL && words->value != got)
        words++;
    expect(step, key, json_string(words->text == NULL ? "no word" : words->text));
}

/* 64-bit values are decimal texts. */
static void expect_text(struct vector_step *step, const char *key, uint64_t got)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRIu64, got);
    expect(step, key, json_string(text));
}

/* --- handles --- */

static bool free_tracker(void *handle)
{
    keep_tracker *tracker = handle;

    keep_tracker_free(&tracker);
    return true;
}

static bool free_observer(void *handle)
{
    keep_observer *observer = handle;

    keep_observer_free(&observer);
    return true;
}

static bool free_beacon(void *handle)
{
    keep_beacon *beacon = handle;

    keep_beacon_free(&beacon);
    return true;
}

static const struct vector_kind trackers = { "tracker", false, free_tracker };
static const struct vector_kind observers = { "observer", false, free_observer };
static const struct vector_kind beacons = { "beacon", false, free_beacon };

/* --- known answers --- */

/* Bytes that are put together field by field, little-endian. */
struct packed {
    uint8_t bytes[160];
    size_t len;
};

static void pack_number(struct packed *packed, uint64_t value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        packed->bytes[packed->len++] = (uint8_t)(value >> (8 * i));
}

static void pack_bytes(struct vector_step *step, struct packed *packed, keep_bytes bytes)
{
    if (bytes.len > sizeof packed->bytes - packed->len) {
        fail(step->run, "bytes", "fewer", "too many");
    } else if (bytes.len > 0) {
        memcpy(packed->bytes + packed->len, bytes.data, bytes.len);
        packed->len += bytes.len;
    }
}

static keep_bytes bytes_of(const struct packed *packed)
{
    return (keep_bytes){ packed->bytes, packed->len };
}

/* Asks for an answer: once for its length, once for its bytes. */
static keep_status ask(struct vector_step *step, const char *name, keep_bytes in, keep_bytes *out)
{
    uint8_t *bytes;
    size_t len = 0;
    keep_status status = keep_tracker_known_answer(name, in.data, in.len, NULL, 0, &len);

    if (status != KEEP_ERR_BUFFER_TOO_SMALL)
        return status;
    bytes = room(step->run, len);
    *out = (keep_bytes){ bytes, len };
    return keep_tracker_known_answer(name, in.data, in.len, bytes, len, &len);
}

static void expect_answer(struct vector_step *step, const char *name, keep_bytes in, keep_bytes want)
{
    keep_bytes out = { "", 0 };

    if (came_out(step, ask(step, name, in, &out)))
        expect_same(step, name, want, out);
}

static void crc32c(struct vector_step *step)
{
    const struct args *args = step->args;
    struct packed packed = { .len = 0 };

    pack_number(&packed, args->crc, 4);
    expect_answer(step, "crc32c", args->data, bytes_of(&packed));
}

static void beat_frame(struct vector_step *step)
{
    const struct args *args = step->args;
    struct packed packed = { .len = 0 };

    pack_number(&packed, args->health, 1);
    pack_number(&packed, args->pid, 4);
    pack_number(&packed, args->timestamp_ns, 8);
    pack_number(&packed, args->nonce, 8);
    pack_number(&packed, args->payload, 4);
    expect_answer(step, "beat.encode", bytes_of(&packed), args->wire);
    expect_answer(step, "beat.decode", args->wire, bytes_of(&packed));
}

static void notice_frame(struct vector_step *step)
{
    const struct args *args = step->args;
    struct packed packed = { .len = 0 };

    pack_number(&packed, value_of(step, notices, args->op), 1);
    pack_number(&packed, args->pid, 4);
    pack_number(&packed, args->threshold_ms, 4);
    pack_number(&packed, args->grace_ms, 4);
    pack_number(&packed, args->nonce, 8);
    pack_number(&packed, args->misses, 1);
    expect_answer(step, "notice.encode", bytes_of(&packed), args->wire);
    expect_answer(step, "notice.decode", args->wire, bytes_of(&packed));
}

static void expect_malformed(struct vector_step *step, const char *name, keep_bytes wire)
{
    keep_bytes out;
    keep_status status = ask(step, name, wire, &out);

    if (status != KEEP_ERR_MALFORMED)
        fail(step->run, name, "MALFORMED", keep_status_name(status));
}

static void beat_reject(struct vector_step *step)
{
    const struct args *args = step->args;
    struct packed packed = { .len = 0 };

    pack_number(&packed, value_of(step, faults, args->fault), 1);
    pack_number(&packed, args->value, 8);
    expect_malformed(step, "beat.decode", args->wire);
    expect_answer(step, "beat.fault", args->wire, bytes_of(&packed));
}

static void notice_reject(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_bytes out = { "\0", 1 };

    expect_malformed(step, "notice.decode", args->wire);
    if (came_out(step, ask(step, "notice.fault", args->wire, &out)) &&
        *(const uint8_t *)out.data != value_of(step, faults, args->fault))
        fail(step->run, "notice.fault", args->fault, "another");
}

static void bit_flips(struct vector_step *step)
{
    const struct args *args = step->args;
    json_t *counted = json_object();
    uint8_t wire[KEEP_BEAT_LEN];
    keep_bytes out = { "\0", 1 };

    for (size_t bit = 0; bit < 8 * sizeof wire && args->wire.len == sizeof wire; bit++) {
        const struct word *word = faults;

        memcpy(wire, args->wire.data, sizeof wire);
        wire[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_malformed(step, "beat.decode", (keep_bytes){ wire, sizeof wire });
        if (!came_out(step, ask(step, "beat.fault", (keep_bytes){ wire, sizeof wire }, &out)))
            break;
        while (word->text != NULL && word->value != *(const uint8_t *)out.data)
            word++;
        json_object_set_new(
            counted, word->text == NULL ? "none" : word->text,
            json_integer(json_integer_value(json_object_get(counted, word->text == NULL ? "none" : word->text)) + 1));
    }
    if (!json_equal(counted, args->faults))
        fail(step->run, "faults", "the counts given", "others");
    json_decref(counted);
}

static void pack_opening(struct vector_step *step, struct packed *packed)
{
    const struct args *args = step->args;

    pack_number(packed, value_of(step, modes, args->mode), 1);
    pack_bytes(step, packed, args->key);
}

static void sealed_frame(struct vector_step *step)
{
    const struct args *args = step->args;
    struct packed sealing = { .len = 0 }, opening = { .len = 0 };

    pack_opening(step, &sealing);
    pack_number(&sealing, args->pid, 4);
    pack_bytes(step, &sealing, args->iv_prefix);
    pack_number(&sealing, args->iv_counter, 4);
    pack_bytes(step, &sealing, args->frame);
    expect_answer(step, "beat.seal", bytes_of(&sealing), args->wire);
    pack_opening(step, &opening);
    pack_bytes(step, &opening, args->wire);
    expect_answer(step, "beat.open", bytes_of(&opening), args->frame);
}

static void sealed_reject(struct vector_step *step)
{
    const struct args *args = step->args;
    struct packed opening = { .len = 0 };
    keep_bytes out;
    keep_status status;

    pack_opening(step, &opening);
    pack_bytes(step, &opening, args->wire);
    status = ask(step, "beat.open", bytes_of(&opening), &out);
    if (status != KEEP_ERR_AUTH)
        fail(step->run, "beat.open", "AUTH", keep_status_name(status));
}

static keep_secret *secret_of(struct vector_step *step, keep_bytes key)
{
    keep_secret *secret = NULL;
    keep_status status = keep_secret_from_bytes(NULL, key.data, key.len, &secret);

    if (status != KEEP_OK)
        fail(step->run, "a key", "OK", keep_status_name(status));
    return secret;
}

static void agent_key(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_secret *master = secret_of(step, args->master), *agent = NULL;
    int same = 0;

    if (came_out(step, keep_beacon_agent_key(master, (uint32_t)args->pid, &agent)) &&
        (keep_secret_equal_bytes(agent, args->key.data, args->key.len, &same) != KEEP_OK || same == 0))
        fail(step->run, "key", "the one given", "another");
    (void)keep_secret_free(&agent);
    (void)keep_secret_free(&master);
}

static void iv_prefix(struct vector_step *step)
{
    const struct args *args = step->args;
    struct packed packed = { .len = 0 };

    pack_bytes(step, &packed, args->salt);
    pack_number(&packed, args->index, 4);
    expect_answer(step, "iv.prefix", bytes_of(&packed), args->prefix);
}

/* --- trackers --- */

static void tracker_new(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;
    keep_tracker *tracker = NULL;
    keep_status status;

    options.capacity = (uint32_t)args->capacity;
    options.misses = (uint32_t)args->misses;
    options.policy = value_of(step, policies, args->policy);
    options.statistics = (uint32_t)args->statistics;
    options.threshold_ns = args->threshold_ns;
    options.grace_ns = args->grace_ns;
    options.max_gap_ns = args->max_gap_ns;
    status = keep_tracker_new(&options, &tracker);
    (void)is_made(step, args->as, &trackers, status, tracker);
}

static keep_sighting sighting_of(struct vector_step *step)
{
    const struct args *args = step->args;

    return (keep_sighting){
        .nonce = args->nonce,
        .timestamp_ns = args->timestamp_ns == UINT64_MAX ? args->nonce : args->timestamp_ns,
        .ns_inode = args->ns_inode,
        .generation = args->generation,
        .pid = (uint32_t)args->pid,
        .claimed_pid = (uint32_t)args->claimed_pid,
        .payload = (uint32_t)args->payload,
        .health = (uint8_t)args->health,
        .origin = (uint8_t)(args->origin == NULL ? KEEP_ORIGIN_KERNEL : value_of(step, origins, args->origin)),
        .flags = args->unnumbered ? KEEP_SIGHTING_UNNUMBERED : 0,
    };
}

static void record(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_sighting sighting = sighting_of(step);
    keep_admission admission;
    json_t *words = json_array();

    if (came_out(step, keep_tracker_record(args->tracker, &sighting, 1, args->now_ns, &admission))) {
        for (const struct word *word = admission_flags; word->text != NULL; word++) {
            if ((admission.flags & word->value) != 0)
                json_array_append_new(words, json_string(word->text));
        }
        expect_word(step, "verdict", verdicts, admission.verdict);
        expect(step, "flags", json_incref(words));
        expect_number(step, "evicted_pid", admission.evicted_pid);
    }
    json_decref(words);
}

/* Records a sighting that must have the verdict given. */
static void record_one(struct vector_step *step, keep_sighting sighting, uint64_t now_ns, uint32_t verdict)
{
    const struct args *args = step->args;
    keep_admission admission = { .verdict = UINT32_MAX };

    if (came_out(step, keep_tracker_record(args->tracker, &sighting, 1, now_ns, &admission)) &&
        admission.verdict != verdict)
        fail(step->run, "verdict", "inserted or refreshed", "another");
}

static void fill_range(struct vector_step *step)
{
    const struct args *args = step->args;

    for (uint64_t pid = args->first; pid <= args->last; pid++)
        record_one(step,
                   (keep_sighting){ .pid = (uint32_t)pid, .nonce = 1, .timestamp_ns = 1, .origin = KEEP_ORIGIN_KERNEL },
                   args->now_ns, KEEP_VERDICT_INSERTED);
}

static void fill_pids(struct vector_step *step)
{
    const struct args *args = step->args;

    for (size_t i = 0; i < json_array_size(args->pids); i++) {
        uint32_t pid = (uint32_t)json_integer_value(json_array_get(args->pids, i));

        record_one(step, (keep_sighting){ .pid = pid, .nonce = 1, .timestamp_ns = 1, .origin = KEEP_ORIGIN_KERNEL },
                   args->now_ns, KEEP_VERDICT_INSERTED);
    }
}

static void beats(struct vector_step *step)
{
    const struct args *args = step->args;

    for (uint64_t i = 0; i < args->count; i++) {
        keep_sighting sighting = {
            .pid = (uint32_t)args->pid,
            .nonce = args->nonce + i,
            .timestamp_ns = args->nonce + i,
            .origin = KEEP_ORIGIN_KERNEL,
        };

        record_one(step, sighting, args->now_ns + i * args->step_ns, KEEP_VERDICT_REFRESHED);
    }
}

static void expect_alarm(struct vector_step *item)
{
    const keep_alarm *alarm = (*(const keep_alarm **)item->context)++;

    expect_text(item, "nonce", alarm->nonce);
    expect_text(item, "last_ns", alarm->last_ns);
    expect_text(item, "silence_ns", alarm->silence_ns);
    expect_text(item, "limit_ns", alarm->limit_ns);
    expect_text(item, "ns_inode", alarm->ns_inode);
    expect_text(item, "generation", alarm->generation);
    expect_number(item, "pid", alarm->pid);
    expect_number(item, "claimed_pid", alarm->claimed_pid);
    expect_number(item, "payload", alarm->payload);
    expect_number(item, "misses", alarm->misses);
    expect_number(item, "stalled", alarm->stalled);
    expect_number(item, "agents", alarm->agents);
    expect_number(item, "health", alarm->health);
    expect_word(item, "origin", origins, alarm->origin);
}

static void expect_count(struct vector_step *step, const char *what, const json_t *list, size_t got)
{
    char texts[2][24];

    (void)snprintf(texts[0], sizeof texts[0], "%zu", json_array_size(list));
    (void)snprintf(texts[1], sizeof texts[1], "%zu", got);
    if (json_array_size(list) != got)
        fail(step->run, what, texts[0], texts[1]);
}

static void tracker_drain(struct vector_step *step, keep_tracker *tracker)
{
    static const struct vector_op items[] = { { "alarm", "", expect_alarm, 0 }, { NULL, NULL, NULL, 0 } };
    const struct args *args = step->args, *out;
    size_t cap = args->cap == UINT64_MAX ? KEEP_MAX_AGENTS : args->cap, count = 0;
    keep_alarm *alarms = (keep_alarm *)(void *)room(step->run, (cap + 1) * sizeof *alarms);
    const keep_alarm *next = alarms;

    if (!came_out(step, keep_tracker_drain(tracker, args->now_ns, alarms, cap, &count)))
        return;
    expect_number(step, "count", count);
    out = take_part(step, step->out, "?alarms");
    if (out->alarms == NULL)
        return;
    expect_count(step, "alarms", out->alarms, count);
    run_items(step, out->alarms, items, &next);
}

static void put(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_agent_settings settings = KEEP_AGENT_SETTINGS_INIT;
    uint32_t evicted = 0;

    settings.threshold_ns = args->threshold_ns;
    settings.grace_ns = args->grace_ns;
    settings.misses = (uint32_t)args->misses;
    settings.unarmed = args->unarmed;
    if (came_out(step, keep_tracker_put(args->tracker, (uint32_t)args->pid, &settings, args->now_ns, &evicted)))
        expect_number(step, "evicted_pid", evicted);
}

static void delete (struct vector_step *step)
{
    const struct args *args = step->args;
    uint32_t reason = value_of(step, reasons, args->reason);

    (void)came_out(step, keep_tracker_delete(args->tracker, (uint32_t)args->pid, reason, args->now_ns));
}

static void expect_intervals(struct vector_step *step, const keep_agent_info *info)
{
    expect_text(step, "intervals", info->intervals);
    expect_text(step, "min_ns", info->min_ns);
    expect_text(step, "max_ns", info->max_ns);
    expect_text(step, "mean_ns", info->mean_ns);
    expect_text(step, "jitter_ns", info->jitter_ns);
    expect_text(step, "p50_ns", info->p50_ns);
    expect_text(step, "p99_ns", info->p99_ns);
    expect_number(step, "phi_milli", info->phi_milli);
}

static void get(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_agent_info info = KEEP_AGENT_INFO_INIT;

    if (!came_out(step, keep_tracker_get(args->tracker, (uint32_t)args->pid, args->now_ns, &info)))
        return;
    expect_intervals(step, &info);
    expect_text(step, "nonce", info.nonce);
    expect_text(step, "last_ns", info.last_ns);
    expect_text(step, "silence_ns", info.silence_ns);
    expect_text(step, "limit_ns", info.limit_ns);
    expect_text(step, "grace_ns", info.grace_ns);
    expect_text(step, "ns_inode", info.ns_inode);
    expect_text(step, "generation", info.generation);
    expect_text(step, "beats", info.beats);
    expect_text(step, "out_of_order", info.out_of_order);
    expect_number(step, "pid", info.pid);
    expect_number(step, "claimed_pid", info.claimed_pid);
    expect_number(step, "payload", info.payload);
    expect_number(step, "health", info.health);
    expect_word(step, "state", states, info.state);
    expect_word(step, "origin", origins, info.origin);
}

static void next_deadline(struct vector_step *step)
{
    const struct args *args = step->args;
    uint64_t deadline = 0;

    if (came_out(step, keep_tracker_next_deadline(args->tracker, &deadline)))
        expect_text(step, "deadline_ns", deadline);
}

static void tracker_stats(struct vector_step *step, keep_tracker *tracker)
{
    struct keep_tracker_stats stats = KEEP_TRACKER_STATS_INIT;

    if (!came_out(step, keep_tracker_stats(tracker, &stats)))
        return;
    expect_number(step, "agents", stats.agents);
    expect_number(step, "stalled", stats.stalled);
    expect_text(step, "beats", stats.beats);
    expect_text(step, "stalls", stats.stalls);
    expect_text(step, "recoveries", stats.recoveries);
    expect_text(step, "evictions", stats.evictions);
    expect_text(step, "capacity_exceeded", stats.capacity_exceeded);
    expect_text(step, "out_of_order", stats.out_of_order);
    expect_text(step, "nonce_wraps", stats.nonce_wraps);
    expect_text(step, "origin_conflicts", stats.origin_conflicts);
    expect_text(step, "namespace_conflicts", stats.namespace_conflicts);
    expect_text(step, "recycles", stats.recycles);
    expect_text(step, "goodbyes", stats.goodbyes);
    expect_text(step, "exits", stats.exits);
    expect_text(step, "deletes", stats.deletes);
    expect_text(step, "clock_regressions", stats.clock_regressions);
    expect_text(step, "outages", stats.outages);
    expect_text(step, "outage_ns", stats.outage_ns);
}

/* --- observers --- */

static void observer_new(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    uint32_t uids[KEEP_MAX_ALLOWED_UIDS];
    keep_observer *observer = NULL;
    keep_status status;

    for (size_t i = 0; i < json_array_size(args->uids) && i < KEEP_MAX_ALLOWED_UIDS; i++)
        uids[i] = (uint32_t)json_integer_value(json_array_get(args->uids, i));
    options.uids = args->uids == NULL ? NULL : uids;
    options.uid_count = json_array_size(args->uids);
    options.any_uid = args->any_uid;
    options.require_pid_match = args->require_pid_match;
    options.own_namespace_only = args->own_namespace_only;
    options.report_beats = args->report_beats;
    options.pid_max = (uint32_t)args->pid_max;
    options.per_pid_rate = (uint32_t)args->per_pid_rate;
    options.global_rate = (uint32_t)args->global_rate;
    options.global_burst = (uint32_t)args->global_burst;
    options.own_ns_inode = args->own_ns_inode;
    options.session_gap_ns = args->session_gap_ns;
    options.min_threshold_ns = args->min_threshold_ns;
    options.max_threshold_ns = args->max_threshold_ns;
    status = keep_observer_new(&options, args->tracker, &observer, NULL);
    (void)is_made(step, args->as, &observers, status, observer);
}

static void add_key(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_secret *secret = secret_of(step, args->key);

    (void)came_out(step, keep_observer_add_key(args->observer, secret, value_of(step, modes, args->mode)));
    (void)keep_secret_free(&secret);
}

static void expect_event(struct vector_step *item)
{
    const keep_event *event = (*(const keep_event **)item->context)++;

    expect_word(item, "kind", kinds, event->kind);
    if (event->kind == KEEP_EVENT_DECODE_ERROR)
        expect_word(item, "fault", faults, event->detail);
    if (event->kind == KEEP_EVENT_CRASH)
        expect(item, "posthumous", json_boolean(event->detail));
    expect_text(item, "at_ns", event->at_ns);
    expect_text(item, "nonce", event->nonce);
    expect_text(item, "last_ns", event->last_ns);
    expect_text(item, "silence_ns", event->silence_ns);
    expect_text(item, "ns_inode", event->ns_inode);
    expect_text(item, "generation", event->generation);
    expect_number(item, "pid", event->pid);
    expect_number(item, "claimed_pid", event->claimed_pid);
    expect_number(item, "uid", event->uid);
    expect_number(item, "payload", event->payload);
    expect_number(item, "stalled", event->stalled);
    expect_number(item, "agents", event->agents);
    expect_number(item, "health", event->health);
    expect_word(item, "origin", origins, event->origin);
}

/* Feeds, and expects the events of `out`. */
static void feed_all(struct vector_step *step, keep_observer *observer, const keep_datagram *datagrams, size_t count)
{
    static const struct vector_op items[] = { { "event", "", expect_event, 0 }, { NULL, NULL, NULL, 0 } };
    const struct args *args = step->args, *out;
    size_t cap = 2 * KEEP_MAX_BATCH, got = 0;
    keep_event *events = (keep_event *)(void *)room(step->run, cap * sizeof *events);
    const keep_event *next = events;

    if (!came_out(step, keep_observer_feed(observer, datagrams, count, args->now_ns, events, cap, &got)))
        return;
    out = take_part(step, step->out, "?events");
    if (out->events == NULL)
        return;
    expect_count(step, "events", out->events, got);
    run_items(step, out->events, items, &next);
}

static keep_datagram datagram_of(struct vector_step *step, json_t *json)
{
    const struct args *args = take_part(step, json, "from data ?kernel_pid ?uid ?ns_inode ?generation ?marks");
    keep_datagram datagram = {
        .data = args->data,
        .ns_inode = args->ns_inode,
        .generation = args->generation,
        .kernel_pid = (uint32_t)args->kernel_pid,
        .uid = (uint32_t)args->uid,
        .source = value_of(step, sources, args->from),
    };

    for (size_t i = 0; i < json_array_size(args->marks); i++)
        datagram.marks |= value_of(step, marks, json_string_value(json_array_get(args->marks, i)));
    return datagram;
}

static void feed(struct vector_step *step)
{
    const struct args *args = step->args;
    size_t count = json_array_size(args->datagrams);
    keep_datagram *datagrams = (keep_datagram *)(void *)room(step->run, (count + 1) * sizeof *datagrams);

    for (size_t i = 0; i < count; i++)
        datagrams[i] = datagram_of(step, json_array_get(args->datagrams, i));
    feed_all(step, args->observer, datagrams, count);
}

static void observer_exit(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_datagram datagram = {
        .kernel_pid = (uint32_t)args->pid,
        .generation = args->generation,
        .source = KEEP_SOURCE_EXIT,
    };

    feed_all(step, args->observer, &datagram, 1);
}

/* A beat of a pid, sealed with the key 00 01 … 1f. */
static keep_bytes sealed_beat(struct vector_step *step, uint32_t pid, uint64_t nonce)
{
    struct packed body = { .len = 0 }, sealing = { .len = 0 };
    keep_bytes frame = { "", 0 }, wire = { "", 0 };

    pack_number(&body, 0, 1);
    pack_number(&body, pid, 4);
    pack_number(&body, nonce, 8);
    pack_number(&body, nonce, 8);
    pack_number(&body, 0, 4);
    (void)came_out(step, ask(step, "beat.encode", bytes_of(&body), &frame));
    pack_number(&sealing, KEEP_BEAT_SHARED, 1);
    for (uint64_t i = 0; i < 32; i++)
        pack_number(&sealing, i, 1);
    pack_number(&sealing, 0, 4); /* no pid */
    pack_number(&sealing, 0, 8); /* the prefix */
    pack_number(&sealing, pid, 4);
    pack_bytes(step, &sealing, frame);
    (void)came_out(step, ask(step, "beat.seal", bytes_of(&sealing), &wire));
    return wire;
}

static void senders(struct vector_step *step)
{
    const struct args *args = step->args;
    size_t count = args->last - args->first + 1;
    keep_datagram *datagrams = (keep_datagram *)(void *)room(step->run, count * sizeof *datagrams);

    for (size_t i = 0; i < count; i++) {
        datagrams[i] = (keep_datagram){ .source = KEEP_SOURCE_UDP_SEALED };
        datagrams[i].data = sealed_beat(step, (uint32_t)(args->first + i), args->nonce);
    }
    feed_all(step, args->observer, datagrams, count);
}

static void observer_stats(struct vector_step *step, keep_observer *observer)
{
    struct keep_observer_stats stats = KEEP_OBSERVER_STATS_INIT;

    if (!came_out(step, keep_observer_stats(observer, &stats)))
        return;
    expect_text(step, "datagrams", stats.datagrams);
    expect_text(step, "bad_length", stats.bad_length);
    expect_text(step, "uid_refused", stats.uid_refused);
    expect_text(step, "no_credentials", stats.no_credentials);
    expect_text(step, "decode_errors", stats.decode_errors);
    expect_text(step, "auth_failures", stats.auth_failures);
    expect_text(step, "pid_above_max", stats.pid_above_max);
    expect_text(step, "limited_pid", stats.limited_pid);
    expect_text(step, "limited_global", stats.limited_global);
    expect_text(step, "posthumous", stats.posthumous);
    expect_text(step, "after_goodbye", stats.after_goodbye);
    expect_text(step, "notify_unattested", stats.notify_unattested);
    expect_text(step, "notice_refused", stats.notice_refused);
    expect_text(step, "decrypt_failures", stats.decrypt_failures);
    expect_text(step, "replay_refused", stats.replay_refused);
    expect_text(step, "senders_evicted", stats.senders_evicted);
    expect_text(step, "foreign_namespace", stats.foreign_namespace);
    expect_text(step, "pidfd_unavailable", stats.pidfd_unavailable);
    expect_text(step, "io_errors", stats.io_errors);
}

static void drain(struct vector_step *step)
{
    const struct args *args = step->args;

    if (is_bound(step, &observers, args->either))
        feed_all(step, args->either, NULL, 0);
    else
        tracker_drain(step, args->either);
}

static void stats(struct vector_step *step)
{
    const struct args *args = step->args;

    if (is_bound(step, &observers, args->either))
        observer_stats(step, args->either);
    else
        tracker_stats(step, args->either);
}

/* An observer of its own that reports beats, limited as the case says. */
static keep_observer *limited_observer(struct vector_step *step, keep_tracker **tracker)
{
    const struct args *args = step->args;
    keep_tracker_options small = KEEP_TRACKER_OPTIONS_INIT;
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    keep_observer *observer = NULL;

    small.capacity = 1024;
    options.any_uid = 1;
    options.report_beats = 1;
    options.per_pid_rate = 0;
    options.global_rate = (uint32_t)args->rate;
    options.global_burst = (uint32_t)args->burst;
    if (came_out(step, keep_tracker_new(&small, tracker)))
        (void)came_out(step, keep_observer_new(&options, *tracker, &observer, NULL));
    return observer;
}

struct bucket {
    keep_observer *observer;
    uint32_t pid;
};

static void bucket_call(struct vector_step *item)
{
    static const keep_event none;
    const struct args *args = item->args;
    struct bucket *bucket = item->context;
    struct packed body = { .len = 0 };
    keep_bytes frame = { "", 0 };
    keep_event events[8] = { none };
    keep_datagram datagram = { .source = KEEP_SOURCE_UNIX, .ns_inode = 1, .generation = 1 };
    size_t count = 0;

    pack_number(&body, 0, 1);
    pack_number(&body, bucket->pid, 4);
    pack_number(&body, 1, 8);
    pack_number(&body, 1, 8);
    pack_number(&body, 0, 4);
    (void)came_out(item, ask(item, "beat.encode", bytes_of(&body), &frame));
    datagram.data = frame;
    datagram.kernel_pid = bucket->pid++;
    if (came_out(item, keep_observer_feed(bucket->observer, &datagram, 1, args->now_ns, events, 8, &count)) &&
        (count > 0 && events[0].kind == KEEP_EVENT_BEAT) != args->allow)
        fail(item->run, "allow", args->allow ? "true" : "false", args->allow ? "false" : "true");
}

static void token_bucket(struct vector_step *step)
{
    static const struct vector_op items[] = { { "call", "now_ns allow", bucket_call, 0 }, { NULL, NULL, NULL, 0 } };
    const struct args *args = step->args;
    keep_tracker *tracker = NULL;
    struct bucket bucket = { limited_observer(step, &tracker), 1000 };

    run_items(step, args->calls, items, &bucket);
    keep_observer_free(&bucket.observer);
    keep_tracker_free(&tracker);
}

/* --- beacons --- */

static keep_beacon *detached(struct vector_step *step, uint32_t pid, uint32_t reconnect_after, uint64_t start_nonce,
                             keep_status *out_status)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    keep_beacon *beacon = NULL;

    (void)step;
    options.agent_pid = pid;
    options.reconnect_after = reconnect_after;
    options.start_nonce = start_nonce;
    *out_status = keep_beacon_new(&options, &beacon, NULL);
    return beacon;
}

static void beacon_new(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_status status;
    keep_beacon *beacon =
        detached(step, (uint32_t)args->pid, (uint32_t)args->reconnect_after, args->start_nonce, &status);

    (void)is_made(step, args->as, &beacons, status, beacon);
}

static void prepare(struct vector_step *step)
{
    const struct args *args = step->args;
    uint8_t frame[KEEP_BEAT_MASTER_LEN];
    keep_bytes body = { "", 0 };
    uint64_t fields[2] = { 0, 0 };

    if (!came_out(step, keep_beacon_prepare(args->beacon, (uint32_t)args->health, (uint32_t)args->payload, args->now_ns,
                                            frame)))
        return;
    expect_bytes(step, "wire", frame, KEEP_BEAT_LEN);
    if (!came_out(step, ask(step, "beat.decode", (keep_bytes){ frame, KEEP_BEAT_LEN }, &body)))
        return;
    for (size_t i = 0; i < 16; i++)
        fields[i / 8] |= (uint64_t)((const uint8_t *)body.data)[5 + i] << (8 * (i % 8));
    expect_text(step, "timestamp_ns", fields[0]);
    expect_text(step, "nonce", fields[1]);
}

static void commit(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_outcome outcome = { 0 };
    keep_status status = keep_beacon_commit(args->beacon, value_of(step, errors, args->error), &outcome);

    if (!came_out(step, status))
        return;
    expect_word(step, "outcome", outcomes, outcome.kind);
    expect_word(step, "action", actions, outcome.action);
    expect_number(step, "dropped", outcome.dropped);
    expect_text(step, "nonce", outcome.nonce);
}

enum {
    RECONNECT,
    RESTART
};

static void connect_again(struct vector_step *step)
{
    const struct args *args = step->args;

    (void)came_out(step, step->variant == RECONNECT ? keep_beacon_reconnect(args->beacon, NULL)
                                                    : keep_beacon_restart(args->beacon, NULL));
}

static void send_error(struct vector_step *step)
{
    const struct args *args = step->args;
    uint8_t frame[KEEP_BEAT_MASTER_LEN];
    keep_outcome outcome = { 0 };
    keep_status status;
    keep_beacon *beacon = detached(step, 100, 0, 0, &status);

    if (came_out(step, status) && came_out(step, keep_beacon_prepare(beacon, 0, 0, 1, frame)) &&
        came_out(step, keep_beacon_commit(beacon, value_of(step, errors, args->error), &outcome)) &&
        outcome.kind != value_of(step, outcomes, args->outcome))
        fail(step->run, "outcome", args->outcome, "another");
    keep_beacon_free(&beacon);
}

/* --- cases --- */

static void script(struct vector_step *one)
{
    run_steps(one->run, ((const struct args *)one->args)->steps);
}

#define INPUT(text, in_file, what, name) \
    .word = (text), .key = (in_file), .form = (what), .field = offsetof(struct args, name)
#define SAME(what, name) INPUT(#name, #name, what, name)
#define CONSTANT(constant) .name = #constant, .value = (constant)
#define U8(name) \
    { \
        SAME(VECTOR_NUMBER, name), .max = UINT8_MAX \
    }
#define U32(name) \
    { \
        SAME(VECTOR_NUMBER, name), .max = UINT32_MAX \
    }
#define U64(name) \
    { \
        SAME(VECTOR_NUMBER, name), .max = UINT64_MAX \
    }
#define DEFAULT(text, in_file, name, value) \
    { \
        INPUT(text, in_file, VECTOR_NUMBER, name), .max = UINT64_MAX, .absent = (value) \
    }

static const struct vector_input inputs[] = {
    { INPUT("on_tracker", "on", VECTOR_HANDLE, tracker), .kind = &trackers },
    { INPUT("of_tracker", "tracker", VECTOR_HANDLE, tracker), .kind = &trackers },
    { INPUT("on_observer", "on", VECTOR_HANDLE, observer), .kind = &observers },
    { INPUT("on_beacon", "on", VECTOR_HANDLE, beacon), .kind = &beacons },
    { INPUT("either", "on", VECTOR_HANDLE, either), .kind = NULL },
    { INPUT("script", "script", VECTOR_LIST, steps) },
    { SAME(VECTOR_NAME, as) },
    { SAME(VECTOR_TEXT, mode) },
    { SAME(VECTOR_TEXT, fault) },
    { SAME(VECTOR_TEXT, op) },
    { SAME(VECTOR_TEXT, origin) },
    { SAME(VECTOR_TEXT, policy) },
    { SAME(VECTOR_TEXT, reason) },
    { SAME(VECTOR_TEXT, error) },
    { SAME(VECTOR_TEXT, outcome) },
    { SAME(VECTOR_TEXT, from) },
    { SAME(VECTOR_LIST, calls) },
    { SAME(VECTOR_OBJECT, faults) },
    { SAME(VECTOR_LIST, pids) },
    { SAME(VECTOR_LIST, datagrams) },
    { SAME(VECTOR_LIST, marks) },
    { SAME(VECTOR_LIST, uids) },
    { SAME(VECTOR_LIST, events) },
    { SAME(VECTOR_LIST, alarms) },
    { SAME(VECTOR_BYTES, data) },
    { SAME(VECTOR_BYTES, wire) },
    { SAME(VECTOR_BYTES, key) },
    { SAME(VECTOR_BYTES, frame) },
    { SAME(VECTOR_BYTES, iv_prefix) },
    { SAME(VECTOR_BYTES, salt) },
    { SAME(VECTOR_BYTES, prefix) },
    { SAME(VECTOR_BYTES, master) },
    { SAME(VECTOR_FLAG, unnumbered) },
    { SAME(VECTOR_FLAG, unarmed) },
    { SAME(VECTOR_FLAG, any_uid) },
    { SAME(VECTOR_FLAG, require_pid_match) },
    { SAME(VECTOR_FLAG, own_namespace_only) },
    { SAME(VECTOR_FLAG, report_beats) },
    { SAME(VECTOR_FLAG, allow) },
    U8(health),
    U8(statistics),
    U32(crc),
    U32(pid),
    U32(payload),
    U32(threshold_ms),
    U32(grace_ms),
    U32(misses),
    U32(iv_counter),
    U32(index),
    U32(rate),
    U32(burst),
    U32(first),
    U32(last),
    U32(count),
    U32(capacity),
    U32(claimed_pid),
    U32(kernel_pid),
    U32(uid),
    U32(pid_max),
    U64(value),
    U64(nonce),
    U64(now_ns),
    U64(step_ns),
    U64(grace_ns),
    U64(max_gap_ns),
    U64(ns_inode),
    U64(generation),
    U64(own_ns_inode),
    U64(session_gap_ns),
    U64(start_nonce),
    DEFAULT("timestamp_ns", "timestamp_ns", timestamp_ns, UINT64_MAX),
    DEFAULT("cap", "cap", cap, UINT64_MAX),
    U64(threshold_ns),
    DEFAULT("per_pid_rate", "per_pid_rate", per_pid_rate, 100),
    DEFAULT("global_rate", "global_rate", global_rate, 5000),
    DEFAULT("global_burst", "global_burst", global_burst, 10000),
    DEFAULT("min_threshold_ns", "min_threshold_ns", min_threshold_ns, 10000000),
    DEFAULT("max_threshold_ns", "max_threshold_ns", max_threshold_ns, 3600000000000),
    DEFAULT("reconnect_after", "reconnect_after", reconnect_after, 3),
    DEFAULT("own_capacity", "capacity", capacity, KEEP_DEFAULT_AGENTS),
    DEFAULT("own_misses", "misses", misses, 1),
    DEFAULT("own_threshold", "threshold_ns", threshold_ns, 5000000000),
    { .word = NULL },
};

static const struct vector_constant constants[] = {
    { CONSTANT(KEEP_BEAT_LEN) },   { CONSTANT(KEEP_BEAT_SHARED_LEN) }, { CONSTANT(KEEP_BEAT_MASTER_LEN) },
    { CONSTANT(KEEP_MAX_AGENTS) }, { CONSTANT(KEEP_DEFAULT_AGENTS) },  { NULL, 0 },
};

static const struct vector_op arrays[] = {
    { "crc32c", "data crc", crc32c, 0 },
    { "beat_frames", "health pid timestamp_ns nonce payload wire", beat_frame, 0 },
    { "beat_rejects", "wire fault ?value", beat_reject, 0 },
    { "beat_bit_flips", "wire faults", bit_flips, 0 },
    { "notice_frames", "op pid threshold_ms grace_ms misses nonce wire", notice_frame, 0 },
    { "notice_rejects", "wire fault", notice_reject, 0 },
    { "sealed_frames", "mode key ?pid iv_prefix iv_counter frame wire", sealed_frame, 0 },
    { "sealed_rejects", "mode key wire", sealed_reject, 0 },
    { "agent_keys", "master pid key", agent_key, 0 },
    { "iv_prefixes", "salt index prefix", iv_prefix, 0 },
    { "token_buckets", "rate burst calls", token_bucket, 0 },
    { "send_errors", "error outcome", send_error, 0 },
    { "tracker_scripts", "script", script, 0 },
    { "observer_scripts", "script", script, 0 },
    { "beacon_scripts", "script", script, 0 },
    { NULL, NULL, NULL, 0 },
};

static const struct vector_op ops[] = {
    { "tracker", "as ?own_capacity ?own_misses ?policy ?statistics ?own_threshold ?grace_ns ?max_gap_ns", tracker_new,
      0 },
    { "record",
      "on_tracker pid nonce now_ns ?health ?timestamp_ns ?origin ?ns_inode ?generation ?payload ?claimed_pid "
      "?unnumbered",
      record, 0 },
    { "fill", "on_tracker first last now_ns", fill_range, 0 },
    { "fill_pids", "on_tracker pids now_ns", fill_pids, 0 },
    { "beats", "on_tracker pid nonce now_ns step_ns count", beats, 0 },
    { "put", "on_tracker pid now_ns ?threshold_ns ?grace_ns ?misses ?unarmed", put, 0 },
    { "delete", "on_tracker pid reason now_ns", delete, 0 },
    { "get", "on_tracker pid now_ns", get, 0 },
    { "next_deadline", "on_tracker", next_deadline, 0 },
    { "drain", "either now_ns ?cap", drain, 0 },
    { "stats", "either", stats, 0 },
    { "observer",
      "as of_tracker ?uids ?any_uid ?require_pid_match ?own_namespace_only ?report_beats ?pid_max ?per_pid_rate "
      "?global_rate ?global_burst ?own_ns_inode ?session_gap_ns ?min_threshold_ns ?max_threshold_ns",
      observer_new, 0 },
    { "add_key", "on_observer mode key", add_key, 0 },
    { "feed", "on_observer now_ns datagrams", feed, 0 },
    { "exit", "on_observer pid generation now_ns", observer_exit, 0 },
    { "senders", "on_observer now_ns first last nonce", senders, 0 },
    { "beacon", "as pid ?reconnect_after ?start_nonce", beacon_new, 0 },
    { "prepare", "on_beacon health payload now_ns", prepare, 0 },
    { "commit", "on_beacon error", commit, 0 },
    { "reconnect", "on_beacon", connect_again, RECONNECT },
    { "restart", "on_beacon", connect_again, RESTART },
    { NULL, NULL, NULL, 0 },
};

const struct vector_schema vectors_tracker = {
    "keep-tracker-1", sizeof(struct args), constants, inputs, arrays, ops,
};
