/* SPDX-License-Identifier: MIT */
/*
 * Ledgers: the functions behind the class Tracker. The first argument is its External, where there is one. Objects that
 * are read here were made by lib/ just before: reading them runs nobody's code.
 */
#include "tracker.h"

#include "args.h"
#include "known.h"
#include "options.h"
#include "report.h"

enum {
    AGENT_WEIGHT = 192, /* bytes that an agent takes, about */
    LIST_PIECE = 64
};

static keep_status free_tracker(void **handle)
{
    keep_tracker *tracker = *handle;

    keep_tracker_free(&tracker);
    *handle = tracker;
    return KEEP_OK;
}

const shim_kind shim_tracker_kind = { .name = "Tracker", .free = free_tracker };

static bool begin(napi_env env, napi_callback_info info, shim_call *call, keep_tracker **out)
{
    shim_box *box =
        shim_begin(env, info, call) ? shim_take_box(call, call->args[0], "this", &shim_tracker_kind) : NULL;

    if (box != NULL)
        *out = box->handle;
    return box != NULL;
}

/* --- making --- */

#define OPTION(key, kind, field) SHIM_OPTION(keep_tracker_options, key, kind, field)

static const shim_option tracker_options[] = {
    OPTION("capacity", SHIM_OPTION_UINT32, capacity),
    OPTION("misses", SHIM_OPTION_UINT32, misses),
    OPTION("policy", SHIM_OPTION_UINT32, policy),
    SHIM_FLAG(keep_tracker_options, "statistics", 1, statistics),
    OPTION("thresholdNs", SHIM_OPTION_UINT64, threshold_ns),
    OPTION("graceNs", SHIM_OPTION_UINT64, grace_ns),
    OPTION("maxGapNs", SHIM_OPTION_UINT64, max_gap_ns),
};

/* `undefined` is a random one. */
static bool take_hash_key(const shim_call *call, napi_value value, keep_tracker_options *options)
{
    uint8_t *data;
    size_t len, i;

    if (shim_is_undefined(call, value))
        return true;
    if (!shim_take_room(call, value, "hashKey", &data, &len))
        return false;
    if (len != sizeof options->hash_key) {
        (void)shim_settle(call, KEEP_ERR_INVALID_ARGUMENT);
        return false;
    }
    for (i = 0; i < len; i++)
        options->hash_key[i] = data[i];
    return true;
}

/* new(options, hashKey) */
static napi_value make(napi_env env, napi_callback_info info)
{
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;
    shim_call call;
    keep_tracker *tracker = NULL;
    keep_status st;

    if (!shim_begin(env, info, &call) ||
        !shim_take_options(&call, call.args[0], tracker_options, SHIM_COUNT(tracker_options), &options) ||
        !take_hash_key(&call, call.args[1], &options))
        return NULL;
    st = keep_tracker_new(&options, &tracker);
    return shim_adopt(&call, st, &shim_tracker_kind, tracker, (size_t)options.capacity * AGENT_WEIGHT);
}

/* --- recording --- */

#define SIGHTING(key, kind, field) SHIM_OPTION(keep_sighting, key, kind, field)

static const shim_option sighting_options[] = {
    SIGHTING("nonce", SHIM_OPTION_UINT64, nonce),
    SIGHTING("timestampNs", SHIM_OPTION_UINT64, timestamp_ns),
    SIGHTING("nsInode", SHIM_OPTION_UINT64, ns_inode),
    SIGHTING("generation", SHIM_OPTION_UINT64, generation),
    SIGHTING("pid", SHIM_OPTION_UINT32, pid),
    SIGHTING("claimedPid", SHIM_OPTION_UINT32, claimed_pid),
    SIGHTING("payload", SHIM_OPTION_UINT32, payload),
    SIGHTING("health", SHIM_OPTION_UINT8, health),
    SIGHTING("origin", SHIM_OPTION_UINT8, origin),
    SIGHTING("flags", SHIM_OPTION_UINT8, flags),
};

#define ADMISSION(key, field) SHIM_FIELD(keep_admission, key, SHIM_FIELD_UINT32, field)

static const shim_field admission_fields[] = {
    ADMISSION("verdict", verdict),
    ADMISSION("flags", flags),
    ADMISSION("evictedPid", evicted_pid),
};

static const shim_layout admissions = SHIM_LAYOUT(keep_admission, admission_fields);

static bool take_sightings(const shim_call *call, napi_value array, size_t count, keep_sighting *out)
{
    static const keep_sighting none;
    napi_value element;
    size_t i;

    for (i = 0; i < count; i++) {
        out[i] = none;
        if (!shim_ok(call, napi_get_element(call->env, array, (uint32_t)i, &element)) ||
            !shim_take_options(call, element, sighting_options, SHIM_COUNT(sighting_options), &out[i]))
            return false;
    }
    return true;
}

typedef struct records {
    keep_sighting sightings[KEEP_MAX_BATCH];
    keep_admission admissions[KEEP_MAX_BATCH];
} records;

/* record(tracker, sightings, nowNs): an array of admissions */
static napi_value record(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_tracker *tracker;
    records *all;
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;
    uint64_t now_ns;
    uint32_t count;

    if (!begin(env, info, &call, &tracker) || !shim_take_count(&call, call.args[1], "sightings", &count) ||
        !shim_take_uint64(&call, call.args[2], "nowNs", &now_ns) ||
        (all = shim_scratch(&call, sizeof *all)) == NULL)
        return NULL;
    if (count <= KEEP_MAX_BATCH) {
        if (!take_sightings(&call, call.args[1], count, all->sightings))
            return NULL;
        st = keep_tracker_record(tracker, all->sightings, count, now_ns, all->admissions);
    }
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    return shim_reports(&call, &admissions, all->admissions, count);
}

/* --- deadlines --- */

#define ALARM(key, kind, field) SHIM_FIELD(keep_alarm, key, kind, field)

static const shim_field alarm_fields[] = {
    ALARM("nonce", SHIM_FIELD_UINT64, nonce),
    ALARM("lastNs", SHIM_FIELD_UINT64, last_ns),
    ALARM("silenceNs", SHIM_FIELD_UINT64, silence_ns),
    ALARM("limitNs", SHIM_FIELD_UINT64, limit_ns),
    ALARM("nsInode", SHIM_FIELD_UINT64, ns_inode),
    ALARM("generation", SHIM_FIELD_UINT64, generation),
    ALARM("pid", SHIM_FIELD_UINT32, pid),
    ALARM("claimedPid", SHIM_FIELD_UINT32, claimed_pid),
    ALARM("payload", SHIM_FIELD_UINT32, payload),
    ALARM("misses", SHIM_FIELD_UINT32, misses),
    ALARM("stalled", SHIM_FIELD_UINT32, stalled),
    ALARM("agents", SHIM_FIELD_UINT32, agents),
    ALARM("health", SHIM_FIELD_UINT8, health),
    ALARM("origin", SHIM_FIELD_UINT8, origin),
};

static const shim_layout alarms = SHIM_LAYOUT(keep_alarm, alarm_fields);

/* Room for as many alarms as there can be; NULL after a throw. */
static keep_alarm *make_room(const shim_call *call, const keep_tracker *tracker, size_t *cap)
{
    struct keep_tracker_stats stats = KEEP_TRACKER_STATS_INIT;
    keep_status st = keep_tracker_stats(tracker, &stats);

    if (st != KEEP_OK) {
        (void)shim_settle(call, st);
        return NULL;
    }
    if (*cap > stats.agents)
        *cap = stats.agents;
    return shim_scratch(call, (*cap + 1) * sizeof(keep_alarm));
}

/* drain(tracker, nowNs, most) */
static napi_value drain(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_tracker *tracker;
    keep_alarm *found;
    keep_status st;
    uint64_t now_ns;
    size_t cap, count = 0;

    if (!begin(env, info, &call, &tracker) || !shim_take_uint64(&call, call.args[1], "nowNs", &now_ns) ||
        !shim_take_size(&call, call.args[2], "most", &cap) || (found = make_room(&call, tracker, &cap)) == NULL)
        return NULL;
    st = keep_tracker_drain(tracker, now_ns, found, cap, &count);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    return shim_reports(&call, &alarms, found, count);
}

static napi_value tell_next_deadline(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_tracker *tracker;
    keep_status st;
    uint64_t deadline_ns = 0;

    if (!begin(env, info, &call, &tracker))
        return NULL;
    st = keep_tracker_next_deadline(tracker, &deadline_ns);
    return st == KEEP_OK ? shim_bigint(&call, deadline_ns) : shim_settle(&call, st);
}

/* --- agents --- */

#define SETTING(key, kind, field) SHIM_OPTION(keep_agent_settings, key, kind, field)

static const shim_option settings_options[] = {
    SETTING("thresholdNs", SHIM_OPTION_UINT64, threshold_ns),
    SETTING("graceNs", SHIM_OPTION_UINT64, grace_ns),
    SETTING("misses", SHIM_OPTION_UINT32, misses),
    SETTING("unarmed", SHIM_OPTION_BOOLEAN, unarmed),
};

bool shim_take_agent_settings(const shim_call *call, napi_value value, keep_agent_settings *out)
{
    return shim_take_options(call, value, settings_options, SHIM_COUNT(settings_options), out);
}

/* put(tracker, pid, nowNs, settings): who went for it, 0: nobody */
static napi_value put(napi_env env, napi_callback_info info)
{
    keep_agent_settings settings = KEEP_AGENT_SETTINGS_INIT;
    shim_call call;
    keep_tracker *tracker;
    keep_status st;
    uint64_t now_ns;
    uint32_t pid, evicted_pid = 0;

    if (!begin(env, info, &call, &tracker) || !shim_take_uint32(&call, call.args[1], "pid", &pid) ||
        !shim_take_uint64(&call, call.args[2], "nowNs", &now_ns) ||
        !shim_take_agent_settings(&call, call.args[3], &settings))
        return NULL;
    st = keep_tracker_put(tracker, pid, &settings, now_ns, &evicted_pid);
    return st == KEEP_OK ? shim_number(&call, evicted_pid) : shim_settle(&call, st);
}

/* delete(tracker, pid, reason, nowNs) */
static napi_value delete_agent(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_tracker *tracker;
    uint64_t now_ns;
    uint32_t pid, reason;

    if (!begin(env, info, &call, &tracker) || !shim_take_uint32(&call, call.args[1], "pid", &pid) ||
        !shim_take_uint32(&call, call.args[2], "reason", &reason) ||
        !shim_take_uint64(&call, call.args[3], "nowNs", &now_ns))
        return NULL;
    return shim_settle(&call, keep_tracker_delete(tracker, pid, reason, now_ns));
}

#define AGENT(key, kind, field) SHIM_FIELD(keep_agent_info, key, kind, field)

static const shim_field agent_fields[] = {
    AGENT("nonce", SHIM_FIELD_UINT64, nonce),
    AGENT("lastNs", SHIM_FIELD_UINT64, last_ns),
    AGENT("silenceNs", SHIM_FIELD_UINT64, silence_ns),
    AGENT("limitNs", SHIM_FIELD_UINT64, limit_ns),
    AGENT("graceNs", SHIM_FIELD_UINT64, grace_ns),
    AGENT("nsInode", SHIM_FIELD_UINT64, ns_inode),
    AGENT("generation", SHIM_FIELD_UINT64, generation),
    AGENT("beats", SHIM_FIELD_UINT64, beats),
    AGENT("outOfOrder", SHIM_FIELD_UINT64, out_of_order),
    AGENT("intervals", SHIM_FIELD_UINT64, intervals),
    AGENT("minNs", SHIM_FIELD_UINT64, min_ns),
    AGENT("maxNs", SHIM_FIELD_UINT64, max_ns),
    AGENT("meanNs", SHIM_FIELD_UINT64, mean_ns),
    AGENT("jitterNs", SHIM_FIELD_UINT64, jitter_ns),
    AGENT("p50Ns", SHIM_FIELD_UINT64, p50_ns),
    AGENT("p99Ns", SHIM_FIELD_UINT64, p99_ns),
    AGENT("pid", SHIM_FIELD_UINT32, pid),
    AGENT("claimedPid", SHIM_FIELD_UINT32, claimed_pid),
    AGENT("payload", SHIM_FIELD_UINT32, payload),
    AGENT("phiMilli", SHIM_FIELD_UINT32, phi_milli),
    AGENT("state", SHIM_FIELD_UINT8, state),
    AGENT("origin", SHIM_FIELD_UINT8, origin),
    AGENT("health", SHIM_FIELD_UINT8, health),
};

static const shim_layout agents = SHIM_LAYOUT(keep_agent_info, agent_fields);

/* get(tracker, pid, nowNs) */
static napi_value get(napi_env env, napi_callback_info info)
{
    keep_agent_info agent = KEEP_AGENT_INFO_INIT;
    shim_call call;
    keep_tracker *tracker;
    keep_status st;
    uint64_t now_ns;
    uint32_t pid;

    if (!begin(env, info, &call, &tracker) || !shim_take_uint32(&call, call.args[1], "pid", &pid) ||
        !shim_take_uint64(&call, call.args[2], "nowNs", &now_ns))
        return NULL;
    st = keep_tracker_get(tracker, pid, now_ns, &agent);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    return shim_freeze(&call, shim_report(&call, agent_fields, SHIM_COUNT(agent_fields), &agent));
}

/* list(tracker): all agents */
static napi_value list(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_tracker *tracker;
    keep_agent_info *piece;
    napi_value array = NULL;
    keep_status st;
    uint64_t cursor = 0;
    size_t count = 0;

    if (!begin(env, info, &call, &tracker) || !shim_ok(&call, napi_create_array(env, &array)) ||
        (piece = shim_scratch(&call, LIST_PIECE * sizeof *piece)) == NULL)
        return NULL;
    piece->size = sizeof *piece;
    do {
        st = keep_tracker_list(tracker, &cursor, piece, LIST_PIECE, &count);
        if (st != KEEP_OK)
            return shim_settle(&call, st);
        if (!shim_append_reports(&call, array, &agents, piece, count))
            return NULL;
    } while (count > 0);
    return array;
}

#define COUNT(key, field) SHIM_FIELD(struct keep_tracker_stats, key, SHIM_FIELD_UINT64, field)

static const shim_field stats_fields[] = {
    COUNT("agents", agents),
    COUNT("stalled", stalled),
    COUNT("beats", beats),
    COUNT("stalls", stalls),
    COUNT("recoveries", recoveries),
    COUNT("evictions", evictions),
    COUNT("capacityExceeded", capacity_exceeded),
    COUNT("outOfOrder", out_of_order),
    COUNT("nonceWraps", nonce_wraps),
    COUNT("originConflicts", origin_conflicts),
    COUNT("namespaceConflicts", namespace_conflicts),
    COUNT("recycles", recycles),
    COUNT("goodbyes", goodbyes),
    COUNT("exits", exits),
    COUNT("deletes", deletes),
    COUNT("clockRegressions", clock_regressions),
    COUNT("outages", outages),
    COUNT("outageNs", outage_ns),
};

static napi_value tell_stats(napi_env env, napi_callback_info info)
{
    struct keep_tracker_stats stats = KEEP_TRACKER_STATS_INIT;
    shim_call call;
    keep_tracker *tracker;
    keep_status st;

    if (!begin(env, info, &call, &tracker))
        return NULL;
    st = keep_tracker_stats(tracker, &stats);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    return shim_freeze(&call, shim_report(&call, stats_fields, SHIM_COUNT(stats_fields), &stats));
}

static napi_value close_tracker(napi_env env, napi_callback_info info)
{
    return shim_close(env, info, &shim_tracker_kind);
}

/* knownAnswer(name, bytes), knownAnswerInto(out, name, bytes) */
static napi_value known_answer(napi_env env, napi_callback_info info)
{
    return shim_known_answer(env, info, keep_tracker_known_answer);
}

static napi_value known_answer_into(napi_env env, napi_callback_info info)
{
    return shim_known_answer_into(env, info, keep_tracker_known_answer);
}

static const shim_method methods[] = {
    { "trackerNew", "new Tracker", make },
    { "trackerRecord", "Tracker.record", record },
    { "trackerDrain", "Tracker.drain", drain },
    { "trackerNextDeadline", "Tracker.nextDeadline", tell_next_deadline },
    { "trackerPut", "Tracker.put", put },
    { "trackerDelete", "Tracker.delete", delete_agent },
    { "trackerGet", "Tracker.get", get },
    { "trackerList", "Tracker.list", list },
    { "trackerStats", "Tracker.stats", tell_stats },
    { "trackerClose", "Tracker.close", close_tracker },
    { "trackerKnownAnswer", "tracker.knownAnswer", known_answer },
    { "trackerKnownAnswerInto", "tracker.knownAnswerInto", known_answer_into },
};

static const shim_constant constants[] = {
    { NULL, "BEAT_LEN", KEEP_BEAT_LEN },
    { NULL, "BEAT_SHARED_LEN", KEEP_BEAT_SHARED_LEN },
    { NULL, "BEAT_MASTER_LEN", KEEP_BEAT_MASTER_LEN },
    { NULL, "MAX_AGENTS", KEEP_MAX_AGENTS },
    { NULL, "DEFAULT_AGENTS", KEEP_DEFAULT_AGENTS },
    { NULL, "PID_UNKNOWN", KEEP_PID_UNKNOWN },
    { NULL, "TIME_NEVER", (int64_t)KEEP_TIME_NEVER },
    { "Health", "OK", KEEP_HEALTH_OK },
    { "Health", "DEGRADED", KEEP_HEALTH_DEGRADED },
    { "Health", "CRITICAL", KEEP_HEALTH_CRITICAL },
    { "Origin", "NETWORK", KEEP_ORIGIN_NETWORK },
    { "Origin", "SOCKET_MODE", KEEP_ORIGIN_SOCKET_MODE },
    { "Origin", "OPERATOR", KEEP_ORIGIN_OPERATOR },
    { "Origin", "KERNEL", KEEP_ORIGIN_KERNEL },
    { "Origin", "NONE", KEEP_ORIGIN_NONE },
    { "Verdict", "INSERTED", KEEP_VERDICT_INSERTED },
    { "Verdict", "REFRESHED", KEEP_VERDICT_REFRESHED },
    { "Verdict", "OUT_OF_ORDER", KEEP_VERDICT_OUT_OF_ORDER },
    { "Verdict", "CAPACITY_EXCEEDED", KEEP_VERDICT_CAPACITY_EXCEEDED },
    { "Verdict", "ORIGIN_CONFLICT", KEEP_VERDICT_ORIGIN_CONFLICT },
    { "Verdict", "NAMESPACE_CONFLICT", KEEP_VERDICT_NAMESPACE_CONFLICT },
    { "AdmissionFlags", "EVICTED", KEEP_ADMISSION_EVICTED },
    { "AdmissionFlags", "RECOVERED", KEEP_ADMISSION_RECOVERED },
    { "AdmissionFlags", "RECYCLED", KEEP_ADMISSION_RECYCLED },
    { "AdmissionFlags", "TERMINAL", KEEP_ADMISSION_TERMINAL },
    { "AdmissionFlags", "UPGRADED", KEEP_ADMISSION_UPGRADED },
    { "AdmissionFlags", "WRAPPED", KEEP_ADMISSION_WRAPPED },
    { "EvictionPolicy", "STRICT", KEEP_POLICY_STRICT },
    { "EvictionPolicy", "BALANCED", KEEP_POLICY_BALANCED },
    { "DeleteReason", "GOODBYE", KEEP_REASON_GOODBYE },
    { "DeleteReason", "EXITED", KEEP_REASON_EXITED },
    { "DeleteReason", "RECYCLED", KEEP_REASON_RECYCLED },
    { "DeleteReason", "OPERATOR", KEEP_REASON_OPERATOR },
    { "AgentState", "UNARMED", KEEP_AGENT_UNARMED },
    { "AgentState", "REGISTERED", KEEP_AGENT_REGISTERED },
    { "AgentState", "STARTING", KEEP_AGENT_STARTING },
    { "AgentState", "ALIVE", KEEP_AGENT_ALIVE },
    { "AgentState", "STALLED", KEEP_AGENT_STALLED },
    { "SightingFlags", "UNNUMBERED", KEEP_SIGHTING_UNNUMBERED },
};

const shim_table shim_tracker_table = { methods, SHIM_COUNT(methods), constants, SHIM_COUNT(constants) };
