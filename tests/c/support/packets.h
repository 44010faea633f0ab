/* SPDX-License-Identifier: MIT */
/*
 * Short ways to sessions and packets. Each asserts that it worked, but for those that are named try_... .
 */
#ifndef SUPPORT_PACKETS_H
#define SUPPORT_PACKETS_H

#include <string.h>

#include <keep/aead.h>
#include <keep/packet.h>
#include <keep/packet_pool.h>
#include <keep/secret.h>
#include <keep/session.h>

#include "support/suite.h"

enum {
    SESSION_ID = 0x1234,
    KEY_LEN = 32
};

/* A secret that consists of one number again and again; 0: none. */
static inline keep_secret *key_of(int number, size_t len)
{
    uint8_t bytes[KEY_LEN + 1];
    keep_secret *key = NULL;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> i % 2 * 8);
    if (number != 0)
        assert_ok(keep_secret_from_bytes(NULL, bytes, len, &key));
    return key;
}

/* A session with keys of key_of. The other fields of `options` hold; without an id it is SESSION_ID. */
static inline keep_status try_session(int tx, int rx, keep_session_options options, keep_session **out)
{
    keep_secret *tx_key = key_of(tx, KEY_LEN);
    keep_secret *rx_key = key_of(rx, KEY_LEN);
    keep_status st;

    options.tx_key = tx_key;
    options.rx_key = rx_key;
    if (options.session_id == 0)
        options.session_id = SESSION_ID;
    st = keep_session_new(&options, out);
    assert_ok(keep_secret_free(&tx_key));
    assert_ok(keep_secret_free(&rx_key));
    return st;
}

static inline keep_session *session_with(int tx, int rx, keep_session_options options)
{
    keep_session *session = NULL;

    assert_ok(try_session(tx, rx, options, &session));
    return session;
}

static inline keep_session *new_sender(int key)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;

    return session_with(key, 0, options);
}

static inline keep_session *new_receiver(int key)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;

    return session_with(0, key, options);
}

static inline struct keep_session_stats session_stats_of(keep_session *session)
{
    struct keep_session_stats stats = KEEP_SESSION_STATS_INIT;

    assert_ok(keep_session_stats(session, &stats));
    return stats;
}

static inline keep_packet_pool *new_packet_pool(uint32_t capacity)
{
    keep_packet_pool_options options = KEEP_PACKET_POOL_OPTIONS_INIT;
    keep_packet_pool *pool = NULL;

    options.capacity = capacity;
    assert_ok(keep_packet_pool_new(&options, &pool));
    return pool;
}

static inline struct keep_packet_pool_stats packet_pool_stats_of(keep_packet_pool *pool)
{
    struct keep_packet_pool_stats stats = KEEP_PACKET_POOL_STATS_INIT;

    assert_ok(keep_packet_pool_stats(pool, &stats));
    return stats;
}

/* A request of one event. */
static inline keep_packet_request request_of(const keep_bytes *event)
{
    return (keep_packet_request){ .events = event, .event_count = 1, .stream_id = 1 };
}

/* A datagram. */
struct datagram {
    uint8_t bytes[KEEP_MAX_PACKET_LEN];
    size_t len;
};

static inline keep_status try_seal(keep_session *session, const void *data, size_t len, struct datagram *out)
{
    keep_bytes event = { data, len };
    keep_packet_request request = request_of(&event);

    return keep_packet_seal_into(session, &request, out->bytes, sizeof out->bytes, &out->len);
}

static inline void seal(keep_session *session, const char *text, struct datagram *out)
{
    assert_ok(try_seal(session, text, strlen(text), out));
}

/* Room for one packet, and what became of it. */
struct opening {
    uint8_t data[KEEP_MAX_PAYLOAD_LEN];
    keep_span events[KEEP_MAX_PACKET_EVENTS];
    keep_packet_opened packet;
    keep_packet_open_out out;
};

static inline keep_status try_open_bytes(keep_session *session, const uint8_t *bytes, size_t len, struct opening *opening)
{
    opening->out = (keep_packet_open_out)KEEP_PACKET_OPEN_OUT_INIT;
    opening->out.data = opening->data;
    opening->out.cap = sizeof opening->data;
    opening->out.events = opening->events;
    opening->out.event_cap = KEEP_MAX_PACKET_EVENTS;
    opening->out.packets = &opening->packet;
    return keep_packet_open_into(session, bytes, len, &opening->out);
}

static inline keep_status try_open(keep_session *session, const struct datagram *datagram)
{
    struct opening opening;

    return try_open_bytes(session, datagram->bytes, datagram->len, &opening);
}

/* Whether the datagram opens as one event, the text. */
static inline bool opens_as(keep_session *session, const struct datagram *datagram, const char *text)
{
    struct opening opening;
    keep_status st = try_open_bytes(session, datagram->bytes, datagram->len, &opening);

    return st == KEEP_OK && opening.packet.event_count == 1 && opening.events[0].len == strlen(text) &&
           memcmp(opening.data + opening.events[0].offset, text, strlen(text)) == 0;
}

#endif
