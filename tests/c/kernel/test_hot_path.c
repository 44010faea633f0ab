/* SPDX-License-Identifier: MIT */
/*
 * What sealing and opening do not do (packet T13, §5): no call of the heap by anybody, no system call, once a session
 * stands and a thread has used it.
 */
#include <dlfcn.h>

#include <keep/keep.h>

#include "heap.h"
#include "support/calls.h"
#include "support/forked.h"
#include "support/packets.h"
#include "support/threads.h"

enum {
    ROUNDS = 100000,
    BATCH = 2,
    THREADS = 8,
    TURNS = 200,
    LONG_EVENT = 2100, /* for AUTO another back end than short ones */
    ROOM = BATCH * (LONG_EVENT + KEEP_PACKET_OVERHEAD_LEN + 4)
};

START_TEST(what_libcrypto_allocates_is_counted)
{
    void *(*allocate)(size_t len, const char *file, int line);
    void (*give_back)(void *block, const char *file, int line);
    size_t before;

    *(void **)(void *)&allocate = dlsym(RTLD_DEFAULT, "CRYPTO_malloc");
    *(void **)(void *)&give_back = dlsym(RTLD_DEFAULT, "CRYPTO_free");
    ck_assert(allocate != NULL && give_back != NULL);
    before = heap_calls();
    give_back(allocate(1, __FILE__, __LINE__), __FILE__, __LINE__);
    if (can_count_heap_calls())
        ck_assert_uint_eq(heap_calls() - before, 2);
}
END_TEST

/* --- every way in --- */

struct hot {
    keep_session *sender, *receiver;
    keep_packet_pool *pool;
    keep_bytes events[BATCH];
    keep_packet_request requests[BATCH];
    struct datagram one;
    uint8_t many[ROOM];
    size_t offsets[BATCH + 1];
};

static void begin_hot(struct hot *hot, uint32_t aead)
{
    static const uint8_t text[LONG_EVENT];
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;

    options.aead = aead;
    hot->sender = session_with(1, 0, options);
    hot->receiver = session_with(0, 1, options);
    hot->pool = new_packet_pool(4);
    for (size_t i = 0; i < BATCH; i++) {
        hot->events[i] = (keep_bytes){ text, i == 0 ? 4 : LONG_EVENT };
        hot->requests[i] = request_of(&hot->events[i]);
    }
}

static bool open_in_place(struct hot *hot)
{
    keep_span event;
    keep_packet_opened opened;
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;

    out.data = hot->one.bytes + KEEP_PACKET_HEADER_LEN;
    out.cap = hot->one.len - KEEP_PACKET_HEADER_LEN;
    out.events = &event;
    out.event_cap = 1;
    out.packets = &opened;
    return keep_packet_open_into(hot->receiver, hot->one.bytes, hot->one.len, &out) == KEEP_OK;
}

static bool seal_and_open(struct hot *hot, const keep_packet_request *request)
{
    const keep_packet_request heartbeat = { .kind = KEEP_PACKET_HEARTBEAT };

    return keep_packet_seal_into(hot->sender, request, hot->one.bytes, sizeof hot->one.bytes, &hot->one.len) ==
               KEEP_OK &&
           try_open(hot->receiver, &hot->one) == KEEP_OK && try_open(hot->receiver, &hot->one) == KEEP_ERR_REPLAY &&
           keep_packet_seal_into(hot->sender, request, hot->one.bytes, sizeof hot->one.bytes, &hot->one.len) ==
               KEEP_OK &&
           open_in_place(hot) && try_open(hot->receiver, &hot->one) == KEEP_ERR_AUTH &&
           keep_packet_seal_into(hot->sender, &heartbeat, hot->one.bytes, sizeof hot->one.bytes, &hot->one.len) ==
               KEEP_OK;
}

static bool seal_batch(struct hot *hot)
{
    keep_status statuses[BATCH];
    keep_packet_seal_out out = KEEP_PACKET_SEAL_OUT_INIT;

    out.data = hot->many;
    out.cap = sizeof hot->many;
    out.offsets = hot->offsets;
    out.statuses = statuses;
    return keep_packet_seal_batch(hot->sender, hot->requests, BATCH, &out) == KEEP_OK;
}

static bool open_batch(struct hot *hot)
{
    static uint8_t data[ROOM];
    keep_bytes datagrams[BATCH];
    keep_span events[BATCH];
    keep_packet_opened opened[BATCH];
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;

    for (size_t i = 0; i < BATCH; i++)
        datagrams[i] = (keep_bytes){ hot->many + hot->offsets[i], hot->offsets[i + 1] - hot->offsets[i] };
    out.data = data;
    out.cap = sizeof data;
    out.events = events;
    out.event_cap = BATCH;
    out.packets = opened;
    return keep_packet_open_batch(hot->receiver, datagrams, BATCH, &out) == KEEP_OK;
}

static bool build(struct hot *hot, const keep_packet_request *request)
{
    keep_packet *packet = NULL;
    const uint8_t *data;
    size_t len;

    return keep_packet_pool_acquire(hot->pool, &packet) == KEEP_OK &&
           keep_packet_build(packet, hot->sender, request) == KEEP_OK &&
           keep_packet_data(packet, &data, &len) == KEEP_OK && keep_packet_free(&packet) == KEEP_OK;
}

static bool use_every_way(struct hot *hot, int round)
{
    const keep_packet_request *request = &hot->requests[round % BATCH];

    return seal_and_open(hot, request) && seal_batch(hot) && open_batch(hot) && build(hot, request);
}

static void use_silently(void *ctx)
{
    static struct hot hot;
    bool is_good = true;
    size_t before;

    begin_hot(&hot, *(uint32_t *)ctx);
    child_needs(use_every_way(&hot, 0));
    before = heap_calls();
    if (!forbid_calls())
        return;
    for (int round = 0; is_good && round < ROUNDS; round++)
        is_good = use_every_way(&hot, round);
    exit_at_once(is_good && heap_calls() == before ? 0 : 1);
}

/* packet T13 */
START_TEST(every_way_in_allocates_nothing_and_asks_the_kernel_nothing)
{
    struct keep_aead_report report = KEEP_AEAD_REPORT_INIT;
    uint32_t aead = (uint32_t)_i;

    if (aead != KEEP_AEAD_AUTO) {
        assert_ok(keep_aead_report(aead, &report));
        if (report.state != KEEP_AEAD_USABLE)
            return;
    }
    assert_returns(use_silently, &aead);
}
END_TEST

/* --- one slot for all threads --- */

struct turns {
    keep_packet_pool *pool;
    atomic_int turn;
    size_t before, after; /* heap calls, when each had its first turn, and at the end */
    bool is_good;         /* an assertion would allocate */
};

static void take_turns(struct worker *worker)
{
    struct turns *turns = worker->shared;

    for (int turn = worker->index; turn < TURNS * THREADS; turn += THREADS) {
        keep_packet *packet = NULL;

        wait_until(atomic_load(&turns->turn) == turn);
        if (turn == THREADS)
            turns->before = heap_calls();
        turns->is_good = turns->is_good && keep_packet_pool_acquire(turns->pool, &packet) == KEEP_OK &&
                         keep_packet_free(&packet) == KEEP_OK;
        if (turn == TURNS * THREADS - THREADS)
            turns->after = heap_calls();
        atomic_store(&turns->turn, turn + 1);
    }
}

/* packet D2 */
START_TEST(threads_that_take_turns_with_one_slot_allocate_nothing)
{
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(1);
    struct turns turns = { .pool = pool, .is_good = true };
    struct crew crew = { 0 };

    crew_add(&crew, THREADS, take_turns, &turns);
    crew_run(&crew, THREADS);
    ck_assert(turns.is_good);
    ck_assert_uint_eq(turns.after, turns.before);
}
END_TEST

RUN_SUITE("hot_path", ONCE(what_libcrypto_allocates_is_counted),
          TIMES(every_way_in_allocates_nothing_and_asks_the_kernel_nothing, KEEP_AEAD_IPSEC_MB + 1),
          ONCE(threads_that_take_turns_with_one_slot_allocate_nothing))
