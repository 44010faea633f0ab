/* SPDX-License-Identifier: MIT */
/*
 * Packets in constant time (packet T22): keys and plaintext are undefined to valgrind; lengths and verdicts are told.
 * With libsodium, whose code is the only one that runs everywhere: what valgrind simulates has no AVX-512.
 */
#include <string.h>
#include <valgrind/memcheck.h>

#include "keep/keep.h"
#include "packet/session.h"
#include "support/noise.h"

enum {
    LONGEST = 600
};

static void hide(const void *bytes, size_t len)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, len);
}

static void show(const void *bytes, size_t len)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(bytes, len);
}

static keep_session_options with_sodium(void)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;

    options.aead = KEEP_AEAD_SODIUM;
    return options;
}

static keep_secret *hidden_key(int number)
{
    keep_secret *key = key_of(number, KEY_LEN);
    uint8_t *data;
    size_t len;

    assert_ok(keep_secret_write_begin(key, &data, &len));
    hide(data, len);
    assert_ok(keep_secret_end(key));
    return key;
}

static void end_hidden_key(keep_secret **key)
{
    const uint8_t *data;
    size_t len;

    assert_ok(keep_secret_read_begin(*key, &data, &len));
    show(data, len);
    assert_ok(keep_secret_end(*key));
    assert_ok(keep_secret_free(key));
}

static keep_session *hidden_session(int tx, int rx)
{
    keep_session_options options = with_sodium();
    keep_secret *tx_key = hidden_key(tx);
    keep_secret *rx_key = hidden_key(rx);
    keep_session *session = NULL;

    options.tx_key = tx_key;
    options.rx_key = rx_key;
    options.session_id = SESSION_ID;
    assert_ok(keep_session_new(&options, &session));
    end_hidden_key(&tx_key);
    end_hidden_key(&rx_key);
    return session;
}

static void end_hidden(keep_session **session)
{
    show((*session)->tx.bytes, KEY_LEN);
    show((*session)->rx.bytes, KEY_LEN);
    keep_session_free(session);
}

START_TEST(sealing_and_opening_do_not_depend_on_key_or_plaintext)
{
    static const size_t lens[] = { 0, 1, 60, 188, 300, 444, 445, LONGEST };
    keep_session *sender = hidden_session(1, 2);
    keep_session *receiver = hidden_session(2, 1);

    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        uint8_t text[LONGEST] = { 1, 2, 3 };
        struct datagram datagram;
        struct opening opening;

        hide(text, lens[i]);
        assert_ok(try_seal(sender, text, lens[i], &datagram));
        show(datagram.bytes, datagram.len); /* it is sent */
        assert_ok(try_open_bytes(receiver, datagram.bytes, datagram.len, &opening));
        show(opening.data, lens[i] + 4);
        ck_assert_uint_eq(opening.events[0].len, lens[i]);
        show(text, lens[i]);
        ck_assert(memcmp(opening.data + 4, text, lens[i]) == 0);
    }
    end_hidden(&sender);
    end_hidden(&receiver);
}
END_TEST

START_TEST(refusing_does_not_depend_on_where_a_tag_is_wrong)
{
    keep_session *sender = hidden_session(1, 2);
    keep_session *receiver = hidden_session(2, 1);
    struct datagram datagram;

    seal(sender, "text", &datagram);
    show(datagram.bytes, datagram.len);
    for (size_t i = 1; i <= KEEP_PACKET_TAG_LEN; i++) {
        datagram.bytes[datagram.len - i] ^= 1;
        assert_status(try_open(receiver, &datagram), KEEP_ERR_AUTH);
        datagram.bytes[datagram.len - i] ^= 1;
    }
    end_hidden(&sender);
    end_hidden(&receiver);
}
END_TEST

/* What is sent is told. */
static void pass_message(const struct noise_pair *pair, int number, struct message *message)
{
    write_message(writer_of(pair, number), "payload", message);
    show(message->bytes, message->len);
    assert_ok(try_read(reader_of(pair, number), message));
}

/* One packet, whose plaintext is hidden. */
static void pass_packet(keep_session *from, keep_session *to)
{
    uint8_t text[] = "text";
    struct datagram datagram;
    struct opening opening;

    hide(text, sizeof text);
    assert_ok(try_seal(from, text, sizeof text, &datagram));
    show(datagram.bytes, datagram.len);
    assert_ok(try_open_bytes(to, datagram.bytes, datagram.len, &opening));
}

static void pass_packets(const struct noise_pair *pair)
{
    keep_session_options options = with_sodium();
    keep_session *sessions[SIDES] = { NULL, NULL };

    for (int side = 0; side < SIDES; side++)
        assert_ok(keep_handshake_session(pair->sides[side], &options, &sessions[side]));
    for (int side = 0; side < SIDES; side++)
        pass_packet(sessions[side], sessions[1 - side]);
    for (int side = 0; side < SIDES; side++)
        end_hidden(&sessions[side]);
}

START_TEST(a_handshake_does_not_depend_on_its_keys)
{
    uint32_t pattern = _i == 0 ? KEEP_NOISE_IKPSK2 : KEEP_NOISE_XXPSK3;
    struct noise_pair pair = { .sides = { NULL, NULL } };
    uint8_t responder[KEEP_HANDSHAKE_KEY_LEN];

    public_key_of(RESPONDER_KEY, responder);
    for (int side = 0; side < SIDES; side++) {
        keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
        keep_secret *own = hidden_key(side == 0 ? INITIATOR_KEY : RESPONDER_KEY);
        keep_secret *shared = hidden_key(SHARED_KEY);
        keep_secret *ephemeral = hidden_key(0x50 + side);

        options.pattern = pattern;
        options.role = side == 0 ? KEEP_INITIATOR : KEEP_RESPONDER;
        options.static_key = own;
        options.pre_shared_key = shared;
        options.ephemeral_key = ephemeral;
        options.remote_static = pattern == KEEP_NOISE_IKPSK2 && side == 0 ? responder : NULL;
        assert_ok(keep_handshake_new(&options, &pair.sides[side]));
        end_hidden_key(&own);
        end_hidden_key(&shared);
        end_hidden_key(&ephemeral);
    }
    for (int i = 0; i < message_count(pattern); i++)
        pass_message(&pair, i, &pair.messages[i]);
    pass_packets(&pair);
    end_pair(&pair);
}
END_TEST

RUN_SUITE("ct", ONCE(sealing_and_opening_do_not_depend_on_key_or_plaintext),
          ONCE(refusing_does_not_depend_on_where_a_tag_is_wrong), TIMES(a_handshake_does_not_depend_on_its_keys, 2))
