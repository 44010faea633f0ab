/* SPDX-License-Identifier: MIT */
/*
 * Every function of packets with every call below it failing (packet T14), and none of them made on the hot path (T13).
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <keep/keep.h>

#include "support/calls.h"
#include "support/noise.h"
#include "support/pattern.h"
#include "sweep.h"

static const keep_status of_sessions[] = { KEEP_ERR_LOCK_LIMIT, KEEP_ERR_NO_MEMORY, KEEP_ERR_UNSUPPORTED,
                                           KEEP_ERR_SYSTEM, KEEP_OK };
enum {
    OF_SESSIONS = sizeof of_sessions / sizeof *of_sessions,
    ROUNDS = 100000,
    BATCH = 8
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

static keep_status shake_hands(void *ctx)
{
    const struct ready *ready = ctx;
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
    keep_handshake *handshake = NULL;
    keep_secret *planted = NULL;
    uint8_t out[200];
    size_t len;
    keep_status st = plant_key(ready->pool, &planted);

    options.pattern = KEEP_NOISE_XXPSK3;
    options.role = KEEP_INITIATOR;
    options.static_key = planted;
    options.pre_shared_key = ready->key;
    options.pool = ready->pool;
    if (st == KEEP_OK)
        st = keep_handshake_new(&options, &handshake);
    body_needs((st == KEEP_OK) == (handshake != NULL));
    if (st == KEEP_OK)
        st = keep_handshake_write(handshake, NULL, 0, out, sizeof out, &len);
    keep_handshake_free(&handshake);
    (void)keep_secret_free(&planted);
    return st;
}

START_TEST(a_handshake_survives_every_failing_call)
{
    struct ready ready = make_ready(KEEP_AEAD_AUTO);

    sweep(shake_hands, &ready, of_sessions, OF_SESSIONS);
    end_ready(&ready);
}
END_TEST

/* Both sides with two messages, up to their sessions. */
static keep_status agree(void *ctx)
{
    const struct ready *ready = ctx;
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
    keep_session_options of_session = KEEP_SESSION_OPTIONS_INIT;
    uint8_t responder[KEEP_HANDSHAKE_KEY_LEN];
    struct message message;
    keep_handshake *sides[SIDES] = { NULL };
    keep_session *sessions[SIDES] = { NULL };
    keep_status st = KEEP_OK;

    of_session.pool = ready->pool;
    options.pattern = KEEP_NOISE_IKPSK2;
    options.static_key = options.pre_shared_key = ready->key;
    options.pool = ready->pool;
    body_needs(keep_handshake_public_key(ready->key, responder) == KEEP_OK);
    for (uint32_t i = 0; i < SIDES && st == KEEP_OK; i++) {
        options.role = KEEP_INITIATOR + i;
        options.remote_static = i == 0 ? responder : NULL;
        st = keep_handshake_new(&options, &sides[i]);
    }
    for (int i = 0; i < SIDES && st == KEEP_OK; i++) {
        st = keep_handshake_write(sides[i], NULL, 0, message.bytes, sizeof message.bytes, &message.len);
        if (st == KEEP_OK)
            st = try_read(sides[1 - i], &message);
    }
    for (int i = 0; i < SIDES && st == KEEP_OK; i++) {
        st = keep_handshake_session(sides[i], &of_session, &sessions[i]);
        body_needs((st == KEEP_OK) == (sessions[i] != NULL));
    }
    for (int i = 0; i < SIDES; i++) {
        keep_session_free(&sessions[i]);
        keep_handshake_free(&sides[i]);
    }
    return st;
}

START_TEST(agreeing_on_a_session_survives_every_failing_call)
{
    struct ready ready = make_ready(KEEP_AEAD_AUTO);

    assert_ok(agree(&ready));
    sweep(agree, &ready, of_sessions, OF_SESSIONS);
    end_ready(&ready);
}
END_TEST

/* --- what the hot path does not do --- */

struct hot {
    keep_session *sender, *receiver;
    keep_packet_pool *pool;
};

static void seal_open_build(const struct hot *hot)
{
    static uint8_t data[BATCH * 128];
    keep_packet_request requests[BATCH];
    keep_bytes event = { "text", 4 };
    size_t offsets[BATCH + 1];
    keep_status statuses[BATCH];
    keep_packet_seal_out out = KEEP_PACKET_SEAL_OUT_INIT;
    struct datagram datagram;
    keep_packet *packet = NULL;

    for (size_t i = 0; i < BATCH; i++)
        requests[i] = request_of(&event);
    out.data = data;
    out.cap = sizeof data;
    out.offsets = offsets;
    out.statuses = statuses;
    body_needs(try_seal(hot->sender, "text", 4, &datagram) == KEEP_OK);
    body_needs(opens_as(hot->receiver, &datagram, "text"));
    body_needs(try_open(hot->receiver, &datagram) == KEEP_ERR_REPLAY);
    body_needs(keep_packet_seal_batch(hot->sender, requests, BATCH, &out) == KEEP_OK);
    body_needs(keep_packet_pool_acquire(hot->pool, &packet) == KEEP_OK);
    body_needs(keep_packet_build(packet, hot->sender, requests) == KEEP_OK);
    body_needs(keep_packet_free(&packet) == KEEP_OK);
}

/* packet T13: no heap call of ours, and no system call of anybody's */
START_TEST(the_hot_path_allocates_nothing_and_asks_the_kernel_nothing)
{
    static const char *const heap[] = { "malloc", "calloc", "aligned_alloc" };
    static const long calls[] = {
        SYS_mmap,      SYS_munmap, SYS_mprotect,    SYS_madvise, SYS_brk,  SYS_mlock2,
        SYS_getrandom, SYS_futex,  SYS_sched_yield, SYS_openat,  SYS_read, SYS_clock_gettime
    };
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_session *sender = NULL;
    struct hot hot;

    options.aead = (uint32_t)_i;
    if (try_session(1, 0, options, &sender) == KEEP_ERR_UNSUPPORTED)
        return;
    hot = (struct hot){ sender, session_with(0, 1, options), new_packet_pool(4) };
    seal_open_build(&hot); /* the thread's first use */
    for (size_t i = 0; i < sizeof heap / sizeof *heap; i++) {
        unsigned failed;

        fail_calls_of(heap[i], ENOMEM);
        for (int round = 0; round < ROUNDS / 10; round++)
            seal_open_build(&hot);
        failed = failed_calls();
        fail_calls_of(NULL, 0);
        ck_assert_uint_eq(failed, 0);
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (!forbid_call(calls[i]))
            break;
    }
    for (int round = 0; round < ROUNDS; round++)
        seal_open_build(&hot);
    _exit(0); /* giving back needs the kernel */
}
END_TEST

RUN_SUITE("packet", TIMES(making_a_session_survives_every_failing_call, KEEP_AEAD_IPSEC_MB + 1),
          TIMES(the_first_session_survives_every_failing_call, 2),
          ONCE(making_a_packet_pool_survives_every_failing_call),
          ONCE(the_first_packet_pool_survives_every_failing_call),
          TIMES(what_is_done_first_of_all_tells_that_nothing_can_be_done, 3),
          ONCE(a_handshake_survives_every_failing_call), ONCE(agreeing_on_a_session_survives_every_failing_call),
          TIMES(the_hot_path_allocates_nothing_and_asks_the_kernel_nothing, KEEP_AEAD_IPSEC_MB + 1))
