/* SPDX-License-Identifier: MIT */
/*
 * What Go calls of packets: see keep_cgo.h. C takes tables with pointers to events and datagrams; no Go memory with Go
 * pointers may cross. So Go lays the bytes of all items back to back and says where each one ends, and the tables are
 * built here, on the stack. One item alone is not copied.
 */
#ifndef KEEP_CGO_PACKET_H
#define KEEP_CGO_PACKET_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Stands where C has written no status. */
#define KEEP_GO_UNTOUCHED ((keep_status)256)

/* Items back to back: number i is data[ends[i - 1] ... ends[i] - 1]. */
typedef struct keep_go_items {
    const uint8_t *data;
    size_t len;
    const uint32_t *ends;
    size_t count;
} keep_go_items;

/* A request without its events; they are the next `event_count` items. */
typedef struct keep_go_request {
    uint64_t stream_id, sequence;
    keep_packet_settings settings;
    uint32_t event_count;
    uint16_t subprotocol_id;
    uint8_t kind, flags;
    bool has_settings;
} keep_go_request;

/* What opening needs, whether it is there or not. */
typedef struct keep_go_room {
    size_t data_len, event_count;
} keep_go_room;

/* Each end is read once. False if they are out of order or beyond the data. */
static inline bool keep_go_unpack(keep_go_items items, keep_bytes *out)
{
    size_t begin = 0;

    for (size_t i = 0; i < items.count; i++) {
        size_t end = ((const volatile uint32_t *)items.ends)[i];

        if (end < begin || end > items.len)
            return false;
        out[i] = (keep_bytes){ end == begin ? NULL : items.data + begin, end - begin };
        begin = end;
    }
    return true;
}

static inline keep_packet_request keep_go_request_of(const keep_go_request *flat, const keep_bytes *events)
{
    return (keep_packet_request){
        .events = events,
        .event_count = flat->event_count,
        .stream_id = flat->stream_id,
        .sequence = flat->sequence,
        .settings = flat->has_settings ? &flat->settings : NULL,
        .subprotocol_id = flat->subprotocol_id,
        .kind = flat->kind,
        .flags = flat->flags,
    };
}

static inline bool keep_go_is_batch(size_t count)
{
    return count >= 1 && count <= KEEP_MAX_BATCH;
}

/* A batch that C refused as a whole has touched no item; a purge has emptied them all. Else the items tell. */
static inline keep_status keep_go_batch_status(keep_status status, keep_status first_item)
{
    return first_item == KEEP_GO_UNTOUCHED || status == KEEP_ERR_PURGED ? status : KEEP_OK;
}

/* One packet has at most one event more than C takes: Go passes no more of a request that C refuses. */
enum { KEEP_GO_EVENTS = KEEP_MAX_PACKET_EVENTS + 1 };

static inline keep_status
keep_go_seal_into(keep_session *session, const keep_go_request *flat, const uint8_t *data, size_t len,
                  const uint32_t *ends, uint8_t *out, size_t cap, size_t *out_len)
{
    keep_bytes events[KEEP_GO_EVENTS];
    keep_packet_request request = keep_go_request_of(flat, events);

    if (!keep_go_unpack((keep_go_items){ data, len, ends, flat->event_count }, events))
        return KEEP_ERR_INVALID_ARGUMENT;
    return keep_packet_seal_into(session, &request, out, cap, out_len);
}

static inline keep_status
keep_go_packet_build(keep_packet *packet, keep_session *session, const keep_go_request *flat, const uint8_t *data,
                     size_t len, const uint32_t *ends)
{
    keep_bytes events[KEEP_GO_EVENTS];
    keep_packet_request request = keep_go_request_of(flat, events);

    if (!keep_go_unpack((keep_go_items){ data, len, ends, flat->event_count }, events))
        return KEEP_ERR_INVALID_ARGUMENT;
    return keep_packet_build(packet, session, &request);
}

/* Only lengths count. */
static inline keep_status keep_go_packet_measure(const uint32_t *lens, size_t count, size_t *out_len)
{
    keep_bytes events[KEEP_GO_EVENTS];

    for (size_t i = 0; i < count; i++)
        events[i] = (keep_bytes){ lens, lens[i] };
    return keep_packet_measure(events, count, out_len);
}

/* Points each request to its events. */
static inline void
keep_go_requests_of(const keep_go_request *flat, const keep_bytes *events, size_t count, keep_packet_request *out)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = keep_go_request_of(&flat[i], events);
        events += flat[i].event_count;
    }
}

/* Batches of few events need no table from the heap. */
static inline keep_status
keep_go_seal_batch(keep_session *session, const keep_go_request *flat, size_t count, const uint8_t *data, size_t len,
                   const uint32_t *ends, size_t event_count, uint8_t *room, size_t cap, size_t *offsets,
                   keep_status *statuses, size_t *out_len)
{
    keep_packet_request requests[KEEP_MAX_BATCH];
    keep_bytes few[KEEP_MAX_BATCH];
    keep_bytes *events = event_count <= KEEP_MAX_BATCH ? few : (keep_bytes *)malloc(event_count * sizeof *events);
    keep_packet_seal_out out = { sizeof out, room, cap, offsets, statuses, 0, 0 };
    keep_status status = KEEP_ERR_INVALID_ARGUMENT;

    if (events == NULL)
        return KEEP_ERR_NO_MEMORY;
    statuses[0] = KEEP_GO_UNTOUCHED;
    if (keep_go_is_batch(count) && keep_go_unpack((keep_go_items){ data, len, ends, event_count }, events)) {
        keep_go_requests_of(flat, events, count, requests);
        status = keep_packet_seal_batch(session, requests, count, &out);
    }
    if (events != few)
        free(events);
    *out_len = out.data_len;
    return keep_go_batch_status(status, statuses[0]);
}

/* The same stream and flags for each, sequences in a row, one event per packet. */
static inline keep_status
keep_go_seal_packed(keep_session *session, const keep_go_request *first, const uint8_t *data, size_t len,
                    const uint32_t *ends, size_t count, uint8_t *room, size_t cap, uint32_t *room_ends,
                    uint8_t *statuses, size_t *out_len)
{
    keep_bytes events[KEEP_MAX_BATCH];
    keep_packet_request requests[KEEP_MAX_BATCH];
    size_t offsets[KEEP_MAX_BATCH + 1];
    keep_status items[KEEP_MAX_BATCH];
    keep_packet_seal_out out = { sizeof out, room, cap, offsets, items, 0, 0 };
    keep_status status;

    if (!keep_go_is_batch(count) || !keep_go_unpack((keep_go_items){ data, len, ends, count }, events))
        return KEEP_ERR_INVALID_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        requests[i] = keep_go_request_of(first, &events[i]);
        requests[i].sequence += i;
    }
    items[0] = KEEP_GO_UNTOUCHED;
    status = keep_packet_seal_batch(session, requests, count, &out);
    *out_len = out.data_len;
    status = keep_go_batch_status(status, items[0]);
    if (status != KEEP_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        room_ends[i] = (uint32_t)offsets[i + 1];
        statuses[i] = (uint8_t)items[i];
    }
    return KEEP_OK;
}

static inline keep_status
keep_go_open_into(keep_session *session, const uint8_t *datagram, size_t len, uint8_t *data, size_t cap,
                  keep_span *spans, size_t span_cap, keep_packet_opened *packet, keep_go_room *out_need)
{
    keep_packet_open_out out = { sizeof out, data, cap, spans, span_cap, packet, 0, 0, 0 };
    keep_status status = keep_packet_open_into(session, datagram, len, &out);

    *out_need = (keep_go_room){ out.data_len, out.event_count };
    return status;
}

static inline keep_status
keep_go_open_batch(keep_session *session, const uint8_t *bytes, size_t len, const uint32_t *ends, size_t count,
                   uint8_t *data, size_t cap, keep_span *spans, size_t span_cap, keep_packet_opened *packets,
                   keep_go_room *out_need)
{
    keep_bytes datagrams[KEEP_MAX_BATCH];
    keep_packet_open_out out = { sizeof out, data, cap, spans, span_cap, packets, 0, 0, 0 };
    keep_status status;

    if (!keep_go_is_batch(count) || !keep_go_unpack((keep_go_items){ bytes, len, ends, count }, datagrams))
        return KEEP_ERR_INVALID_ARGUMENT;
    packets[0].status = KEEP_GO_UNTOUCHED;
    status = keep_packet_open_batch(session, datagrams, count, &out);
    *out_need = (keep_go_room){ out.data_len, out.event_count };
    return keep_go_batch_status(status, packets[0].status);
}

/* Moves the spans together: a packet that was refused had room for some, too. The need is what there is then. */
static inline keep_status
keep_go_open_packed(keep_session *session, const uint8_t *bytes, size_t len, const uint32_t *ends, size_t count,
                    uint8_t *data, size_t cap, keep_span *spans, size_t span_cap, uint32_t *packet_ends,
                    uint8_t *statuses, keep_go_room *out_need)
{
    keep_packet_opened packets[KEEP_MAX_BATCH];
    keep_status status = keep_go_open_batch(session, bytes, len, ends, count, data, cap, spans, span_cap, packets,
                                            out_need);
    uint32_t end = 0;

    if (status != KEEP_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        const keep_packet_opened *packet = &packets[i];

        memmove(spans + end, spans + packet->first_event, packet->event_count * sizeof *spans);
        end += packet->event_count;
        packet_ends[i] = end;
        statuses[i] = (uint8_t)packet->status;
    }
    out_need->event_count = end;
    return KEEP_OK;
}

static inline keep_status keep_go_packet_parse(const uint8_t *datagram, size_t len, keep_packet_info *out_info)
{
    return keep_packet_parse(datagram, len, out_info);
}

/* What is built in a packet, or why there is nothing. */
static inline keep_go_window keep_go_packet_data(const keep_packet *packet)
{
    keep_go_window window = { 0 };
    const uint8_t *data = NULL;

    window.status = keep_packet_data(packet, &data, &window.len);
    window.data = (uint8_t *)data;
    return window;
}

static inline keep_status
keep_go_handshake_new(const keep_handshake_options *given, const uint8_t *remote_static, const uint8_t *prologue,
                      size_t prologue_len, keep_handshake **out_handshake)
{
    keep_handshake_options options = *given;

    options.remote_static = remote_static;
    options.prologue = (keep_bytes){ prologue, prologue_len };
    return keep_handshake_new(&options, out_handshake);
}

static inline keep_status
keep_go_handshake_write(keep_handshake *handshake, const uint8_t *payload, size_t len, uint8_t *out, size_t cap,
                        size_t *out_len)
{
    return keep_handshake_write(handshake, payload, len, out, cap, out_len);
}

static inline keep_status
keep_go_handshake_read(keep_handshake *handshake, const uint8_t *message, size_t len, uint8_t *out, size_t cap,
                       size_t *out_len)
{
    return keep_handshake_read(handshake, message, len, out, cap, out_len);
}

#endif
