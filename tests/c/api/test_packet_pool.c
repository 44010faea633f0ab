/* SPDX-License-Identifier: MIT */
/*
 * keep/packet_pool.h from outside.
 */
#include <keep/packet_pool.h>

#include <pthread.h>

#include <keep/protect.h>

#include "support/forked.h"
#include "support/maps.h"
#include "support/packets.h"
#include "support/threads.h"

static keep_packet *acquired(keep_packet_pool *pool)
{
    keep_packet *packet = NULL;

    assert_ok(keep_packet_pool_acquire(pool, &packet));
    return packet;
}

static void build_text(keep_packet *packet, keep_session *session, const char *text)
{
    keep_bytes event = { text, strlen(text) };
    keep_packet_request request = request_of(&event);

    assert_ok(keep_packet_build(packet, session, &request));
}

static struct datagram datagram_of(const keep_packet *packet)
{
    struct datagram datagram;
    const uint8_t *data;

    assert_ok(keep_packet_data(packet, &data, &datagram.len));
    memcpy(datagram.bytes, data, datagram.len);
    return datagram;
}

static keep_packet_info info_of_packet(const keep_packet *packet)
{
    struct datagram datagram = datagram_of(packet);
    keep_packet_info info;

    assert_ok(keep_packet_parse(datagram.bytes, datagram.len, &info));
    return info;
}

START_TEST(capacities_are_1_to_16384)
{
    static const uint32_t bad[] = { 0, 16385, UINT32_MAX };
    keep_packet_pool_options options = KEEP_PACKET_POOL_OPTIONS_INIT;
    keep_packet_pool *pool = NULL;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        options.capacity = bad[i];
        assert_status(keep_packet_pool_new(&options, &pool), KEEP_ERR_INVALID_ARGUMENT);
        ck_assert_ptr_null(pool);
    }
    options.capacity = 1;
    options.size = 3;
    assert_status(keep_packet_pool_new(&options, &pool), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_pool_new(NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_ok(keep_packet_pool_new(NULL, &pool));
    ck_assert_uint_eq(packet_pool_stats_of(pool).capacity, KEEP_DEFAULT_PACKET_SLOTS);
    keep_packet_pool_free(&pool);
    pool = new_packet_pool(16384);
    ck_assert_uint_eq(packet_pool_stats_of(pool).available, 16384);
    keep_packet_pool_free(&pool);
}
END_TEST

/* packet R26 */
START_TEST(of_1025_pools_the_last_is_refused)
{
    static keep_packet_pool *pools[KEEP_MAX_PACKET_POOLS + 1];
    keep_packet_pool_options options = KEEP_PACKET_POOL_OPTIONS_INIT;

    options.capacity = 1;
    for (int i = 0; i < KEEP_MAX_PACKET_POOLS; i++)
        assert_ok(keep_packet_pool_new(&options, &pools[i]));
    assert_status(keep_packet_pool_new(&options, &pools[KEEP_MAX_PACKET_POOLS]), KEEP_ERR_EXHAUSTED);
    keep_packet_pool_free(&pools[500]);
    assert_ok(keep_packet_pool_new(&options, &pools[500]));
    for (int i = 0; i < KEEP_MAX_PACKET_POOLS; i++)
        keep_packet_pool_free(&pools[i]);
}
END_TEST

static void *acquire_and_free(void *pool)
{
    keep_packet *packet = acquired(pool);

    assert_ok(keep_packet_free(&packet));
    return NULL;
}

static void run_in_thread(void *(*work)(void *), void *ctx)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, work, ctx), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static void assert_capacity(keep_packet_pool *pool, size_t capacity)
{
    keep_packet *packets[64] = { NULL };
    keep_packet *more = NULL;

    for (size_t i = 0; i < capacity; i++)
        packets[i] = acquired(pool);
    assert_status(keep_packet_pool_acquire(pool, &more), KEEP_ERR_EXHAUSTED);
    ck_assert_ptr_null(more);
    for (size_t i = 0; i < capacity; i++)
        assert_ok(keep_packet_free(&packets[i]));
}

/* packet D1 */
START_TEST(threads_that_come_and_go_take_no_slot_with_them)
{
    static const uint32_t capacities[] = { 16, 1 };
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(capacities[_i]);
    uint64_t bytes = packet_pool_stats_of(pool).bytes;

    for (int i = 0; i < 1000; i++)
        run_in_thread(acquire_and_free, pool);
    ck_assert_uint_eq(packet_pool_stats_of(pool).available, capacities[_i]);
    ck_assert_uint_eq(packet_pool_stats_of(pool).bytes, bytes);
    assert_capacity(pool, capacities[_i]);
}
END_TEST

/* Slots that some had and others take, in a crew. */
struct common {
    keep_packet_pool *pool;
    atomic_int done, freed;
};

static void use_all_and_stay(struct worker *worker)
{
    struct common *common = worker->shared;

    assert_capacity(common->pool, 16);
    atomic_store(&common->done, 1);
    wait_until(atomic_load(&worker->crew->is_over));
}

static void use_all_of_another(struct worker *worker)
{
    struct common *common = worker->shared;

    wait_until(atomic_load(&common->done) == 1);
    assert_capacity(common->pool, 16);
}

/* packet T11 */
START_TEST(slots_that_another_thread_used_are_there_for_all)
{
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(16);
    struct common common = { .pool = pool };
    struct keep_packet_pool_stats stats;
    struct crew crew = { 0 };

    crew_add(&crew, 1, use_all_of_another, &common);
    crew_add(&crew, 1, use_all_and_stay, &common);
    crew_run(&crew, 1);
    stats = packet_pool_stats_of(pool);
    ck_assert_uint_eq(stats.refused, 2);
    ck_assert_uint_eq(stats.peak, 16);
    ck_assert_uint_eq(stats.in_use, 0);
}
END_TEST

/* packet D3 */
START_TEST(a_setting_never_reaches_the_next_user_of_a_slot)
{
    const keep_packet_settings pools = { 1, 2, 3, 4, 5 };
    const keep_packet_settings own = { 11, 12, 13, 14, 15 };
    keep_packet_pool_options options = KEEP_PACKET_POOL_OPTIONS_INIT;
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_packet_pool) pool = NULL;
    keep_packet *packet;
    keep_packet_info info;

    options.capacity = 1;
    options.settings = pools;
    assert_ok(keep_packet_pool_new(&options, &pool));
    packet = acquired(pool);
    assert_ok(keep_packet_set(packet, &own));
    build_text(packet, sender, "own");
    ck_assert_uint_eq(info_of_packet(packet).origin_hash, 11);
    assert_ok(keep_packet_free(&packet));
    packet = acquired(pool);
    build_text(packet, sender, "the pool's");
    info = info_of_packet(packet);
    ck_assert(info.origin_hash == 1 && info.subnet_id == 2 && info.channel_hash == 3 && info.priority == 4 &&
              info.hop_ttl == 5);
    assert_ok(keep_packet_free(&packet));
}
END_TEST

/* packet T10 */
START_TEST(heartbeats_and_handshake_frames_have_no_settings)
{
    static const keep_bytes message = { "hello", 5 };
    const keep_packet_request heartbeat = { .kind = KEEP_PACKET_HEARTBEAT };
    const keep_packet_request frame = { .kind = KEEP_PACKET_HANDSHAKE, .events = &message, .event_count = 1 };
    keep_packet_pool_options options = KEEP_PACKET_POOL_OPTIONS_INIT;
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_packet_pool) pool = NULL;
    keep_packet *packet;

    options.settings = (keep_packet_settings){ 1, 2, 3, 4, 5 };
    assert_ok(keep_packet_pool_new(&options, &pool));
    packet = acquired(pool);
    assert_ok(keep_packet_build(packet, sender, &heartbeat));
    ck_assert_uint_eq(info_of_packet(packet).origin_hash, 0);
    ck_assert_uint_eq(info_of_packet(packet).kind, KEEP_PACKET_HEARTBEAT);
    assert_ok(keep_packet_build(packet, NULL, &frame));
    ck_assert_uint_eq(info_of_packet(packet).subnet_id, 0);
    ck_assert_uint_eq(info_of_packet(packet).kind, KEEP_PACKET_HANDSHAKE);
    assert_status(keep_packet_build(packet, NULL, &heartbeat), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_build(packet, sender, &frame), KEEP_ERR_INVALID_ARGUMENT);
    assert_ok(keep_packet_free(&packet));
}
END_TEST

/* packet D4 */
START_TEST(a_slot_holds_no_key_of_the_session_before)
{
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(1);
    keep_session *senders[] = { new_sender(1), new_sender(2) };

    for (int i = 0; i < 2; i++) {
        KEEP_AUTO(keep_session) right = new_receiver(i + 1);
        KEEP_AUTO(keep_session) wrong = new_receiver(2 - i);
        keep_packet *packet = acquired(pool);
        struct datagram datagram;

        build_text(packet, senders[i], "text");
        datagram = datagram_of(packet);
        assert_status(try_open(wrong, &datagram), KEEP_ERR_AUTH);
        ck_assert(opens_as(right, &datagram, "text"));
        assert_ok(keep_packet_free(&packet));
    }
    keep_session_free(&senders[0]);
    keep_session_free(&senders[1]);
}
END_TEST

/* packet R29 */
START_TEST(a_refused_build_leaves_a_packet_as_it_was)
{
    static const uint8_t long_bytes[KEEP_MAX_EVENT_LEN + 1];
    keep_bytes event = { long_bytes, sizeof long_bytes };
    keep_packet_request request = request_of(&event);
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(1);
    keep_packet *packet = acquired(pool);
    struct datagram datagram;
    const uint8_t *data;
    size_t len;

    assert_status(keep_packet_data(packet, &data, &len), KEEP_ERR_STATE);
    build_text(packet, sender, "text");
    assert_status(keep_packet_build(packet, sender, &request), KEEP_ERR_PACKET_TOO_LARGE);
    datagram = datagram_of(packet);
    ck_assert(opens_as(receiver, &datagram, "text"));
    assert_ok(keep_packet_free(&packet));
    packet = acquired(pool);
    assert_status(keep_packet_data(packet, &data, &len), KEEP_ERR_STATE);
    assert_ok(keep_packet_free(&packet));
}
END_TEST

/* packet D7 */
START_TEST(a_packet_is_freed_once_and_a_stale_one_is_nobodys)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(1);
    keep_packet *packet = acquired(pool);
    keep_packet *copy = packet;
    keep_packet *again = packet;
    keep_packet *owner;
    const keep_packet_request heartbeat = { .kind = KEEP_PACKET_HEARTBEAT };
    const uint8_t *data;
    size_t len;

    assert_ok(keep_packet_free(&packet));
    ck_assert_ptr_null(packet);
    assert_ok(keep_packet_free(&packet));
    assert_ok(keep_packet_free(NULL));
    assert_status(keep_packet_free(&copy), KEEP_ERR_CLOSED);
    ck_assert_ptr_null(copy);
    owner = acquired(pool);
    build_text(owner, sender, "owner's");
    copy = again;
    assert_status(keep_packet_build(again, sender, &heartbeat), KEEP_ERR_CLOSED);
    assert_status(keep_packet_data(again, &data, &len), KEEP_ERR_CLOSED);
    assert_status(keep_packet_set(again, NULL), KEEP_ERR_CLOSED);
    assert_status(keep_packet_free(&copy), KEEP_ERR_CLOSED);
    ck_assert_uint_eq(datagram_of(owner).len, KEEP_PACKET_OVERHEAD_LEN + 4 + 7);
    assert_ok(keep_packet_free(&owner));
}
END_TEST

START_TEST(an_invented_packet_is_closed)
{
    static const uint64_t values[] = { 1, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF };
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(1);
    const uint8_t *data;
    size_t len;

    ck_assert_ptr_nonnull(pool);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        ck_assert(keep_packet_data((keep_packet *)(uintptr_t)values[i], &data, &len) != KEEP_OK);
    assert_status(keep_packet_data(NULL, &data, &len), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

/* packet R30 */
START_TEST(packets_of_a_freed_pool_work_until_the_last_is_freed)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    keep_packet_pool *pool = new_packet_pool(2);
    keep_packet *packets[] = { acquired(pool), acquired(pool) };
    size_t mappings = count_mappings();
    struct datagram datagram;

    keep_packet_pool_free(&pool);
    ck_assert_ptr_null(pool);
    assert_ok(keep_packet_free(&packets[0]));
    build_text(packets[1], sender, "text");
    datagram = datagram_of(packets[1]);
    ck_assert(opens_as(receiver, &datagram, "text"));
    assert_ok(keep_packet_free(&packets[1]));
    ck_assert_uint_lt(count_mappings(), mappings);
    keep_packet_pool_free(&pool);
    keep_packet_pool_free(NULL);
}
END_TEST

/* packet R31 */
START_TEST(a_pool_takes_what_it_tells_and_no_more_than_allowed)
{
    static const uint32_t capacities[] = { 1, 64, 16384 };
    keep_packet_pool *pool = new_packet_pool(capacities[_i]);
    uint64_t bytes = packet_pool_stats_of(pool).bytes;

    ck_assert_uint_le(bytes, capacities[_i] * UINT64_C(8448) + 128 * 1024);
    ck_assert_uint_ge(bytes, capacities[_i] * UINT64_C(8192));
    keep_packet_pool_free(&pool);
}
END_TEST

enum {
    HOLDERS = 64
};

static void hold_build_and_free(struct worker *worker)
{
    struct common *common = worker->shared;
    const keep_bytes message = { "hello", 5 };
    const keep_packet_request frame = { .kind = KEEP_PACKET_HANDSHAKE, .events = &message, .event_count = 1 };

    for (int round = 1; round <= 10; round++) {
        keep_packet *packet = acquired(common->pool);

        assert_ok(keep_packet_build(packet, NULL, &frame));
        atomic_fetch_add(&common->done, 1);
        wait_until(atomic_load(&common->done) >= round * HOLDERS); /* all hold one */
        assert_ok(keep_packet_free(&packet));
        atomic_fetch_add(&common->freed, 1);
        wait_until(atomic_load(&common->freed) >= round * HOLDERS);
    }
}

/* What the kernel says of the pages of a pool's slots. */
static size_t len_of_pages(keep_packet_pool *pool)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    keep_packet *packet = acquired(pool);
    struct mapping mapping;
    const uint8_t *data;
    size_t len;

    build_text(packet, sender, "text");
    assert_ok(keep_packet_data(packet, &data, &len));
    ck_assert(mapping_at(data, &mapping));
    assert_ok(keep_packet_free(&packet));
    return mapping.end - mapping.start;
}

/* packet D8 */
START_TEST(sixty_four_threads_hold_and_free_within_what_the_pool_told)
{
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(HOLDERS);
    uint64_t bytes = packet_pool_stats_of(pool).bytes;
    struct common common = { .pool = pool };
    struct crew crew = { 0 };
    size_t mappings;

    crew_add(&crew, HOLDERS, hold_build_and_free, &common);
    crew_run(&crew, HOLDERS);
    mappings = len_of_pages(pool);
    ck_assert_uint_eq(packet_pool_stats_of(pool).bytes, bytes);
    ck_assert_uint_ge(mappings, HOLDERS * KEEP_MAX_PACKET_LEN);
    ck_assert(mappings <= bytes && bytes <= HOLDERS * UINT64_C(8448) + 128 * 1024);
}
END_TEST

/* packet R26: out of dumps, and not in a child */
START_TEST(the_slots_are_kept_from_dumps_and_children)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(1);
    keep_packet *packet = acquired(pool);
    struct mapping mapping;
    const uint8_t *data;
    size_t len;

    build_text(packet, sender, "text");
    assert_ok(keep_packet_data(packet, &data, &len));
    ck_assert(mapping_at(data, &mapping));
    ck_assert(mapping_has(&mapping, "dd"));
    ck_assert(mapping_has(&mapping, "wf") || mapping_has(&mapping, "dc"));
    assert_ok(keep_packet_free(&packet));
}
END_TEST

struct inherited {
    keep_packet_pool *pool;
    keep_packet *packet;
};

static void use_inherited(void *ctx)
{
    struct inherited *inherited = ctx;
    struct keep_packet_pool_stats stats = KEEP_PACKET_POOL_STATS_INIT;
    const keep_packet_request heartbeat = { .kind = KEEP_PACKET_HEARTBEAT };
    keep_packet *packet = NULL;
    keep_packet_pool *own = NULL;
    keep_session *session = new_sender(7);
    const uint8_t *data;
    size_t len;

    child_needs(keep_packet_pool_acquire(inherited->pool, &packet) == KEEP_ERR_FORKED);
    child_needs(keep_packet_pool_stats(inherited->pool, &stats) == KEEP_ERR_FORKED);
    child_needs(keep_packet_data(inherited->packet, &data, &len) == KEEP_ERR_FORKED);
    child_needs(keep_packet_build(inherited->packet, session, &heartbeat) == KEEP_ERR_FORKED);
    child_needs(keep_packet_free(&inherited->packet) == KEEP_ERR_FORKED);
    child_needs(inherited->packet == NULL);
    keep_packet_pool_free(&inherited->pool);
    child_needs(inherited->pool == NULL);
    child_needs(keep_packet_pool_new(NULL, &own) == KEEP_OK);
    child_needs(keep_packet_pool_acquire(own, &packet) == KEEP_OK);
    child_needs(keep_packet_build(packet, session, &heartbeat) == KEEP_OK);
    child_needs(keep_packet_free(&packet) == KEEP_OK);
    keep_packet_pool_free(&own);
    keep_session_free(&session);
}

/* packet D9 */
START_TEST(a_forked_child_has_its_own_pools)
{
    keep_packet_pool *pool = new_packet_pool(2);
    struct inherited inherited = { pool, acquired(pool) };
    KEEP_AUTO(keep_session) sender = new_sender(1);

    build_text(inherited.packet, sender, "text");
    assert_returns(use_inherited, &inherited);
    ck_assert_uint_eq(packet_pool_stats_of(pool).in_use, 1);
    ck_assert_uint_eq(datagram_of(inherited.packet).len, KEEP_PACKET_OVERHEAD_LEN + 8);
    assert_ok(keep_packet_free(&inherited.packet));
    keep_packet_pool_free(&pool);
}
END_TEST

START_TEST(a_purge_leaves_pools_and_packets)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(1);
    keep_packet *packet = acquired(pool);
    const keep_packet_request heartbeat = { .kind = KEEP_PACKET_HEARTBEAT };

    build_text(packet, sender, "text");
    assert_ok(keep_purge(NULL));
    ck_assert_uint_eq(datagram_of(packet).len, KEEP_PACKET_OVERHEAD_LEN + 8);
    assert_status(keep_packet_build(packet, sender, &heartbeat), KEEP_ERR_PURGED);
    ck_assert_uint_eq(datagram_of(packet).len, KEEP_PACKET_OVERHEAD_LEN + 8);
    assert_ok(keep_packet_free(&packet));
    ck_assert_uint_eq(packet_pool_stats_of(pool).available, 1);
}
END_TEST

START_TEST(what_is_no_call_at_all_is_refused)
{
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(1);
    KEEP_AUTO(keep_session) sender = new_sender(1);
    struct keep_packet_pool_stats stats = KEEP_PACKET_POOL_STATS_INIT;
    const keep_packet_request heartbeat = { .kind = KEEP_PACKET_HEARTBEAT };
    keep_packet *packet = acquired(pool);
    const uint8_t *data;
    size_t len;

    assert_status(keep_packet_pool_acquire(pool, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_pool_acquire(NULL, &packet), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_build(NULL, sender, &heartbeat), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_build(packet, sender, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_data(packet, NULL, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_data(packet, &data, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_pool_stats(pool, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_pool_stats(NULL, &stats), KEEP_ERR_INVALID_ARGUMENT);
    assert_ok(keep_packet_set(packet, NULL));
    assert_ok(keep_packet_free(&packet));
}
END_TEST

RUN_SUITE("packet_pool", ONCE(what_is_no_call_at_all_is_refused), ONCE(capacities_are_1_to_16384),
          ONCE(of_1025_pools_the_last_is_refused),
          TIMES(threads_that_come_and_go_take_no_slot_with_them, 2),
          ONCE(slots_that_another_thread_used_are_there_for_all), ONCE(a_setting_never_reaches_the_next_user_of_a_slot),
          ONCE(heartbeats_and_handshake_frames_have_no_settings), ONCE(a_slot_holds_no_key_of_the_session_before),
          ONCE(a_refused_build_leaves_a_packet_as_it_was), ONCE(a_packet_is_freed_once_and_a_stale_one_is_nobodys),
          ONCE(an_invented_packet_is_closed), ONCE(packets_of_a_freed_pool_work_until_the_last_is_freed),
          TIMES(a_pool_takes_what_it_tells_and_no_more_than_allowed, 3),
          ONCE(sixty_four_threads_hold_and_free_within_what_the_pool_told),
          ONCE(the_slots_are_kept_from_dumps_and_children), ONCE(a_forked_child_has_its_own_pools),
          ONCE(a_purge_leaves_pools_and_packets))
