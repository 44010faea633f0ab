/* SPDX-License-Identifier: MIT */
/*
 * Calls of C that programs of other languages measure themselves beside (bindings §6).
 */
#include <keep/keep.h>

#include <stdint.h>

#include "bench.h"

#define EVENT_LEN 64
#define BATCH 64

static const uint8_t event[EVENT_LEN];

/* Everything the calls need. */
struct bench {
    keep_session *sender, *receiver;
    keep_bytes one;
    keep_packet_request requests[BATCH];
    uint8_t out[BATCH * KEEP_MAX_PACKET_LEN];
    size_t offsets[BATCH + 1];
    keep_status statuses[BATCH];
};

static void begin(struct bench *bench)
{
    keep_session_options sends = KEEP_SESSION_OPTIONS_INIT, receives = KEEP_SESSION_OPTIONS_INIT;
    keep_secret *key = NULL;

    BENCH_CHECK(keep_secret_generate(NULL, 32, &key) == KEEP_OK);
    sends.tx_key = receives.rx_key = key;
    BENCH_CHECK(keep_session_new(&sends, &bench->sender) == KEEP_OK);
    BENCH_CHECK(keep_session_new(&receives, &bench->receiver) == KEEP_OK);
    BENCH_CHECK(keep_secret_free(&key) == KEEP_OK);
    bench->one = (keep_bytes){ event, sizeof event };
    for (size_t i = 0; i < BATCH; i++)
        bench->requests[i] = (keep_packet_request){ .events = &bench->one, .event_count = 1, .sequence = i };
}

static void seal(void *given, size_t count)
{
    struct bench *bench = given;
    size_t len;

    for (size_t i = 0; i < count; i++)
        BENCH_CHECK(keep_packet_seal_into(bench->sender, &bench->requests[0], bench->out, sizeof bench->out, &len) ==
                    KEEP_OK);
}

/* A call is one packet of a batch. */
static void seal_batch(void *given, size_t count)
{
    struct bench *bench = given;
    keep_packet_seal_out out = KEEP_PACKET_SEAL_OUT_INIT;

    out.data = bench->out;
    out.cap = sizeof bench->out;
    out.offsets = bench->offsets;
    out.statuses = bench->statuses;
    for (size_t i = 0; i < count; i += BATCH)
        BENCH_CHECK(keep_packet_seal_batch(bench->sender, bench->requests, BATCH, &out) == KEEP_OK);
}

static void refuse(void *given, size_t count)
{
    struct bench *bench = given;
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;
    keep_packet_opened opened;

    out.packets = &opened;
    for (size_t i = 0; i < count; i++)
        BENCH_CHECK(keep_packet_open_into(bench->receiver, event, sizeof event, &out) == KEEP_ERR_PACKET_SHORT);
}

int main(void)
{
    static struct bench bench;

    begin(&bench);
    bench_run("seal_into_64", seal, &bench);
    bench_run("seal_batch_64", seal_batch, &bench);
    bench_run("open_short", refuse, &bench);
    keep_session_free(&bench.sender);
    keep_session_free(&bench.receiver);
    return 0;
}
