/* SPDX-License-Identifier: MIT */
/*
 * Waiting, white box, with one thread: what others do while it waits is done in its stead. tests/c/stress has them.
 */
#include "memory/waiting.h"

#include "keep/sealed.h"
#include "memory/place.h"
#include "memory/pool.h"
#include "support/meanwhile.h"
#include "support/pools.h"

bool __real_keep__condition_wait(keep__condition *condition, keep__lock *lock, uint64_t deadline_ns);
KEEP__UNCHECKED bool __wrap_keep__condition_wait(keep__condition *condition, keep__lock *lock, uint64_t deadline_ns);

static bool is_woken;

bool __wrap_keep__condition_wait(keep__condition *condition, keep__lock *lock, uint64_t deadline_ns)
{
    keep__lock_release(lock);
    do_awaited("wait");
    keep__lock_acquire(lock);
    return is_woken || __real_keep__condition_wait(condition, lock, deadline_ns);
}

/* memory R13 */
START_TEST(a_slot_that_is_free_when_somebody_lines_up_is_his)
{
    keep_pool_options options = one_tier(32, 1);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep_secret *secret = new_secret(pool, 1);
    keep__spot spot;

    assert_ok(keep_secret_free(&secret));
    assert_ok(keep__line_wait(&pool->tiers[0], KEEP_WAIT_FOREVER, &spot));
    ck_assert_uint_eq(keep__tier_waiting(&pool->tiers[0]), 0);
    keep__place_check_free(spot);
    keep__place_clear_and_give(spot);
}
END_TEST

/* memory R13: one that gives up leaves no trace */
START_TEST(who_gives_up_leaves_no_trace)
{
    keep_pool_options options = one_tier(32, 1);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep_secret *secret = new_secret(pool, 1);
    keep__spot spot;

    assert_status(keep__line_wait(&pool->tiers[0], 1, &spot), KEEP_ERR_TIMEOUT);
    ck_assert_uint_eq(keep__tier_waiting(&pool->tiers[0]), 0);
    ck_assert_ptr_null(pool->tiers[0].line.first);
    ck_assert_ptr_null(pool->tiers[0].line.last);
    assert_ok(keep_secret_free(&secret));
    secret = new_secret(pool, 1);
    assert_ok(keep_secret_free(&secret));
}
END_TEST

START_TEST(serving_nobody_is_nothing)
{
    keep_pool_options options = one_tier(32, 1);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    KEEP_AUTO(keep_secret) secret = new_secret(pool, 1);

    keep__line_serve(&pool->tiers[0]);
    ck_assert_uint_eq(keep__tier_waiting(&pool->tiers[0]), 0);
}
END_TEST

/* memory R9, R45: what is cached while somebody lines up goes to him */
START_TEST(who_lines_up_is_given_what_the_cache_holds)
{
    keep_pool_options options = one_tier(32, 2);
    KEEP_AUTO(keep_pool) pool = NULL;
    KEEP_AUTO(keep_sealed) sealed = NULL;
    KEEP_AUTO(keep_secret) opened = NULL;
    keep__spot spot;

    options.hot_cache = 1;
    pool = new_pool(&options);
    assert_ok(keep_sealed_new(pool, "exactly thirty-two bytes of text", 32, 0, &sealed));
    assert_ok(keep_sealed_open(sealed, NULL, &opened));
    ck_assert_uint_eq(stats_of(pool).cache_entries, 1);
    assert_ok(keep__line_wait(&pool->tiers[0], KEEP_WAIT_FOREVER, &spot));
    ck_assert_uint_eq(stats_of(pool).cache_entries, 0);
    keep__place_check_free(spot);
    keep__place_clear_and_give(spot);
}
END_TEST

/* A pool whose only slot is in use, and what happens while somebody waits for it. */
struct scene {
    keep_pool *pool;
    keep_secret *secret;
};

static struct scene new_scene(void)
{
    keep_pool_options options = one_tier(32, 1);
    keep_pool *pool = new_pool(&options);

    return (struct scene){ pool, new_secret(pool, 1) };
}

static void end_scene(struct scene *scene)
{
    ck_assert_uint_eq(keep__tier_waiting(&scene->pool->tiers[0]), 0);
    assert_ok(keep_secret_free(&scene->secret));
    keep_pool_free(&scene->pool);
}

static void give_up_behind(void *ctx)
{
    struct scene *scene = ctx;
    keep__spot spot;

    assert_status(keep__line_wait(&scene->pool->tiers[0], 1, &spot), KEEP_ERR_TIMEOUT);
}

START_TEST(who_gives_up_behind_another_leaves_him_in_line)
{
    struct scene scene = new_scene();
    keep__spot spot;

    before_call("wait", give_up_behind, &scene);
    assert_status(keep__line_wait(&scene.pool->tiers[0], 1, &spot), KEEP_ERR_TIMEOUT);
    end_scene(&scene);
}
END_TEST

static void free_the_slot(void *ctx)
{
    struct scene *scene = ctx;

    assert_ok(keep_secret_free(&scene->secret));
}

static void wait_behind_until_the_slot_is_free(void *ctx)
{
    struct scene *scene = ctx;
    keep__spot spot;

    before_call("wait", free_the_slot, ctx);
    assert_status(keep__line_wait(&scene->pool->tiers[0], 1, &spot), KEEP_ERR_TIMEOUT);
    is_woken = true;
}

START_TEST(the_first_in_line_is_served_and_the_second_stays)
{
    struct scene scene = new_scene();
    keep__spot spot;

    before_call("wait", wait_behind_until_the_slot_is_free, &scene);
    assert_ok(keep__line_wait(&scene.pool->tiers[0], KEEP_WAIT_FOREVER, &spot));
    keep__place_clear_and_give(spot);
    end_scene(&scene);
}
END_TEST

RUN_SUITE("waiting", ONCE(a_slot_that_is_free_when_somebody_lines_up_is_his), ONCE(who_gives_up_leaves_no_trace),
          ONCE(serving_nobody_is_nothing), ONCE(who_lines_up_is_given_what_the_cache_holds),
          ONCE(who_gives_up_behind_another_leaves_him_in_line), ONCE(the_first_in_line_is_served_and_the_second_stays))
