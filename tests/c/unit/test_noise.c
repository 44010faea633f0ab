/* SPDX-License-Identifier: MIT */
/*
 * Noise, white box: no session key follows from the final hash, which is no secret, and the pre-shared key (packet T21).
 * And products that are all zero.
 */
#include "packet/noise.h"

#include <string.h>

#include "base/crypto.h"

#include "support/noise.h"

bool __real_keep__x25519(const uint8_t private_key[32], const uint8_t public_key[32], uint8_t out[32]);
bool __wrap_keep__x25519(const uint8_t private_key[32], const uint8_t public_key[32], uint8_t out[32]);

static bool is_zero;

bool __wrap_keep__x25519(const uint8_t private_key[32], const uint8_t public_key[32], uint8_t out[32])
{
    return __real_keep__x25519(private_key, public_key, out) && !is_zero;
}

/* The session's key by what it seals: a packet of the session opens under it or not. */
static bool is_session_key(const uint8_t *candidate, uint64_t session_id, const struct datagram *datagram)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) key = NULL;
    KEEP_AUTO(keep_session) session = NULL;

    assert_ok(keep_secret_from_bytes(NULL, candidate, KEY_LEN, &key));
    options.rx_key = key;
    options.session_id = session_id;
    assert_ok(keep_session_new(&options, &session));
    return try_open(session, datagram) == KEEP_OK;
}

/* packet R47 */
START_TEST(no_session_key_comes_from_what_an_observer_may_know)
{
    static const char *const labels[] = { "libkeep session id v1", "initiator", "responder", "tx", "rx", "" };
    uint32_t pattern = _i == 0 ? KEEP_NOISE_IKPSK2 : KEEP_NOISE_XXPSK3;
    uint8_t shared[KEY_LEN];
    struct noise_pair pair;
    uint8_t hash[KEEP__NOISE_LEN];
    struct datagram datagram;
    keep_packet_info info;
    keep_session *session;

    memset(shared, SHARED_KEY, sizeof shared);
    for (size_t i = 1; i < sizeof shared; i += 2)
        shared[i] = 0; /* as key_of makes it */
    begin_pair(&pair, pattern);
    write_up_to(&pair, message_count(pattern) - 1);
    assert_ok(try_read(reader_of(&pair, message_count(pattern) - 1), &pair.messages[message_count(pattern) - 1]));
    memcpy(hash, handshake_info_of(pair.sides[1]).hash, sizeof hash);
    session = session_of(pair.sides[0]);
    seal(session, "text", &datagram);
    assert_ok(keep_packet_parse(datagram.bytes, datagram.len, &info));
    ck_assert(!is_session_key(hash, info.session_id, &datagram));
    ck_assert(!is_session_key(shared, info.session_id, &datagram));
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        keep_bytes piece = { labels[i], strlen(labels[i]) };
        uint8_t made[KEEP__HASH_LEN];

        keep__hmac_sha256(hash, &piece, 1, made);
        ck_assert(!is_session_key(made, info.session_id, &datagram));
        keep__hmac_sha256(shared, &piece, 1, made);
        ck_assert(!is_session_key(made, info.session_id, &datagram));
        keep__sha256((keep_bytes){ hash, sizeof hash }, piece, made);
        ck_assert(!is_session_key(made, info.session_id, &datagram));
    }
    keep_session_free(&session);
    end_pair(&pair);
}
END_TEST

/* What `new` and `read` refuse first never comes to that: it ends the handshake all the same. */
START_TEST(a_message_with_a_product_of_zero_is_not_written)
{
    struct noise_pair pair;
    uint8_t out[200];
    size_t len = 7;

    begin_pair(&pair, KEEP_NOISE_XXPSK3);
    write_up_to(&pair, 0);
    assert_ok(try_read(reader_of(&pair, 0), &pair.messages[0]));
    memset(out, 7, sizeof out);
    is_zero = true;
    assert_status(keep_handshake_write(writer_of(&pair, 1), NULL, 0, out, sizeof out, &len), KEEP_ERR_STATE);
    ck_assert_uint_eq(len, 7);
    is_zero = false;
    end_pair(&pair);
}
END_TEST

RUN_SUITE("noise", TIMES(no_session_key_comes_from_what_an_observer_may_know, 2),
          ONCE(a_message_with_a_product_of_zero_is_not_written))
