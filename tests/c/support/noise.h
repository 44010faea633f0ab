/* SPDX-License-Identifier: MIT */
/*
 * Two sides of a handshake, and what they send.
 */
#ifndef SUPPORT_NOISE_H
#define SUPPORT_NOISE_H

#include <keep/handshake.h>

#include "support/packets.h"

enum {
    INITIATOR_KEY = 0x11,
    RESPONDER_KEY = 0x22,
    SHARED_KEY = 0x33,
    SIDES = 2
};

struct message {
    uint8_t bytes[KEEP_MAX_PAYLOAD_LEN];
    size_t len;
};

static inline void public_key_of(int number, uint8_t out[KEEP_HANDSHAKE_KEY_LEN])
{
    KEEP_AUTO(keep_secret) key = key_of(number, KEY_LEN);

    assert_ok(keep_handshake_public_key(key, out));
}

/* One side, with the keys above; what stands in `options` holds instead. */
static inline keep_status try_handshake(uint32_t pattern, uint32_t role, keep_handshake_options options,
                                        keep_handshake **out)
{
    KEEP_AUTO(keep_secret) own = key_of(role == KEEP_INITIATOR ? INITIATOR_KEY : RESPONDER_KEY, KEY_LEN);
    KEEP_AUTO(keep_secret) shared = key_of(SHARED_KEY, KEY_LEN);
    uint8_t responder[KEEP_HANDSHAKE_KEY_LEN];

    public_key_of(RESPONDER_KEY, responder);
    options.pattern = pattern;
    options.role = role;
    if (options.static_key == NULL)
        options.static_key = own;
    if (options.pre_shared_key == NULL)
        options.pre_shared_key = shared;
    if (options.remote_static == NULL && pattern == KEEP_NOISE_IKPSK2 && role == KEEP_INITIATOR)
        options.remote_static = responder;
    return keep_handshake_new(&options, out);
}

static inline keep_handshake *new_handshake(uint32_t pattern, uint32_t role)
{
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
    keep_handshake *handshake = NULL;

    assert_ok(try_handshake(pattern, role, options, &handshake));
    return handshake;
}

static inline void write_message(keep_handshake *handshake, const char *payload, struct message *out)
{
    assert_ok(keep_handshake_write(handshake, payload, strlen(payload), out->bytes, sizeof out->bytes, &out->len));
}

static inline keep_status try_read(keep_handshake *handshake, const struct message *message)
{
    uint8_t payload[KEEP_MAX_PAYLOAD_LEN];
    size_t len;

    return keep_handshake_read(handshake, message->bytes, message->len, payload, sizeof payload, &len);
}

static inline struct keep_handshake_info handshake_info_of(const keep_handshake *handshake)
{
    struct keep_handshake_info info = KEEP_HANDSHAKE_INFO_INIT;

    assert_ok(keep_handshake_info(handshake, &info));
    return info;
}

static inline int message_count(uint32_t pattern)
{
    return pattern == KEEP_NOISE_IKPSK2 ? 2 : 3;
}

/* Both sides, and the messages up to number `count`: all of them read but the last. */
struct noise_pair {
    keep_handshake *sides[SIDES];
    struct message messages[3];
};

static inline void begin_pair(struct noise_pair *pair, uint32_t pattern)
{
    pair->sides[0] = new_handshake(pattern, KEEP_INITIATOR);
    pair->sides[1] = new_handshake(pattern, KEEP_RESPONDER);
}

static inline keep_handshake *writer_of(const struct noise_pair *pair, int message)
{
    return pair->sides[message % 2];
}

static inline keep_handshake *reader_of(const struct noise_pair *pair, int message)
{
    return pair->sides[1 - message % 2];
}

static inline void write_up_to(struct noise_pair *pair, int message)
{
    for (int i = 0; i <= message; i++) {
        if (i != 0)
            assert_ok(try_read(reader_of(pair, i - 1), &pair->messages[i - 1]));
        write_message(writer_of(pair, i), "payload", &pair->messages[i]);
    }
}

static inline void end_pair(struct noise_pair *pair)
{
    keep_handshake_free(&pair->sides[0]);
    keep_handshake_free(&pair->sides[1]);
}

static inline keep_session *session_of(keep_handshake *handshake)
{
    keep_session *session = NULL;

    assert_ok(keep_handshake_session(handshake, NULL, &session));
    return session;
}

#endif
