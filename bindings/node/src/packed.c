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

/* What both calls have: pieces of `data` as `ends` says, and where the result goes. */
typedef struct packed {
    shim_call call;
    keep_session *session;
    shim_bytes data;
    const uint32_t *ends;
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

/* Takes the ends of the items, and at the places given `out` and `statuses`. */
static bool take_places(packed *p, int out_place, int statuses_place)
{
    const napi_value *args = p->call.args;
    uint32_t *ends;
    size_t status_count;

    if (!shim_take_table(&p->call, args[2], "ends", &ends, &p->count) ||
        !shim_take_room(&p->call, args[out_place], "out", &p->out, &p->room) ||
        !shim_take_room(&p->call, args[statuses_place], "statuses", &p->statuses, &status_count))
        return false;
    p->ends = ends;
    return (p->count <= KEEP_MAX_BATCH && status_count >= p->count) || refuse(p);
}

/* A table with room for a number per packet. */
static bool take_ends(const packed *p, int place, const char *name, uint32_t **out)
{
    size_t room;

    return shim_take_table(&p->call, p->call.args[place], name, out, &room) && (room >= p->count || refuse(p));
}

/* The bytes come last: a window on those of a secret is the caller's to end. */
static bool take_data(packed *p)
{
    return shim_take_bytes(&p->call, p->call.args[1], "data", &p->data);
}

/* Item i ends where the table says. False if the ends are out of order or range. */
static bool unpack(const packed *p, keep_bytes *items)
{
    const volatile uint32_t *ends = p->ends;
    const uint8_t *data = p->data.data;
    size_t len = p->data.len, count = p->count, begin = 0, i;

    for (i = 0; i < count; i++) {
        size_t end = ends[i];

        if (end < begin || end > len)
            return false;
        items[i] = (keep_bytes){ data + begin, end - begin };
        begin = end;
    }
    return true;
}

/* What all requests have, and the sequence of the first one. */
static bool take_first(const packed *p, keep_packet_request *out)
{
    const napi_value *args = p->call.args;

    return shim_take_uint64(&p->call, args[3], "streamId", &out->stream_id) &&
           shim_take_uint64(&p->call, args[4], "firstSequence", &out->sequence) &&
           shim_take_uint8(&p->call, args[5], "flags", &out->flags);
}

/* The same stream and flags for each, sequences in a row. */
static void make_requests(keep_packet_request first, const keep_bytes *items, size_t count, keep_packet_request *out)
{
    size_t i;

    for (i = 0; i < count; i++)
        out[i] = (keep_packet_request){
            .events = &items[i],
            .event_count = 1,
            .stream_id = first.stream_id,
            .sequence = first.sequence + i,
            .flags = first.flags,
        };
}

/* Tells what became of each packet, in JavaScript's tables. */
static void tell_sealed(const packed_seal *s, size_t count, uint32_t *ends, uint8_t *statuses)
{
    size_t i;

    for (i = 0; i < count; i++) {
        ends[i] = (uint32_t)s->offsets[i + 1];
        statuses[i] = (uint8_t)s->statuses[i];
    }
}

/* A failure is one of the batch as a whole. */
static keep_status seal_all(const packed *p, const keep_packet_request *first, packed_seal *s, keep_packet_seal_out *out)
{
    keep_status st;

    if (!unpack(p, s->items) || shim_overlap(out->data, out->cap, p->data.data, p->data.len))
        return KEEP_ERR_INVALID_ARGUMENT;
    make_requests(*first, s->items, p->count, s->requests);
    s->statuses[0] = SHIM_UNTOUCHED;
    st = keep_packet_seal_batch(p->session, s->requests, p->count, out);
    return shim_batch_failed(st, s->statuses[0]) ? st : KEEP_OK;
}

/* sealPacked(session, data, ends, streamId, firstSequence, flags, out, outEnds, statuses): how many were sealed */
static napi_value seal_packed(napi_env env, napi_callback_info info)
{
    keep_packet_request first = { 0 };
    keep_packet_seal_out out = KEEP_PACKET_SEAL_OUT_INIT;
    packed p;
    packed_seal *s;
    uint32_t *out_ends;
    keep_status st;

    if (!shim_begin_session(env, info, &p.call, &p.session) || (s = shim_scratch(&p.call, sizeof *s)) == NULL ||
        !take_places(&p, 6, 8) || !take_first(&p, &first) || !take_ends(&p, 7, "outEnds", &out_ends) || !take_data(&p))
        return NULL;
    out.data = p.out;
    out.cap = p.room;
    out.offsets = s->offsets;
    out.statuses = s->statuses;
    st = shim_end_bytes(&p.data, seal_all(&p, &first, s, &out));
    if (st != KEEP_OK)
        return shim_settle_needed(&p.call, st, out.data_len);
    tell_sealed(s, p.count, out_ends, p.statuses);
    return shim_number(&p.call, (double)out.sealed_count);
}

/* A failure is one of the batch as a whole. */
static keep_status open_all(const packed *p, packed_open *o, keep_packet_open_out *out)
{
    keep_status st;

    if (!unpack(p, o->items))
        return KEEP_ERR_INVALID_ARGUMENT;
    o->packets[0].status = SHIM_UNTOUCHED;
    st = keep_packet_open_batch(p->session, o->items, p->count, out);
    return shim_batch_failed(st, o->packets[0].status) ? st : KEEP_OK;
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
        !take_places(&p, 3, 6) || !shim_take_spans(&p.call, p.call.args[4], &out) ||
        !take_ends(&p, 5, "packetEnds", &packet_ends) || !take_data(&p))
        return NULL;
    out.data = p.out;
    out.cap = p.room;
    out.packets = o->packets;
    st = shim_end_bytes(&p.data, open_all(&p, o, &out));
    if (st != KEEP_OK)
        return shim_settle_opening(&p.call, st, &out);
    pack_spans(&p, &out, packet_ends);
    return shim_number(&p.call, (double)out.opened_count);
}

static const shim_method methods[] = {
    { "sessionSealPacked", "Session.sealPacked", seal_packed },
    { "sessionOpenPacked", "Session.openPacked", open_packed },
};

const shim_table shim_packed_table = { methods, SHIM_COUNT(methods), NULL, 0 };
