/* SPDX-License-Identifier: MIT */
/*
 * Datagrams changed after sealing, and sealed ones whose frames lie: a status that is listed, nothing written beyond the
 * room, nothing left of what is not opened.
 */
#include "faults.h"
#include "fuzz.h"

#include <string.h>

#include "packet/frame.h"
#include "packet/nonce.h"
#include "packet/sodium.h"

#include <keep/aead.h>
#include <keep/packet.h>
#include <keep/secret.h>

enum {
    SESSION_ID = 7,
    ROOM = 4096
};

static const uint8_t key[32] = { 1, 2, 3 };

/* NULL if that failed. */
static keep_session *new_receiver(void)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_secret *secret = NULL;
    keep_session *session = NULL;

    if (!fuzz_works(keep_secret_from_bytes(NULL, key, sizeof key, &secret)))
        return NULL;
    options.rx_key = secret;
    options.session_id = SESSION_ID;
    options.aead = KEEP_AEAD_SODIUM;
    (void)fuzz_works(keep_session_new(&options, &session));
    fuzz_needs(keep_secret_free(&secret) == KEEP_OK);
    return session;
}

/* Any payload under an authentic header, with any count of events. */
static size_t seal_any(const uint8_t *payload, size_t len, uint16_t count, uint8_t *out)
{
    keep_packet_request request = { .event_count = count, .flags = count % 16 };
    keep_packet_settings settings = { 0 };
    keep__header_values values = { SESSION_ID, count, len, &settings };
    uint8_t aad[KEEP__PACKET_AAD_LEN];
    keep__cipher_job job = {
        key, out + 12, aad, sizeof aad, payload, out + KEEP_PACKET_HEADER_LEN, len, out + KEEP_PACKET_HEADER_LEN + len
    };

    keep__frame_write_header(&request, &values, out);
    keep__frame_aad(out, aad);
    keep__sodium_seal_combined(&job);
    return KEEP_PACKET_OVERHEAD_LEN + len;
}

static void open_any(keep_session *session, const uint8_t *bytes, size_t len)
{
    uint8_t data[ROOM + 1];
    keep_span events[ROOM / 4];
    keep_packet_opened packet = { .status = KEEP_OK };
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;
    keep_status st;

    memset(data, 0xA5, sizeof data);
    out.data = data;
    out.cap = ROOM;
    out.events = events;
    out.event_cap = ROOM / 4;
    out.packets = &packet;
    st = keep_packet_open_into(session, bytes, len, &out);
    fuzz_needs(data[ROOM] == 0xA5 && data[out.data_len] == 0xA5);
    fuzz_needs(st == packet.status || st == KEEP_ERR_BUFFER_TOO_SMALL);
    for (size_t i = 0; st == KEEP_OK && i < packet.event_count; i++)
        fuzz_needs(events[i].offset <= out.data_len && events[i].len <= out.data_len - events[i].offset);
    for (size_t i = 0; st != KEEP_OK && i < out.data_len && i < ROOM; i++)
        fuzz_needs(data[i] == 0);
}

/* How many events are said to be there, which byte changes and how, and the payload. */
static void open_changed(const uint8_t *bytes, size_t len)
{
    uint8_t datagram[ROOM];
    keep_session *session = new_receiver();
    size_t sealed_len;
    size_t at;

    if (session == NULL)
        return;
    sealed_len = seal_any(bytes + 5, len - 5, (uint16_t)(bytes[0] | bytes[1] << 8), datagram);
    at = (bytes[2] | (size_t)bytes[3] << 8) % sealed_len;
    datagram[at] ^= bytes[4];
    open_any(session, datagram, sealed_len);
    datagram[at] ^= bytes[4];
    open_any(session, datagram, sealed_len);
    open_any(session, datagram, sealed_len - 1);
    open_any(session, bytes, len);
    keep_session_free(&session);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len >= 5 && len <= ROOM - KEEP_PACKET_OVERHEAD_LEN)
        fuzz_with_faults(open_changed, bytes, len);
    return 0;
}
