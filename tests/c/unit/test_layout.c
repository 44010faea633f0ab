/* SPDX-License-Identifier: MIT */
/*
 * Layout, white box. The vectors hold the published answers; here are all edges and what must hold for every input.
 */
#include "memory/layout.h"

#include <string.h>

#include "support/stream.h"
#include "support/suite.h"

#define MAX_BYTES UINT64_C(4194304)

static keep_status plan_tiers(uint32_t count, const uint32_t *len, keep__tier_plan *out)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;

    options.tier_count = count;
    memcpy(options.tier_len, len, count * sizeof *len);
    return keep__layout_tiers(&options, MAX_BYTES, out);
}

/* memory T1 */
START_TEST(without_tiers_there_are_the_four_defaults)
{
    static const uint32_t defaults[] = { 32, 64, 256, 1024 };
    keep__tier_plan plan;

    assert_ok(plan_tiers(0, defaults, &plan));
    ck_assert_uint_eq(plan.count, 4);
    assert_bytes(plan.len, defaults, sizeof defaults);
}
END_TEST

/* memory R4 */
START_TEST(tiers_are_sorted_with_their_counts)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    keep__tier_plan plan;

    options.tier_count = 3;
    memcpy(options.tier_len, (uint32_t[]){ 512, 16, 64 }, 3 * sizeof(uint32_t));
    memcpy(options.tier_slots, (uint32_t[]){ 1, 2, 3 }, 3 * sizeof(uint32_t));
    memcpy(options.tier_max_slots, (uint32_t[]){ 10, 20, 0 }, 3 * sizeof(uint32_t));
    assert_ok(keep__layout_tiers(&options, MAX_BYTES, &plan));
    assert_bytes(plan.len, ((uint32_t[]){ 16, 64, 512 }), 3 * sizeof(uint32_t));
    assert_bytes(plan.slots, ((uint32_t[]){ 2, 3, 1 }), 3 * sizeof(uint32_t));
    assert_bytes(plan.max_slots, ((uint32_t[]){ 20, 0, 10 }), 3 * sizeof(uint32_t));
}
END_TEST

/* memory R4 */
START_TEST(a_size_given_twice_counts_once_if_its_counts_are_equal)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    keep__tier_plan plan;

    options.tier_count = 2;
    options.tier_len[0] = options.tier_len[1] = 32;
    assert_ok(keep__layout_tiers(&options, MAX_BYTES, &plan));
    ck_assert_uint_eq(plan.count, 1);
    options.tier_slots[1] = 1;
    assert_status(keep__layout_tiers(&options, MAX_BYTES, &plan), KEEP_ERR_INVALID_ARGUMENT);
    options.tier_slots[1] = 0;
    options.tier_max_slots[0] = 7;
    assert_status(keep__layout_tiers(&options, MAX_BYTES, &plan), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

/* memory R4 */
START_TEST(a_slot_size_is_a_multiple_of_16_within_16_and_16384)
{
    for (uint32_t len = 0; len <= KEEP_MAX_SLOT_LEN + 16; len++) {
        bool is_legal = len % 16 == 0 && len >= 16 && len <= 16384;
        keep__tier_plan plan;

        assert_status(plan_tiers(1, &len, &plan), is_legal ? KEEP_OK : KEEP_ERR_INVALID_ARGUMENT);
    }
}
END_TEST

START_TEST(eight_tiers_are_the_most)
{
    static const uint32_t sizes[] = { 16, 32, 48, 64, 80, 96, 112, 128 };
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    keep__tier_plan plan;

    assert_ok(plan_tiers(8, sizes, &plan));
    ck_assert_uint_eq(plan.count, 8);
    options.tier_count = 9;
    assert_status(keep__layout_tiers(&options, MAX_BYTES, &plan), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(counts_are_bounded_by_their_cap_and_the_constant)
{
    static const struct {
        uint32_t slots, max_slots;
        keep_status status;
    } cases[] = {
        { 5, 5, KEEP_OK },
        { 6, 5, KEEP_ERR_INVALID_ARGUMENT },
        { 6, 0, KEEP_OK },
        { 0, KEEP_MAX_SECRETS, KEEP_OK },
        { 0, KEEP_MAX_SECRETS + 1, KEEP_ERR_INVALID_ARGUMENT },
        { KEEP_MAX_SECRETS + 1, 0, KEEP_ERR_INVALID_ARGUMENT },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
        keep__tier_plan plan;

        options.tier_count = 1;
        options.tier_len[0] = 16;
        options.tier_slots[0] = cases[i].slots;
        options.tier_max_slots[0] = cases[i].max_slots;
        assert_status(keep__layout_tiers(&options, KEEP_MAX_POOL_BYTES, &plan), cases[i].status);
    }
}
END_TEST

START_TEST(initial_slots_together_fit_into_the_cap)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    keep__tier_plan plan;

    options.tier_count = 2;
    options.tier_len[0] = 64;
    options.tier_len[1] = 32;
    options.tier_slots[0] = 64;  /* 4096 bytes */
    options.tier_slots[1] = 128; /* 4096 bytes */
    assert_ok(keep__layout_tiers(&options, 8192, &plan));
    assert_status(keep__layout_tiers(&options, 8191, &plan), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

/* The formula, without its rounding. */
static bool is_sound(uint64_t page, uint64_t len, uint32_t flags)
{
    keep__guarded_plan plan;

    return keep__layout_guarded(page, len, flags, &plan) == KEEP_OK && plan.inner % page == 0 &&
           plan.inner - page < len + 16 && plan.inner >= len + 16 && plan.front == plan.offset && plan.front >= 16 &&
           plan.front + len + plan.rear == plan.inner && plan.mapped == plan.inner + 2 * page &&
           (flags == 0 ? plan.rear == 0 : plan.rear < 16 && plan.offset % 16 == 0);
}

/* memory 4.3 */
START_TEST(data_touches_the_rear_guard_or_is_aligned)
{
    for (uint64_t page = 4096; page <= 65536; page *= 2) {
        uint64_t len = 0;

        while (len <= 2 * page + 1 && is_sound(page, len, 0) && is_sound(page, len, 1))
            len++;
        ck_assert_uint_eq(len, 2 * page + 2);
    }
}
END_TEST

START_TEST(a_guarded_layout_refuses_what_cannot_be)
{
    keep__guarded_plan plan;

    assert_ok(keep__layout_guarded(4096, KEEP_MAX_SECRET_LEN, 0, &plan));
    assert_status(keep__layout_guarded(4096, KEEP_MAX_SECRET_LEN + 1, 0, &plan), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep__layout_guarded(4096, UINT64_MAX, 0, &plan), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep__layout_guarded(4096, 1, 2, &plan), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep__layout_guarded(2048, 1, 0, &plan), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep__layout_guarded(131072, 1, 0, &plan), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep__layout_guarded(12288, 1, 0, &plan), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep__layout_guarded(0, 1, 0, &plan), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

static const keep__region_need first_need = {
    .page = 4096, .slot = 32, .want = 1, .room = MAX_BYTES,
};

/* memory R10 */
START_TEST(a_tier_begins_with_two_pages_and_doubles_up_to_a_mebibyte)
{
    keep__region_need need = first_need;
    keep__region_plan plan;

    for (uint64_t wanted = 8192; need.have_bytes < (UINT64_C(3) << 20); wanted = need.have_bytes) {
        assert_ok(keep__layout_region(&need, &plan));
        ck_assert_uint_eq(plan.bytes, wanted > 1048576 ? 1048576 : wanted);
        ck_assert_uint_eq(plan.slots, plan.bytes / 32);
        need.have_bytes += plan.bytes;
        need.have_slots += plan.slots;
    }
}
END_TEST

START_TEST(a_region_is_larger_if_more_is_wanted_at_once)
{
    keep__region_need need = first_need;
    keep__region_plan plan;

    need.want = 100000; /* 3 200 000 bytes: 781.25 pages */
    assert_ok(keep__layout_region(&need, &plan));
    ck_assert_uint_eq(plan.bytes, UINT64_C(782) * 4096);
    ck_assert_uint_eq(plan.slots, UINT64_C(782) * 128);
}
END_TEST

START_TEST(the_cap_of_slots_is_exact)
{
    keep__region_need need = first_need;
    keep__region_plan plan;

    need.max_slots = 126;
    assert_ok(keep__layout_region(&need, &plan));
    ck_assert_uint_eq(plan.bytes, 4096);
    ck_assert_uint_eq(plan.slots, 126);
    need.have_slots = 126;
    assert_ok(keep__layout_region(&need, &plan));
    ck_assert(plan.bytes == 0 && plan.slots == 0);
}
END_TEST

START_TEST(a_region_is_no_larger_than_the_room)
{
    keep__region_need need = first_need;
    keep__region_plan plan;

    need.room = 8191;
    assert_ok(keep__layout_region(&need, &plan));
    ck_assert_uint_eq(plan.bytes, 4096);
    need.room = 4095;
    assert_ok(keep__layout_region(&need, &plan));
    ck_assert(plan.bytes == 0 && plan.slots == 0);
    need.room = 4096;
    need.want = 129;
    assert_ok(keep__layout_region(&need, &plan));
    ck_assert(plan.bytes == 0 && plan.slots == 0);
}
END_TEST

START_TEST(a_region_refuses_needs_that_cannot_be)
{
    static const struct {
        size_t offset; /* of the changed field */
        uint64_t legal, illegal;
    } cases[] = {
        { offsetof(keep__region_need, page), 65536, 65537 },
        { offsetof(keep__region_need, slot), 16384, 16400 },
        { offsetof(keep__region_need, slot), 16, 24 },
        { offsetof(keep__region_need, want), 1, 0 },
        { offsetof(keep__region_need, want), KEEP_MAX_SECRETS, KEEP_MAX_SECRETS + 1 },
        { offsetof(keep__region_need, have_bytes), KEEP_MAX_POOL_BYTES, KEEP_MAX_POOL_BYTES + 1 },
        { offsetof(keep__region_need, room), KEEP_MAX_POOL_BYTES, KEEP_MAX_POOL_BYTES + 1 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        keep__region_need need = first_need;
        keep__region_plan plan;

        memcpy((char *)&need + cases[i].offset, &cases[i].legal, sizeof(uint64_t));
        assert_ok(keep__layout_region(&need, &plan));
        memcpy((char *)&need + cases[i].offset, &cases[i].illegal, sizeof(uint64_t));
        assert_status(keep__layout_region(&need, &plan), KEEP_ERR_INVALID_ARGUMENT);
    }
}
END_TEST

START_TEST(a_tier_cannot_have_more_slots_than_its_cap)
{
    keep__region_need need = first_need;
    keep__region_plan plan;

    need.max_slots = 5;
    need.have_slots = 6;
    assert_status(keep__layout_region(&need, &plan), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

static uint64_t any_below_power(struct stream *stream, unsigned bits)
{
    return stream_below(stream, UINT64_C(1) << stream_below(stream, bits)) + stream_below(stream, 2);
}

START_TEST(every_region_keeps_all_bounds)
{
    struct stream stream = stream_begin();

    for (int i = 0; i < 20000; i++) {
        keep__region_need need = {
            .page = UINT64_C(4096) << stream_below(&stream, 5),
            .slot = 16 * (1 + stream_below(&stream, 1024)),
            .have_bytes = any_below_power(&stream, 30),
            .have_slots = any_below_power(&stream, 22),
            .want = 1 + any_below_power(&stream, 21),
            .max_slots = stream_below(&stream, 2) * any_below_power(&stream, 64),
            .room = any_below_power(&stream, 30),
        };
        keep__region_plan plan = { 1, 1 };
        bool is_legal = need.max_slots == 0 || need.have_slots <= need.max_slots;

        assert_status(keep__layout_region(&need, &plan), is_legal ? KEEP_OK : KEEP_ERR_INVALID_ARGUMENT);
        if (!is_legal || plan.slots == 0)
            continue;
        ck_assert(plan.bytes % need.page == 0 && plan.bytes <= need.room);
        ck_assert(plan.slots >= need.want && plan.slots * need.slot <= plan.bytes);
        ck_assert(need.max_slots == 0 || need.have_slots + plan.slots <= need.max_slots);
    }
}
END_TEST

/* memory 4.1 */
START_TEST(bound_data_is_little_endian_and_begins_with_its_mark)
{
    static const uint8_t wanted[KEEP__AAD_LEN] = {
        'K', 'S', 'M', '1', 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11,
        0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21,
    };
    keep__binding binding = { 0x01020304, 0x0102030405060708, 0x1112131415161718, 0x2122232425262728 };
    uint8_t aad[KEEP__AAD_LEN];

    keep__layout_aad(&binding, aad);
    assert_bytes(aad, wanted, sizeof wanted);
}
END_TEST

RUN_SUITE("layout", ONCE(without_tiers_there_are_the_four_defaults), ONCE(tiers_are_sorted_with_their_counts),
          ONCE(a_size_given_twice_counts_once_if_its_counts_are_equal),
          ONCE(a_slot_size_is_a_multiple_of_16_within_16_and_16384), ONCE(eight_tiers_are_the_most),
          ONCE(counts_are_bounded_by_their_cap_and_the_constant), ONCE(initial_slots_together_fit_into_the_cap),
          ONCE(data_touches_the_rear_guard_or_is_aligned), ONCE(a_guarded_layout_refuses_what_cannot_be),
          ONCE(a_tier_begins_with_two_pages_and_doubles_up_to_a_mebibyte),
          ONCE(a_region_is_larger_if_more_is_wanted_at_once), ONCE(the_cap_of_slots_is_exact),
          ONCE(a_region_is_no_larger_than_the_room), ONCE(a_region_refuses_needs_that_cannot_be),
          ONCE(a_tier_cannot_have_more_slots_than_its_cap), ONCE(every_region_keeps_all_bounds),
          ONCE(bound_data_is_little_endian_and_begins_with_its_mark))
