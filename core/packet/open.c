/* SPDX-License-Identifier: MIT */
/*
 * Open: events from datagrams. Nothing but the count of failed opens changes before a datagram is authentic, and the
 * window is not looked at before, so a forged one learns nothing. What is judged, authenticated and told is one copy of the
 * header: the caller's memory may change meanwhile.
 */
#include "keep/packet.h"

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

/* The room that packets need, or the part of it that is given away already. */
struct room {
    size_t data;
    size_t events;
};

/* A datagram's header, copied once, and what it says. */
struct judged {
    keep_status status;
    uint8_t header[KEEP_PACKET_HEADER_LEN];
    keep_packet_info info;
};

/* Steps 1 to 8 but for the room. */
static void judge_datagram(const keep_session *session, keep_bytes datagram, struct judged *out)
{
    keep_status st = datagram.data == NULL && datagram.len != 0 ? KEEP_ERR_INVALID_ARGUMENT : KEEP_OK;

    out->info = (keep_packet_info){ 0 };
    if (st == KEEP_OK && datagram.len >= KEEP_PACKET_HEADER_LEN)
        memcpy(out->header, datagram.data, KEEP_PACKET_HEADER_LEN);
    if (st == KEEP_OK)
        st = keep__frame_parse(out->header, datagram.len, &out->info);
    if (st == KEEP_OK && out->info.kind == KEEP_PACKET_HANDSHAKE)
        st = KEEP_ERR_PACKET_HANDSHAKE;
    if (st == KEEP_OK && out->info.session_id != session->session_id)
        st = KEEP_ERR_PACKET_SESSION;
    if (st == KEEP_OK && atomic_load_explicit(&session->auth_failed, memory_order_relaxed) >= session->max_failed_opens)
        st = KEEP_ERR_REKEY;
    out->status = st;
}

/* The room that all need; `out_last` is what the last one says. */
static struct room measure_datagrams(const keep_session *session, const keep_bytes *datagrams, size_t count,
                                     struct judged *out_last)
{
    struct room need = { 0, 0 };

    for (size_t i = 0; i < count; i++) {
        judge_datagram(session, datagrams[i], out_last);
        if (out_last->status != KEEP_OK)
            continue;
        need.data += out_last->info.payload_len;
        need.events += keep__frame_span_count(&out_last->info);
    }
    return need;
}

/* Decrypts and authenticates one packet into its part of the room. */
static keep_status open_datagram(const keep_session *session, keep__cipher *cipher, const struct judged *judged,
                                 const uint8_t *payload, uint8_t *out)
{
    size_t len = judged->info.payload_len;
    uint8_t aad[KEEP__PACKET_AAD_LEN];
    uint8_t nonce[KEEP__NONCE_LEN];
    uint8_t tag[KEEP_PACKET_TAG_LEN];
    keep__cipher_job job = { session->rx.bytes, nonce, aad, sizeof aad, payload, out, len, tag };

    memcpy(tag, payload + len, sizeof tag);
    keep__frame_aad(judged->header, aad);
    keep__nonce_write(session->session_id, judged->info.counter, nonce);
    return keep__cipher_open(cipher, &job);
}

/* Gives a packet its part of the room; false: its datagram changed since it was measured. */
static bool take_room(struct room *used, const keep_packet_info *info, const keep_packet_open_out *out)
{
    size_t events = keep__frame_span_count(info);

    if (info->payload_len > out->cap - used->data || events > out->event_cap - used->events)
        return false;
    used->data += info->payload_len;
    used->events += events;
    return true;
}

/* The events of an authentic packet. */
static keep_status read_events(const keep_packet_info *info, struct room place, const keep_packet_open_out *out)
{
    keep_bytes plaintext = { out->data + place.data, info->payload_len };

    return keep__frame_read_events(plaintext, (uint32_t)place.data, info->event_count, out->events + place.events);
}

/* One packet, but for its place in the window: what its frames say is not told before that. */
static void open_item(keep_session *session, keep__cipher *cipher, const struct judged *judged, const uint8_t *datagram,
                      struct room *used, const keep_packet_open_out *out, keep_packet_opened *opened)
{
    const keep_packet_info *info = &judged->info;
    struct room place = *used;
    keep_status st = judged->status;

    if (st == KEEP_OK && !take_room(used, info, out))
        st = KEEP_ERR_BUFFER_TOO_SMALL;
    if (st != KEEP_OK) {
        *opened = (keep_packet_opened){ .status = st };
        return;
    }
    st = open_datagram(session, cipher, judged, datagram + KEEP_PACKET_HEADER_LEN, out->data + place.data);
    if (st != KEEP_OK)
        atomic_fetch_add(&session->auth_failed, 1);
    else
        st = read_events(info, place, out);
    opened->status = st;
    opened->info = *info;
    opened->payload = (keep_span){ (uint32_t)place.data, info->payload_len };
    opened->first_event = (uint32_t)place.events;
    opened->event_count = (uint32_t)(used->events - place.events);
}

static bool is_authentic(keep_status st)
{
    return st == KEEP_OK || st == KEEP_ERR_PACKET_EVENTS || st == KEEP_ERR_PACKET_TRAILING;
}

static void count_locked(keep_session *session, keep_status st) KEEP_HOLDS(session->lock)
{
    session->opened += st == KEEP_OK;
    session->replayed += st == KEEP_ERR_REPLAY;
    session->malformed += st == KEEP_ERR_PACKET_EVENTS || st == KEEP_ERR_PACKET_TRAILING;
}

/* What is not opened leaves nothing but its status. */
static void erase(keep_packet_opened *opened, const keep_packet_open_out *out)
{
    keep_status st = opened->status;

    if (opened->payload.len != 0)
        keep__wipe(out->data + opened->payload.offset, opened->payload.len);
    if (opened->event_count != 0)
        memset(out->events + opened->first_event, 0, opened->event_count * sizeof *out->events);
    memset(opened, 0, sizeof *opened);
    opened->status = st;
}

/* Commits the authentic packets to the window, in order, under one short lock. */
static void commit(keep_session *session, size_t count, keep_packet_open_out *out)
{
    keep__lock_acquire(&session->lock);
    for (size_t i = 0; i < count; i++) {
        keep_packet_opened *opened = &out->packets[i];

        if (!is_authentic(opened->status))
            continue;
        if (!keep__window_commit(&session->window, opened->info.counter))
            opened->status = KEEP_ERR_REPLAY;
        count_locked(session, opened->status);
    }
    keep__lock_release(&session->lock);
}

/* Erases what failed, and tells the first failure. */
static keep_status finish_opening(keep_session *session, size_t count, keep_packet_open_out *out)
{
    keep_status first = KEEP_OK;

    out->opened_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (out->packets[i].status == KEEP_OK)
            out->opened_count++;
        else
            erase(&out->packets[i], out);
        if (first == KEEP_OK)
            first = out->packets[i].status;
    }
    if (out->opened_count != 0 && !atomic_load_explicit(&session->confirmed, memory_order_relaxed))
        atomic_store(&session->confirmed, true);
    return first;
}

/* A purge came meanwhile: nothing is open. */
static keep_status withdraw_opened(size_t count, keep_packet_open_out *out)
{
    for (size_t i = 0; i < count; i++) {
        out->packets[i].status = KEEP_ERR_PURGED;
        erase(&out->packets[i], out);
    }
    out->opened_count = 0;
    return KEEP_ERR_PURGED;
}

static keep_status open_all(keep_session *session, const keep_bytes *datagrams, size_t count, keep_packet_open_out *out)
{
    keep__cipher cipher = { .choice = session->choice };
    struct judged judged;
    struct room need = measure_datagrams(session, datagrams, count, &judged);
    struct room used = { 0, 0 };

    out->data_len = need.data;
    out->event_count = need.events;
    if (need.data > out->cap || need.events > out->event_cap)
        return KEEP_ERR_BUFFER_TOO_SMALL;
    for (size_t i = 0; i < count; i++) {
        if (count != 1) /* the only one was judged; of several each is judged after those before it */
            judge_datagram(session, datagrams[i], &judged);
        open_item(session, &cipher, &judged, datagrams[i].data, &used, out, &out->packets[i]);
    }
    keep__cipher_end(&cipher);
    if (keep__session_check_epoch(session) != KEEP_OK)
        return withdraw_opened(count, out);
    commit(session, count, out);
    return finish_opening(session, count, out);
}

/* Whether the output lies apart from a datagram. */
static bool is_apart(const keep_packet_open_out *out, keep_bytes datagram)
{
    uintptr_t data = (uintptr_t)out->data;
    uintptr_t bytes = (uintptr_t)datagram.data;

    return out->cap == 0 || datagram.len == 0 || data + out->cap <= bytes || bytes + datagram.len <= data;
}

static bool is_in_place(const keep_packet_open_out *out, keep_bytes datagram)
{
    return datagram.len >= KEEP_PACKET_HEADER_LEN &&
           out->data == (const uint8_t *)datagram.data + KEEP_PACKET_HEADER_LEN;
}

static bool is_open_out(const keep_packet_open_out *out)
{
    return keep__report_check(out, KEEP__SIZE_UP_TO(keep_packet_open_out, opened_count)) == KEEP_OK &&
           out->packets != NULL && (out->data != NULL || out->cap == 0) && (out->events != NULL || out->event_cap == 0);
}

static keep_status check_opening(const keep_session *session)
{
    keep_status st = keep__session_check(session);

    if (st == KEEP_OK && session->rx.bytes == NULL)
        st = keep__trace(KEEP_ERR_STATE);
    return st;
}

keep_status keep_packet_open_into(keep_session *session, const void *datagram, size_t len, keep_packet_open_out *out)
{
    keep_bytes one = { datagram, len };
    keep_status st;

    if ((datagram == NULL && len != 0) || !is_open_out(out) || (!is_apart(out, one) && !is_in_place(out, one)))
        return KEEP_ERR_INVALID_ARGUMENT;
    st = check_opening(session);
    return st != KEEP_OK ? st : open_all(session, &one, 1, out);
}

keep_status keep_packet_open_batch(keep_session *session, const keep_bytes *datagrams, size_t count,
                                   keep_packet_open_out *out)
{
    keep_status st;

    if (datagrams == NULL || count == 0 || count > KEEP_MAX_BATCH || !is_open_out(out))
        return KEEP_ERR_INVALID_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        if (!is_apart(out, datagrams[i]))
            return KEEP_ERR_INVALID_ARGUMENT;
    }
    st = check_opening(session);
    return st != KEEP_OK ? st : open_all(session, datagrams, count, out);
}

keep_status keep_packet_parse(const void *datagram, size_t len, keep_packet_info *out_info)
{
    if (out_info == NULL || (datagram == NULL && len != 0))
        return KEEP_ERR_INVALID_ARGUMENT;
    return keep__frame_parse(datagram, len, out_info);
}
