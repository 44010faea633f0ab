/* SPDX-License-Identifier: MIT */
/*
 * Seal: datagrams from requests. A counter is taken last, when nothing can refuse the packet any more; what was written
 * under a key that a purge wiped meanwhile is zeroed and never leaves.
 */
#include "packet/seal.h"

#include <string.h>

#include "base/checked.h"
#include "base/crypto.h"
#include "base/options.h"
#include "base/trace.h"
#include "packet/aead.h"
#include "packet/frame.h"
#include "packet/nonce.h"
#include "packet/session.h"
#include "base/banned.h"

#define NONCE_AT 12 /* the nonce stands in the header as it is used */

static const keep_packet_settings no_settings;

/* Checks for one packet that a session can seal. */
static keep_status check_sealable(const keep_packet_request *request, size_t *out_len)
{
    keep_status st = keep__frame_check(request);

    if (st == KEEP_OK && request->kind == KEEP_PACKET_HANDSHAKE)
        st = KEEP_ERR_INVALID_ARGUMENT;
    return st != KEEP_OK ? st : keep__frame_measure(request->events, request->event_count, out_len);
}

static keep_status check_sealer(const keep_session *session)
{
    keep_status st = keep__session_check(session);

    if (st == KEEP_OK && session->tx.bytes == NULL)
        st = keep__trace(KEEP_ERR_STATE);
    return st;
}

/* Writes and encrypts one packet whose counter is taken. */
static void write_packet(keep_session *session, keep__cipher *cipher, const keep_packet_request *request,
                         const keep__header_values *values, uint8_t *datagram)
{
    uint8_t aad[KEEP__PACKET_AAD_LEN];
    uint8_t *payload = datagram + KEEP_PACKET_HEADER_LEN;
    keep__cipher_job job = {
        .key = session->tx.bytes,
        .nonce = datagram + NONCE_AT,
        .aad = aad,
        .aad_len = sizeof aad,
        .in = payload,
        .out = payload,
        .len = values->payload_len,
        .tag = payload + values->payload_len,
    };

    /* before the header: a cipher reads it first of all, and what was written a moment ago is read slowly */
    keep__frame_write_events(request->events, request->event_count, payload);
    keep__frame_write_header(request, values, datagram);
    keep__frame_aad(datagram, aad);
    while (keep__cipher_seal(cipher, &job) != KEEP_OK)
        keep__frame_write_events(request->events, request->event_count, payload);
}

/* A handshake frame: in the clear. */
static keep_status write_handshake(const keep_packet_request *request, uint8_t *out, size_t cap, size_t *out_len)
{
    keep__header_values values = { .payload_len = request->events[0].len };

    if (request->events[0].data == NULL && values.payload_len != 0)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (values.payload_len > KEEP_MAX_PAYLOAD_LEN)
        return KEEP_ERR_PACKET_TOO_LARGE;
    *out_len = KEEP_PACKET_HEADER_LEN + values.payload_len;
    if (cap < *out_len)
        return KEEP_ERR_BUFFER_TOO_SMALL;
    keep__frame_write_header(request, &values, out);
    if (values.payload_len != 0)
        memcpy(out + KEEP_PACKET_HEADER_LEN, request->events[0].data, values.payload_len);
    return KEEP_OK;
}

static keep_status seal_with_counter(keep_session *session, const keep_packet_request *request,
                                     keep__header_values *values, uint8_t *out)
{
    keep__cipher cipher = { .choice = session->choice };
    keep_status st;

    if (!keep__nonce_take(&session->next_counter, 1, &values->counter))
        return keep__trace(KEEP_ERR_REKEY);
    write_packet(session, &cipher, request, values, out);
    keep__cipher_end(&cipher);
    st = keep__session_check_epoch(session);
    if (st != KEEP_OK)
        keep__wipe(out, values->payload_len + KEEP_PACKET_OVERHEAD_LEN);
    return st;
}

keep_status keep__seal_check(const keep_session *session, const keep_packet_request *request)
{
    keep_status st = keep__frame_check(request);

    if (st == KEEP_OK && (session == NULL) != (request->kind == KEEP_PACKET_HANDSHAKE))
        st = KEEP_ERR_INVALID_ARGUMENT;
    return st;
}

keep_status keep__seal(keep_session *session, const keep_packet_request *request, const keep_packet_settings *settings,
                       uint8_t *out, size_t cap, size_t *out_len)
{
    keep__header_values values = { .settings = request->settings != NULL ? request->settings : settings };
    keep_status st = keep__seal_check(session, request);

    if (st != KEEP_OK)
        return st;
    if (request->kind == KEEP_PACKET_HANDSHAKE)
        return write_handshake(request, out, cap, out_len);
    st = check_sealer(session);
    if (st == KEEP_OK)
        st = keep__frame_measure(request->events, request->event_count, &values.payload_len);
    if (st != KEEP_OK)
        return st;
    if (cap < values.payload_len + KEEP_PACKET_OVERHEAD_LEN) {
        *out_len = values.payload_len + KEEP_PACKET_OVERHEAD_LEN;
        return KEEP_ERR_BUFFER_TOO_SMALL;
    }
    values.session_id = session->session_id;
    st = seal_with_counter(session, request, &values, out);
    if (st == KEEP_OK)
        *out_len = values.payload_len + KEEP_PACKET_OVERHEAD_LEN;
    return st;
}

keep_status keep_packet_seal_into(keep_session *session, const keep_packet_request *request, uint8_t *out, size_t cap,
                                  size_t *out_len)
{
    if (request == NULL || out_len == NULL || (out == NULL && cap != 0))
        return KEEP_ERR_INVALID_ARGUMENT;
    return keep__seal(session, request, &no_settings, out, cap, out_len);
}

/* What a batch needs: room and counters. */
struct need {
    size_t len;
    uint64_t counters;
};

static struct need measure_batch(const keep_packet_request *requests, size_t count)
{
    struct need need = { 0, 0 };
    size_t len;

    for (size_t i = 0; i < count; i++) {
        if (check_sealable(&requests[i], &len) != KEEP_OK)
            continue;
        need.len += len + KEEP_PACKET_OVERHEAD_LEN;
        need.counters++;
    }
    return need;
}

/* Seals request i at out->offsets[i], or refuses it. REKEY: no counters were taken. */
static keep_status seal_item(keep_session *session, keep__cipher *cipher, const keep_packet_request *request,
                             uint64_t *counter, uint8_t *out, size_t left, size_t *out_len)
{
    keep__header_values values = {
        .session_id = session->session_id,
        .settings = request->settings != NULL ? request->settings : &no_settings,
    };
    keep_status st = check_sealable(request, &values.payload_len);

    *out_len = 0;
    if (st != KEEP_OK)
        return st;
    if (*counter == KEEP__COUNTER_SPENT)
        return KEEP_ERR_REKEY;
    if (values.payload_len + KEEP_PACKET_OVERHEAD_LEN > left) /* the request grew since it was measured */
        return KEEP_ERR_INVALID_ARGUMENT;
    values.counter = (*counter)++;
    write_packet(session, cipher, request, &values, out);
    *out_len = values.payload_len + KEEP_PACKET_OVERHEAD_LEN;
    return KEEP_OK;
}

static keep_status seal_items(keep_session *session, const keep_packet_request *requests, size_t count,
                              uint64_t counter, keep_packet_seal_out *out)
{
    keep__cipher cipher = { .choice = session->choice };
    keep_status first = KEEP_OK;
    size_t at = 0;

    out->sealed_count = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len;

        out->offsets[i] = at;
        out->statuses[i] = seal_item(session, &cipher, &requests[i], &counter, out->data + at, out->cap - at, &len);
        out->sealed_count += out->statuses[i] == KEEP_OK;
        if (first == KEEP_OK)
            first = out->statuses[i];
        at += len;
    }
    keep__cipher_end(&cipher);
    out->offsets[count] = at;
    out->data_len = at;
    return first;
}

/* Nothing of a batch that a purge overlapped leaves. */
static keep_status withdraw_sealed(keep_packet_seal_out *out, size_t count)
{
    keep__wipe(out->data, out->data_len);
    for (size_t i = 0; i < count; i++) {
        out->offsets[i + 1] = 0;
        out->statuses[i] = KEEP_ERR_PURGED;
    }
    out->data_len = 0;
    out->sealed_count = 0;
    return KEEP_ERR_PURGED;
}

static bool is_seal_out(const keep_packet_seal_out *out)
{
    return keep__report_check(out, KEEP__SIZE_UP_TO(keep_packet_seal_out, sealed_count)) == KEEP_OK &&
           out->offsets != NULL && out->statuses != NULL && (out->data != NULL || out->cap == 0);
}

keep_status keep_packet_seal_batch(keep_session *session, const keep_packet_request *requests, size_t count,
                                   keep_packet_seal_out *out)
{
    uint64_t counter = KEEP__COUNTER_SPENT;
    struct need need;
    keep_status st;

    if (requests == NULL || count == 0 || count > KEEP_MAX_BATCH || !is_seal_out(out))
        return KEEP_ERR_INVALID_ARGUMENT;
    st = check_sealer(session);
    if (st != KEEP_OK)
        return st;
    need = measure_batch(requests, count);
    if (need.len > out->cap) {
        out->data_len = need.len;
        return KEEP_ERR_BUFFER_TOO_SMALL;
    }
    if (need.counters != 0)
        (void)keep__nonce_take(&session->next_counter, need.counters, &counter); /* else each says REKEY */
    st = seal_items(session, requests, count, counter, out);
    return keep__session_check_epoch(session) == KEEP_OK ? st : withdraw_sealed(out, count);
}

keep_status keep_packet_measure(const keep_bytes *events, size_t count, size_t *out_len)
{
    size_t len;
    keep_status st;

    if (out_len == NULL || (events == NULL && count != 0))
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__frame_measure(events, count, &len);
    if (st == KEEP_OK)
        *out_len = len + KEEP_PACKET_OVERHEAD_LEN;
    return st;
}
