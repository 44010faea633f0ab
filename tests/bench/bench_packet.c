/* SPDX-License-Identifier: MIT */
/*
 * Packets: every way in, for each back end of the machine. Names end with the length of the one event in each packet.
 */
#include <keep/keep.h>

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define BATCH 16
#define BURST 64 /* datagrams that are sealed, then opened */
#define POOL_SLOTS 1024

static const uint8_t event[KEEP_MAX_EVENT_LEN];

/* Everything one thread works with. */
struct bench {
    keep_session *session, *receiver;
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
    uint8_t stored[BURST][KEEP_MAX_PACKET_LEN];
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

static void store(void *given, size_t count)
{
    struct bench *bench = given;
    keep_bytes one = { event, bench->len };
    keep_packet_request request = { .events = &one, .event_count = 1, .stream_id = 1 };
    size_t len;

    for (size_t i = 0; i < count; i++)
        BENCH_CHECK(keep_packet_seal_into(bench->session, &request, bench->stored[i], sizeof *bench->stored, &len) ==
                    KEEP_OK);
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

static void open_into(void *given, size_t count)
{
    struct bench *bench = given;
    keep_packet_open_out out = room_of(bench);
    size_t len = datagram_len(bench);

    for (size_t i = 0; i < count; i++)
        BENCH_CHECK(keep_packet_open_into(bench->receiver, bench->stored[i], len, &out) == KEEP_OK);
}

static void open_in_place(void *given, size_t count)
{
    struct bench *bench = given;
    keep_packet_open_out out = room_of(bench);
    size_t len = datagram_len(bench);

    out.cap = len - KEEP_PACKET_HEADER_LEN;
    for (size_t i = 0; i < count; i++) {
        out.data = bench->stored[i] + KEEP_PACKET_HEADER_LEN;
        BENCH_CHECK(keep_packet_open_into(bench->receiver, bench->stored[i], len, &out) == KEEP_OK);
    }
}

static void open_batch(void *given, size_t count)
{
    struct bench *bench = given;
    keep_packet_open_out out = room_of(bench);
    keep_bytes datagrams[BATCH];

    for (size_t i = 0; i < count; i += BATCH) {
        for (size_t at = 0; at < BATCH; at++)
            datagrams[at] = (keep_bytes){ bench->stored[i + at], datagram_len(bench) };
        BENCH_CHECK(keep_packet_open_batch(bench->receiver, datagrams, BATCH, &out) == KEEP_OK);
    }
}

/* --- all of it --- */

static void measure(const char *aead, const char *what, bench_body body, struct bench *bench)
{
    char name[64];

    (void)snprintf(name, sizeof name, "%s.%s_%zu", aead, what, bench->len);
    bench_run(name, body, bench);
}

static void measure_opening(const char *aead, const char *what, bench_body body, struct bench *bench)
{
    char name[64];

    (void)snprintf(name, sizeof name, "%s.%s_%zu", aead, what, bench->len);
    bench_run_bursts(name, (struct bench_bursts){ body, store, BURST }, bench);
}

static void measure_len(const char *aead, struct bench *bench, size_t len)
{
    bench->len = len;
    bench->session = new_session(bench, true);
    bench->receiver = new_session(bench, false);
    measure(aead, "build", build, bench);
    measure(aead, "seal_into", seal_into, bench);
    measure(aead, "seal_batch", seal_batch, bench);
    measure_opening(aead, "open_into", open_into, bench);
    measure_opening(aead, "open_in_place", open_in_place, bench);
    measure_opening(aead, "open_batch", open_batch, bench);
    keep_session_free(&bench->session);
    keep_session_free(&bench->receiver);
}

static void measure_threads(const char *aead, const char *what, bench_body body, struct bench *const states[2])
{
    void *const given[] = { states[0], states[1] };
    char name[64];

    (void)snprintf(name, sizeof name, "%s.2t_%s_%zu", aead, what, states[0]->len);
    bench_run_threads(name, body, given, 2);
}

static void measure_two(const char *aead, struct bench *const both[2], size_t len)
{
    struct bench *const one_twice[] = { both[0], both[0] };
    keep_session *second;

    for (size_t i = 0; i < 2; i++) {
        both[i]->len = len;
        both[i]->session = new_session(both[i], true);
    }
    measure_threads(aead, "build", build, both);
    measure_threads(aead, "shared_build", build, one_twice);
    second = both[1]->session;
    both[1]->session = both[0]->session; /* the buffers stay apart */
    measure_threads(aead, "seal_batch", seal_batch, both);
    keep_session_free(&second);
    keep_session_free(&both[0]->session);
}

/* A pool of which all slots but one are in use. */
static void measure_full_pool(struct bench *bench)
{
    static keep_packet *packets[POOL_SLOTS];

    bench_run("pool_pair", pool_pair, bench);
    for (size_t i = 0; i < POOL_SLOTS - 1; i++)
        BENCH_CHECK(keep_packet_pool_acquire(bench->pool, &packets[i]) == KEEP_OK);
    bench_run("pool_pair_full", pool_pair, bench);
    for (size_t i = 0; i < POOL_SLOTS - 1; i++)
        BENCH_CHECK(keep_packet_free(&packets[i]) == KEEP_OK);
}

static void measure_aead(struct bench *const both[2], uint32_t aead)
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
    measure_two(report.name, both, 64);
    measure_two(report.name, both, 1024);
}

int main(void)
{
    static struct bench first, second;
    struct bench *const both[] = { &first, &second };
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
