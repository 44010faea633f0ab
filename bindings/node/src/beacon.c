/* SPDX-License-Identifier: MIT */
/*
 * Beacons: the functions behind the class Beacon. The first argument is its External, where there is one. Objects that
 * are read here were made by lib/ just before: reading them runs nobody's code.
 */
#include "beacon.h"

#include <string.h>

#include "args.h"
#include "detail.h"
#include "options.h"
#include "report.h"
#include "tracker.h"

static keep_status free_beacon(void **handle)
{
    keep_beacon *beacon = *handle;

    keep_beacon_free(&beacon);
    *handle = beacon;
    return KEEP_OK;
}

static const shim_kind beacon_kind = { .name = "Beacon", .free = free_beacon };

static bool begin(napi_env env, napi_callback_info info, shim_call *call, keep_beacon **out)
{
    shim_box *box = shim_begin(env, info, call) ? shim_take_box(call, call->args[0], "this", &beacon_kind) : NULL;

    if (box != NULL)
        *out = box->handle;
    return box != NULL;
}

/* --- making --- */

#define OPTION(key, kind, field) SHIM_OPTION(keep_beacon_options, key, kind, field)

static const shim_option beacon_options[] = {
    OPTION("port", SHIM_OPTION_UINT16, port),
    OPTION("mode", SHIM_OPTION_UINT8, mode),
    OPTION("forkRefresh", SHIM_OPTION_BOOLEAN, fork_refresh),
    OPTION("agentPid", SHIM_OPTION_UINT32, agent_pid),
    OPTION("reconnectAfter", SHIM_OPTION_UINT32, reconnect_after),
    OPTION("startNonce", SHIM_OPTION_UINT64, start_nonce),
};

/* new(options, path, host, key) */
static napi_value make(napi_env env, napi_callback_info info)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    keep_error detail = KEEP_ERROR_INIT;
    char path[SHIM_TEXT_LEN + 2], host[SHIM_TEXT_LEN + 2];
    shim_call call;
    keep_secret *key;
    keep_beacon *beacon = NULL;
    keep_status st;

    if (!shim_begin(env, info, &call) ||
        !shim_take_options(&call, call.args[0], beacon_options, SHIM_COUNT(beacon_options), &options) ||
        !shim_take_text(&call, call.args[1], "path", &path, &options.path) ||
        !shim_take_text(&call, call.args[2], "host", &host, &options.host) ||
        !shim_take_optional_secret(&call, call.args[3], "key", &key))
        return NULL;
    options.key = key;
    st = keep_beacon_new(&options, &beacon, &detail);
    return st == KEEP_OK ? shim_adopt(&call, st, &beacon_kind, beacon, 0) : shim_settle_detail(&call, st, &detail);
}

/* agentKey(master, pid) */
static napi_value make_agent_key(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_secret *master, *secret = NULL;
    keep_status st;
    uint32_t pid;

    if (!shim_begin(env, info, &call) || !shim_take_secret(&call, call.args[0], "master", &master) ||
        !shim_take_uint32(&call, call.args[1], "pid", &pid))
        return NULL;
    st = keep_beacon_agent_key(master, pid, &secret);
    return shim_adopt_secret(&call, st, secret);
}

/* --- frames --- */

#define OUTCOME(key, kind, field) SHIM_FIELD(keep_outcome, key, kind, field)

static const shim_field outcome_fields[] = {
    OUTCOME("kind", SHIM_FIELD_UINT32, kind),   OUTCOME("action", SHIM_FIELD_UINT32, action),
    OUTCOME("error", SHIM_FIELD_UINT32, error), OUTCOME("dropped", SHIM_FIELD_UINT32, dropped),
    OUTCOME("nonce", SHIM_FIELD_UINT64, nonce),
};

/* Gives the outcome; an error has it as its property `report`. */
static napi_value settle_outcome(const shim_call *call, keep_status status, const keep_outcome *outcome)
{
    napi_value report;
    keep_error detail = KEEP_ERROR_INIT;

    if (status != KEEP_OK && status != KEEP_ERR_SYSTEM)
        return shim_settle(call, status);
    report = shim_freeze(call, shim_report(call, outcome_fields, SHIM_COUNT(outcome_fields), outcome));
    if (report == NULL || status == KEEP_OK)
        return report;
    detail.status = status;
    detail.layer = KEEP_LAYER_ERRNO;
    detail.code = outcome->error;
    return shim_throw_detail(call, &detail, report);
}

/* beat(beacon, health, payload) */
static napi_value beat(napi_env env, napi_callback_info info)
{
    keep_outcome outcome = { 0 };
    shim_call call;
    keep_beacon *beacon;
    uint32_t health, payload;

    if (!begin(env, info, &call, &beacon) || !shim_take_uint32(&call, call.args[1], "health", &health) ||
        !shim_take_uint32(&call, call.args[2], "payload", &payload))
        return NULL;
    return settle_outcome(&call, keep_beacon_beat(beacon, health, payload, &outcome), &outcome);
}

/* register(beacon, settings) */
static napi_value register_agent(napi_env env, napi_callback_info info)
{
    keep_agent_settings settings = KEEP_AGENT_SETTINGS_INIT;
    keep_outcome outcome = { 0 };
    shim_call call;
    keep_beacon *beacon;
    keep_status st;

    if (!begin(env, info, &call, &beacon) || !shim_take_agent_settings(&call, call.args[1], &settings))
        return NULL;
    st = keep_beacon_register(beacon, shim_is_undefined(&call, call.args[1]) ? NULL : &settings, &outcome);
    return settle_outcome(&call, st, &outcome);
}

static napi_value say_goodbye(napi_env env, napi_callback_info info)
{
    keep_outcome outcome = { 0 };
    shim_call call;
    keep_beacon *beacon;

    if (!begin(env, info, &call, &beacon))
        return NULL;
    return settle_outcome(&call, keep_beacon_goodbye(beacon, &outcome), &outcome);
}

/* prepare(beacon, out, len, health, payload, nowNs): the length; lib/ knows it by the mode */
static napi_value prepare(napi_env env, napi_callback_info info)
{
    uint8_t frame[KEEP_BEAT_MASTER_LEN] = { 0 };
    shim_call call;
    keep_beacon *beacon;
    keep_status st = KEEP_ERR_BUFFER_TOO_SMALL;
    uint64_t now_ns;
    uint32_t health, payload;
    uint8_t *out;
    size_t room, len;

    if (!begin(env, info, &call, &beacon) || !shim_take_room(&call, call.args[1], "out", &out, &room) ||
        !shim_take_size(&call, call.args[2], "len", &len) ||
        !shim_take_uint32(&call, call.args[3], "health", &health) ||
        !shim_take_uint32(&call, call.args[4], "payload", &payload) ||
        !shim_take_uint64(&call, call.args[5], "nowNs", &now_ns))
        return NULL;
    if (len <= room && len <= sizeof frame)
        st = keep_beacon_prepare(beacon, health, payload, now_ns, frame);
    if (st == KEEP_OK)
        memcpy(out, frame, len);
    return shim_settle_len(&call, st, len);
}

/* commit(beacon, error) */
static napi_value commit(napi_env env, napi_callback_info info)
{
    keep_outcome outcome = { 0 };
    shim_call call;
    keep_beacon *beacon;
    uint32_t error;

    if (!begin(env, info, &call, &beacon) || !shim_take_uint32(&call, call.args[1], "error", &error))
        return NULL;
    return settle_outcome(&call, keep_beacon_commit(beacon, error, &outcome), &outcome);
}

/* --- connections --- */

/* arm(beacon, flags) */
static napi_value arm(napi_env env, napi_callback_info info)
{
    keep_error detail = KEEP_ERROR_INIT;
    shim_call call;
    keep_beacon *beacon;
    uint32_t flags;

    if (!begin(env, info, &call, &beacon) || !shim_take_uint32(&call, call.args[1], "flags", &flags))
        return NULL;
    return shim_settle_detail(&call, keep_beacon_arm(beacon, flags, &detail), &detail);
}

/* crash(beacon, payload) */
static napi_value crash(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_beacon *beacon;
    uint32_t payload;

    if (begin(env, info, &call, &beacon) && shim_take_uint32(&call, call.args[1], "payload", &payload))
        keep_beacon_crash(beacon, payload);
    return NULL;
}

static napi_value connect_again(napi_env env, napi_callback_info info,
                                keep_status (*function)(keep_beacon *beacon, keep_error *err))
{
    keep_error detail = KEEP_ERROR_INIT;
    shim_call call;
    keep_beacon *beacon;

    if (!begin(env, info, &call, &beacon))
        return NULL;
    return shim_settle_detail(&call, function(beacon, &detail), &detail);
}

static napi_value reconnect(napi_env env, napi_callback_info info)
{
    return connect_again(env, info, keep_beacon_reconnect);
}

static napi_value restart(napi_env env, napi_callback_info info)
{
    return connect_again(env, info, keep_beacon_restart);
}

static napi_value close_beacon(napi_env env, napi_callback_info info)
{
    return shim_close(env, info, &beacon_kind);
}

static const shim_method methods[] = {
    { "beaconNew", "new Beacon", make },
    { "beaconAgentKey", "Beacon.agentKey", make_agent_key },
    { "beaconBeat", "Beacon.beat", beat },
    { "beaconRegister", "Beacon.register", register_agent },
    { "beaconGoodbye", "Beacon.goodbye", say_goodbye },
    { "beaconPrepare", "Beacon.prepare", prepare },
    { "beaconCommit", "Beacon.commit", commit },
    { "beaconArm", "Beacon.arm", arm },
    { "beaconCrash", "Beacon.crash", crash },
    { "beaconReconnect", "Beacon.reconnect", reconnect },
    { "beaconRestart", "Beacon.restart", restart },
    { "beaconClose", "Beacon.close", close_beacon },
};

static const shim_constant constants[] = {
    { "Arm", "SIGNALS", KEEP_ARM_SIGNALS },
    { "OutcomeKind", "SENT", KEEP_OUTCOME_SENT },
    { "OutcomeKind", "DROPPED_QUEUE_FULL", KEEP_OUTCOME_DROPPED_QUEUE_FULL },
    { "OutcomeKind", "DROPPED_NO_OBSERVER", KEEP_OUTCOME_DROPPED_NO_OBSERVER },
    { "OutcomeKind", "DROPPED_PEER_GONE", KEEP_OUTCOME_DROPPED_PEER_GONE },
    { "OutcomeKind", "DROPPED_STORAGE_FULL", KEEP_OUTCOME_DROPPED_STORAGE_FULL },
    { "OutcomeKind", "FAILED", KEEP_OUTCOME_FAILED },
    { "OutcomeAction", "NONE", KEEP_ACTION_NONE },
    { "OutcomeAction", "RECONNECT", KEEP_ACTION_RECONNECT },
};

const shim_table shim_beacon_table = { methods, SHIM_COUNT(methods), constants, SHIM_COUNT(constants) };
