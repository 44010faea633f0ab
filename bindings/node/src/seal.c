/* SPDX-License-Identifier: MIT */
/*
 * Sealing, one packet or a batch. Datagrams go into memory of the caller's; lib/ makes it if its own caller gave none.
 */
#include "seal.h"

#include "request.h"
#include "session.h"

/* Seals into `out`, which must be apart from the events. */
static keep_status seal_apart(keep_session *session, const keep_packet_request *request, const keep_bytes *events,
                              size_t count, uint8_t *out, size_t room, size_t *out_len)
{
    if (shim_overlaps(out, room, events, count))
        return KEEP_ERR_INVALID_ARGUMENT;
    return keep_packet_seal_into(session, request, out, room, out_len);
}

/* sealInto(session, out, request) */
static napi_value seal_into(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_request request;
    keep_session *session;
    keep_status st;
    uint8_t *out;
    size_t room, len = 0;

    if (!shim_begin_session(env, info, &call, &session) || !shim_take_room(&call, call.args[1], "out", &out, &room) ||
        !shim_take_request(&call, &call.args[2], &request))
        return NULL;
    st = seal_apart(session, &request.packet, request.events.items, request.events.count, out, room, &len);
    return shim_settle_len(&call, shim_end_request(&request, st), len);
}

/* heartbeatInto(session, out) */
static napi_value heartbeat_into(napi_env env, napi_callback_info info)
{
    static const keep_packet_request request = { .kind = KEEP_PACKET_HEARTBEAT };
    shim_call call;
    keep_session *session;
    keep_status st;
    uint8_t *out;
    size_t room, len = 0;

    if (!shim_begin_session(env, info, &call, &session) || !shim_take_room(&call, call.args[1], "out", &out, &room))
        return NULL;
    st = keep_packet_seal_into(session, &request, out, room, &len);
    return shim_settle_len(&call, st, len);
}

/* handshakeFrameInto(out, message) */
static napi_value handshake_frame_into(napi_env env, napi_callback_info info)
{
    keep_bytes event;
    const keep_packet_request request = { .kind = KEEP_PACKET_HANDSHAKE, .events = &event, .event_count = 1 };
    shim_call call;
    shim_bytes message;
    keep_status st;
    uint8_t *out;
    size_t room, len = 0;

    if (!shim_begin(env, info, &call) || !shim_take_room(&call, call.args[0], "out", &out, &room) ||
        !shim_take_bytes(&call, call.args[1], "message", &message))
        return NULL;
    event = (keep_bytes){ message.data, message.len };
    st = seal_apart(NULL, &request, &event, 1, out, room, &len);
    return shim_settle_len(&call, shim_end_bytes(&message, st), len);
}

/* A batch: the requests, and what comes of them. */
typedef struct batch {
    shim_requests requests;
    size_t offsets[KEEP_MAX_BATCH + 1];
    keep_status statuses[KEEP_MAX_BATCH];
} batch;

/* The datagrams; `*out_status` is that of the batch as a whole. */
static napi_value seal_all(const shim_call *call, keep_session *session, batch *b, keep_status *out_status)
{
    keep_packet_seal_out out = { .size = sizeof out, .offsets = b->offsets, .statuses = b->statuses };
    napi_value data;

    *out_status = KEEP_OK;
    b->statuses[0] = SHIM_UNTOUCHED;
    do { /* without room C tells the need */
        out.cap = out.data_len;
        if ((data = shim_buffer(call, out.cap, &out.data)) == NULL)
            return NULL;
        *out_status = keep_packet_seal_batch(session, b->requests.packets, b->requests.count, &out);
    } while (*out_status == KEEP_ERR_BUFFER_TOO_SMALL);
    if (!shim_batch_failed(*out_status, b->statuses[0]))
        *out_status = KEEP_OK;
    return data;
}

/* Tables of JavaScript for what comes of the requests. */
typedef struct tables {
    uint32_t *offsets;
    uint8_t *statuses;
    size_t offset_count, status_count;
} tables;

static bool take_tables(const shim_call *call, tables *out)
{
    return shim_take_table(call, call->args[2], "offsets", &out->offsets, &out->offset_count) &&
           shim_take_room(call, call->args[3], "statuses", &out->statuses, &out->status_count);
}

static bool fill_tables(const batch *b, const tables *out)
{
    size_t count = b->requests.count, i;

    if (out->offset_count <= count || out->status_count < count)
        return false;
    out->offsets[0] = 0;
    for (i = 0; i < count; i++) {
        out->offsets[i + 1] = (uint32_t)b->offsets[i + 1];
        out->statuses[i] = (uint8_t)b->statuses[i];
    }
    return true;
}

/* sealBatch(session, requests, offsets, statuses): the datagrams; the tables are filled */
static napi_value seal_batch(napi_env env, napi_callback_info info)
{
    shim_call call;
    tables out;
    batch *b;
    keep_session *session;
    keep_status st;
    napi_value data;

    if (!shim_begin_session(env, info, &call, &session) || !take_tables(&call, &out) ||
        (b = shim_scratch(&call, sizeof *b)) == NULL || !shim_take_requests(&call, call.args[1], &b->requests))
        return NULL;
    data = seal_all(&call, session, b, &st);
    st = shim_end_requests(&b->requests, st);
    if (st == KEEP_OK && !fill_tables(b, &out))
        st = KEEP_ERR_INVALID_ARGUMENT;
    return st == KEEP_OK ? data : shim_settle(&call, st);
}

/* measure(events) */
static napi_value measure(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_list events;
    keep_status st;
    size_t count, len = 0;

    if (!shim_begin(env, info, &call) ||
        !shim_take_list(&call, call.args[0], "events", KEEP_MAX_PACKET_EVENTS, &events, &count))
        return NULL;
    st = keep_packet_measure(events.items, count, &len);
    return shim_settle_len(&call, shim_end_list(&events, st), len);
}

/* maxEvents(eventLen) */
static napi_value max_events(napi_env env, napi_callback_info info)
{
    shim_call call;
    size_t event_len;

    if (!shim_begin(env, info, &call) || !shim_take_size(&call, call.args[0], "eventLen", &event_len))
        return NULL;
    return shim_number(&call, (double)keep_packet_max_events(event_len));
}

static const shim_method methods[] = {
    { "sessionSeal", "Session.seal", seal_into },
    { "sessionSealInto", "Session.sealInto", seal_into },
    { "sessionHeartbeat", "Session.heartbeat", heartbeat_into },
    { "sessionHeartbeatInto", "Session.heartbeatInto", heartbeat_into },
    { "sessionSealBatch", "Session.sealBatch", seal_batch },
    { "packetHandshakeFrame", "packet.handshakeFrame", handshake_frame_into },
    { "packetHandshakeFrameInto", "packet.handshakeFrameInto", handshake_frame_into },
    { "packetMeasure", "packet.measure", measure },
    { "packetMaxEvents", "packet.maxEvents", max_events },
};

static const shim_constant constants[] = {
    { NULL, "PACKET_HEADER_LEN", KEEP_PACKET_HEADER_LEN },     { NULL, "PACKET_TAG_LEN", KEEP_PACKET_TAG_LEN },
    { NULL, "PACKET_OVERHEAD_LEN", KEEP_PACKET_OVERHEAD_LEN }, { NULL, "MAX_PACKET_LEN", KEEP_MAX_PACKET_LEN },
    { NULL, "MAX_PAYLOAD_LEN", KEEP_MAX_PAYLOAD_LEN },         { NULL, "MAX_EVENT_LEN", KEEP_MAX_EVENT_LEN },
    { NULL, "MAX_PACKET_EVENTS", KEEP_MAX_PACKET_EVENTS },     { "PacketKind", "DATA", KEEP_PACKET_DATA },
    { "PacketKind", "HEARTBEAT", KEEP_PACKET_HEARTBEAT },      { "PacketKind", "HANDSHAKE", KEEP_PACKET_HANDSHAKE },
    { "PacketFlags", "RELIABLE", KEEP_PACKET_RELIABLE },       { "PacketFlags", "NACK", KEEP_PACKET_NACK },
    { "PacketFlags", "PRIORITY", KEEP_PACKET_PRIORITY },       { "PacketFlags", "FIN", KEEP_PACKET_FIN },
};

const shim_table shim_seal_table = { methods, SHIM_COUNT(methods), constants, SHIM_COUNT(constants) };
