/* SPDX-License-Identifier: MIT */
/*
 * Sessions: making, telling, ending.
 */
#include "session.h"

#include "args.h"
#include "report.h"

static keep_status free_session(void **handle)
{
    keep_session *session = *handle;

    keep_session_free(&session);
    *handle = session;
    return KEEP_OK;
}

const shim_kind shim_session_kind = { .name = "Session", .free = free_session };

bool shim_take_session(const shim_call *call, napi_value value, const char *name, keep_session **out)
{
    shim_box *box = shim_take_box(call, value, name, &shim_session_kind);

    if (box != NULL)
        *out = box->handle;
    return box != NULL;
}

bool shim_begin_session(napi_env env, napi_callback_info info, shim_call *call, keep_session **out)
{
    return shim_begin(env, info, call) && shim_take_session(call, call->args[0], "this", out);
}

bool shim_take_session_options(const shim_call *call, const napi_value *values, keep_session_options *out)
{
    return shim_take_uint64(call, values[0], "maxFailedOpens", &out->max_failed_opens) &&
           shim_take_uint32(call, values[1], "window", &out->window) &&
           shim_take_uint32(call, values[2], "aead", &out->aead) && shim_take_pool(call, values[3], &out->pool);
}

/* new(txKey, rxKey, sessionId, firstCounter, maxFailedOpens, window, aead, pool) */
static napi_value make(napi_env env, napi_callback_info info)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    shim_call call;
    keep_secret *tx_key, *rx_key;
    keep_session *session = NULL;
    keep_status st;

    if (!shim_begin(env, info, &call) || !shim_take_optional_secret(&call, call.args[0], "txKey", &tx_key) ||
        !shim_take_optional_secret(&call, call.args[1], "rxKey", &rx_key) ||
        !shim_take_uint64(&call, call.args[2], "sessionId", &options.session_id) ||
        !shim_take_uint64(&call, call.args[3], "firstCounter", &options.first_counter) ||
        !shim_take_session_options(&call, &call.args[4], &options))
        return NULL;
    options.tx_key = tx_key;
    options.rx_key = rx_key;
    st = keep_session_new(&options, &session);
    return shim_adopt(&call, st, &shim_session_kind, session, 0);
}

#define COUNT(key, field) SHIM_FIELD(struct keep_session_stats, key, SHIM_FIELD_UINT64, field)

static const shim_field stats_fields[] = {
    COUNT("nextCounter", next_counter),
    COUNT("opened", opened),
    COUNT("authFailed", auth_failed),
    COUNT("replayed", replayed),
    COUNT("malformed", malformed),
    COUNT("highestCounter", highest_counter),
    SHIM_FIELD(struct keep_session_stats, "confirmed", SHIM_FIELD_FLAG, confirmed),
};

static napi_value tell_stats(napi_env env, napi_callback_info info)
{
    struct keep_session_stats stats = KEEP_SESSION_STATS_INIT;
    shim_call call;
    keep_session *session;
    napi_value report;
    keep_status st;

    if (!shim_begin_session(env, info, &call, &session))
        return NULL;
    st = keep_session_stats(session, &stats);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    report = shim_report(&call, stats_fields, SHIM_COUNT(stats_fields), &stats);
    if (!stats.has_highest && !shim_set_null(&call, report, "highestCounter"))
        return NULL;
    return shim_freeze(&call, report);
}

static napi_value close_session(napi_env env, napi_callback_info info)
{
    return shim_close(env, info, &shim_session_kind);
}

static const shim_method methods[] = {
    { "sessionNew", "new Session", make },
    { "sessionStats", "Session.stats", tell_stats },
    { "sessionClose", "Session.close", close_session },
};

const shim_table shim_session_table = { methods, SHIM_COUNT(methods), NULL, 0 };
