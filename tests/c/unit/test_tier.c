/* SPDX-License-Identifier: MIT */
/*
 * Tier, white box: growing, trimming and ending, seen at its own counts.
 */
#include "memory/tier.h"

#include "memory/guard.h"
#include "memory/layout.h"
#include "memory/pool.h"
#include "support/meanwhile.h"
#include "support/pools.h"

keep_status __real_keep__layout_region(const keep__region_need *need, keep__region_plan *out);
keep_status __wrap_keep__layout_region(const keep__region_need *need, keep__region_plan *out);

static keep_status refusal;

keep_status __wrap_keep__layout_region(const keep__region_need *need, keep__region_plan *out)
{
    do_awaited("plan");
    return refusal != KEEP_OK ? refusal : __real_keep__layout_region(need, out);
}

static keep__tier *tier_of(keep_pool *pool)
{
    return &pool->tiers[0];
}

/* memory R10 */
START_TEST(a_tier_doubles_and_counts_what_it_has)
{
    keep_pool_options options = one_tier(32, 0);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep__tier *tier = tier_of(pool);
    size_t page = keep__page_size();

    for (uint64_t wanted = 2 * page; wanted <= 16 * page; wanted = atomic_load(&tier->bytes)) {
        uint64_t before = atomic_load(&tier->bytes);

        assert_ok(keep__tier_grow(tier, 1, false));
        ck_assert_uint_eq(atomic_load(&tier->bytes) - before, wanted);
    }
    ck_assert_uint_eq(atomic_load(&tier->slots), atomic_load(&tier->bytes) / 32);
    ck_assert_uint_eq(keep__tier_count_free(tier), atomic_load(&tier->slots));
    ck_assert_uint_eq(atomic_load(&pool->slab_bytes), atomic_load(&tier->bytes));
}
END_TEST

/* memory R11: who waited for another's growth looks again */
START_TEST(a_tier_with_a_free_slot_does_not_grow_unless_it_must)
{
    keep_pool_options options = one_tier(32, 0);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep__tier *tier = tier_of(pool);

    assert_ok(keep__tier_grow(tier, 1, true));
    assert_ok(keep__tier_grow(tier, 1, true));
    ck_assert_uint_eq(atomic_load(&tier->region_count), 1);
}
END_TEST

START_TEST(groups_of_a_trimmed_region_are_used_again_by_their_tier)
{
    keep_pool_options options = one_tier(32, 0);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep__tier *tier = tier_of(pool);
    uint32_t groups;
    uint64_t metadata;

    assert_ok(keep__tier_grow(tier, 1, false));
    assert_ok(keep__tier_grow(tier, 1000, false));
    groups = atomic_load(&keep__guard_root()->group_count);
    metadata = keep__tier_metadata(tier);
    for (int i = 0; i < 5; i++) {
        ck_assert_uint_gt(keep__tier_trim(tier), 0);
        ck_assert_uint_eq(atomic_load(&tier->region_count), 1);
        assert_ok(keep__tier_grow(tier, 1000, false));
    }
    ck_assert_uint_eq(atomic_load(&keep__guard_root()->group_count), groups);
    ck_assert_uint_le(keep__tier_metadata(tier), metadata);
}
END_TEST

START_TEST(the_groups_of_a_pool_that_ended_serve_the_next)
{
    keep_pool_options options = one_tier(32, 0);
    keep_pool *pool = new_pool(&options);
    uint32_t groups;

    assert_ok(keep__tier_grow(tier_of(pool), 1000, false));
    groups = atomic_load(&keep__guard_root()->group_count);
    keep_pool_free(&pool);
    pool = new_pool(&options);
    assert_ok(keep__tier_grow(tier_of(pool), 1000, false));
    ck_assert_uint_eq(atomic_load(&keep__guard_root()->group_count), groups);
    keep_pool_free(&pool);
}
END_TEST

START_TEST(a_whole_tier_is_taken_only_if_all_of_it_is_free)
{
    keep_pool_options options = one_tier(32, 100);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep__tier *tier = tier_of(pool);
    keep_secret *secret = new_secret(pool, 1);
    keep__spot spot;

    ck_assert(!keep__tier_take_whole(tier));
    ck_assert_uint_eq(keep__tier_count_free(tier), 99);
    assert_ok(keep_secret_free(&secret));
    ck_assert(keep__tier_take_whole(tier));
    ck_assert(!keep__tier_take(tier, &spot));
    keep__tier_put_back_whole(tier);
    ck_assert_uint_eq(keep__tier_count_free(tier), 100);
}
END_TEST

START_TEST(the_pages_of_a_slot_are_found)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_secret) secret = new_secret(pool, 20);
    const uint8_t *data;
    size_t len;
    uint8_t elsewhere = 0;
    keep__pages pages;

    assert_ok(keep_secret_read_begin(secret, &data, &len));
    pages = keep__tier_pages(tier_of(pool), data);
    ck_assert(keep__pages_hold(&pages, data));
    ck_assert_uint_eq(keep__tier_pages(tier_of(pool), &elsewhere).len, 0);
    assert_ok(keep_secret_end(secret));
}
END_TEST

/* memory R10: what one tier took the other cannot have */
START_TEST(tiers_share_the_room_of_their_pool)
{
    keep_pool_options options = one_tier(32, 0);
    KEEP_AUTO(keep_pool) pool = NULL;

    options.tier_count = 2;
    options.tier_len[1] = 64;
    options.max_bytes = 3 * keep__page_size();
    pool = new_pool(&options);
    assert_ok(keep__tier_grow(&pool->tiers[0], 1, false));
    assert_ok(keep__tier_grow(&pool->tiers[1], 1, false));
    ck_assert_uint_eq(atomic_load(&pool->tiers[1].bytes), keep__page_size());
    assert_status(keep__tier_grow(&pool->tiers[1], 1, false), KEEP_ERR_EXHAUSTED);
    assert_status(keep__tier_reserve(&pool->tiers[0], 1000), KEEP_ERR_EXHAUSTED);
}
END_TEST

START_TEST(a_region_that_cannot_be_planned_is_not_made)
{
    keep_pool_options options = one_tier(32, 0);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);

    refusal = KEEP_ERR_INVALID_ARGUMENT;
    assert_status(keep__tier_grow(tier_of(pool), 1, false), KEEP_ERR_INVALID_ARGUMENT);
    refusal = KEEP_OK;
    ck_assert_uint_eq(atomic_load(&pool->slab_bytes), 0);
}
END_TEST

/* What another tier does that grows. */
static void take_two_pages(void *pool)
{
    atomic_fetch_add(&((keep_pool *)pool)->slab_bytes, 2 * keep__page_size());
}

START_TEST(two_tiers_that_grow_at_once_share_the_room_too)
{
    keep_pool_options options = one_tier(32, 0);
    KEEP_AUTO(keep_pool) pool = NULL;

    options.max_bytes = 3 * keep__page_size();
    pool = new_pool(&options);
    before_call("plan", take_two_pages, pool);
    assert_ok(keep__tier_grow(tier_of(pool), 1, false));
    ck_assert_uint_eq(atomic_load(&tier_of(pool)->bytes), keep__page_size());
    ck_assert_uint_eq(atomic_load(&pool->slab_bytes), 3 * keep__page_size());
}
END_TEST

RUN_SUITE("tier", ONCE(a_tier_doubles_and_counts_what_it_has),
          ONCE(a_tier_with_a_free_slot_does_not_grow_unless_it_must),
          ONCE(groups_of_a_trimmed_region_are_used_again_by_their_tier),
          ONCE(the_groups_of_a_pool_that_ended_serve_the_next), ONCE(a_whole_tier_is_taken_only_if_all_of_it_is_free),
          ONCE(the_pages_of_a_slot_are_found), ONCE(tiers_share_the_room_of_their_pool),
          ONCE(a_region_that_cannot_be_planned_is_not_made), ONCE(two_tiers_that_grow_at_once_share_the_room_too))
