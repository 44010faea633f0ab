/* SPDX-License-Identifier: MIT */
/*
 * Speak: beats and notices of a beacon. A frame gets the next nonce of the stream, which is committed only if the kernel
 * took it; after enough drops the beacon connects anew, and the same frame goes out once more.
 */
#include "tracker/beacon.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/options.h"
#include "base/trace.h"
#include "base/units.h"
#include "memory/guard.h"
#include "tracker/frame.h"
#include "base/banned.h"

/* What a frame says: one of the two, whose place in the stream is filled in. */
struct saying {
    keep__beat *beat;
    keep__notice *notice;
};

static keep_status encode_next(const keep_beacon *beacon, struct saying message, uint8_t frame[KEEP_BEAT_LEN])
{
    if (message.beat == NULL) {
        message.notice->pid = beacon->pid;
        message.notice->nonce = beacon->stream.next_nonce;
        return keep__notice_encode(message.notice, frame);
    }
    message.beat->pid = beacon->pid;
    message.beat->nonce = beacon->stream.next_nonce;
    message.beat->timestamp_ns = beacon->stream.next_timestamp_ns;
    return keep__beat_encode(message.beat, frame);
}

/* Sends a frame on the connection, sealed if need be. 0, or an errno. */
static uint32_t send_frame(keep_beacon *beacon, const uint8_t frame[KEEP_BEAT_LEN])
{
    keep__connection *connection = &beacon->connection;
    uint8_t wire[KEEP_BEAT_MASTER_LEN];
    uint32_t error;
    size_t len;

    if (connection->error != 0)
        return connection->error;
    if (beacon->options.mode == KEEP_BEAT_PLAIN)
        return keep__connection_send(connection->fd, frame, KEEP_BEAT_LEN);
    len = keep__beacon_wrap(beacon, connection->sealer.prefix, connection->sealer.counter, frame, wire);
    if (keep__beacon_check_key(beacon) != KEEP_OK)
        return (uint32_t)ECANCELED;
    error = keep__connection_send(connection->fd, wire, len);
    if (error == 0)
        keep__sealer_advance(&connection->sealer);
    return error;
}

/* Sends; connects anew and sends once more if it is time to. */
static keep_status send_message(keep_beacon *beacon, struct saying message, keep_outcome *out_outcome)
{
    uint8_t frame[KEEP_BEAT_LEN];
    keep_status st;

    keep__stream_next(&beacon->stream, keep__beacon_clock(beacon));
    st = encode_next(beacon, message, frame);
    if (st != KEEP_OK)
        return st;
    keep__stream_settle(&beacon->stream, send_frame(beacon, frame), out_outcome);
    if (keep__stream_wants_reconnect(&beacon->stream, out_outcome, beacon->options.reconnect_after) &&
        keep__beacon_reconnect(beacon, NULL) == KEEP_OK) {
        beacon->stream.dropped = 0;
        keep__stream_settle(&beacon->stream, send_frame(beacon, frame), out_outcome);
    }
    return out_outcome->kind == KEEP_OUTCOME_FAILED ? keep__trace(KEEP_ERR_SYSTEM) : KEEP_OK;
}

/* A connection must come first: the outcome tells if there is none. */
static keep_status connect_first(keep_beacon *beacon, keep_status (*connect)(keep_beacon *, keep_error *),
                                 keep_outcome *out_outcome)
{
    keep_error err = KEEP_ERROR_INIT;

    if (connect(beacon, &err) == KEEP_OK)
        return KEEP_OK;
    *out_outcome = (keep_outcome){
        .kind = KEEP_OUTCOME_FAILED,
        .error = (uint32_t)err.code,
        .nonce = beacon->stream.nonce,
    };
    return keep__trace(KEEP_ERR_SYSTEM);
}

/* A plain beacon in a child begins a life of its own, if it may; a spent salt is followed by another. */
static keep_status make_ready(keep_beacon *beacon, keep_outcome *out_outcome)
{
    keep_status st = keep__guard_check(beacon->stamp);
    bool may_restart = beacon->options.fork_refresh != 0 && beacon->options.mode == KEEP_BEAT_PLAIN;

    if (st == KEEP_ERR_FORKED && may_restart && beacon->peer.len != 0)
        return connect_first(beacon, keep_beacon_restart, out_outcome);
    if (st == KEEP_OK)
        st = keep__beacon_check_key(beacon);
    if (st == KEEP_OK && beacon->connection.sealer.is_spent)
        return connect_first(beacon, keep__beacon_reconnect, out_outcome);
    return st;
}

/* Whether a message may go out at all. */
static keep_status may_send(keep_beacon *beacon, keep_outcome *out_outcome)
{
    keep_status st =
        beacon == NULL || out_outcome == NULL ? KEEP_ERR_INVALID_ARGUMENT : make_ready(beacon, out_outcome);

    if (st != KEEP_OK)
        return st;
    return beacon->peer.len == 0 ? KEEP_ERR_STATE : KEEP_OK;
}

keep_status keep_beacon_beat(keep_beacon *beacon, uint32_t health, uint32_t payload, keep_outcome *out_outcome)
{
    keep__beat beat = { .payload = payload, .health = (uint8_t)health };
    keep_status st = may_send(beacon, out_outcome);

    if (st != KEEP_OK)
        return st;
    if (health > KEEP_HEALTH_CRITICAL) {
        beacon->stream.dropped = 0;
        return KEEP_ERR_INVALID_ARGUMENT;
    }
    return send_message(beacon, (struct saying){ .beat = &beat }, out_outcome);
}

/* Nanoseconds as whole milliseconds. False: they are not. */
static bool to_milliseconds(uint64_t ns, uint32_t *out)
{
    *out = (uint32_t)keep__u64_min(ns / KEEP__NS_PER_MS, UINT32_MAX);
    return *out * KEEP__NS_PER_MS == ns;
}

static keep_status read_register(const keep_agent_settings *given, keep__notice *out)
{
    keep_agent_settings settings = KEEP_AGENT_SETTINGS_INIT;
    keep_status st = keep__options_read(given, sizeof settings, sizeof settings, &settings);

    if (st != KEEP_OK)
        return st;
    if (settings.misses > UINT8_MAX || settings.unarmed != 0 ||
        !to_milliseconds(settings.threshold_ns, &out->threshold_ms) ||
        !to_milliseconds(settings.grace_ns, &out->grace_ms))
        return KEEP_ERR_INVALID_ARGUMENT;
    out->misses = (uint8_t)settings.misses;
    return KEEP_OK;
}

keep_status keep_beacon_register(keep_beacon *beacon, const keep_agent_settings *settings, keep_outcome *out_outcome)
{
    keep__notice notice = { .op = KEEP__NOTICE_REGISTER };
    keep_status st = read_register(settings, &notice);

    if (st == KEEP_OK)
        st = may_send(beacon, out_outcome);
    return st != KEEP_OK ? st : send_message(beacon, (struct saying){ .notice = &notice }, out_outcome);
}

keep_status keep_beacon_goodbye(keep_beacon *beacon, keep_outcome *out_outcome)
{
    keep__notice notice = { .op = KEEP__NOTICE_GOODBYE };
    keep_status st = may_send(beacon, out_outcome);

    return st != KEEP_OK ? st : send_message(beacon, (struct saying){ .notice = &notice }, out_outcome);
}

/* --- detached --- */

/* Whether a detached beacon may be used; a salt whose counters are spent is followed by another. */
static keep_status check_detached(keep_beacon *beacon)
{
    keep_status st = keep__beacon_check(beacon);

    if (st != KEEP_OK)
        return st;
    if (beacon->peer.len != 0)
        return KEEP_ERR_STATE;
    st = keep__beacon_check_key(beacon);
    if (st == KEEP_OK && beacon->connection.sealer.is_spent)
        st = keep__sealer_begin(&beacon->connection.sealer);
    return st;
}

keep_status keep_beacon_prepare(keep_beacon *beacon, uint32_t health, uint32_t payload, uint64_t now_ns,
                                uint8_t *out_frame)
{
    keep__beat beat = { .payload = payload, .health = (uint8_t)health };
    uint8_t frame[KEEP_BEAT_LEN];
    keep__sealer *sealer;
    keep_status st = out_frame == NULL ? KEEP_ERR_INVALID_ARGUMENT : check_detached(beacon);

    if (st != KEEP_OK)
        return st;
    if (health > KEEP_HEALTH_CRITICAL) {
        beacon->stream.dropped = 0;
        return KEEP_ERR_INVALID_ARGUMENT;
    }
    sealer = &beacon->connection.sealer;
    /* One that was not settled may have gone out: its counter must not seal anything else. */
    if (beacon->options.mode != KEEP_BEAT_PLAIN && beacon->turn == KEEP__TURN_COMMIT)
        keep__sealer_advance(sealer);
    keep__stream_next(&beacon->stream, now_ns);
    st = encode_next(beacon, (struct saying){ .beat = &beat }, frame);
    if (st != KEEP_OK)
        return st;
    (void)keep__beacon_wrap(beacon, sealer->prefix, sealer->counter, frame, out_frame);
    beacon->turn = KEEP__TURN_COMMIT;
    return keep__beacon_check_key(beacon);
}

keep_status keep_beacon_commit(keep_beacon *beacon, uint32_t error, keep_outcome *out_outcome)
{
    keep_status st = out_outcome == NULL ? KEEP_ERR_INVALID_ARGUMENT : check_detached(beacon);
    bool may_ask;

    if (st != KEEP_OK)
        return st;
    if (beacon->turn != KEEP__TURN_COMMIT && beacon->turn != KEEP__TURN_COMMIT_AGAIN)
        return KEEP_ERR_STATE;
    may_ask = beacon->turn == KEEP__TURN_COMMIT;
    beacon->turn = KEEP__TURN_PREPARE;
    keep__stream_settle(&beacon->stream, error, out_outcome);
    if (out_outcome->kind == KEEP_OUTCOME_SENT && beacon->options.mode != KEEP_BEAT_PLAIN)
        keep__sealer_advance(&beacon->connection.sealer);
    if (may_ask && keep__stream_wants_reconnect(&beacon->stream, out_outcome, beacon->options.reconnect_after)) {
        out_outcome->action = KEEP_ACTION_RECONNECT;
        beacon->turn = KEEP__TURN_RECONNECT;
    }
    return KEEP_OK;
}
