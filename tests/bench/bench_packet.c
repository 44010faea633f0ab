/* SPDX-License-Identifier: MIT */
/*
 * Packets: every way in, for each back end of the machine, beside the bare call of intel-ipsec-mb or of libsodium on the
 * same payload (`floor.…`). Names end with the length of the one event in each packet.
 */
#include <keep/keep.h>

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#if __has_include(<intel-ipsec-mb.h>)
#include <intel-ipsec-mb.h>
#define HAS_IPSEC 1
#else
#define HAS_IPSEC 0
#endif

#define BATCH 16
#define AAD_LEN 56
#define STORED 512 /* datagrams that are opened again by ever new sessions */
#define POOL_SLOTS 1024

static const uint8_t event[KEEP_MAX_EVENT_LEN];

/* Everything one thread works with. */
struct bench {
    keep_session *session;
    keep_packet_pool *pool;
    uint32_t aead;
    size_t len; /* of the event */
    uint8_t key[32];
    uint8_t data[BATCH * KEEP_MAX_PACKET_LEN];
    size_t offsets[BATCH + 1];
    keep_status statuses[BATCH];
    keep_packet_opened opened[BATCH];
    keep_span events[BATCH];
    uint8_t plaintext[BATCH * KEEP_MAX_PAYLOAD_LEN];
    uint8_t stored[STORED][KEEP_MAX_PACKET_LEN];
};

static keep_session *new_session(const struct bench *bench, bool is_sender)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_secret *key = NULL;
    keep_session *session = NULL;

    BENCH_CHECK(keep_secret_from_bytes(NULL, bench->key, sizeof bench->key, &key) == KEEP_OK);
    options.tx_key = is_sender ? key : NULL;
    options.rx_key = is_sender ? NULL : key;
    options.session_id = 1;
    options.aead = bench->aead;
    BENCH_CHECK(keep_session_new(&options, &session) == KEEP_OK);
    BENCH_CHECK(keep_secret_free(&key) == KEEP_OK);
    return session;
}

static void build(void *given, size_t count)
{
    struct bench *bench = given;
    keep_bytes one = { event, bench->len };
    keep_packet_request request = { .events = &one, .event_count = 1, .stream_id = 1 };
    keep_packet *packet = NULL;

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(keep_packet_pool_acquire(bench->pool, &packet) == KEEP_OK);
        BENCH_CHECK(keep_packet_build(packet, bench->session, &request) == KEEP_OK);
        BENCH_CHECK(keep_packet_free(&packet) == KEEP_OK);
    }
}

static void pool_pair(void *given, size_t count)
{
    struct bench *bench = given;
    keep_packet *packet = NULL;

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(keep_packet_pool_acquire(bench->pool, &packet) == KEEP_OK);
        BENCH_CHECK(keep_packet_free(&packet) == KEEP_OK);
    }
}

static void seal_into(void *given, size_t count)
{
    struct bench *bench = given;
    keep_bytes one = { event, bench->len };
    keep_packet_request request = { .events = &one, .event_count = 1, .stream_id = 1 };
    size_t len;

    for (size_t i = 0; i < count; i++)
        BENCH_CHECK(keep_packet_seal_into(bench->session, &request, bench->data, sizeof bench->data, &len) == KEEP_OK);
}

static void seal_batch(void *given, size_t count)
{
    struct bench *bench = given;
    keep_bytes one = { event, bench->len };
    keep_packet_request requests[BATCH];
    keep_packet_seal_out out = KEEP_PACKET_SEAL_OUT_INIT;

    for (size_t i = 0; i < BATCH; i++)
        requests[i] = (keep_packet_request){ .events = &one, .event_count = 1, .stream_id = 1, .sequence = i };
    out.data = bench->data;
    out.cap = sizeof bench->data;
    out.offsets = bench->offsets;
    out.statuses = bench->statuses;
    for (size_t i = 0; i < count; i += BATCH)
        BENCH_CHECK(keep_packet_seal_batch(bench->session, requests, BATCH, &out) == KEEP_OK);
}

/* --- opening --- */

static size_t datagram_len(const struct bench *bench)
{
    return KEEP_PACKET_OVERHEAD_LEN + 4 + bench->len;
}

static void store(struct bench *bench)
{
    keep_bytes one = { event, bench->len };
    keep_packet_request request = { .events = &one, .event_count = 1, .stream_id = 1 };
    keep_session *sender = new_session(bench, true);
    size_t len;

    for (size_t i = 0; i < STORED; i++)
        BENCH_CHECK(keep_packet_seal_into(sender, &request, bench->stored[i], sizeof *bench->stored, &len) == KEEP_OK);
    keep_session_free(&sender);
}

static keep_packet_open_out room_of(struct bench *bench)
{
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;

    out.data = bench->plaintext;
    out.cap = sizeof bench->plaintext;
    out.events = bench->events;
    out.event_cap = BATCH;
    out.packets = bench->opened;
    return out;
}

static keep_session *next_receiver(struct bench *bench, size_t i, keep_session *receiver)
{
    if (i % STORED != 0)
        return receiver;
    keep_session_free(&receiver);
    return new_session(bench, false);
}

static void open_into(void *given, size_t count)
{
    struct bench *bench = given;
    keep_packet_open_out out = room_of(bench);
    keep_session *receiver = NULL;

    for (size_t i = 0; i < count; i++) {
        receiver = next_receiver(bench, i, receiver);
        BENCH_CHECK(keep_packet_open_into(receiver, bench->stored[i % STORED], datagram_len(bench), &out) == KEEP_OK);
    }
    keep_session_free(&receiver);
}

/* The ciphertext is gone afterwards: the copy is timed with it. */
static void open_in_place(void *given, size_t count)
{
    struct bench *bench = given;
    keep_packet_open_out out = room_of(bench);
    keep_session *receiver = NULL;
    size_t len = datagram_len(bench);

    out.data = bench->data + KEEP_PACKET_HEADER_LEN;
    out.cap = len - KEEP_PACKET_HEADER_LEN;
    for (size_t i = 0; i < count; i++) {
        receiver = next_receiver(bench, i, receiver);
        memcpy(bench->data, bench->stored[i % STORED], len);
        BENCH_CHECK(keep_packet_open_into(receiver, bench->data, len, &out) == KEEP_OK);
    }
    keep_session_free(&receiver);
}

static void open_batch(void *given, size_t count)
{
    struct bench *bench = given;
    keep_packet_open_out out = room_of(bench);
    keep_session *receiver = NULL;
    keep_bytes datagrams[BATCH];

    for (size_t i = 0; i < count; i += BATCH) {
        receiver = next_receiver(bench, i, receiver);
        for (size_t at = 0; at < BATCH; at++)
            datagrams[at] = (keep_bytes){ bench->stored[(i + at) % STORED], datagram_len(bench) };
        BENCH_CHECK(keep_packet_open_batch(receiver, datagrams, BATCH, &out) == KEEP_OK);
    }
    keep_session_free(&receiver);
}

/* --- floors: the bare call, on what an event is framed to --- */

static void combined(void *given, size_t count)
{
    static const uint8_t key[32], nonce[12], aad[AAD_LEN];
    struct bench *bench = given;
    size_t len = bench->len + 4;

    for (size_t i = 0; i < count; i++)
        (void)crypto_aead_chacha20poly1305_ietf_encrypt_detached(bench->data, bench->data + len, NULL, bench->data, len,
                                                                 aad, sizeof aad, NULL, nonce, key);
}

#if HAS_IPSEC
static IMB_MGR *manager;

static void job(void *given, size_t count)
{
    static const uint8_t key[32], nonce[12], aad[AAD_LEN];
    struct bench *bench = given;
    size_t len = bench->len + 4;

    for (size_t i = 0; i < count; i++) {
        IMB_JOB *one = IMB_GET_NEXT_JOB(manager);

        one->enc_keys = one->dec_keys = key;
        one->key_len_in_bytes = sizeof key;
        one->iv = nonce;
        one->iv_len_in_bytes = sizeof nonce;
        one->u.CHACHA20_POLY1305.aad = aad;
        one->u.CHACHA20_POLY1305.aad_len_in_bytes = sizeof aad;
        one->src = one->dst = bench->data;
        one->msg_len_to_cipher_in_bytes = one->msg_len_to_hash_in_bytes = len;
        one->cipher_start_src_offset_in_bytes = one->hash_start_src_offset_in_bytes = 0;
        one->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
        one->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
        one->cipher_direction = IMB_DIR_ENCRYPT;
        one->chain_order = IMB_ORDER_CIPHER_HASH;
        one->auth_tag_output = bench->data + len;
        one->auth_tag_output_len_in_bytes = 16;
        BENCH_CHECK(IMB_SUBMIT_JOB(manager)->status == IMB_STATUS_COMPLETED);
    }
}


static bench_body bare_call(uint32_t aead)
{
    manager = manager == NULL ? alloc_mb_mgr(0) : manager;
    BENCH_CHECK(manager != NULL);
    init_mb_mgr_auto(manager, NULL);
    return aead == KEEP_AEAD_IPSEC_MB ? job : combined;
}
#else
static bench_body bare_call(uint32_t aead)
{
    (void)aead;
    return combined;
}
#endif

/* --- all of it --- */

static void measure(const char *aead, const char *what, bench_body body, struct bench *bench)
{
    char name[64];

    (void)snprintf(name, sizeof name, "%s.%s_%zu", aead, what, bench->len);
    bench_run(name, body, bench);
}

static void measure_len(const char *aead, struct bench *bench, size_t len)
{
    bench->len = len;
    bench->session = new_session(bench, true);
    measure(aead, "build", build, bench);
    measure(aead, "seal_into", seal_into, bench);
    measure(aead, "seal_batch", seal_batch, bench);
    keep_session_free(&bench->session);
    store(bench);
    measure(aead, "open_into", open_into, bench);
    measure(aead, "open_in_place", open_in_place, bench);
    measure(aead, "open_batch", open_batch, bench);
    if (bench->aead != KEEP_AEAD_AUTO)
        measure(aead, "floor.seal", bare_call(bench->aead), bench);
}

static void measure_threads(const char *aead, struct bench *both[2])
{
    void *const apart[] = { both[0], both[1] };
    void *const together[] = { both[0], both[0] };
    char name[64];

    for (size_t i = 0; i < 2; i++) {
        both[i]->len = 64;
        both[i]->session = new_session(both[i], true);
    }
    (void)snprintf(name, sizeof name, "%s.2t_build_64", aead);
    bench_run_threads(name, build, apart, 2);
    (void)snprintf(name, sizeof name, "%s.2t_shared_build_64", aead);
    bench_run_threads(name, build, together, 2);
    (void)snprintf(name, sizeof name, "%s.2t_seal_batch_64", aead);
    keep_session_free(&both[1]->session);
    both[1]->session = both[0]->session; /* the buffers stay apart */
    bench_run_threads(name, seal_batch, apart, 2);
    keep_session_free(&both[0]->session);
}

/* A pool of which all slots but one are in use. */
static void measure_full_pool(struct bench *bench)
{
    static keep_packet *packets[POOL_SLOTS];

    bench_tell("limit.pool_pair", 25);
    bench_tell("limit.pool_pair_full", 1000);
    bench_run("pool_pair", pool_pair, bench);
    for (size_t i = 0; i < POOL_SLOTS - 1; i++)
        BENCH_CHECK(keep_packet_pool_acquire(bench->pool, &packets[i]) == KEEP_OK);
    bench_run("pool_pair_full", pool_pair, bench);
    for (size_t i = 0; i < POOL_SLOTS - 1; i++)
        BENCH_CHECK(keep_packet_free(&packets[i]) == KEEP_OK);
}

static void measure_aead(struct bench *both[2], uint32_t aead)
{
    static const size_t lens[] = { 0, 16, 64, 256, 1024, 4096, 8104 };
    struct keep_aead_report report = KEEP_AEAD_REPORT_INIT;

    BENCH_CHECK(keep_aead_report(aead, &report) == KEEP_OK);
    if (report.state != KEEP_AEAD_USABLE)
        return;
    for (size_t i = 0; i < 2; i++)
        both[i]->aead = aead;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
        measure_len(report.name, both[0], lens[i]);
    measure_threads(report.name, both);
}

int main(void)
{
    static struct bench first, second;
    struct bench *both[] = { &first, &second };
    keep_packet_pool_options options = KEEP_PACKET_POOL_OPTIONS_INIT;

    options.capacity = POOL_SLOTS;
    randombytes_buf(first.key, sizeof first.key);
    randombytes_buf(second.key, sizeof second.key);
    BENCH_CHECK(keep_packet_pool_new(&options, &first.pool) == KEEP_OK);
    second.pool = first.pool;
    measure_full_pool(&first);
    for (uint32_t aead = KEEP_AEAD_SODIUM; aead <= KEEP_AEAD_IPSEC_MB; aead++)
        measure_aead(both, aead);
    keep_packet_pool_free(&first.pool);
    return 0;
}
