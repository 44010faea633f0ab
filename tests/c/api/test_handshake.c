/* SPDX-License-Identifier: MIT */
/*
 * keep/handshake.h from outside.
 */
#include <keep/handshake.h>

#include <keep/protect.h>

#include "support/forked.h"
#include "support/noise.h"

static const uint32_t patterns[] = { KEEP_NOISE_IKPSK2, KEEP_NOISE_XXPSK3 };
enum {
    PATTERNS = 2,
    MESSAGES = 5 /* of both patterns */
};

/* The pattern and number of the i-th of all messages. */
static uint32_t pattern_at(int i)
{
    return patterns[i / 2 == 0 ? 0 : 1];
}

static int message_at(int i)
{
    return i < 2 ? i : i - 2;
}

static void assert_refused(uint32_t pattern, uint32_t role, keep_handshake_options options)
{
    keep_handshake *handshake = NULL;

    assert_status(try_handshake(pattern, role, options, &handshake), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_null(handshake);
}

/* packet R39 */
START_TEST(options_that_make_no_handshake_are_refused)
{
    static const uint8_t point[32] = { 9 };
    static uint8_t prologue[KEEP_MAX_PROLOGUE_LEN + 1];
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
    keep_pool_options small = KEEP_POOL_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) long_key = key_of(1, 33);
    KEEP_AUTO(keep_pool) small_pool = NULL;
    keep_handshake *handshake = NULL;

    small.tier_count = 1;
    small.tier_len[0] = 32; /* a handshake needs a longer slot */
    assert_ok(keep_pool_new(&small, &small_pool));
    assert_refused(0, KEEP_INITIATOR, options);
    assert_refused(3, KEEP_INITIATOR, options);
    assert_refused(KEEP_NOISE_XXPSK3, 0, options);
    assert_refused(KEEP_NOISE_XXPSK3, 3, options);
    options.remote_static = point;
    assert_refused(KEEP_NOISE_XXPSK3, KEEP_INITIATOR, options);
    assert_refused(KEEP_NOISE_XXPSK3, KEEP_RESPONDER, options);
    assert_refused(KEEP_NOISE_IKPSK2, KEEP_RESPONDER, options);
    options.remote_static = NULL;
    options.static_key = long_key;
    assert_refused(KEEP_NOISE_XXPSK3, KEEP_INITIATOR, options);
    options = (keep_handshake_options)KEEP_HANDSHAKE_OPTIONS_INIT;
    options.pattern = KEEP_NOISE_XXPSK3;
    options.role = KEEP_INITIATOR;
    assert_status(keep_handshake_new(&options, &handshake), KEEP_ERR_INVALID_ARGUMENT);
    options.static_key = long_key;
    assert_status(keep_handshake_new(&options, &handshake), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_new(&options, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options = (keep_handshake_options)KEEP_HANDSHAKE_OPTIONS_INIT;
    options.pool = small_pool;
    assert_refused(KEEP_NOISE_XXPSK3, KEEP_INITIATOR, options);
    options = (keep_handshake_options)KEEP_HANDSHAKE_OPTIONS_INIT;
    options.prologue = (keep_bytes){ prologue, sizeof prologue };
    assert_refused(KEEP_NOISE_XXPSK3, KEEP_INITIATOR, options);
    options.prologue = (keep_bytes){ NULL, 1 };
    assert_refused(KEEP_NOISE_XXPSK3, KEEP_INITIATOR, options);
    assert_status(keep_handshake_new(NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

/* Points whose product with any private key is all zero. */
static const uint8_t small_order[][32] = {
    { 0 },
    { 1 },
    { 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
      0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
    { 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
};
enum {
    SMALL_ORDER = sizeof small_order / sizeof *small_order
};

/* packet T20, R39, R44 */
START_TEST(keys_of_small_order_are_refused_where_they_come)
{
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;

    options.remote_static = small_order[_i];
    assert_refused(KEEP_NOISE_IKPSK2, KEEP_INITIATOR, options);
    for (int i = 0; i < PATTERNS; i++) {
        struct noise_pair pair;
        struct message forged;

        begin_pair(&pair, patterns[i]);
        write_up_to(&pair, 0);
        forged = pair.messages[0];
        memcpy(forged.bytes, small_order[_i], 32);
        assert_status(try_read(pair.sides[1], &forged), KEEP_ERR_AUTH);
        assert_ok(try_read(pair.sides[1], &pair.messages[0]));
        end_pair(&pair);
    }
}
END_TEST

/* packet R46, R49 */
START_TEST(both_sides_get_one_session)
{
    struct noise_pair pair;
    keep_session *sessions[SIDES];
    struct datagram datagram;
    int count = message_count(patterns[_i]);
    int reader = 1 - (count - 1) % 2; /* of the last message */

    begin_pair(&pair, patterns[_i]);
    write_up_to(&pair, count - 1);
    assert_ok(try_read(pair.sides[reader], &pair.messages[count - 1]));
    assert_bytes(handshake_info_of(pair.sides[0]).hash, handshake_info_of(pair.sides[1]).hash, 32);
    for (int i = 0; i < SIDES; i++) {
        keep_session *again = NULL;

        ck_assert_uint_eq(handshake_info_of(pair.sides[i]).state, KEEP_HANDSHAKE_DONE);
        sessions[i] = session_of(pair.sides[i]);
        ck_assert_uint_eq(handshake_info_of(pair.sides[i]).state, KEEP_HANDSHAKE_SPENT);
        assert_status(keep_handshake_session(pair.sides[i], NULL, &again), KEEP_ERR_STATE);
        ck_assert_ptr_null(again);
    }
    ck_assert_uint_eq(session_stats_of(sessions[reader]).confirmed, 1);
    ck_assert_uint_eq(session_stats_of(sessions[1 - reader]).confirmed, 0);
    seal(sessions[reader], "there", &datagram);
    ck_assert(opens_as(sessions[1 - reader], &datagram, "there"));
    ck_assert_uint_eq(session_stats_of(sessions[1 - reader]).confirmed, 1);
    seal(sessions[1 - reader], "and back", &datagram);
    ck_assert(opens_as(sessions[reader], &datagram, "and back"));
    for (int i = 0; i < SIDES; i++)
        keep_session_free(&sessions[i]);
    end_pair(&pair);
}
END_TEST

/* packet R45: the peer is known once a message proved it */
START_TEST(the_peers_static_key_is_told_when_it_is_authentic)
{
    static const int known_after[PATTERNS][SIDES] = { { 2, 1 }, { 2, 3 } };
    uint8_t keys[SIDES][32];
    struct noise_pair pair;

    public_key_of(INITIATOR_KEY, keys[0]);
    public_key_of(RESPONDER_KEY, keys[1]);
    begin_pair(&pair, patterns[_i]);
    for (int done = 0; done <= message_count(patterns[_i]); done++) {
        for (int side = 0; side < SIDES; side++) {
            struct keep_handshake_info info = handshake_info_of(pair.sides[side]);

            ck_assert_uint_eq(info.has_remote_static, done >= known_after[_i][side]);
            ck_assert(!info.has_remote_static || memcmp(info.remote_static, keys[1 - side], 32) == 0);
            ck_assert(info.has_remote_static || are_all(info.remote_static, 0, 32));
        }
        if (done == message_count(patterns[_i]))
            break;
        write_message(writer_of(&pair, done), "x", &pair.messages[done]);
        assert_ok(try_read(reader_of(&pair, done), &pair.messages[done]));
    }
    end_pair(&pair);
}
END_TEST

/* packet T19, R42 */
START_TEST(every_changed_byte_and_every_cut_is_refused_and_forgotten)
{
    struct noise_pair pair;
    int number = message_at(_i);
    struct message *message = &pair.messages[number];

    begin_pair(&pair, pattern_at(_i));
    write_up_to(&pair, number);
    for (size_t at = 0; at < message->len; at++) {
        struct message changed = *message;

        changed.bytes[at] ^= 0x20;
        assert_status(try_read(reader_of(&pair, number), &changed), KEEP_ERR_AUTH);
        changed = *message;
        changed.len = at;
        assert_status(try_read(reader_of(&pair, number), &changed), KEEP_ERR_AUTH);
    }
    message->len++;
    assert_status(try_read(reader_of(&pair, number), message), KEEP_ERR_AUTH);
    message->len--;
    assert_ok(try_read(reader_of(&pair, number), message));
    assert_status(try_read(reader_of(&pair, number), message), KEEP_ERR_STATE);
    end_pair(&pair);
}
END_TEST

/* packet T19: a message of another handshake between the same two */
START_TEST(messages_of_two_handshakes_do_not_mix)
{
    struct noise_pair first;
    struct noise_pair second;
    uint32_t pattern = patterns[_i];

    begin_pair(&first, pattern);
    begin_pair(&second, pattern);
    write_up_to(&first, 1);
    write_up_to(&second, 1);
    assert_status(try_read(first.sides[0], &second.messages[1]), KEEP_ERR_AUTH);
    assert_status(try_read(second.sides[0], &first.messages[0]), KEEP_ERR_AUTH);
    assert_ok(try_read(first.sides[0], &first.messages[1]));
    assert_ok(try_read(second.sides[0], &second.messages[1]));
    end_pair(&first);
    end_pair(&second);
}
END_TEST

/* packet R43, T19 */
START_TEST(out_of_turn_nothing_happens)
{
    struct noise_pair pair;
    struct message message = { .len = 0 };
    keep_session *session = NULL;
    size_t len;

    begin_pair(&pair, patterns[_i]);
    assert_status(try_read(pair.sides[0], &message), KEEP_ERR_STATE);
    assert_status(keep_handshake_write(pair.sides[1], NULL, 0, message.bytes, sizeof message.bytes, &len),
                  KEEP_ERR_STATE);
    assert_status(keep_handshake_session(pair.sides[0], NULL, &session), KEEP_ERR_STATE);
    write_up_to(&pair, 0);
    assert_status(keep_handshake_write(pair.sides[0], NULL, 0, message.bytes, sizeof message.bytes, &len),
                  KEEP_ERR_STATE);
    assert_ok(try_read(pair.sides[1], &pair.messages[0]));
    end_pair(&pair);
}
END_TEST

/* packet R40, R43 */
START_TEST(lengths_are_told_and_refused_before_anything_else)
{
    static const size_t overheads[MESSAGES] = { 96, 48, 48, 96, 64 };
    static const uint8_t payload[KEEP_MAX_PAYLOAD_LEN + 1];
    size_t most = KEEP_MAX_PAYLOAD_LEN - overheads[_i];
    int number = message_at(_i);
    struct noise_pair pair;
    struct message message;
    uint8_t out[KEEP_MAX_PAYLOAD_LEN];
    size_t len = 0;

    begin_pair(&pair, pattern_at(_i));
    if (number != 0) {
        write_up_to(&pair, number - 1);
        assert_ok(try_read(reader_of(&pair, number - 1), &pair.messages[number - 1]));
    }
    assert_status(keep_handshake_write(writer_of(&pair, number), payload, most + 1, out, sizeof out, &len),
                  KEEP_ERR_PACKET_TOO_LARGE);
    assert_status(keep_handshake_write(writer_of(&pair, number), payload, SIZE_MAX, out, sizeof out, &len),
                  KEEP_ERR_PACKET_TOO_LARGE);
    assert_status(keep_handshake_write(writer_of(&pair, number), payload, 3, out, 2, &len), KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(len, overheads[_i] + 3);
    assert_status(keep_handshake_write(writer_of(&pair, number), payload, 4, NULL, 0, &len), KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(len, overheads[_i] + 4);
    assert_status(keep_handshake_read(reader_of(&pair, number), payload, sizeof payload, out, sizeof out, &len),
                  KEEP_ERR_AUTH);
    assert_ok(keep_handshake_write(writer_of(&pair, number), payload, most, message.bytes, sizeof message.bytes,
                                   &message.len));
    ck_assert_uint_eq(message.len, KEEP_MAX_PAYLOAD_LEN);
    assert_status(keep_handshake_read(reader_of(&pair, number), message.bytes, message.len, out, most - 1, &len),
                  KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(len, most);
    assert_ok(keep_handshake_read(reader_of(&pair, number), message.bytes, message.len, out, most, &len));
    end_pair(&pair);
}
END_TEST

/* packet T20 */
static void assert_fails_at(uint32_t pattern, keep_handshake_options initiators, int message)
{
    struct noise_pair pair;

    begin_pair(&pair, pattern);
    keep_handshake_free(&pair.sides[0]);
    assert_ok(try_handshake(pattern, KEEP_INITIATOR, initiators, &pair.sides[0]));
    write_up_to(&pair, message);
    assert_status(try_read(reader_of(&pair, message), &pair.messages[message]), KEEP_ERR_AUTH);
    end_pair(&pair);
}

START_TEST(whoever_knows_less_or_other_things_is_refused)
{
    uint8_t other[32];
    keep_handshake_options prologue = KEEP_HANDSHAKE_OPTIONS_INIT;
    keep_handshake_options shared = KEEP_HANDSHAKE_OPTIONS_INIT;
    keep_handshake_options remote = KEEP_HANDSHAKE_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) wrong = key_of(0x44, KEY_LEN);

    public_key_of(0x44, other);
    prologue.prologue = (keep_bytes){ "other", 5 };
    shared.pre_shared_key = wrong;
    remote.remote_static = other;
    assert_fails_at(KEEP_NOISE_IKPSK2, shared, 1);
    assert_fails_at(KEEP_NOISE_XXPSK3, shared, 2);
    assert_fails_at(KEEP_NOISE_IKPSK2, prologue, 0);
    assert_fails_at(KEEP_NOISE_XXPSK3, prologue, 0);
    assert_fails_at(KEEP_NOISE_IKPSK2, remote, 0);
}
END_TEST

START_TEST(the_other_patterns_message_is_refused)
{
    struct noise_pair pair;
    KEEP_AUTO(keep_handshake) other = new_handshake(patterns[1 - _i], KEEP_RESPONDER);

    begin_pair(&pair, patterns[_i]);
    write_up_to(&pair, 0);
    assert_status(try_read(other, &pair.messages[0]), KEEP_ERR_AUTH);
    end_pair(&pair);
}
END_TEST

START_TEST(session_options_that_a_handshake_decides_are_refused)
{
    struct noise_pair pair;
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) key = key_of(1, KEY_LEN);
    keep_session *session = NULL;

    begin_pair(&pair, KEEP_NOISE_IKPSK2);
    write_up_to(&pair, 1);
    options.session_id = 1;
    assert_status(keep_handshake_session(pair.sides[1], &options, &session), KEEP_ERR_INVALID_ARGUMENT);
    options = (keep_session_options)KEEP_SESSION_OPTIONS_INIT;
    options.first_counter = 1;
    assert_status(keep_handshake_session(pair.sides[1], &options, &session), KEEP_ERR_INVALID_ARGUMENT);
    options = (keep_session_options)KEEP_SESSION_OPTIONS_INIT;
    options.tx_key = key;
    assert_status(keep_handshake_session(pair.sides[1], &options, &session), KEEP_ERR_INVALID_ARGUMENT);
    options.rx_key = key;
    options.tx_key = NULL;
    assert_status(keep_handshake_session(pair.sides[1], &options, &session), KEEP_ERR_INVALID_ARGUMENT);
    options = (keep_session_options)KEEP_SESSION_OPTIONS_INIT;
    options.window = 1;
    assert_status(keep_handshake_session(pair.sides[1], &options, &session), KEEP_ERR_INVALID_ARGUMENT);
    options.window = 2048;
    assert_ok(keep_handshake_session(pair.sides[1], &options, &session));
    keep_session_free(&session);
    end_pair(&pair);
}
END_TEST

static void use_inherited(void *ctx)
{
    struct noise_pair *pair = ctx;
    struct keep_handshake_info info = KEEP_HANDSHAKE_INFO_INIT;
    uint8_t out[KEEP_MAX_PAYLOAD_LEN];
    keep_session *session = NULL;
    size_t len;

    child_needs(keep_handshake_write(pair->sides[0], NULL, 0, out, sizeof out, &len) == KEEP_ERR_FORKED);
    child_needs(keep_handshake_read(pair->sides[1], out, 96, out, sizeof out, &len) == KEEP_ERR_FORKED);
    child_needs(keep_handshake_info(pair->sides[0], &info) == KEEP_ERR_FORKED);
    child_needs(keep_handshake_session(pair->sides[0], NULL, &session) == KEEP_ERR_FORKED);
    child_leaves(pair->sides[0]);
    child_leaves(pair->sides[1]);
    end_pair(pair);
    child_needs(pair->sides[0] == NULL && pair->sides[1] == NULL);
    begin_pair(pair, KEEP_NOISE_XXPSK3);
    write_up_to(pair, 2);
    end_pair(pair);
}

START_TEST(a_forked_child_cannot_go_on_with_it)
{
    struct noise_pair pair;

    begin_pair(&pair, KEEP_NOISE_IKPSK2);
    assert_returns(use_inherited, &pair);
    write_up_to(&pair, 1);
    end_pair(&pair);
}
END_TEST

START_TEST(a_purge_ends_it)
{
    struct noise_pair pair;
    struct keep_handshake_info info = KEEP_HANDSHAKE_INFO_INIT;
    struct message message;
    size_t len;

    begin_pair(&pair, patterns[_i]);
    write_up_to(&pair, 0);
    assert_ok(keep_purge(NULL));
    assert_status(try_read(pair.sides[1], &pair.messages[0]), KEEP_ERR_PURGED);
    assert_status(keep_handshake_write(pair.sides[0], NULL, 0, message.bytes, sizeof message.bytes, &len),
                  KEEP_ERR_PURGED);
    assert_status(keep_handshake_info(pair.sides[0], &info), KEEP_ERR_PURGED);
    end_pair(&pair);
}
END_TEST

START_TEST(ephemeral_keys_are_random)
{
    struct noise_pair pairs[2];

    for (int i = 0; i < 2; i++) {
        begin_pair(&pairs[i], patterns[_i]);
        write_up_to(&pairs[i], 1);
    }
    for (int i = 0; i < 2; i++)
        ck_assert(memcmp(pairs[0].messages[i].bytes, pairs[1].messages[i].bytes, 32) != 0);
    end_pair(&pairs[0]);
    end_pair(&pairs[1]);
}
END_TEST

START_TEST(what_is_no_call_at_all_is_refused)
{
    struct noise_pair pair;
    struct keep_handshake_info info = KEEP_HANDSHAKE_INFO_INIT;
    KEEP_AUTO(keep_secret) short_key = key_of(1, 31);
    uint8_t out[200];
    size_t len;

    begin_pair(&pair, KEEP_NOISE_XXPSK3);
    assert_status(keep_handshake_write(NULL, NULL, 0, out, sizeof out, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_write(pair.sides[0], NULL, 1, out, sizeof out, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_write(pair.sides[0], NULL, 0, NULL, 1, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_write(pair.sides[0], NULL, 0, out, sizeof out, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_read(pair.sides[1], NULL, 1, out, sizeof out, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_read(pair.sides[1], out, 1, NULL, 1, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_read(pair.sides[1], out, 1, out, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_info(pair.sides[0], NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_info(NULL, &info), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_session(pair.sides[0], NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_public_key(short_key, out), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_public_key(short_key, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_handshake_public_key(NULL, out), KEEP_ERR_INVALID_ARGUMENT);
    keep_handshake_free(NULL);
    end_pair(&pair);
}
END_TEST

/* A pool with two slots for keys, of which `_i` are free: the handshake stays as it was until both are. */
START_TEST(a_session_without_slots_for_its_keys_is_refused)
{
    keep_pool_options few = KEEP_POOL_OPTIONS_INIT;
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
    struct noise_pair pair;
    keep_secret *taken[2] = { NULL };
    keep_session *session = NULL;

    few.tier_count = 2;
    few.tier_len[0] = KEY_LEN;
    few.tier_len[1] = 1024;
    few.tier_max_slots[0] = 2;
    assert_ok(keep_pool_new(&few, &options.pool));
    begin_pair(&pair, KEEP_NOISE_XXPSK3);
    keep_handshake_free(&pair.sides[0]);
    assert_ok(try_handshake(KEEP_NOISE_XXPSK3, KEEP_INITIATOR, options, &pair.sides[0]));
    write_up_to(&pair, 2);
    assert_ok(keep_pool_acquire_batch(options.pool, KEY_LEN, (size_t)(2 - _i), taken));
    assert_status(keep_handshake_session(pair.sides[0], NULL, &session), KEEP_ERR_EXHAUSTED);
    ck_assert_ptr_null(session);
    assert_ok(keep_secret_free_batch(taken, (size_t)(2 - _i)));
    assert_ok(keep_handshake_session(pair.sides[0], NULL, &session));
    keep_session_free(&session);
    end_pair(&pair);
    keep_pool_free(&options.pool);
}
END_TEST

RUN_SUITE("handshake", ONCE(what_is_no_call_at_all_is_refused), ONCE(options_that_make_no_handshake_are_refused),
          TIMES(keys_of_small_order_are_refused_where_they_come, SMALL_ORDER),
          TIMES(both_sides_get_one_session, PATTERNS),
          TIMES(the_peers_static_key_is_told_when_it_is_authentic, PATTERNS),
          TIMES(every_changed_byte_and_every_cut_is_refused_and_forgotten, MESSAGES),
          TIMES(messages_of_two_handshakes_do_not_mix, PATTERNS), TIMES(out_of_turn_nothing_happens, PATTERNS),
          TIMES(lengths_are_told_and_refused_before_anything_else, MESSAGES),
          ONCE(whoever_knows_less_or_other_things_is_refused), TIMES(the_other_patterns_message_is_refused, PATTERNS),
          ONCE(session_options_that_a_handshake_decides_are_refused), ONCE(a_forked_child_cannot_go_on_with_it),
          TIMES(a_purge_ends_it, PATTERNS), TIMES(ephemeral_keys_are_random, PATTERNS),
          TIMES(a_session_without_slots_for_its_keys_is_refused, 2))
