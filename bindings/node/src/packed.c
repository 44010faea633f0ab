/* SPDX-License-Identifier: MIT */
/*
 * Packed batches, the fast form (bindings R5): all bytes in one array, their ends in a table, one event per packet. Each
 * end is read once, so that another thread can spoil the result, but nothing else.
 */
#include "packed.h"

#include <string.h>

#include "open.h"
#include "request.h"
#include "session.h"

/* What both calls begin with: pieces of `data` as `ends` says, and where the result goes. */
typedef struct packed {
    shim_call call;
    keep_session *session;
    size_t count;
    uint8_t *out, *statuses;
    size_t room;
} packed;

/* What C is told, and tells, of each packet. */
typedef struct packed_seal {
    keep_bytes items[KEEP_MAX_BATCH];
    keep_packet_request requests[KEEP_MAX_BATCH];
    size_t offsets[KEEP_MAX_BATCH + 1];
    keep_status statuses[KEEP_MAX_BATCH];
} packed_seal;

typedef struct packed_open {
    keep_bytes items[KEEP_MAX_BATCH];
    keep_packet_opened packets[KEEP_MAX_BATCH];
} packed_open;

static bool refuse(const packed *p)
{
    (void)shim_settle(&p->call, KEEP_ERR_INVALID_ARGUMENT);
    return false;
}

/* Item i ends where the table says. False if the ends are out of order or range. */
static bool unpack(const uint8_t *data, size_t len, const volatile uint32_t *ends, size_t count, keep_bytes *items)
{
    size_t begin = 0, i;

    for (i = 0; i < count; i++) {
        size_t end = ends[i];

        if (end < begin || end > len)
            return false;
        items[i] = (keep_bytes){ data + begin, end - begin };
        begin = end;
    }
    return true;
}

/* Takes data, ends, and at the places given `out` and `statuses`. */
static bool take_items(packed *p, int out_place, int statuses_place, keep_bytes *items)
{
    const napi_value *args = p->call.args;
    uint8_t *data;
    uint32_t *ends;
    size_t len, status_count;

    if (!shim_take_room(&p->call, args[1], "data", &data, &len) ||
        !shim_take_table(&p->call, args[2], "ends", &ends, &p->count) ||
        !shim_take_room(&p->call, args[out_place], "out", &p->out, &p->room) ||
        !shim_take_room(&p->call, args[statuses_place], "statuses", &p->statuses, &status_count))
        return false;
    if (p->count > KEEP_MAX_BATCH || status_count < p->count || !unpack(data, len, ends, p->count, items) ||
        shim_overlap(p->out, p->room, data, len))
        return refuse(p);
    return true;
}

/* A table with room for a number per packet. */
static bool take_ends(const packed *p, int place, const char *name, uint32_t **out)
{
    size_t room;

    return shim_take_table(&p->call, p->call.args[place], name, out, &room) && (room >= p->count || refuse(p));
}

/* The same stream and flags for each, sequences in a row. */
static bool take_requests(const packed *p, packed_seal *s)
{
    uint64_t stream_id, sequence;
    uint8_t flags;
    size_t i;

    if (!shim_take_uint64(&p->call, p->call.args[3], "streamId", &stream_id) ||
        !shim_take_uint64(&p->call, p->call.args[4], "firstSequence", &sequence) ||
        !shim_take_uint8(&p->call, p->call.args[5], "flags", &flags))
        return false;
    for (i = 0; i < p->count; i++)
        s->requests[i] = (keep_packet_request){
            .events = &s->items[i],
            .event_count = 1,
            .stream_id = stream_id,
            .sequence = sequence + i,
            .flags = flags,
        };
    return true;
}

/* sealPacked(session, data, ends, streamId, firstSequence, flags, out, outEnds, statuses): how many were sealed */
static napi_value seal_packed(napi_env env, napi_callback_info info)
{
    keep_packet_seal_out out = KEEP_PACKET_SEAL_OUT_INIT;
    packed p;
    packed_seal *s;
    uint32_t *out_ends;
    keep_status st;
    size_t i;

    if (!shim_begin_session(env, info, &p.call, &p.session) || (s = shim_scratch(&p.call, sizeof *s)) == NULL ||
        !take_items(&p, 6, 8, s->items) || !take_requests(&p, s) || !take_ends(&p, 7, "outEnds", &out_ends))
        return NULL;
    out.data = p.out;
    out.cap = p.room;
    out.offsets = s->offsets;
    out.statuses = s->statuses;
    s->statuses[0] = SHIM_UNTOUCHED;
    st = keep_packet_seal_batch(p.session, s->requests, p.count, &out);
    if (shim_batch_failed(st, s->statuses[0]))
        return shim_settle_needed(&p.call, st, out.data_len);
    for (i = 0; i < p.count; i++) {
        out_ends[i] = (uint32_t)s->offsets[i + 1];
        p.statuses[i] = (uint8_t)s->statuses[i];
    }
    return shim_number(&p.call, (double)out.sealed_count);
}

/* Moves the spans together, as those of refused packets are left out, and tells where each packet's end. */
static void pack_spans(const packed *p, const keep_packet_open_out *out, uint32_t *packet_ends)
{
    uint32_t end = 0;
    size_t i;

    for (i = 0; i < p->count; i++) {
        const keep_packet_opened *packet = &out->packets[i];

        if (end != packet->first_event)
            memmove(out->events + end, out->events + packet->first_event, packet->event_count * sizeof *out->events);
        end += packet->event_count;
        packet_ends[i] = end;
        p->statuses[i] = (uint8_t)packet->status;
    }
}

/* openPacked(session, data, ends, out, spans, packetEnds, statuses): how many were opened */
static napi_value open_packed(napi_env env, napi_callback_info info)
{
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;
    packed p;
    packed_open *o;
    uint32_t *packet_ends;
    keep_status st;

    if (!shim_begin_session(env, info, &p.call, &p.session) || (o = shim_scratch(&p.call, sizeof *o)) == NULL ||
        !take_items(&p, 3, 6, o->items) || !shim_take_spans(&p.call, p.call.args[4], &out) ||
        !take_ends(&p, 5, "packetEnds", &packet_ends))
        return NULL;
    out.data = p.out;
    out.cap = p.room;
    out.packets = o->packets;
    o->packets[0].status = SHIM_UNTOUCHED;
    st = keep_packet_open_batch(p.session, o->items, p.count, &out);
    if (shim_batch_failed(st, o->packets[0].status))
        return shim_settle_opening(&p.call, st, &out);
    pack_spans(&p, &out, packet_ends);
    return shim_number(&p.call, (double)out.opened_count);
}

static const shim_method methods[] = {
    { "sessionSealPacked", "Session.sealPacked", seal_packed },
    { "sessionOpenPacked", "Session.openPacked", open_packed },
};

const shim_table shim_packed_table = { methods, SHIM_COUNT(methods), NULL, 0 };
