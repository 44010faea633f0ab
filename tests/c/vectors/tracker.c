/* SPDX-License-Identifier: MIT */
/*
 * Schema keep-tracker-1 (tracker §4): frames, sealing, limits and send errors, and scripts over trackers, observers and
 * beacons.
 */
#include "vectors.h"

#include <errno.h>
#include <string.h>

/* --- words --- */

static const struct words origins =
    WORDS([KEEP_ORIGIN_NETWORK] = "network", [KEEP_ORIGIN_SOCKET_MODE] = "socket_mode",
          [KEEP_ORIGIN_OPERATOR] = "operator", [KEEP_ORIGIN_KERNEL] = "kernel", [KEEP_ORIGIN_NONE] = "none");
static const struct words verdicts =
    WORDS([KEEP_VERDICT_INSERTED] = "inserted", [KEEP_VERDICT_REFRESHED] = "refreshed",
          [KEEP_VERDICT_OUT_OF_ORDER] = "out_of_order", [KEEP_VERDICT_CAPACITY_EXCEEDED] = "capacity_exceeded",
          [KEEP_VERDICT_ORIGIN_CONFLICT] = "origin_conflict", [KEEP_VERDICT_NAMESPACE_CONFLICT] = "namespace_conflict");
static const struct words admission_flags =
    WORDS([KEEP_ADMISSION_EVICTED] = "evicted", [KEEP_ADMISSION_RECOVERED] = "recovered",
          [KEEP_ADMISSION_RECYCLED] = "recycled", [KEEP_ADMISSION_TERMINAL] = "terminal",
          [KEEP_ADMISSION_UPGRADED] = "upgraded", [KEEP_ADMISSION_WRAPPED] = "wrapped");
static const struct words policies = WORDS([KEEP_POLICY_STRICT] = "strict", [KEEP_POLICY_BALANCED] = "balanced");
static const struct words reasons = WORDS([KEEP_REASON_GOODBYE] = "goodbye", [KEEP_REASON_EXITED] = "exited",
                                          [KEEP_REASON_RECYCLED] = "recycled", [KEEP_REASON_OPERATOR] = "operator");
static const struct words states =
    WORDS([KEEP_AGENT_UNARMED] = "unarmed", [KEEP_AGENT_REGISTERED] = "registered", [KEEP_AGENT_STARTING] = "starting",
          [KEEP_AGENT_ALIVE] = "alive", [KEEP_AGENT_STALLED] = "stalled");
static const struct words faults =
    WORDS([KEEP_FAULT_BAD_LENGTH] = "bad_length", [KEEP_FAULT_BAD_MAGIC] = "bad_magic",
          [KEEP_FAULT_BAD_VERSION] = "bad_version", [KEEP_FAULT_BAD_CRC] = "bad_crc",
          [KEEP_FAULT_BAD_STATUS] = "bad_status", [KEEP_FAULT_STALL_ON_WIRE] = "stall_on_wire",
          [KEEP_FAULT_BAD_PID] = "bad_pid", [KEEP_FAULT_BAD_TIMESTAMP] = "bad_timestamp",
          [KEEP_FAULT_BAD_NONCE] = "bad_nonce", [KEEP_FAULT_BAD_RESERVED] = "bad_reserved");
static const struct words modes = WORDS([KEEP_BEAT_SHARED] = "shared", [KEEP_BEAT_MASTER] = "master");
static const struct words notices = WORDS([1] = "register", [2] = "goodbye");
static const struct words event_kinds = WORDS(
    [KEEP_EVENT_BEAT] = "beat", [KEEP_EVENT_STALL] = "stall", [KEEP_EVENT_RECOVERED] = "recovered",
    [KEEP_EVENT_EXITED] = "exited", [KEEP_EVENT_GOODBYE] = "goodbye", [KEEP_EVENT_REGISTERED] = "registered",
    [KEEP_EVENT_READY] = "ready", [KEEP_EVENT_FAILED] = "failed", [KEEP_EVENT_CRASH] = "crash",
    [KEEP_EVENT_EVICTED] = "evicted", [KEEP_EVENT_RECYCLED] = "recycled", [KEEP_EVENT_DECODE_ERROR] = "decode_error",
    [KEEP_EVENT_UID_REFUSED] = "uid_refused", [KEEP_EVENT_AUTH_FAILURE] = "auth_failure",
    [KEEP_EVENT_ORIGIN_CONFLICT] = "origin_conflict", [KEEP_EVENT_NAMESPACE_CONFLICT] = "namespace_conflict",
    [KEEP_EVENT_OUTAGE] = "outage", [KEEP_EVENT_IO_ERROR] = "io_error");
static const struct words sources =
    WORDS([KEEP_SOURCE_UNIX] = "unix", [KEEP_SOURCE_UDP] = "udp", [KEEP_SOURCE_UDP_SEALED] = "udp_sealed");
static const struct words marks =
    WORDS([KEEP_MARK_TRUNCATED] = "truncated", [KEEP_MARK_NO_CREDENTIALS] = "no_credentials",
          [KEEP_MARK_SENDER_GONE] = "sender_gone", [KEEP_MARK_ATTESTED] = "attested");
static const struct words outcomes = WORDS(
    [KEEP_OUTCOME_SENT] = "sent", [KEEP_OUTCOME_DROPPED_QUEUE_FULL] = "dropped_queue_full",
    [KEEP_OUTCOME_DROPPED_NO_OBSERVER] = "dropped_no_observer", [KEEP_OUTCOME_DROPPED_PEER_GONE] = "dropped_peer_gone",
    [KEEP_OUTCOME_DROPPED_STORAGE_FULL] = "dropped_storage_full", [KEEP_OUTCOME_FAILED] = "failed");
static const struct words actions = WORDS([KEEP_ACTION_NONE] = "none", [KEEP_ACTION_RECONNECT] = "reconnect");
#define ERROR(name) [name] = #name
static const struct words send_errors = WORDS(
    [0] = "none", ERROR(EPERM), ERROR(ENOENT), ERROR(EINTR), ERROR(EIO), ERROR(ENXIO), ERROR(EBADF),
    ERROR(EAGAIN), ERROR(ENOMEM), ERROR(EACCES), ERROR(EFAULT), ERROR(EBUSY), ERROR(ENODEV), ERROR(ENOTDIR),
    ERROR(EINVAL), ERROR(ENFILE), ERROR(EMFILE), ERROR(ENOSPC), ERROR(EROFS), ERROR(EPIPE), ERROR(EDEADLK),
    ERROR(ENAMETOOLONG), ERROR(ENOSYS), ERROR(ELOOP), ERROR(EPROTO), ERROR(EBADMSG), ERROR(EOVERFLOW),
    ERROR(ENOTSOCK), ERROR(EDESTADDRREQ), ERROR(EMSGSIZE), ERROR(EPROTOTYPE), ERROR(ENOPROTOOPT),
    ERROR(EPROTONOSUPPORT), ERROR(EOPNOTSUPP), ERROR(EAFNOSUPPORT), ERROR(EADDRINUSE), ERROR(EADDRNOTAVAIL),
    ERROR(ENETDOWN), ERROR(ENETUNREACH), ERROR(ENETRESET), ERROR(ECONNABORTED), ERROR(ECONNRESET),
    ERROR(ENOBUFS), ERROR(EISCONN), ERROR(ENOTCONN), ERROR(ESHUTDOWN), ERROR(ETIMEDOUT), ERROR(ECONNREFUSED),
    ERROR(EHOSTDOWN), ERROR(EHOSTUNREACH), ERROR(EALREADY), ERROR(EINPROGRESS), ERROR(EDQUOT), ERROR(ECANCELED));
#undef ERROR

/* --- known answers --- */

/* A piece of packed bytes: a number or word of that length, little-endian, or all bytes of the key. */
struct piece {
    const char *key;
    size_t len;
    const struct words *words;
};

struct pieces {
    const struct piece *items;
    size_t count;
};
#define PIECES(...) ARRAY(struct piece, __VA_ARGS__)

static const struct pieces data = PIECES({ .key = "data" });
static const struct pieces crc = PIECES({ "crc", 4, NULL });
static const struct pieces wire = PIECES({ .key = "wire" });
static const struct pieces frame = PIECES({ .key = "frame" });
static const struct pieces beat = PIECES({ "health", 1, NULL }, { "pid", 4, NULL }, { "timestamp_ns", 8, NULL },
                                         { "nonce", 8, NULL }, { "payload", 4, NULL });
static const struct pieces notice = PIECES({ "op", 1, &notices }, { "pid", 4, NULL }, { "threshold_ms", 4, NULL },
                                           { "grace_ms", 4, NULL }, { "nonce", 8, NULL }, { "misses", 1, NULL });
static const struct pieces fault = PIECES({ "fault", 1, &faults });
static const struct pieces fault_value = PIECES({ "fault", 1, &faults }, { "value", 8, NULL });
static const struct pieces sealing = PIECES({ "mode", 1, &modes }, { .key = "key" }, { "pid", 4, NULL },
                                            { .key = "iv_prefix" }, { "iv_counter", 4, NULL }, { .key = "frame" });
static const struct pieces opening = PIECES({ "mode", 1, &modes }, { .key = "key" }, { .key = "wire" });
static const struct pieces place = PIECES({ .key = "salt" }, { "index", 4, NULL });
static const struct pieces prefix = PIECES({ .key = "prefix" });

/* What each array asks: `name` of `in` gives `out`, or at least begins so, or it gives a status. */
static const struct answer {
    const char *array, *name;
    const struct pieces *in, *out;
    keep_status status;
    bool has_more;
} answers[] = {
    { "crc32c", "crc32c", &data, &crc, KEEP_OK, false },
    { "beat_frames", "beat.encode", &beat, &wire, KEEP_OK, false },
    { "beat_frames", "beat.decode", &wire, &beat, KEEP_OK, false },
    { "beat_rejects", "beat.decode", &wire, NULL, KEEP_ERR_MALFORMED, false },
    { "beat_rejects", "beat.fault", &wire, &fault_value, KEEP_OK, false },
    { "notice_frames", "notice.encode", &notice, &wire, KEEP_OK, false },
    { "notice_frames", "notice.decode", &wire, &notice, KEEP_OK, false },
    { "notice_rejects", "notice.decode", &wire, NULL, KEEP_ERR_MALFORMED, false },
    { "notice_rejects", "notice.fault", &wire, &fault, KEEP_OK, true },
    { "sealed_frames", "beat.seal", &sealing, &wire, KEEP_OK, false },
    { "sealed_frames", "beat.open", &opening, &frame, KEEP_OK, false },
    { "sealed_rejects", "beat.open", &opening, NULL, KEEP_ERR_AUTH, false },
    { "iv_prefixes", "iv.prefix", &place, &prefix, KEEP_OK, false },
};

static keep_bytes join(struct step *step, keep_bytes one, keep_bytes other)
{
    uint8_t *all = room(step, one.len + other.len);

    if (one.len > 0)
        memcpy(all, one.data, one.len);
    if (other.len > 0)
        memcpy(all + one.len, other.data, other.len);
    return (keep_bytes){ all, one.len + other.len };
}

static keep_bytes pack(struct step *step, const struct pieces *pieces)
{
    keep_bytes all = { "", 0 };

    for (const struct piece *piece = pieces->items; piece < pieces->items + pieces->count; piece++) {
        uint64_t value = piece->len == 0        ? 0
                         : piece->words != NULL ? word(step, piece->key, piece->words, 0)
                                                : number(step, piece->key, UINT64_MAX >> (64 - 8 * piece->len));
        keep_bytes part = { &value, piece->len };

        all = join(step, all, piece->len == 0 ? bytes(step, piece->key) : part);
    }
    return all;
}

/* Asks for an answer: once for its length, once for its bytes. */
static keep_status ask(struct step *step, const char *name, keep_bytes in, keep_bytes *out)
{
    uint8_t *answer;
    size_t len = 0;
    keep_status status = keep_tracker_known_answer(name, in.data, in.len, NULL, 0, &len);

    if (status != KEEP_ERR_BUFFER_TOO_SMALL)
        return status;
    answer = room(step, len);
    *out = (keep_bytes){ answer, len };
    return keep_tracker_known_answer(name, in.data, in.len, answer, len, &len);
}

/* An answer that must be there, and its number at an offset. */
static keep_bytes need_answer(struct step *step, const char *name, keep_bytes in)
{
    keep_bytes out = { "\0", 1 };

    expect_status(step, name, KEEP_OK, ask(step, name, in, &out));
    return out;
}

static uint64_t number_at(keep_bytes answer, size_t offset, size_t len)
{
    uint64_t value = 0;

    if (offset + len <= answer.len)
        memcpy(&value, (const uint8_t *)answer.data + offset, len);
    return value;
}

static void known_answers(struct step *step)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        const struct answer *answer = &answers[i];
        keep_bytes got = { "", 0 }, want;

        if (strcmp(answer->array, step->op->name) != 0)
            continue;
        expect_status(step, answer->name, answer->status, ask(step, answer->name, pack(step, answer->in), &got));
        if (answer->out == NULL)
            continue;
        want = pack(step, answer->out);
        got.len = answer->has_more && want.len < got.len ? want.len : got.len;
        expect_same(step, answer->name, want, got);
    }
}

static void bit_flips(struct step *step)
{
    keep_bytes given = bytes(step, "wire"), ignored;
    struct step counts = part_in(step, "faults");
    uint8_t *flipped = room(step, given.len);
    uint64_t counted[32] = { 0 };

    for (size_t bit = 0; bit < 8 * given.len && !has_failed(step); bit++) {
        keep_bytes frame_of_bit = { flipped, given.len };

        memcpy(flipped, given.data, given.len);
        flipped[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_status(step, "beat.decode", KEEP_ERR_MALFORMED, ask(step, "beat.decode", frame_of_bit, &ignored));
        counted[number_at(need_answer(step, "beat.fault", frame_of_bit), 0, 1) % 32]++;
    }
    for (size_t i = 0; i < faults.count; i++) {
        if (faults.texts[i] != NULL && (counted[i] > 0 || has(&counts, faults.texts[i])))
            expect_count(step, faults.texts[i], number(&counts, faults.texts[i], UINT32_MAX), counted[i]);
    }
}

static void agent_key(struct step *step)
{
    keep_secret *master = secret_of(step, bytes(step, "master")), *agent = NULL;
    keep_bytes key = bytes(step, "key");
    int same = 0;

    if (came_out(step, keep_beacon_agent_key(master, (uint32_t)number(step, "pid", UINT32_MAX), &agent)) &&
        (keep_secret_equal_bytes(agent, key.data, key.len, &same) != KEEP_OK || same == 0))
        fail(step, "key", "the one given", "another");
    (void)keep_secret_free(&agent);
}

/* A frame of a beat whose timestamp is its nonce. */
static keep_bytes beat_of(struct step *step, uint32_t pid, uint64_t nonce)
{
    uint8_t body[1 + 4 + 8 + 8 + 4] = { 0 };

    memcpy(body + 1, &pid, sizeof pid);
    memcpy(body + 5, &nonce, sizeof nonce);
    memcpy(body + 13, &nonce, sizeof nonce);
    return need_answer(step, "beat.encode", (keep_bytes){ body, sizeof body });
}

/* --- handles --- */

KIND(tracker)
KIND(observer)
KIND(beacon)

static uint32_t pid_of(struct step *step)
{
    return (uint32_t)number(step, "pid", UINT32_MAX);
}

static uint64_t now_of(struct step *step)
{
    return number(step, "now_ns", UINT64_MAX);
}

/* --- trackers --- */

#define OPTION keep_tracker_options
static const struct fields tracker_options = FIELDS(
    NUMBER(OPTION, capacity), NUMBER(OPTION, misses), WORD(OPTION, policy, &policies), NUMBER(OPTION, statistics),
    NUMBER(OPTION, threshold_ns), NUMBER(OPTION, grace_ns), NUMBER(OPTION, max_gap_ns));
#undef OPTION

static void tracker_new(struct step *step)
{
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;
    keep_tracker *tracker = NULL;
    keep_status status;

    take_fields(step, &tracker_options, &options, SOME);
    status = keep_tracker_new(&options, &tracker);
    (void)is_made(step, &tracker_kind, status, tracker);
}

static const struct fields sighting_fields =
    FIELDS(NUMBER(keep_sighting, pid), NUMBER(keep_sighting, nonce), NUMBER(keep_sighting, health),
           NUMBER(keep_sighting, timestamp_ns), NUMBER(keep_sighting, ns_inode), NUMBER(keep_sighting, generation),
           NUMBER(keep_sighting, payload), NUMBER(keep_sighting, claimed_pid), WORD(keep_sighting, origin, &origins));

static void record(struct step *step)
{
    keep_sighting sighting = { .timestamp_ns = number(step, "nonce", UINT64_MAX), .origin = KEEP_ORIGIN_KERNEL };
    keep_admission admission;
    json_t *flags = json_array();

    take_fields(step, &sighting_fields, &sighting, SOME);
    sighting.flags = flag(step, "unnumbered") ? KEEP_SIGHTING_UNNUMBERED : 0;
    if (came_out(step, keep_tracker_record(on_tracker(step), &sighting, 1, now_of(step), &admission))) {
        for (size_t bit = 0; bit < admission_flags.count; bit++) {
            if (admission_flags.texts[bit] != NULL && (admission.flags & bit) != 0)
                json_array_append_new(flags, json_string(admission_flags.texts[bit]));
        }
        expect_word(step, "verdict", &verdicts, admission.verdict);
        expect_json(step, "flags", json_incref(flags));
        expect_number(step, "evicted_pid", admission.evicted_pid);
    }
    json_decref(flags);
}

/* Records a beat that the kernel vouches for, which must have the verdict given. */
static void record_one(struct step *step, uint32_t pid, uint64_t nonce, uint64_t now_ns, uint32_t verdict)
{
    keep_sighting sighting = { .pid = pid, .nonce = nonce, .timestamp_ns = nonce, .origin = KEEP_ORIGIN_KERNEL };
    keep_admission admission = { .verdict = UINT32_MAX };

    if (came_out(step, keep_tracker_record(on_tracker(step), &sighting, 1, now_ns, &admission)) &&
        admission.verdict != verdict)
        fail(step, "verdict", verdicts.texts[verdict], "another");
}

static void fill_range(struct step *step)
{
    uint64_t last = number(step, "last", UINT32_MAX);

    for (uint64_t pid = number(step, "first", UINT32_MAX); pid <= last && !has_failed(step); pid++)
        record_one(step, (uint32_t)pid, 1, now_of(step), KEEP_VERDICT_INSERTED);
}

static void fill_pids(struct step *step)
{
    const json_t *pids = list(step, "pids");

    for (size_t i = 0; i < json_array_size(pids) && !has_failed(step); i++) {
        uint32_t pid = (uint32_t)number_of(step, json_array_get(pids, i), UINT32_MAX);

        record_one(step, pid, 1, now_of(step), KEEP_VERDICT_INSERTED);
    }
}

static void beats(struct step *step)
{
    uint64_t count = number(step, "count", UINT32_MAX), nonce = number(step, "nonce", UINT64_MAX);
    uint64_t step_ns = number(step, "step_ns", UINT64_MAX);

    for (uint64_t i = 0; i < count && !has_failed(step); i++)
        record_one(step, pid_of(step), nonce + i, now_of(step) + i * step_ns, KEEP_VERDICT_REFRESHED);
}

static const struct fields alarm_fields =
    FIELDS(NUMBER(keep_alarm, nonce), NUMBER(keep_alarm, last_ns), NUMBER(keep_alarm, silence_ns),
           NUMBER(keep_alarm, limit_ns), NUMBER(keep_alarm, ns_inode), NUMBER(keep_alarm, generation),
           NUMBER(keep_alarm, pid), NUMBER(keep_alarm, claimed_pid), NUMBER(keep_alarm, payload),
           NUMBER(keep_alarm, misses), NUMBER(keep_alarm, stalled), NUMBER(keep_alarm, agents),
           NUMBER(keep_alarm, health), WORD(keep_alarm, origin, &origins));

/* Alarms or events: their number and order, and of each the keys that are given. */
static void expect_list(struct step *step, const char *key, size_t count,
                        void (*expect_next)(struct step *item, void *next), void *next)
{
    struct step out = { .run = step->run, .in = step->out, .out = step->out };

    if (!has(&out, key))
        return;
    expect_count(step, key, json_array_size(list(&out, key)), count);
    each_part(&out, key, "", expect_next, next);
}

static void expect_alarm(struct step *item, void *next)
{
    expect_fields(item, &alarm_fields, (*(const keep_alarm **)next)++, SOME);
}

static void tracker_drain(struct step *step, keep_tracker *tracker)
{
    size_t cap = has(step, "cap") ? number(step, "cap", KEEP_MAX_AGENTS) : KEEP_MAX_AGENTS, count = 0;
    keep_alarm *alarms = room(step, cap * sizeof *alarms);
    const keep_alarm *next = alarms;

    if (!came_out(step, keep_tracker_drain(tracker, now_of(step), alarms, cap, &count)))
        return;
    expect_number(step, "count", count);
    expect_list(step, "alarms", count, expect_alarm, &next);
}

static const struct fields agent_settings =
    FIELDS(NUMBER(keep_agent_settings, threshold_ns), NUMBER(keep_agent_settings, grace_ns),
           NUMBER(keep_agent_settings, misses), FLAG(keep_agent_settings, unarmed));

static void put(struct step *step)
{
    keep_agent_settings settings = KEEP_AGENT_SETTINGS_INIT;
    uint32_t evicted = 0;

    take_fields(step, &agent_settings, &settings, SOME);
    if (came_out(step, keep_tracker_put(on_tracker(step), pid_of(step), &settings, now_of(step), &evicted)))
        expect_number(step, "evicted_pid", evicted);
}

static void delete (struct step *step)
{
    uint32_t reason = word(step, "reason", &reasons, 0);

    (void)came_out(step, keep_tracker_delete(on_tracker(step), pid_of(step), reason, now_of(step)));
}

#define AGENT keep_agent_info
static const struct fields agent_fields =
    FIELDS(NUMBER(AGENT, nonce), NUMBER(AGENT, last_ns), NUMBER(AGENT, silence_ns), NUMBER(AGENT, limit_ns),
           NUMBER(AGENT, grace_ns), NUMBER(AGENT, ns_inode), NUMBER(AGENT, generation), NUMBER(AGENT, beats),
           NUMBER(AGENT, out_of_order), NUMBER(AGENT, intervals), NUMBER(AGENT, min_ns), NUMBER(AGENT, max_ns),
           NUMBER(AGENT, mean_ns), NUMBER(AGENT, jitter_ns), NUMBER(AGENT, p50_ns), NUMBER(AGENT, p99_ns),
           NUMBER(AGENT, pid), NUMBER(AGENT, claimed_pid), NUMBER(AGENT, payload), NUMBER(AGENT, phi_milli),
           NUMBER(AGENT, health), WORD(AGENT, state, &states), WORD(AGENT, origin, &origins));

static void get(struct step *step)
{
    keep_agent_info info = KEEP_AGENT_INFO_INIT;

    if (came_out(step, keep_tracker_get(on_tracker(step), pid_of(step), now_of(step), &info)))
        expect_fields(step, &agent_fields, &info, SOME);
}

static void next_deadline(struct step *step)
{
    uint64_t deadline = 0;

    if (came_out(step, keep_tracker_next_deadline(on_tracker(step), &deadline)))
        expect_wide(step, "deadline_ns", deadline);
}

#define COUNTER(name) NUMBER(struct keep_tracker_stats, name)
static const struct fields tracker_counters =
    FIELDS(COUNTER(agents), COUNTER(stalled), COUNTER(beats), COUNTER(stalls), COUNTER(recoveries), COUNTER(evictions),
           COUNTER(capacity_exceeded), COUNTER(out_of_order), COUNTER(nonce_wraps), COUNTER(origin_conflicts),
           COUNTER(namespace_conflicts), COUNTER(recycles), COUNTER(goodbyes), COUNTER(exits), COUNTER(deletes),
           COUNTER(clock_regressions), COUNTER(outages), COUNTER(outage_ns));
#undef COUNTER

static void tracker_stats(struct step *step, keep_tracker *tracker)
{
    struct keep_tracker_stats stats = KEEP_TRACKER_STATS_INIT;

    if (came_out(step, keep_tracker_stats(tracker, &stats)))
        expect_fields(step, &tracker_counters, &stats, SOME);
}

/* --- observers --- */

#define OPTION keep_observer_options
static const struct fields observer_options =
    FIELDS(FLAG(OPTION, any_uid), FLAG(OPTION, require_pid_match), FLAG(OPTION, accept_notify),
           FLAG(OPTION, own_namespace_only), FLAG(OPTION, report_beats), NUMBER(OPTION, pid_max),
           NUMBER(OPTION, per_pid_rate), NUMBER(OPTION, global_rate), NUMBER(OPTION, global_burst),
           NUMBER(OPTION, budget), NUMBER(OPTION, max_pidfds), NUMBER(OPTION, max_series),
           NUMBER(OPTION, own_ns_inode), NUMBER(OPTION, session_gap_ns), NUMBER(OPTION, min_threshold_ns),
           NUMBER(OPTION, max_threshold_ns));

static void observer_new(struct step *step)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    const json_t *allowed = list(step, "uids");
    uint32_t uids[KEEP_MAX_ALLOWED_UIDS];
    keep_observer *observer = NULL;
    keep_status status;

    for (size_t i = 0; i < json_array_size(allowed) && i < KEEP_MAX_ALLOWED_UIDS; i++)
        uids[i] = (uint32_t)number_of(step, json_array_get(allowed, i), UINT32_MAX);
    options.uids = allowed == NULL ? NULL : uids;
    options.uid_count = json_array_size(allowed);
    take_fields(step, &observer_options, &options, SOME);
    status = keep_observer_new(&options, handle(step, "tracker", &tracker_kind), &observer, NULL);
    (void)is_made(step, &observer_kind, status, observer);
}

static void add_key(struct step *step)
{
    keep_secret *key = secret_of(step, bytes(step, "key"));

    (void)came_out(step, keep_observer_add_key(on_observer(step), key, word(step, "mode", &modes, 0)));
}

static const struct fields event_fields =
    FIELDS(NUMBER(keep_event, at_ns), NUMBER(keep_event, nonce), NUMBER(keep_event, last_ns),
           NUMBER(keep_event, silence_ns), NUMBER(keep_event, ns_inode), NUMBER(keep_event, generation),
           NUMBER(keep_event, pid), NUMBER(keep_event, claimed_pid), NUMBER(keep_event, uid),
           NUMBER(keep_event, payload), NUMBER(keep_event, stalled), NUMBER(keep_event, agents),
           NUMBER(keep_event, health), WORD(keep_event, origin, &origins), WORD(keep_event, kind, &event_kinds));

static void expect_event(struct step *item, void *next)
{
    const keep_event *event = (*(const keep_event **)next)++;

    expect_fields(item, &event_fields, event, SOME);
    if (event->kind == KEEP_EVENT_DECODE_ERROR)
        expect_word(item, "fault", &faults, event->detail);
    if (event->kind == KEEP_EVENT_CRASH)
        expect_flag(item, "posthumous", event->detail);
}

static void feed_all(struct step *step, keep_observer *observer, const keep_datagram *datagrams, size_t count)
{
    const json_t *expected = json_object_get(step->out, "events");
    size_t cap = 2 * KEEP_MAX_BATCH + json_array_size(expected), got = 0;
    keep_event *events = room(step, cap * sizeof *events);
    const keep_event *next = events;

    if (came_out(step, keep_observer_feed(observer, datagrams, count, now_of(step), events, cap, &got)))
        expect_list(step, "events", got, expect_event, &next);
}

static const struct fields datagram_fields = FIELDS(NUMBER(keep_datagram, ns_inode), NUMBER(keep_datagram, generation),
                                                    NUMBER(keep_datagram, kernel_pid), NUMBER(keep_datagram, uid));

static void take_datagram(struct step *part, void *next)
{
    keep_datagram *datagram = (*(keep_datagram **)next)++;
    const json_t *words = list(part, "marks");

    *datagram = (keep_datagram){ .data = bytes(part, "data"), .source = word(part, "from", &sources, 0) };
    take_fields(part, &datagram_fields, datagram, SOME);
    for (size_t i = 0; i < json_array_size(words); i++)
        datagram->marks |= word_of(part, json_array_get(words, i), &marks);
}

static void feed(struct step *step)
{
    size_t count = json_array_size(list(step, "datagrams"));
    keep_datagram *datagrams = room(step, count * sizeof *datagrams), *next = datagrams;

    each_part(step, "datagrams", "from data", take_datagram, &next);
    feed_all(step, on_observer(step), datagrams, has_failed(step) ? 0 : count);
}

static void observer_exit(struct step *step)
{
    keep_datagram datagram = { .kernel_pid = pid_of(step), .source = KEEP_SOURCE_EXIT };

    datagram.generation = number(step, "generation", UINT64_MAX);
    feed_all(step, on_observer(step), &datagram, 1);
}

/* A beat sealed with the shared key 00 01 … 1f; the prefix is zeros, the counter the pid. */
static keep_bytes sealed_beat(struct step *step, uint32_t pid, uint64_t nonce)
{
    uint8_t head[1 + 32 + 4 + 8 + 4] = { KEEP_BEAT_SHARED };

    for (uint8_t i = 0; i < 32; i++)
        head[1 + i] = i;
    memcpy(head + 45, &pid, sizeof pid);
    return need_answer(step, "beat.seal", join(step, (keep_bytes){ head, sizeof head }, beat_of(step, pid, nonce)));
}

static void senders(struct step *step)
{
    uint64_t first = number(step, "first", UINT32_MAX), last = number(step, "last", UINT32_MAX);
    size_t count = last < first ? 0 : last - first + 1;
    keep_datagram *datagrams = room(step, count * sizeof *datagrams);

    for (size_t i = 0; i < count && !has_failed(step); i++) {
        datagrams[i] = (keep_datagram){ .source = KEEP_SOURCE_UDP_SEALED };
        datagrams[i].data = sealed_beat(step, (uint32_t)(first + i), number(step, "nonce", UINT64_MAX));
    }
    feed_all(step, on_observer(step), datagrams, count);
}

#define COUNTER(name) NUMBER(struct keep_observer_stats, name)
static const struct fields observer_counters =
    FIELDS(COUNTER(datagrams), COUNTER(bad_length), COUNTER(uid_refused), COUNTER(no_credentials),
           COUNTER(decode_errors), COUNTER(auth_failures), COUNTER(pid_above_max), COUNTER(limited_pid),
           COUNTER(limited_global), COUNTER(posthumous), COUNTER(after_goodbye), COUNTER(notify_unattested),
           COUNTER(notice_refused), COUNTER(decrypt_failures), COUNTER(replay_refused), COUNTER(senders_evicted),
           COUNTER(foreign_namespace), COUNTER(pidfd_unavailable), COUNTER(io_errors));

static void observer_stats(struct step *step, keep_observer *observer)
{
    struct keep_observer_stats stats = KEEP_OBSERVER_STATS_INIT;

    if (came_out(step, keep_observer_stats(observer, &stats)))
        expect_fields(step, &observer_counters, &stats, SOME);
}

/* Two operations have one name for trackers and observers. */
static void drain(struct step *step)
{
    void *either = handle(step, "on", NULL);

    if (is_of(step, either, &observer_kind))
        feed_all(step, either, NULL, 0);
    else
        tracker_drain(step, on_tracker(step));
}

static void stats(struct step *step)
{
    void *either = handle(step, "on", NULL);

    if (is_of(step, either, &observer_kind))
        observer_stats(step, either);
    else
        tracker_stats(step, on_tracker(step));
}

struct bucket {
    keep_observer *observer;
    uint32_t pid;
};

static void bucket_call(struct step *step, void *context)
{
    struct bucket *bucket = context;
    keep_event *events = room(step, 8 * sizeof *events);
    keep_datagram datagram = { .source = KEEP_SOURCE_UNIX, .ns_inode = 1, .generation = 1, .kernel_pid = bucket->pid };
    size_t count = 0;

    datagram.data = beat_of(step, bucket->pid++, 1);
    if (came_out(step, keep_observer_feed(bucket->observer, &datagram, 1, now_of(step), events, 8, &count)))
        expect_flag(step, "allow", count > 0 && events[0].kind == KEEP_EVENT_BEAT);
}

static void token_bucket(struct step *step)
{
    keep_tracker_options small = KEEP_TRACKER_OPTIONS_INIT;
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    keep_tracker *tracker = NULL;
    struct bucket bucket = { NULL, 1000 };

    small.capacity = 1024;
    options.any_uid = 1;
    options.report_beats = 1;
    options.per_pid_rate = 0;
    options.global_rate = (uint32_t)number(step, "rate", UINT32_MAX);
    options.global_burst = (uint32_t)number(step, "burst", UINT32_MAX);
    if (came_out(step, keep_tracker_new(&small, &tracker)))
        (void)came_out(step, keep_observer_new(&options, tracker, &bucket.observer, NULL));
    each_part(step, "calls", "now_ns allow", bucket_call, &bucket);
    keep_observer_free(&bucket.observer);
    keep_tracker_free(&tracker);
}

/* --- beacons --- */

static const struct fields beacon_options =
    FIELDS(NUMBER(keep_beacon_options, reconnect_after), NUMBER(keep_beacon_options, start_nonce));

static void beacon_new(struct step *step)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    keep_beacon *beacon = NULL;
    keep_status status;

    options.agent_pid = pid_of(step);
    take_fields(step, &beacon_options, &options, SOME);
    status = keep_beacon_new(&options, &beacon, NULL);
    (void)is_made(step, &beacon_kind, status, beacon);
}

static void prepare(struct step *step)
{
    uint32_t health = (uint32_t)number(step, "health", UINT32_MAX);
    uint32_t payload = (uint32_t)number(step, "payload", UINT32_MAX);
    uint8_t prepared[KEEP_BEAT_MASTER_LEN];
    keep_bytes body;

    if (!came_out(step, keep_beacon_prepare(on_beacon(step), health, payload, now_of(step), prepared)))
        return;
    expect_bytes(step, "wire", prepared, KEEP_BEAT_LEN);
    body = need_answer(step, "beat.decode", (keep_bytes){ prepared, KEEP_BEAT_LEN });
    expect_wide(step, "timestamp_ns", number_at(body, 5, 8));
    expect_wide(step, "nonce", number_at(body, 13, 8));
}

static void commit(struct step *step)
{
    uint32_t error = word(step, "error", &send_errors, 0);
    keep_outcome outcome = { 0 };

    if (!came_out(step, keep_beacon_commit(on_beacon(step), error, &outcome)))
        return;
    expect_word(step, "outcome", &outcomes, outcome.kind);
    expect_word(step, "action", &actions, outcome.action);
    expect_number(step, "dropped", outcome.dropped);
    expect_wide(step, "nonce", outcome.nonce);
}

static void reconnect(struct step *step)
{
    (void)came_out(step, keep_beacon_reconnect(on_beacon(step), NULL));
}

static void restart(struct step *step)
{
    (void)came_out(step, keep_beacon_restart(on_beacon(step), NULL));
}

static void send_error(struct step *step)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    uint32_t error = word(step, "error", &send_errors, 0);
    uint8_t prepared[KEEP_BEAT_MASTER_LEN];
    keep_outcome outcome = { 0 };
    keep_beacon *beacon = NULL;

    options.agent_pid = 100;
    options.reconnect_after = 0;
    if (came_out(step, keep_beacon_new(&options, &beacon, NULL)) &&
        came_out(step, keep_beacon_prepare(beacon, 0, 0, 1, prepared)) &&
        came_out(step, keep_beacon_commit(beacon, error, &outcome)))
        expect_word(step, "outcome", &outcomes, outcome.kind);
    keep_beacon_free(&beacon);
}

/* --- cases --- */

static const struct constant constants[] = {
    CONSTANT(KEEP_BEAT_LEN),      CONSTANT(KEEP_BEAT_SHARED_LEN),  CONSTANT(KEEP_BEAT_MASTER_LEN),
    CONSTANT(KEEP_MAX_AGENTS),    CONSTANT(KEEP_DEFAULT_AGENTS),   CONSTANT(KEEP_MAX_LISTENERS),
    CONSTANT(KEEP_MAX_BEAT_KEYS), CONSTANT(KEEP_MAX_ALLOWED_UIDS), CONSTANT(KEEP_MAX_SEALED_SENDERS),
    CONSTANT(KEEP_MAX_BATCH),     CONSTANT(KEEP_PID_UNKNOWN),      { .name = NULL },
};

static const struct op arrays[] = {
    { "crc32c", "data crc", known_answers, 0 },
    { "beat_frames", "health pid timestamp_ns nonce payload wire", known_answers, 0 },
    { "beat_rejects", "wire fault", known_answers, 0 },
    { "beat_bit_flips", "wire faults", bit_flips, 0 },
    { "notice_frames", "op pid threshold_ms grace_ms misses nonce wire", known_answers, 0 },
    { "notice_rejects", "wire fault", known_answers, 0 },
    { "sealed_frames", "mode key iv_prefix iv_counter frame wire", known_answers, 0 },
    { "sealed_rejects", "mode key wire", known_answers, 0 },
    { "agent_keys", "master pid key", agent_key, 0 },
    { "iv_prefixes", "salt index prefix", known_answers, 0 },
    { "token_buckets", "rate burst calls", token_bucket, 0 },
    { "send_errors", "error outcome", send_error, 0 },
    { "tracker_scripts", "script", run_script, 0 },
    { "observer_scripts", "script", run_script, 0 },
    { "beacon_scripts", "script", run_script, 0 },
    { .name = NULL },
};

static const struct op ops[] = {
    { "tracker", "as", tracker_new, 0 },
    { "record", "on pid nonce now_ns", record, 0 },
    { "fill", "on first last now_ns", fill_range, 0 },
    { "fill_pids", "on pids now_ns", fill_pids, 0 },
    { "beats", "on pid nonce now_ns step_ns count", beats, 0 },
    { "put", "on pid now_ns", put, 0 },
    { "delete", "on pid reason now_ns", delete, 0 },
    { "get", "on pid now_ns", get, 0 },
    { "next_deadline", "on", next_deadline, 0 },
    { "drain", "on now_ns", drain, 0 },
    { "stats", "on", stats, 0 },
    { "observer", "as tracker", observer_new, 0 },
    { "add_key", "on mode key", add_key, 0 },
    { "feed", "on now_ns datagrams", feed, 0 },
    { "exit", "on pid generation now_ns", observer_exit, 0 },
    { "senders", "on now_ns first last nonce", senders, 0 },
    { "beacon", "as pid", beacon_new, 0 },
    { "prepare", "on health payload now_ns", prepare, 0 },
    { "commit", "on error", commit, 0 },
    { "reconnect", "on", reconnect, 0 },
    { "restart", "on", restart, 0 },
    { .name = NULL },
};

const struct schema tracker_schema = { "keep-tracker-1", constants, arrays, ops };
