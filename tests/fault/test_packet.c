/* SPDX-License-Identifier: MIT */
/*
 * Every function of packets with every call below it failing (packet T14).
 */
#include <errno.h>
#include <stdint.h>

#include <keep/keep.h>

#include "support/noise.h"
#include "support/pattern.h"
#include "sweep.h"

static const keep_status of_sessions[] = { KEEP_ERR_LOCK_LIMIT, KEEP_ERR_NO_MEMORY, KEEP_ERR_UNSUPPORTED,
                                           KEEP_ERR_SYSTEM, KEEP_OK };
enum {
    OF_SESSIONS = sizeof of_sessions / sizeof *of_sessions
};

/* A pool and a key whose making is not part of the sweep. */
struct ready {
    keep_pool *pool;
    keep_secret *key;
    uint32_t aead;
};

static struct ready make_ready(uint32_t aead)
{
    struct ready ready = { .aead = aead };

    assert_ok(keep_pool_new(NULL, &ready.pool));
    assert_ok(keep_secret_generate(ready.pool, KEY_LEN, &ready.key));
    return ready;
}

static void end_ready(struct ready *ready)
{
    assert_ok(keep_secret_free(&ready->key));
    keep_pool_free(&ready->pool);
}

/* A key that is the pattern: it may be found nowhere afterwards. */
static keep_status plant_key(keep_pool *pool, keep_secret **out)
{
    uint8_t bytes[PATTERN_LEN];
    keep_status st;

    pattern_write(bytes);
    st = keep_secret_from_bytes(pool, bytes, sizeof bytes, out);
    keep_wipe(bytes, sizeof bytes);
    return st;
}

static keep_status make_session(void *ctx)
{
    const struct ready *ready = ctx;
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_secret *planted = NULL;
    keep_session *session = NULL;
    keep_status st = plant_key(ready->pool, &planted);

    options.tx_key = planted;
    options.rx_key = ready->key;
    options.aead = ready->aead;
    options.pool = ready->pool;
    if (st == KEEP_OK)
        st = keep_session_new(&options, &session);
    body_needs((st == KEEP_OK) == (session != NULL));
    keep_session_free(&session);
    (void)keep_secret_free(&planted);
    return st;
}

START_TEST(making_a_session_survives_every_failing_call)
{
    struct ready ready = make_ready((uint32_t)_i);

    if (make_session(&ready) != KEEP_ERR_UNSUPPORTED) /* the first one also makes what all sessions share */
        sweep(make_session, &ready, of_sessions, OF_SESSIONS);
    end_ready(&ready);
}
END_TEST

static keep_status make_first_session(void *ctx)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_secret *key = NULL;
    keep_session *session = NULL;
    keep_status st = keep_secret_generate(NULL, KEY_LEN, &key);

    options.tx_key = key;
    options.aead = *(uint32_t *)ctx;
    if (st == KEEP_OK)
        st = keep_session_new(&options, &session);
    body_needs((st == KEEP_OK) == (session != NULL));
    keep_session_free(&session);
    (void)keep_secret_free(&key);
    return st;
}

START_TEST(the_first_session_survives_every_failing_call)
{
    uint32_t aead = (uint32_t)_i;

    sweep_first_use(make_first_session, &aead, of_sessions, OF_SESSIONS);
}
END_TEST

static keep_status make_packet_pool(void *ctx)
{
    keep_packet_pool *pool = NULL;
    keep_packet *packet = NULL;
    keep_status st = keep_packet_pool_new(NULL, &pool);

    (void)ctx;
    body_needs((st == KEEP_OK) == (pool != NULL));
    if (st == KEEP_OK)
        st = keep_packet_pool_acquire(pool, &packet);
    body_needs(keep_packet_free(&packet) == KEEP_OK);
    keep_packet_pool_free(&pool);
    return st;
}

START_TEST(making_a_packet_pool_survives_every_failing_call)
{
    assert_ok(make_packet_pool(NULL));
    sweep(make_packet_pool, NULL, of_sessions, OF_SESSIONS);
}
END_TEST

START_TEST(the_first_packet_pool_survives_every_failing_call)
{
    sweep_first_use(make_packet_pool, NULL, of_sessions, OF_SESSIONS);
}
END_TEST

/* With keys that are none, so that nothing is set up before. */
static keep_status begin_with_nobodys_keys(void *ctx)
{
    keep_secret *nobodys = (keep_secret *)(uintptr_t)1;
    keep_session_options session_options = KEEP_SESSION_OPTIONS_INIT;
    keep_handshake_options handshake_options = KEEP_HANDSHAKE_OPTIONS_INIT;
    struct keep_aead_report report = KEEP_AEAD_REPORT_INIT;
    keep_session *session = NULL;
    keep_handshake *handshake = NULL;

    session_options.tx_key = nobodys;
    handshake_options.pattern = KEEP_NOISE_XXPSK3;
    handshake_options.role = KEEP_INITIATOR;
    handshake_options.static_key = nobodys;
    handshake_options.pre_shared_key = nobodys;
    switch (*(int *)ctx) {
    case 0:
        return keep_session_new(&session_options, &session);
    case 1:
        return keep_handshake_new(&handshake_options, &handshake);
    default:
        return keep_aead_report(KEEP_AEAD_SODIUM, &report);
    }
}

START_TEST(what_is_done_first_of_all_tells_that_nothing_can_be_done)
{
    fail_calls_of("mmap", ENOMEM);
    assert_status(begin_with_nobodys_keys(&_i), KEEP_ERR_NO_MEMORY);
    fail_calls_of(NULL, 0);
    assert_status(begin_with_nobodys_keys(&_i), _i == 2 ? KEEP_OK : KEEP_ERR_CLOSED);
}
END_TEST

static keep_status begin_side(const struct ready *ready, uint32_t role, const keep_secret *static_key,
                              keep_handshake **out)
{
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
    keep_status st;

    options.pattern = KEEP_NOISE_XXPSK3;
    options.role = role;
    options.static_key = static_key;
    options.pre_shared_key = ready->key;
    options.pool = ready->pool;
    st = keep_handshake_new(&options, out);
    body_needs((st == KEEP_OK) == (*out != NULL));
    return st;
}

static keep_status pass_message(keep_handshake *from, keep_handshake *to)
{
    uint8_t message[200];
    size_t len;
    keep_status st = keep_handshake_write(from, NULL, 0, message, sizeof message, &len);

    return st != KEEP_OK ? st : keep_handshake_read(to, message, len, NULL, 0, &len);
}

static keep_status take_session(const struct ready *ready, keep_handshake *handshake)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_session *session = NULL;
    keep_status st;

    options.pool = ready->pool;
    st = keep_handshake_session(handshake, &options, &session);
    body_needs((st == KEEP_OK) == (session != NULL));
    keep_session_free(&session);
    return st;
}

static keep_status shake_hands(void *ctx)
{
    const struct ready *ready = ctx;
    keep_handshake *sides[SIDES] = { NULL, NULL };
    keep_secret *planted = NULL;
    keep_status st = plant_key(ready->pool, &planted);

    if (st == KEEP_OK)
        st = begin_side(ready, KEEP_INITIATOR, planted, &sides[0]);
    if (st == KEEP_OK)
        st = begin_side(ready, KEEP_RESPONDER, ready->key, &sides[1]);
    for (int i = 0; st == KEEP_OK && i < 3; i++)
        st = pass_message(sides[i % 2], sides[1 - i % 2]);
    if (st == KEEP_OK)
        st = take_session(ready, sides[0]);
    keep_handshake_free(&sides[0]);
    keep_handshake_free(&sides[1]);
    (void)keep_secret_free(&planted);
    return st;
}

START_TEST(a_handshake_and_its_session_survive_every_failing_call)
{
    struct ready ready = make_ready(KEEP_AEAD_AUTO);

    assert_ok(shake_hands(&ready)); /* the first session also makes what all share */
    sweep(shake_hands, &ready, of_sessions, OF_SESSIONS);
    end_ready(&ready);
}
END_TEST

RUN_SUITE("packet", TIMES(making_a_session_survives_every_failing_call, KEEP_AEAD_IPSEC_MB + 1),
          TIMES(the_first_session_survives_every_failing_call, 2),
          ONCE(making_a_packet_pool_survives_every_failing_call),
          ONCE(the_first_packet_pool_survives_every_failing_call),
          TIMES(what_is_done_first_of_all_tells_that_nothing_can_be_done, 3),
          ONCE(a_handshake_and_its_session_survive_every_failing_call))
