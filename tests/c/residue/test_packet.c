/* SPDX-License-Identifier: MIT */
/*
 * Residue of packets (packet T18): after sealing, opening, failing to open and shaking hands, with each back end, keys and
 * plaintext are in locked memory alone.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "keep/keep.h"
#include "support/apart.h"
#include "support/noise.h"
#include "support/pattern.h"
#include "support/pools.h"

/* What calls work on. The pattern is only ever in locked memory. */
struct bench {
    keep_pool *pool;
    keep_secret *pattern; /* a key, or plaintext */
    keep_session *sender, *receiver;
    struct datagram datagram;
};

static keep_secret *secret_with_pattern(keep_pool *pool)
{
    keep_secret *secret = new_secret(pool, PATTERN_LEN);
    uint8_t *data;
    size_t len;

    assert_ok(keep_secret_write_begin(secret, &data, &len));
    pattern_write(data);
    assert_ok(keep_secret_end(secret));
    return secret;
}

/* Sessions under the pattern as key, or under another. False: the back end is not here. */
static bool begin_bench(struct bench *bench, uint32_t aead, bool is_key)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_secret *other = key_of(1, KEY_LEN);
    keep_status st;

    *bench = (struct bench){ .pool = new_pool(NULL) };
    bench->pattern = secret_with_pattern(bench->pool);
    options.aead = aead;
    options.pool = bench->pool;
    options.tx_key = is_key ? bench->pattern : other;
    st = keep_session_new(&options, &bench->sender);
    options.rx_key = options.tx_key;
    options.tx_key = NULL;
    if (st == KEEP_OK)
        assert_ok(keep_session_new(&options, &bench->receiver));
    assert_ok(keep_secret_free(&other));
    return st == KEEP_OK;
}

static void end_bench(struct bench *bench)
{
    keep_session_free(&bench->sender);
    keep_session_free(&bench->receiver);
    assert_ok(keep_secret_free(&bench->pattern));
    keep_pool_free(&bench->pool);
}

static void assert_clean(void (*call)(void *ctx), void *ctx, const char *what)
{
    void *stack = on_own_stack(call, ctx);

    ck_assert_msg(count_pattern_in(stack, STACK_LEN) == 0, "%s left the pattern on its stack", what);
    munmap(stack, STACK_LEN);
    if (can_search_process())
        ck_assert_msg(count_pattern_in_process(true) == 0, "%s left the pattern", what);
}

/* --- keys --- */

static void seal_texts(void *ctx)
{
    static const size_t lens[] = { 0, 1, 100, 448, 1000, 3000, 8104 };
    static const uint8_t zeros[KEEP_MAX_EVENT_LEN];
    struct bench *bench = ctx;

    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        assert_ok(try_seal(bench->sender, zeros, lens[i], &bench->datagram));
        assert_ok(try_open(bench->receiver, &bench->datagram));
    }
}

static void fail_to_open(void *ctx)
{
    struct bench *bench = ctx;

    seal(bench->sender, "text", &bench->datagram);
    bench->datagram.bytes[70] ^= 1;
    assert_status(try_open(bench->receiver, &bench->datagram), KEEP_ERR_AUTH);
}

START_TEST(no_key_is_left_behind)
{
    struct bench bench;

    if (begin_bench(&bench, (uint32_t)_i, true)) {
        assert_clean(seal_texts, &bench, "sealing and opening");
        assert_clean(fail_to_open, &bench, "failing to open");
    }
    end_bench(&bench);
    if (can_search_process())
        ck_assert_uint_eq(count_pattern_in_process(false), 0);
}
END_TEST

/* --- plaintext --- */

/* The pattern goes from one secret into another, and is in the clear nowhere between. */
static void send_pattern(void *ctx)
{
    struct bench *bench = ctx;
    keep_secret *into = new_secret(bench->pool, PATTERN_LEN + 4);
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;
    keep_bytes event = { NULL, PATTERN_LEN };
    keep_packet_request request = request_of(&event);
    keep_packet_opened opened;
    const uint8_t *data;
    keep_span span;
    size_t len;

    assert_ok(keep_secret_read_begin(bench->pattern, &data, &len));
    event.data = data;
    assert_ok(keep_packet_seal_into(bench->sender, &request, bench->datagram.bytes, sizeof bench->datagram.bytes,
                                    &bench->datagram.len));
    assert_ok(keep_secret_end(bench->pattern));
    assert_ok(keep_secret_write_begin(into, &out.data, &out.cap));
    out.events = &span;
    out.event_cap = 1;
    out.packets = &opened;
    assert_ok(keep_packet_open_into(bench->receiver, bench->datagram.bytes, bench->datagram.len, &out));
    ck_assert(is_pattern(out.data + span.offset));
    assert_ok(keep_secret_end(into));
    assert_ok(keep_secret_free(&into));
}

/* Forged, replayed and with a frame that lies: nothing of the plaintext stays in the caller's buffer. */
static void fail_to_open_pattern(void *ctx)
{
    struct bench *bench = ctx;

    send_pattern(bench);
    assert_status(try_open(bench->receiver, &bench->datagram), KEEP_ERR_REPLAY);
    bench->datagram.bytes[bench->datagram.len - 1] ^= 1;
    assert_status(try_open(bench->receiver, &bench->datagram), KEEP_ERR_AUTH);
}

/* A slot of a pool holds plaintext during a build only. */
static void build_pattern(void *ctx)
{
    struct bench *bench = ctx;
    keep_packet_pool *pool = new_packet_pool(1);
    keep_packet *packet = NULL;
    keep_bytes event = { NULL, PATTERN_LEN };
    keep_packet_request request = request_of(&event);
    const uint8_t *data;
    size_t len;

    assert_ok(keep_packet_pool_acquire(pool, &packet));
    assert_ok(keep_secret_read_begin(bench->pattern, &data, &len));
    event.data = data;
    assert_ok(keep_packet_build(packet, bench->sender, &request));
    assert_ok(keep_secret_end(bench->pattern));
    if (can_search_process())
        ck_assert_uint_eq(count_pattern_in_process(true), 0);
    assert_ok(keep_packet_free(&packet));
    keep_packet_pool_free(&pool);
}

START_TEST(no_plaintext_is_left_behind)
{
    struct bench bench;

    if (begin_bench(&bench, (uint32_t)_i, false)) {
        assert_clean(send_pattern, &bench, "sealing and opening");
        assert_clean(fail_to_open_pattern, &bench, "failing to open");
        assert_clean(build_pattern, &bench, "building");
    }
    end_bench(&bench);
    if (can_search_process())
        ck_assert_uint_eq(count_pattern_in_process(false), 0);
}
END_TEST

/* --- handshakes --- */

struct shaking {
    uint32_t pattern;
    keep_handshake_options options; /* with the pattern as one of the keys */
};

static void shake_hands(void *ctx)
{
    struct shaking *shaking = ctx;
    int count = message_count(shaking->pattern);
    struct noise_pair pair;
    uint8_t public_key[KEEP_HANDSHAKE_KEY_LEN];
    keep_session *session;

    begin_pair(&pair, shaking->pattern);
    if (shaking->options.static_key != NULL)
        assert_ok(keep_handshake_public_key(shaking->options.static_key, public_key));
    for (int side = 0; side < SIDES; side++) {
        keep_handshake_options options = shaking->options;

        if (side == 1)
            options.static_key = NULL; /* the initiator's alone, so that both know the responder's */
        keep_handshake_free(&pair.sides[side]);
        assert_ok(try_handshake(shaking->pattern, side == 0 ? KEEP_INITIATOR : KEEP_RESPONDER, options,
                                &pair.sides[side]));
    }
    write_up_to(&pair, count - 1);
    pair.messages[count - 1].bytes[3] ^= 1;
    assert_status(try_read(reader_of(&pair, count - 1), &pair.messages[count - 1]), KEEP_ERR_AUTH);
    pair.messages[count - 1].bytes[3] ^= 1;
    assert_ok(try_read(reader_of(&pair, count - 1), &pair.messages[count - 1]));
    session = session_of(pair.sides[0]);
    keep_session_free(&session);
    end_pair(&pair);
}

/* Which key is the pattern. */
static void set_key(keep_handshake_options *options, int which, const keep_secret *key)
{
    if (which == 0)
        options->static_key = key;
    else if (which == 1)
        options->pre_shared_key = key;
    else
        options->ephemeral_key = key;
}

START_TEST(a_handshake_leaves_no_key_behind)
{
    struct shaking shaking = { _i % 2 == 0 ? KEEP_NOISE_IKPSK2 : KEEP_NOISE_XXPSK3, KEEP_HANDSHAKE_OPTIONS_INIT };
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_secret) pattern = secret_with_pattern(pool);

    set_key(&shaking.options, _i / 2, pattern);
    assert_clean(shake_hands, &shaking, "a handshake");
}
END_TEST

RUN_SUITE("packet", TIMES(no_key_is_left_behind, KEEP_AEAD_IPSEC_MB + 1),
          TIMES(no_plaintext_is_left_behind, KEEP_AEAD_IPSEC_MB + 1), TIMES(a_handshake_leaves_no_key_behind, 6))
