/* SPDX-License-Identifier: MIT */
/*
 * Packet pools, white box: two threads at one slot, and at the end of a pool. A pool's shell is larger than the heap's
 * chunks, so it begins a page; its words reach over several.
 */
#include "keep/packet_pool.h"

#include "keep/protect.h"
#include "memory/guard.h"
#include "memory/handle.h"
#include "memory/pages.h"
#include "support/meanwhile.h"
#include "support/packets.h"
#include "support/pools.h"

#define PLACE_BITS 24

static keep_packet *acquired(keep_packet_pool *pool)
{
    keep_packet *packet = NULL;

    assert_ok(keep_packet_pool_acquire(pool, &packet));
    return packet;
}

/* The page of a pool's shell, from 0. */
static uint8_t *page_of(keep_packet_pool *pool, size_t number)
{
    uintptr_t page = keep__page_size();

    return (uint8_t *)((uintptr_t)pool / page * page + number * page);
}

START_TEST(before_there_is_a_pool_a_packet_is_closed)
{
    keep__handle handle = { .generation = 1, .place = 1, .fork = 1 };
    keep_packet *packet;

    assert_ok(keep__guard_enter());
    packet = (keep_packet *)(uintptr_t)keep__handle_pack(handle, PLACE_BITS);
    assert_status(keep_packet_free(&packet), KEEP_ERR_CLOSED);
}
END_TEST

/* packet R29 */
START_TEST(a_build_that_a_purge_refuses_leaves_the_packet_as_it_was)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(1);
    keep_packet_request heartbeat = { .event_count = 0 };
    keep_packet *packet = acquired(pool);
    const uint8_t *data;
    size_t len = 0;

    assert_ok(keep_packet_build(packet, sender, &heartbeat));
    assert_ok(keep_purge(NULL));
    assert_status(keep_packet_build(packet, sender, &heartbeat), KEEP_ERR_PURGED);
    assert_ok(keep_packet_data(packet, &data, &len));
    ck_assert_uint_eq(len, KEEP_PACKET_OVERHEAD_LEN);
    assert_ok(keep_packet_free(&packet));
}
END_TEST

/* --- two at once --- */

/* A pool, and what another thread has of it. */
struct scene {
    keep_packet_pool *pool;
    keep_packet *packet;
};

static void acquire_too(void *ctx)
{
    struct scene *scene = ctx;

    scene->packet = acquired(scene->pool);
}

static void free_too(void *ctx)
{
    struct scene *scene = ctx;

    assert_ok(keep_packet_free(&scene->packet));
}

static void ask_too(void *ctx)
{
    ck_assert_uint_eq(packet_pool_stats_of(((struct scene *)ctx)->pool).peak, 1);
}

START_TEST(who_loses_a_slot_takes_the_next)
{
    struct scene scene = { .pool = new_packet_pool(2) };
    keep_packet *packet;

    before_write(page_of(scene.pool, 0), 1, acquire_too, &scene);
    packet = acquired(scene.pool);
    ck_assert_ptr_ne(packet, scene.packet);
    ck_assert_uint_eq(packet_pool_stats_of(scene.pool).in_use, 2);
    assert_ok(keep_packet_free(&packet));
    assert_ok(keep_packet_free(&scene.packet));
    keep_packet_pool_free(&scene.pool);
}
END_TEST

START_TEST(of_two_that_free_a_packet_one_is_told)
{
    struct scene scene = { .pool = new_packet_pool(1) };
    keep_packet *packet = acquired(scene.pool);

    scene.packet = packet;
    before_write(page_of(scene.pool, 0), 1, free_too, &scene);
    assert_status(keep_packet_free(&packet), KEEP_ERR_CLOSED);
    ck_assert_uint_eq(packet_pool_stats_of(scene.pool).in_use, 0);
    keep_packet_pool_free(&scene.pool);
}
END_TEST

START_TEST(a_peak_that_another_thread_noted_is_kept)
{
    struct scene scene = { .pool = new_packet_pool(1) };
    keep_packet *packet = acquired(scene.pool);

    before_write(page_of(scene.pool, 0), 1, ask_too, &scene);
    ck_assert_uint_eq(packet_pool_stats_of(scene.pool).peak, 1);
    assert_ok(keep_packet_free(&packet));
    keep_packet_pool_free(&scene.pool);
}
END_TEST

enum {
    MANY = 1600 /* slots whose words reach into the fourth page */
};

/*
 * The last two packets of a freed pool, whose words lie far from the pool's state, are freed at once. Which page the one
 * comes to while the other ends the pool decides what it finds: that it ended, or that it is ending.
 */
START_TEST(of_two_that_free_the_last_packets_one_ends_the_pool)
{
    static keep_packet *packets[MANY];
    struct scene scene = { .pool = new_packet_pool(MANY) };
    keep_packet_pool *next;
    keep_packet_pool *shell = scene.pool;

    for (int i = 0; i < MANY; i++)
        packets[i] = acquired(scene.pool);
    for (int i = 0; i < MANY - 2; i++)
        assert_ok(keep_packet_free(&packets[i]));
    scene.packet = packets[MANY - 2];
    keep_packet_pool_free(&scene.pool);
    before_access(page_of(shell, (size_t)_i), 1, free_too, &scene);
    assert_ok(keep_packet_free(&packets[MANY - 1]));
    ck_assert_ptr_null(scene.packet);
    next = new_packet_pool(1);
    ck_assert_ptr_eq(next, shell);
    keep_packet_pool_free(&next);
}
END_TEST

RUN_SUITE("packet pool", ONCE(before_there_is_a_pool_a_packet_is_closed),
          ONCE(a_build_that_a_purge_refuses_leaves_the_packet_as_it_was), ONCE(who_loses_a_slot_takes_the_next),
          ONCE(of_two_that_free_a_packet_one_is_told), ONCE(a_peak_that_another_thread_noted_is_kept),
          TIMES(of_two_that_free_the_last_packets_one_ends_the_pool, 2))
