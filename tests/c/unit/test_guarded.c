/* SPDX-License-Identifier: MIT */
/*
 * Guarded buffers: what the pages around the bytes do, by touching them. Bodies that die run in children.
 */
#include "memory/guarded.h"

#include <string.h>
#include <unistd.h>

#include "keep/protect.h"
#include "memory/place.h"
#include "memory/probe.h"
#include "support/forked.h"
#include "support/memories.h"
#include "support/pools.h"
#include "support/user.h"

/* Lengths around all that a layout can round at. */
static size_t edge_len(int i)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t lens[] = { 0,        1,        15,   16,       17,           page - 17,    page - 16,
                            page - 15, page - 1, page, page + 1, 2 * page - 16, 2 * page - 1, 2 * page + 1 };

    ck_assert_int_lt(i, (int)(sizeof lens / sizeof *lens));
    return lens[i];
}

enum {
    EDGES = 14,
    FLAVOURS = 4 /* neither, ALIGN16, RESIDENT, both */
};

static uint32_t flavour(int i)
{
    return (i & 1 ? KEEP_ACQUIRE_ALIGN16 : 0U) | (i & 2 ? KEEP_ACQUIRE_RESIDENT : 0U);
}

/* A buffer with a write window open. */
struct probe {
    keep_pool *pool;
    keep_secret *secret;
    uint8_t *data;
    size_t len;
    long at; /* where the body touches, from the data's first byte */
};

static struct probe open_probe(int memory, size_t len, uint32_t flags)
{
    keep_pool_options options = options_of(memory);
    struct probe probe = { .pool = new_pool(&options) };

    probe.secret = new_guarded(probe.pool, len, flags);
    assert_ok(keep_secret_write_begin(probe.secret, &probe.data, &probe.len));
    ck_assert_uint_eq(probe.len, len);
    memset(probe.data, 0xAB, len);
    return probe;
}

static void close_probe(struct probe *probe)
{
    assert_ok(keep_secret_free(&probe->secret));
    keep_pool_free(&probe->pool);
}

static void write_there(void *ctx)
{
    const struct probe *probe = ctx;

    probe->data[probe->at] ^= 1;
}

static volatile uint8_t last_read; /* a value that nobody uses is not even read under valgrind */

static void read_there(void *ctx)
{
    const struct probe *probe = ctx;

    last_read = *(volatile uint8_t *)(probe->data + probe->at);
}

static void write_there_and_end(void *ctx)
{
    write_there(ctx);
    (void)!keep_secret_end(((struct probe *)ctx)->secret);
}

/* In a child nothing of the parent lives: the body makes its own buffer. */
struct made_there {
    int memory;
    size_t len;
    uint32_t flags;
    bool is_behind;
    void (*touch)(void *probe);
};

static void make_and_touch(void *ctx)
{
    const struct made_there *made = ctx;
    struct probe probe = open_probe(made->memory, made->len, made->flags);

    probe.at = made->is_behind ? (long)made->len : -1;
    made->touch(&probe);
}

/* Fills a buffer, finds the content again, and no access behind the data (and its gap), nor at rest. */
static void need_content_and_guard(keep_pool *pool, size_t len, uint32_t flags)
{
    keep_secret *secret = new_guarded(pool, len, flags);
    size_t gap = flags & KEEP_ACQUIRE_ALIGN16 ? -len % 16 : 0;
    bool is_open_at_rest = (flags & KEEP_ACQUIRE_RESIDENT) != 0 && len > 0;
    int mark = (int)(len % 255 + 1);
    const uint8_t *data;
    uint8_t *writable;
    size_t seen;

    assert_ok(keep_secret_write_begin(secret, &writable, &seen));
    ck_assert_uint_eq(seen, len);
    memset(writable, mark, len);
    ck_assert_int_eq(keep__probe_write(writable + len + gap), KEEP__PROBED_UNREADABLE);
    assert_ok(keep_secret_end(secret));
    ck_assert_int_eq(keep__probe_write(writable) == KEEP__PROBED_READABLE, is_open_at_rest);
    assert_ok(keep_secret_read_begin(secret, &data, &seen));
    ck_assert(are_all(data, mark, len));
    assert_ok(keep_secret_end(secret));
    assert_ok(keep_secret_free(&secret));
}

/* memory T9 */
START_TEST(content_is_kept_and_guarded_at_every_length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    keep_pool_options options = options_of(_i);
    keep_pool *pool;

    if (!has_memory(_i))
        return;
    pool = new_pool(&options);
    for (size_t len = 0; len <= 2 * page + 1; len++) {
        need_content_and_guard(pool, len, flavour((int)(len % FLAVOURS)));
        need_content_and_guard(pool, len, flavour((int)((len + 1) % FLAVOURS))); /* aligned if the other is not */
    }
    keep_pool_free(&pool);
}
END_TEST

/* memory T9: the guard page is met at the access */
START_TEST(a_byte_behind_the_data_faults)
{
    struct made_there made = { _i % BACKINGS, edge_len(_i / BACKINGS), 0, true, write_there };

    if (!has_memory(made.memory))
        return;
    assert_faults(make_and_touch, &made);
    made.touch = read_there;
    assert_faults(make_and_touch, &made);
    made.flags = KEEP_ACQUIRE_RESIDENT;
    assert_faults(make_and_touch, &made);
}
END_TEST

/* memory T9, R30 */
START_TEST(a_byte_before_the_data_is_found_when_the_window_ends)
{
    struct made_there made = { _i % BACKINGS, edge_len(_i / BACKINGS), 0, false, write_there_and_end };

    if (!has_memory(made.memory))
        return;
    assert_damage_is_found(make_and_touch, &made);
    made.flags = KEEP_ACQUIRE_ALIGN16 | KEEP_ACQUIRE_RESIDENT;
    assert_damage_is_found(make_and_touch, &made);
}
END_TEST

/* memory T9: at lengths between the edges, too; a child for each of them would take a minute */
START_TEST(a_byte_before_the_data_is_found_at_lengths_all_over)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct made_there made = { .memory = _i, .touch = write_there_and_end };

    if (!has_memory(_i))
        return;
    for (made.len = 0; made.len <= 2 * page + 1; made.len += 211)
        assert_damage_is_found(make_and_touch, &made);
}
END_TEST

/* memory T9: the gap behind aligned data is canary */
START_TEST(a_byte_in_the_gap_behind_aligned_data_is_found_when_the_window_ends)
{
    struct made_there made = { _i, 17, KEEP_ACQUIRE_ALIGN16, true, write_there_and_end };

    if (!has_memory(made.memory))
        return;
    assert_damage_is_found(make_and_touch, &made);
    made.len = 15;
    assert_damage_is_found(make_and_touch, &made);
}
END_TEST

/* memory R26 */
START_TEST(aligned_data_begins_at_a_multiple_of_16)
{
    for (int i = 0; i < EDGES; i++) {
        struct probe probe = open_probe(1, edge_len(i), KEEP_ACQUIRE_ALIGN16);

        ck_assert_uint_eq((uintptr_t)probe.data % 16, 0);
        assert_ok(keep_secret_end(probe.secret));
        close_probe(&probe);
    }
}
END_TEST

static void read_at_rest(void *ctx)
{
    const struct made_there *made = ctx;
    struct probe probe = open_probe(made->memory, made->len, made->flags);

    child_needs(keep_secret_end(probe.secret) == KEEP_OK);
    read_there(&probe);
}

/* memory T9, R27 */
START_TEST(at_rest_a_kept_pointer_faults)
{
    struct made_there made = { .memory = _i, .len = 5 };

    if (!has_memory(made.memory))
        return;
    assert_faults(read_at_rest, &made);
}
END_TEST

static void write_in_read_window(void *ctx)
{
    const struct made_there *made = ctx;
    struct probe probe = open_probe(made->memory, made->len, made->flags);
    const uint8_t *data;
    size_t len;

    child_needs(keep_secret_end(probe.secret) == KEEP_OK);
    child_needs(keep_secret_read_begin(probe.secret, &data, &len) == KEEP_OK);
    child_needs(data == probe.data && data[0] == 0xAB);
    write_there(&probe);
}

/* memory R27 */
START_TEST(a_read_window_cannot_be_written)
{
    struct made_there made = { .memory = _i, .len = 5 };

    if (!has_memory(made.memory))
        return;
    assert_faults(write_in_read_window, &made);
}
END_TEST

static void write_frozen(void *ctx)
{
    const struct made_there *made = ctx;
    struct probe probe = open_probe(made->memory, made->len, made->flags);

    child_needs(keep_secret_end(probe.secret) == KEEP_OK);
    child_needs(keep_secret_freeze(probe.secret) == KEEP_OK);
    child_needs(*(volatile uint8_t *)probe.data == 0xAB);
    write_there(&probe);
}

/* memory T9, R27 */
START_TEST(a_frozen_resident_buffer_is_readable_and_faults_when_written)
{
    struct made_there made = { .memory = _i, .len = 5, .flags = KEEP_ACQUIRE_RESIDENT };

    if (!has_memory(made.memory))
        return;
    assert_faults(write_frozen, &made);
}
END_TEST

/* memory R27 */
START_TEST(a_resident_buffer_stays_writable_between_windows)
{
    struct probe probe;

    if (!has_memory(_i))
        return;
    probe = open_probe(_i, 5, KEEP_ACQUIRE_RESIDENT);
    assert_ok(keep_secret_end(probe.secret));
    probe.data[0] = 'x';
    assert_ok(keep_secret_freeze(probe.secret));
    ck_assert_int_eq(probe.data[0], 'x');
    assert_ok(keep_secret_melt(probe.secret));
    probe.data[0] = 'y';
    ck_assert(holds(probe.secret, "y\xAB\xAB\xAB\xAB"));
    close_probe(&probe);
}
END_TEST

/* Each of what R28 names finds a canary that was overwritten. */
static void damage_resident(const struct probe *probe)
{
    (void)!keep_secret_end(probe->secret);
    probe->data[-1] ^= 1;
}

static void damage_then_freeze(void *ctx)
{
    struct probe probe = open_probe(*(int *)ctx, 9, KEEP_ACQUIRE_RESIDENT);

    damage_resident(&probe);
    (void)!keep_secret_freeze(probe.secret);
}

static void damage_then_melt(void *ctx)
{
    struct probe probe = open_probe(*(int *)ctx, 9, KEEP_ACQUIRE_RESIDENT);

    damage_resident(&probe);
    (void)!keep_secret_melt(probe.secret);
}

static void damage_then_free(void *ctx)
{
    struct probe probe = open_probe(*(int *)ctx, 9, KEEP_ACQUIRE_RESIDENT);

    damage_resident(&probe);
    (void)keep_secret_free(&probe.secret);
}

static void damage_then_purge(void *ctx)
{
    struct probe probe = open_probe(*(int *)ctx, 9, KEEP_ACQUIRE_RESIDENT);

    damage_resident(&probe);
    (void)!keep_purge(NULL);
}

static void damage_then_read(void *ctx)
{
    struct probe probe = open_probe(*(int *)ctx, 9, KEEP_ACQUIRE_RESIDENT);
    const uint8_t *data;
    size_t len;

    damage_resident(&probe);
    child_needs(keep_secret_read_begin(probe.secret, &data, &len) == KEEP_OK);
    (void)!keep_secret_end(probe.secret);
}

/* memory R28 */
START_TEST(canaries_are_looked_at_by_end_freeze_melt_free_and_purge)
{
    static const forked_body bodies[] = { damage_then_freeze, damage_then_melt, damage_then_free, damage_then_purge,
                                          damage_then_read };

    if (!has_memory(_i))
        return;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        assert_damage_is_found(bodies[i], &_i);
}
END_TEST

static void write_behind_shortened(void *ctx)
{
    struct probe probe = open_probe(*(int *)ctx, 40, 0);

    child_needs(keep_secret_end(probe.secret) == KEEP_OK);
    child_needs(keep_secret_resize(probe.secret, 10) == KEEP_OK);
    child_needs(keep_secret_write_begin(probe.secret, &probe.data, &probe.len) == KEEP_OK);
    probe.data[10] = 1;
    (void)!keep_secret_end(probe.secret);
}

/* memory R28 */
START_TEST(a_byte_past_a_shortened_length_is_found)
{
    if (!has_memory(_i))
        return;
    assert_damage_is_found(write_behind_shortened, &_i);
}
END_TEST

/* memory R26: 16 random bytes per buffer */
START_TEST(two_buffers_have_different_canaries)
{
    struct probe one = open_probe(1, 0, 0);
    struct probe two = open_probe(1, 0, 0);

    if (!finds_stray_accesses())
        ck_assert_mem_ne(one.data - 16, two.data - 16, 16);
    assert_ok(keep_secret_end(one.secret));
    assert_ok(keep_secret_end(two.secret));
    close_probe(&one);
    close_probe(&two);
}
END_TEST

START_TEST(a_place_knows_what_its_buffer_is)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_secret) secret = new_guarded(pool, 100, KEEP_ACQUIRE_ALIGN16);
    keep__guarded_facts facts;
    keep__spot spot;

    assert_ok(keep__place_find(secret, &spot));
    ck_assert(keep__place_is_guarded(spot));
    ck_assert_ptr_eq(keep__guarded_pool(spot), pool);
    ck_assert_uint_eq(keep__guarded_capacity(spot), 100);
    ck_assert_uint_eq(keep__guarded_flags(spot), KEEP_ACQUIRE_ALIGN16);
    assert_ok(keep__guarded_tell(spot, &facts));
    ck_assert(facts.capacity == 100 && facts.locked);
    spot = keep__spot_of(spot.group, keep__spot_slot(spot), keep__spot_generation(spot) + 1);
    assert_status(keep__guarded_tell(spot, &facts), KEEP_ERR_CLOSED);
}
END_TEST

/* More than a group of 64: places are found again after they were freed. */
START_TEST(hundreds_of_buffers_live_together_and_their_places_are_used_again)
{
    keep_pool_options options = options_of(_i);
    keep_secret *secrets[300];
    keep_pool *pool;

    if (!has_memory(_i))
        return;
    pool = new_pool(&options);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 300; i++) {
            secrets[i] = new_guarded(pool, i, 0);
            ck_assert_uint_eq(info_of(secrets[i]).capacity, i);
        }
        ck_assert_uint_eq(stats_of(pool).guarded, 300);
        for (size_t i = 0; i < 300; i++)
            assert_ok(keep_secret_free(&secrets[i]));
    }
    ck_assert_uint_eq(stats_of(pool).guarded_bytes, 0);
    keep_pool_free(&pool);
}
END_TEST

/* memory T9 "both lock policies": guards and canaries are there without locks */
static void use_unlocked(void *ctx)
{
    struct made_there made = { .memory = *(int *)ctx, .len = 9, .touch = write_there_and_end };
    struct probe probe;

    if (!become_ordinary(0))
        return;
    probe = open_probe(made.memory, made.len, 0);
    child_needs(info_of(probe.secret).locked == 0);
    child_needs(keep_secret_end(probe.secret) == KEEP_OK);
    assert_damage_is_found(make_and_touch, &made);
    made.is_behind = true;
    made.touch = read_there;
    assert_faults(make_and_touch, &made);
}

START_TEST(an_unlocked_buffer_is_guarded_all_the_same)
{
    int memory = BACKINGS + _i;

    if (has_memory(_i))
        assert_returns(use_unlocked, &memory);
}
END_TEST

RUN_SUITE("guarded", TIMES(content_is_kept_and_guarded_at_every_length, BACKINGS),
          TIMES(a_byte_behind_the_data_faults, BACKINGS * EDGES),
          TIMES(a_byte_before_the_data_is_found_when_the_window_ends, BACKINGS * EDGES),
          TIMES(a_byte_before_the_data_is_found_at_lengths_all_over, BACKINGS),
          TIMES(a_byte_in_the_gap_behind_aligned_data_is_found_when_the_window_ends, BACKINGS),
          ONCE(aligned_data_begins_at_a_multiple_of_16), TIMES(at_rest_a_kept_pointer_faults, BACKINGS),
          TIMES(a_read_window_cannot_be_written, BACKINGS),
          TIMES(a_frozen_resident_buffer_is_readable_and_faults_when_written, BACKINGS),
          TIMES(a_resident_buffer_stays_writable_between_windows, BACKINGS),
          TIMES(canaries_are_looked_at_by_end_freeze_melt_free_and_purge, BACKINGS),
          TIMES(a_byte_past_a_shortened_length_is_found, BACKINGS), ONCE(two_buffers_have_different_canaries),
          ONCE(a_place_knows_what_its_buffer_is),
          TIMES(hundreds_of_buffers_live_together_and_their_places_are_used_again, BACKINGS),
          TIMES(an_unlocked_buffer_is_guarded_all_the_same, BACKINGS))
