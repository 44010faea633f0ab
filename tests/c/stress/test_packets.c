/* SPDX-License-Identifier: MIT */
/*
 * Sessions and packet pools from many threads: each counter once, each packet opened once, no slot lost.
 */
#include <stdlib.h>

#include <keep/keep.h>

#include "support/packets.h"
#include "support/threads.h"

enum {
    THREADS = 8,
    BATCH = 8,
    WINDOW = 16384
};

/* --- counters --- */

/* Which counters were seen. */
struct seen {
    keep_session *session;
    size_t count;
    atomic_uchar *times;
};

static struct seen seen_of(keep_session *session, size_t count)
{
    struct seen seen = { session, count, calloc(count, sizeof *seen.times) };

    ck_assert_ptr_nonnull(seen.times);
    return seen;
}

static void see(struct seen *seen, const uint8_t *datagram, size_t len, uint64_t first)
{
    keep_packet_info info;

    assert_ok(keep_packet_parse(datagram, len, &info));
    ck_assert_uint_lt(info.counter - first, seen->count);
    ck_assert_uint_eq(atomic_fetch_add(&seen->times[info.counter - first], 1), 0);
}

/* Packets without events, and a heartbeat among them; all of one length. */
static keep_status try_seal_batch(keep_session *session, uint8_t out[BATCH][KEEP_PACKET_OVERHEAD_LEN])
{
    keep_packet_request requests[BATCH] = { { 0 } };
    size_t offsets[BATCH + 1];
    keep_status statuses[BATCH];
    keep_packet_seal_out batch = KEEP_PACKET_SEAL_OUT_INIT;

    batch.data = out[0];
    batch.cap = (size_t)BATCH * KEEP_PACKET_OVERHEAD_LEN;
    batch.offsets = offsets;
    batch.statuses = statuses;
    requests[3].kind = KEEP_PACKET_HEARTBEAT;
    return keep_packet_seal_batch(session, requests, BATCH, &batch);
}

static void seal_a_batch(struct seen *seen)
{
    uint8_t datagrams[BATCH][KEEP_PACKET_OVERHEAD_LEN];

    assert_ok(try_seal_batch(seen->session, datagrams));
    for (size_t i = 0; i < BATCH; i++)
        see(seen, datagrams[i], sizeof datagrams[i], 0);
}

static void seal_one(struct seen *seen, uint8_t kind)
{
    keep_packet_request request = { .kind = kind };
    struct datagram datagram;

    assert_ok(keep_packet_seal_into(seen->session, &request, datagram.bytes, sizeof datagram.bytes, &datagram.len));
    see(seen, datagram.bytes, datagram.len, 0);
}

static void seal_in_every_way(struct worker *worker)
{
    struct seen *seen = worker->shared;
    int left = (int)(seen->count / THREADS);

    while (left > 0) {
        uint64_t way = stream_below(&worker->stream, 3);

        if (way == 0 && left >= BATCH) {
            seal_a_batch(seen);
            left -= BATCH;
        } else {
            seal_one(seen, way == 1 ? KEEP_PACKET_HEARTBEAT : KEEP_PACKET_DATA);
            left--;
        }
    }
}

/* packet T2 */
START_TEST(every_counter_is_used_once)
{
    KEEP_AUTO(keep_session) session = new_sender(1);
    struct seen seen = seen_of(session, (size_t)rounds(100000) * THREADS);
    struct crew crew = { 0 };

    crew_add(&crew, THREADS, seal_in_every_way, &seen);
    crew_run(&crew, THREADS);
    ck_assert_uint_eq(session_stats_of(session).next_counter, seen.count);
    free(seen.times);
}
END_TEST

static void seal_to_the_end(struct worker *worker)
{
    struct seen *seen = worker->shared;
    struct datagram datagram;

    for (int i = 0; i < 100; i++) {
        keep_status st = try_seal(seen->session, "x", 1, &datagram);

        ck_assert(st == KEEP_OK || st == KEEP_ERR_REKEY);
        if (st == KEEP_OK)
            see(seen, datagram.bytes, datagram.len, UINT64_MAX - seen->count);
    }
    assert_status(try_seal(seen->session, "x", 1, &datagram), KEEP_ERR_REKEY);
}

/* packet T3 */
START_TEST(the_last_counters_are_used_once_and_no_more)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    KEEP_AUTO(keep_session) session = NULL;
    struct crew crew = { 0 };
    struct seen seen;
    size_t used = 0;

    options.first_counter = UINT64_MAX - 49; /* 2^64 - 50 */
    session = session_with(1, 0, options);
    seen = seen_of(session, 49);
    crew_add(&crew, THREADS, seal_to_the_end, &seen);
    crew_run(&crew, THREADS);
    for (size_t i = 0; i < seen.count; i++)
        used += seen.times[i];
    ck_assert_uint_eq(used, 49);
    ck_assert_uint_eq(session_stats_of(session).next_counter, UINT64_MAX);
    free(seen.times);
}
END_TEST

/* --- replays --- */

struct short_datagram {
    uint8_t bytes[KEEP_PACKET_OVERHEAD_LEN + 8];
    size_t len;
};

struct race {
    keep_session *receiver;
    struct short_datagram *datagrams;
    size_t count;
    atomic_size_t taken;
    atomic_uchar *opened, *replayed; /* how often, of each datagram; who opens each once also takes it here first */
};

static keep_status try_open_short(keep_session *session, const struct short_datagram *datagram)
{
    struct opening opening;

    return try_open_bytes(session, datagram->bytes, datagram->len, &opening);
}

static void open_the_same(struct worker *worker)
{
    struct race *race = worker->shared;

    for (size_t i = 0; i < race->count; i++) {
        keep_status st = try_open_short(race->receiver, &race->datagrams[i]);

        ck_assert(st == KEEP_OK || st == KEEP_ERR_REPLAY);
        atomic_fetch_add(st == KEEP_OK ? &race->opened[i] : &race->replayed[i], 1);
    }
}

static struct race race_of(keep_session *sender, keep_session *receiver, size_t count)
{
    const keep_bytes text = { "text", 4 };
    const keep_packet_request request = request_of(&text);
    struct race race = { .receiver = receiver, .count = count };

    race.datagrams = calloc(count, sizeof *race.datagrams);
    race.opened = calloc(count, sizeof *race.opened);
    race.replayed = calloc(count, sizeof *race.replayed);
    ck_assert(race.datagrams != NULL && race.opened != NULL && race.replayed != NULL);
    for (size_t i = 0; i < count; i++) {
        struct short_datagram *datagram = &race.datagrams[i];

        assert_ok(keep_packet_seal_into(sender, &request, datagram->bytes, sizeof datagram->bytes, &datagram->len));
    }
    return race;
}

static void end_race(struct race *race)
{
    free(race->datagrams);
    free(race->opened);
    free(race->replayed);
}

/* packet T5 */
START_TEST(of_eight_threads_with_one_packet_one_opens_it)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct race race = race_of(sender, receiver, 200);
    struct crew crew = { 0 };

    crew_add(&crew, THREADS, open_the_same, &race);
    crew_run(&crew, THREADS);
    for (size_t i = 0; i < race.count; i++)
        ck_assert(race.opened[i] == 1 && race.replayed[i] == THREADS - 1);
    ck_assert_uint_eq(session_stats_of(receiver).opened, 200);
    ck_assert_uint_eq(session_stats_of(receiver).replayed, 7 * 200);
    end_race(&race);
}
END_TEST

static void open_in_random_order(struct worker *worker)
{
    struct race *race = worker->shared;

    while (atomic_fetch_add(&race->taken, 1) < race->count) { /* so one is left for this thread */
        size_t at = stream_below(&worker->stream, race->count);

        while (atomic_exchange(&race->opened[at], 1) != 0)
            at = (at + 1) % race->count;
        assert_ok(try_open_short(race->receiver, &race->datagrams[at]));
    }
}

/* packet T5 */
START_TEST(within_the_window_every_order_opens_each_packet)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = NULL;
    struct crew crew = { 0 };
    struct race race;

    options.window = WINDOW;
    receiver = session_with(0, 1, options);
    race = race_of(sender, receiver, 10000);
    crew_add(&crew, THREADS, open_in_random_order, &race);
    crew_run(&crew, THREADS);
    ck_assert_uint_eq(session_stats_of(receiver).opened, 10000);
    end_race(&race);
}
END_TEST

/* --- pools --- */

static void acquire_build_free(struct worker *worker)
{
    void **shared = worker->shared;
    int count = rounds(100000);

    for (int i = 0; i < count; i++) {
        keep_bytes event = { &worker->index, sizeof worker->index };
        keep_packet_request request = request_of(&event);
        keep_packet *packet = NULL;
        keep_packet_info info;
        const uint8_t *data;
        size_t len;
        keep_status st = keep_packet_pool_acquire(shared[0], &packet);

        if (st == KEEP_ERR_EXHAUSTED)
            continue;
        assert_ok(st);
        request.stream_id = (uint64_t)worker->index + 1;
        assert_ok(keep_packet_build(packet, shared[1], &request));
        assert_ok(keep_packet_data(packet, &data, &len));
        assert_ok(keep_packet_parse(data, len, &info));
        ck_assert_uint_eq(info.stream_id, (uint64_t)worker->index + 1);
        assert_ok(keep_packet_free(&packet));
    }
}

static void ask_pool_stats(struct worker *worker)
{
    void **shared = worker->shared;

    while (!atomic_load(&worker->crew->is_over))
        ck_assert_uint_le(packet_pool_stats_of(shared[0]).in_use, 4);
}

START_TEST(nobody_builds_in_anothers_slot)
{
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(4);
    KEEP_AUTO(keep_session) session = new_sender(1);
    void *shared[] = { pool, session };
    struct crew crew = { 0 };

    crew_add(&crew, THREADS, acquire_build_free, shared);
    crew_add(&crew, 1, ask_pool_stats, shared);
    crew_run(&crew, THREADS);
    ck_assert_uint_eq(packet_pool_stats_of(pool).in_use, 0);
}
END_TEST

/* Packets that one thread acquires and others free, while their pool is freed and new ones are made. */
struct handing_over {
    keep_packet_pool *pool;
    keep_packet *packets[THREADS];
    atomic_int round;
    atomic_int freed;
};

static void free_what_was_handed_over(struct worker *worker)
{
    struct handing_over *over = worker->shared;

    for (int round = 1;; round++) {
        wait_until(atomic_load(&over->round) >= round || atomic_load(&worker->crew->is_over));
        if (atomic_load(&over->round) < round)
            return;
        assert_ok(keep_packet_free(&over->packets[worker->index]));
        atomic_fetch_add(&over->freed, 1);
    }
}

/* The whole of a thread, which ends while what it acquired is freed. */
static void *acquire_for_others(void *ctx)
{
    struct handing_over *over = ctx;

    for (int i = 0; i < THREADS / 2; i++)
        assert_ok(keep_packet_pool_acquire(over->pool, &over->packets[i]));
    atomic_store(&over->freed, 0);
    atomic_fetch_add(&over->round, 1);
    return NULL;
}

static void hand_over(struct worker *worker)
{
    struct handing_over *over = worker->shared;
    int count = rounds(20000);

    for (int round = 1; round <= count; round++) {
        bool is_in_thread = round % 16 == 1; /* beginning one takes longer than all the rest */
        pthread_t thread;

        over->pool = new_packet_pool(THREADS);
        if (is_in_thread)
            ck_assert_int_eq(pthread_create(&thread, NULL, acquire_for_others, over), 0);
        else
            (void)acquire_for_others(over);
        wait_until(atomic_load(&over->round) == round);
        keep_packet_pool_free(&over->pool);
        wait_until(atomic_load(&over->freed) == THREADS / 2);
        if (is_in_thread)
            ck_assert_int_eq(pthread_join(thread, NULL), 0);
    }
}

/* Takes up what the others end. */
static void make_pools_all_the_time(struct worker *worker)
{
    const keep_bytes message = { "hello", 5 };
    const keep_packet_request frame = { .kind = KEEP_PACKET_HANDSHAKE, .events = &message, .event_count = 1 };

    while (!atomic_load(&worker->crew->is_over)) {
        keep_packet_pool *pool = new_packet_pool(1);
        keep_packet *packet = NULL;

        assert_ok(keep_packet_pool_acquire(pool, &packet));
        assert_ok(keep_packet_build(packet, NULL, &frame));
        assert_ok(keep_packet_free(&packet));
        ck_assert_uint_eq(packet_pool_stats_of(pool).in_use, 0);
        keep_packet_pool_free(&pool);
    }
}

/* packet T12 */
START_TEST(freeing_packets_and_their_pool_at_once_ends_each_pool_once)
{
    struct handing_over over = { .round = 0 };
    struct crew crew = { 0 };

    crew_add(&crew, 1, hand_over, &over);
    crew_add(&crew, THREADS / 2, free_what_was_handed_over, &over);
    crew_add(&crew, 2, make_pools_all_the_time, NULL);
    crew_run(&crew, 1);
}
END_TEST

/* --- purges --- */

enum {
    SEALERS = 3,
    SEALS_OF_A_ROUND = 500
};

struct purged {
    keep_session *session;
    atomic_uint sealed;
    uint64_t purge_at;                                      /* so many were sealed */
    uint8_t last[SEALERS][BATCH][KEEP_PACKET_OVERHEAD_LEN]; /* of each sealer, zeros: it sealed nothing */
};

/* Single packets, or batches. What a purge overlaps is zero. */
static keep_status try_seal_some(keep_session *session, int sealer, uint8_t out[BATCH][KEEP_PACKET_OVERHEAD_LEN])
{
    static const keep_packet_request empty;
    size_t len;

    memset(out, 0, (size_t)BATCH * KEEP_PACKET_OVERHEAD_LEN);
    return sealer == 0 ? try_seal_batch(session, out)
                       : keep_packet_seal_into(session, &empty, out[0], KEEP_PACKET_OVERHEAD_LEN, &len);
}

static void seal_until_purged(struct worker *worker)
{
    struct purged *purged = worker->shared;
    uint8_t out[BATCH][KEEP_PACKET_OVERHEAD_LEN];
    keep_status st = try_seal_some(purged->session, worker->index, out);

    for (; st == KEEP_OK; st = try_seal_some(purged->session, worker->index, out)) {
        memcpy(purged->last[worker->index], out, sizeof out);
        atomic_fetch_add(&purged->sealed, worker->index == 0 ? BATCH : 1);
    }
    assert_status(st, KEEP_ERR_PURGED);
    ck_assert(are_all(out, 0, sizeof out));
}

static void purge_once(struct worker *worker)
{
    struct purged *purged = worker->shared;

    wait_until(atomic_load(&purged->sealed) >= purged->purge_at);
    assert_ok(keep_purge(NULL));
}

static keep_session *receiver_with(const uint8_t *bytes)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) key = NULL;
    keep_session *receiver = NULL;

    assert_ok(keep_secret_from_bytes(NULL, bytes, KEY_LEN, &key));
    options.rx_key = key;
    options.session_id = SESSION_ID;
    assert_ok(keep_session_new(&options, &receiver));
    return receiver;
}

static void assert_sealed_by_the_key(const uint8_t datagram[KEEP_PACKET_OVERHEAD_LEN])
{
    static const uint8_t zeros[KEY_LEN];
    KEEP_AUTO(keep_session) right = new_receiver(1);
    KEEP_AUTO(keep_session) zero = receiver_with(zeros);
    struct opening opening;

    if (datagram[0] == 0)
        return;
    assert_status(try_open_bytes(zero, datagram, KEEP_PACKET_OVERHEAD_LEN, &opening), KEEP_ERR_AUTH);
    assert_ok(try_open_bytes(right, datagram, KEEP_PACKET_OVERHEAD_LEN, &opening));
}

/* packet T17: what the key sealed before it was wiped leaves, and nothing else */
START_TEST(no_packet_leaves_that_a_wiped_key_sealed)
{
    struct stream stream = stream_begin();
    unsigned wanted = (unsigned)rounds(1000000);
    unsigned sealed = 0;

    for (int left = rounds(4000); left > 0 || sealed < wanted; left--) {
        struct purged purged = { .session = new_sender(1), .purge_at = stream_below(&stream, SEALS_OF_A_ROUND) };
        struct crew crew = { 0 };

        crew_add(&crew, SEALERS, seal_until_purged, &purged);
        crew_add(&crew, 1, purge_once, &purged);
        crew_run(&crew, SEALERS + 1);
        for (int i = 0; i < SEALERS * BATCH; i++)
            assert_sealed_by_the_key(purged.last[i / BATCH][i % BATCH]);
        keep_session_free(&purged.session);
        sealed += purged.sealed;
    }
}
END_TEST

RUN_SUITE("packets", ONCE(every_counter_is_used_once), ONCE(the_last_counters_are_used_once_and_no_more),
          ONCE(of_eight_threads_with_one_packet_one_opens_it), ONCE(within_the_window_every_order_opens_each_packet),
          ONCE(nobody_builds_in_anothers_slot), ONCE(freeing_packets_and_their_pool_at_once_ends_each_pool_once),
          ONCE(no_packet_leaves_that_a_wiped_key_sealed))
