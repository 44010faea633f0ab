/* SPDX-License-Identifier: MIT */
/*
 * Purge, white box: the moments between its steps.
 */
#include "keep/protect.h"

#include "keep/sealed.h"
#include "memory/guard.h"
#include "memory/place.h"
#include "memory/pool.h"
#include "support/meanwhile.h"
#include "support/pools.h"

bool __real_keep__slab_let_go(keep__spot spot);
bool __wrap_keep__slab_let_go(keep__spot spot);

bool __wrap_keep__slab_let_go(keep__spot spot)
{
    do_awaited("let go");
    return __real_keep__slab_let_go(spot);
}

/* memory R51: the epoch begins before anything is wiped */
START_TEST(an_opening_that_a_purge_overlaps_is_purged_and_leaves_nothing)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_sealed) sealed = NULL;
    KEEP_AUTO(keep_secret) target = new_secret(pool, 8);
    keep_secret *secret = NULL;

    assert_ok(keep_sealed_new(pool, "x", 1, 0, &sealed));
    keep__guard_new_epoch();
    assert_status(keep_sealed_open(sealed, NULL, &secret), KEEP_ERR_PURGED);
    assert_status(keep_sealed_open_into(sealed, target), KEEP_ERR_PURGED);
    ck_assert_ptr_null(secret);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 1);
}
END_TEST

/* memory 5: a free that meets a purge leaves wipe and place to it */
START_TEST(a_slot_freed_while_it_is_held_stays_claimed_until_the_purge_lets_go)
{
    keep_pool_options options = one_tier(32, 1);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep_secret *secret = secret_of(pool, "held");
    keep_secret *next = NULL;
    keep__spot spot;
    uint32_t windows;

    assert_ok(keep__place_find(secret, &spot));
    ck_assert(keep__slab_hold(&spot, &windows));
    assert_ok(keep_secret_free(&secret));
    assert_status(keep_pool_acquire(pool, 1, NULL, &next), KEEP_ERR_EXHAUSTED);
    ck_assert(keep__slab_let_go(spot));
    keep__place_clear_and_give(spot);
    assert_ok(keep_pool_acquire(pool, 1, NULL, &next));
    assert_ok(keep_secret_free(&next));
}
END_TEST

START_TEST(a_purge_leaves_no_pool_retained)
{
    keep_pool *pool = new_pool(NULL);
    uint64_t refs = atomic_load(&pool->refs);

    assert_ok(keep_purge(NULL));
    ck_assert_uint_eq(atomic_load(&pool->refs), refs);
    keep_pool_free(&pool);
    ck_assert_ptr_null(keep__guard_root()->pools);
}
END_TEST

/* A pool that lives by a slot alone is purged like any other, and ends with it. */
START_TEST(a_pool_whose_handle_is_gone_is_purged_and_ends_with_its_last_slot)
{
    keep_pool *pool = new_pool(NULL);
    keep_secret *secret = secret_of(pool, "last");

    keep_pool_free(&pool);
    assert_ok(keep_purge(NULL));
    ck_assert_ptr_nonnull(keep__guard_root()->pools);
    ck_assert_uint_eq(info_of(secret).purged, 1);
    assert_ok(keep_secret_free(&secret));
    ck_assert_ptr_null(keep__guard_root()->pools);
}
END_TEST

START_TEST(each_purge_begins_an_epoch_and_is_counted_when_it_ended)
{
    assert_ok(keep_purge(NULL));
    assert_ok(keep_purge(NULL));
    ck_assert_uint_eq(keep__guard_epoch(), 2);
    ck_assert_uint_eq(keep__guard_settled_epoch(), 2);
    ck_assert_uint_eq(stats_of(NULL).purges, 2);
}
END_TEST

static void free_too(void *secret)
{
    assert_ok(keep_secret_free(secret));
}

/* memory 5 */
START_TEST(a_slot_freed_while_a_purge_wipes_it_is_given_back_by_the_purge)
{
    keep_pool_options options = one_tier(32, 1);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep_secret *secret = secret_of(pool, "held");

    before_call("let go", free_too, &secret);
    assert_ok(keep_purge(NULL));
    ck_assert_ptr_null(secret);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
    secret = new_secret(pool, 32);
    assert_ok(keep_secret_free(&secret));
}
END_TEST

RUN_SUITE("purge", ONCE(an_opening_that_a_purge_overlaps_is_purged_and_leaves_nothing),
          ONCE(a_slot_freed_while_it_is_held_stays_claimed_until_the_purge_lets_go),
          ONCE(a_purge_leaves_no_pool_retained),
          ONCE(a_pool_whose_handle_is_gone_is_purged_and_ends_with_its_last_slot),
          ONCE(each_purge_begins_an_epoch_and_is_counted_when_it_ended),
          ONCE(a_slot_freed_while_a_purge_wipes_it_is_given_back_by_the_purge))
