/* SPDX-License-Identifier: MIT */
/*
 * Opening, one datagram or a batch. What JavaScript learns of a packet comes in tables of its own: objects are made
 * faster there than here.
 */
#include "open.h"

#include <string.h>

#include "report.h"
#include "request.h"
#include "session.h"

/* A packet as lib/packet.js reads it, in a table of numbers; its events are the spans from `first_span` on. */
typedef struct record {
    uint64_t counter, session_id, stream_id, sequence, origin_hash;
    uint32_t subnet_id, subprotocol_id, channel_hash, fragment_id, fragment_offset, payload_len, event_count;
    uint32_t kind, flags, priority, hop_ttl, hop_count, frag_flags;
    uint32_t status, first_span, span_count;
} record;

enum {
    RECORD_WORDS = sizeof(record) / sizeof(uint32_t),
    SPAN_WORDS = sizeof(keep_span) / sizeof(uint32_t)
};

static void write_record(const keep_packet_opened *opened, uint32_t *out)
{
    const keep_packet_info *info = &opened->info;
    const record values = {
        .counter = info->counter,
        .session_id = info->session_id,
        .stream_id = info->stream_id,
        .sequence = info->sequence,
        .origin_hash = info->origin_hash,
        .subnet_id = info->subnet_id,
        .subprotocol_id = info->subprotocol_id,
        .channel_hash = info->channel_hash,
        .fragment_id = info->fragment_id,
        .fragment_offset = info->fragment_offset,
        .payload_len = info->payload_len,
        .event_count = info->event_count,
        .kind = info->kind,
        .flags = info->flags,
        .priority = info->priority,
        .hop_ttl = info->hop_ttl,
        .hop_count = info->hop_count,
        .frag_flags = info->frag_flags,
        .status = (uint32_t)opened->status,
        .first_span = opened->first_event,
        .span_count = opened->event_count,
    };

    memcpy(out, &values, sizeof values);
}

/* A table with room for the records of `count` packets. */
static bool take_records(const shim_call *call, napi_value value, size_t count, uint32_t **out)
{
    size_t words = 0;

    if (!shim_take_table(call, value, "records", out, &words))
        return false;
    return words >= count * RECORD_WORDS || shim_refuse_type(call, "records", "large enough");
}

bool shim_take_spans(const shim_call *call, napi_value value, keep_packet_open_out *out)
{
    uint32_t *words;
    size_t count;

    if (!shim_take_table(call, value, "spans", &words, &count))
        return false;
    out->events = (keep_span *)(void *)words;
    out->event_cap = count / SPAN_WORDS;
    return true;
}

static napi_value make_needs(const shim_call *call, const keep_packet_open_out *out)
{
    const uint64_t needs[] = { out->data_len, out->event_count, 0, 0 };
    napi_value array = NULL, value;
    uint32_t i;

    if (!shim_ok(call, napi_create_array(call->env, &array)))
        return NULL;
    for (i = 0; i < SHIM_COUNT(needs); i++)
        if ((value = shim_bigint(call, needs[i])) == NULL ||
            !shim_ok(call, napi_set_element(call->env, array, i, value)))
            return NULL;
    return shim_freeze(call, array);
}

/* The length of the array that is too short. */
static size_t needed_len(const keep_packet_open_out *out)
{
    return out->data_len > out->cap ? out->data_len : out->event_count * SPAN_WORDS;
}

napi_value shim_settle_opening(const shim_call *call, keep_status status, const keep_packet_open_out *out)
{
    bool is_small = status == KEEP_ERR_BUFFER_TOO_SMALL;
    napi_value error = shim_error(call, status, is_small ? needed_len(out) : 0);

    if (error == NULL || (is_small && !shim_set(call, error, "values", make_needs(call, out))))
        return NULL;
    (void)napi_throw(call->env, error);
    return NULL;
}

/* What strangers can send. It is dropped, and for those who try no reason to throw. */
static bool is_droppable(keep_status status)
{
    return status == KEEP_ERR_AUTH || (status >= KEEP_ERR_PACKET_SHORT && status < KEEP_ERR_REKEY);
}

/* How a call asks to open: `tries` has what is droppable for a result. */
typedef struct opening {
    shim_call call;
    keep_session *session;
    keep_packet_opened packet;
    keep_packet_open_out out;
    bool tries;
} opening;

static bool begin(napi_env env, napi_callback_info info, bool tries, opening *o)
{
    o->tries = tries;
    o->out = (keep_packet_open_out){ .size = sizeof o->out, .packets = &o->packet };
    return shim_begin_session(env, info, &o->call, &o->session);
}

/* Opens the datagram `value`; KEEP_OK, or what was not thrown. False after a throw. */
static bool open_one(opening *o, napi_value value, keep_status *out_status)
{
    shim_bytes datagram;
    keep_status st;

    if (!shim_take_bytes(&o->call, value, "datagram", &datagram))
        return false;
    st = keep_packet_open_into(o->session, datagram.data, datagram.len, &o->out);
    *out_status = shim_end_bytes(&datagram, st);
    if (*out_status == KEEP_OK || (o->tries && is_droppable(*out_status)))
        return true;
    (void)shim_settle_opening(&o->call, *out_status, &o->out);
    return false;
}

/* Where a packet is opened that JavaScript has no memory for yet. */
typedef struct opened_packet {
    keep_span spans[KEEP_MAX_PACKET_EVENTS];
    uint8_t data[KEEP_MAX_PAYLOAD_LEN];
} opened_packet;

static bool make_place(opening *o)
{
    opened_packet *place = shim_scratch(&o->call, sizeof *place);

    if (place == NULL)
        return false;
    o->out.data = place->data;
    o->out.cap = sizeof place->data;
    o->out.events = place->spans;
    o->out.event_cap = KEEP_MAX_PACKET_EVENTS;
    return true;
}

/* Tells JavaScript's tables what was opened. */
static bool fill_tables(const opening *o, napi_value spans, napi_value records)
{
    keep_packet_open_out room;
    uint32_t *record_words;

    if (!shim_take_spans(&o->call, spans, &room) || !take_records(&o->call, records, 1, &record_words))
        return false;
    if (room.event_cap < o->packet.event_count)
        return shim_refuse_type(&o->call, "spans", "large enough");
    memcpy(room.events, o->out.events, o->packet.event_count * sizeof *room.events);
    write_record(&o->packet, record_words);
    return true;
}

/* The plaintext in memory of its own. */
static napi_value copy_data(const opening *o)
{
    napi_value buffer = NULL;

    (void)shim_ok(&o->call, napi_create_buffer_copy(o->call.env, o->out.data_len, o->out.data, NULL, &buffer));
    return buffer;
}

/* open(session, datagram, spans, records): the plaintext, if it is opened; both tables are filled then */
static napi_value open_new(napi_env env, napi_callback_info info, bool tries)
{
    opening o;
    napi_value buffer = NULL;
    keep_status st;

    if (!begin(env, info, tries, &o) || !make_place(&o) || !open_one(&o, o.call.args[1], &st) || st != KEEP_OK)
        return NULL;
    if (fill_tables(&o, o.call.args[2], o.call.args[3]))
        buffer = copy_data(&o);
    keep_wipe(o.out.data, o.out.data_len);
    return buffer;
}

/* Spans for a caller who wants none. */
static bool make_spans(const shim_call *call, keep_packet_open_out *out)
{
    out->events = shim_scratch(call, KEEP_MAX_PACKET_EVENTS * sizeof *out->events);
    out->event_cap = KEEP_MAX_PACKET_EVENTS;
    return out->events != NULL;
}

/* openInto(session, out, datagram, spans): the length of the plaintext in `out`, or -1 */
static napi_value open_into(napi_env env, napi_callback_info info, bool tries)
{
    opening o;
    keep_status st;

    if (!begin(env, info, tries, &o) || !shim_take_room(&o.call, o.call.args[1], "out", &o.out.data, &o.out.cap))
        return NULL;
    if (!(shim_is_undefined(&o.call, o.call.args[3]) ? make_spans(&o.call, &o.out)
                                                     : shim_take_spans(&o.call, o.call.args[3], &o.out)) ||
        !open_one(&o, o.call.args[2], &st))
        return NULL;
    return shim_number(&o.call, st == KEEP_OK ? (double)o.out.data_len : -1);
}

static napi_value session_open(napi_env env, napi_callback_info info)
{
    return open_new(env, info, false);
}

static napi_value session_try_open(napi_env env, napi_callback_info info)
{
    return open_new(env, info, true);
}

static napi_value session_open_into(napi_env env, napi_callback_info info)
{
    return open_into(env, info, false);
}

static napi_value session_try_open_into(napi_env env, napi_callback_info info)
{
    return open_into(env, info, true);
}

/* What a batch gives back: its plaintexts, and the spans of their events. */
typedef struct batch {
    napi_value data, spans;
} batch;

/* Makes memory for as much as C has last said that it needs. */
static bool make_room(const shim_call *call, keep_packet_open_out *out, batch *result)
{
    napi_value memory;
    void *spans = NULL;

    out->cap = out->data_len;
    out->event_cap = out->event_count;
    result->data = shim_buffer(call, out->cap, &out->data);
    if (result->data == NULL ||
        !shim_ok(call, napi_create_arraybuffer(call->env, out->event_cap * sizeof *out->events, &spans, &memory)) ||
        !shim_ok(call, napi_create_typedarray(call->env, napi_uint32_array, out->event_cap * SPAN_WORDS, memory, 0,
                                              &result->spans)))
        return false;
    out->events = spans;
    return true;
}

/* False after a throw; `*out_status` is that of the batch as a whole. */
static bool open_all(const shim_call *call, keep_session *session, const keep_bytes *datagrams, size_t count,
                     uint32_t *records, batch *result, keep_status *out_status)
{
    keep_packet_opened *packets = shim_scratch(call, KEEP_MAX_BATCH * sizeof *packets);
    keep_packet_open_out out = { .size = sizeof out, .packets = packets };
    size_t i;

    if (packets == NULL)
        return false;
    packets[0].status = SHIM_UNTOUCHED;
    do { /* without room C tells the need */
        if (!make_room(call, &out, result))
            return false;
        *out_status = keep_packet_open_batch(session, datagrams, count, &out);
    } while (*out_status == KEEP_ERR_BUFFER_TOO_SMALL);
    if (shim_batch_failed(*out_status, packets[0].status))
        return true;
    *out_status = KEEP_OK;
    for (i = 0; i < count; i++)
        write_record(&packets[i], records + i * RECORD_WORDS);
    return true;
}

static napi_value make_pair(const shim_call *call, const batch *result)
{
    napi_value pair = NULL;

    if (!shim_ok(call, napi_create_array_with_length(call->env, 2, &pair)) ||
        !shim_ok(call, napi_set_element(call->env, pair, 0, result->data)) ||
        !shim_ok(call, napi_set_element(call->env, pair, 1, result->spans)))
        return NULL;
    return pair;
}

/* openBatch(session, datagrams, records): [the plaintexts, the spans]; the records are filled */
static napi_value open_batch(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_list datagrams;
    keep_session *session;
    batch result;
    size_t count;
    uint32_t *records;
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;
    bool is_done = true;

    if (!shim_begin_session(env, info, &call, &session) ||
        !shim_take_list(&call, call.args[1], "datagrams", KEEP_MAX_BATCH, &datagrams, &count))
        return NULL;
    if (count <= KEEP_MAX_BATCH)
        is_done = take_records(&call, call.args[2], count, &records) &&
                  open_all(&call, session, datagrams.items, count, records, &result, &st);
    st = shim_end_list(&datagrams, st);
    if (!is_done)
        return NULL;
    return st == KEEP_OK ? make_pair(&call, &result) : shim_settle(&call, st);
}

/* parse(datagram, records): fills the one record */
static napi_value parse(napi_env env, napi_callback_info info)
{
    keep_packet_opened packet = { 0 };
    shim_call call;
    shim_bytes datagram;
    uint32_t *records;
    keep_status st;

    if (!shim_begin(env, info, &call) || !take_records(&call, call.args[1], 1, &records) ||
        !shim_take_bytes(&call, call.args[0], "datagram", &datagram))
        return NULL;
    st = shim_end_bytes(&datagram, keep_packet_parse(datagram.data, datagram.len, &packet.info));
    if (st == KEEP_OK)
        write_record(&packet, records);
    return shim_settle(&call, st);
}

static const shim_method methods[] = {
    { "sessionOpen", "Session.open", session_open },
    { "sessionTryOpen", "Session.tryOpen", session_try_open },
    { "sessionOpenInto", "Session.openInto", session_open_into },
    { "sessionTryOpenInto", "Session.tryOpenInto", session_try_open_into },
    { "sessionOpenBatch", "Session.openBatch", open_batch },
    { "packetParse", "packet.parse", parse },
};

const shim_table shim_open_table = { methods, SHIM_COUNT(methods), NULL, 0 };
