/* SPDX-License-Identifier: MIT */
/*
 * Lock limits of an ordinary user. Root becomes nobody in a child; where nothing binds a process, nothing is looked at.
 */
#include <string.h>
#include <unistd.h>

#include "keep/sealed.h"
#include "support/calls.h"
#include "support/forked.h"
#include "support/maps.h"
#include "support/memories.h"
#include "support/pools.h"
#include "support/user.h"

/* The same failure as often as it is asked for, and nothing left of it. */
static void need_refusal(keep_pool *pool, size_t len)
{
    size_t mappings;
    size_t descriptors = count_descriptors();
    size_t locked = locked_len();
    keep_secret *secret = NULL;

    child_needs(keep_pool_acquire(pool, len, NULL, &secret) == KEEP_ERR_LOCK_LIMIT);
    mappings = count_mappings();
    for (int i = 0; i < 3; i++)
        child_needs(keep_pool_acquire(pool, len, NULL, &secret) == KEEP_ERR_LOCK_LIMIT);
    child_needs(secret == NULL);
    child_needs(count_mappings() == mappings && locked_len() == locked && count_descriptors() == descriptors);
}

static void acquire_under_limit_0(void *ctx)
{
    keep_pool_options options = options_of(*(int *)ctx);
    keep_pool *pool = NULL;
    keep_secret *secret = NULL;

    if (!become_ordinary(0))
        return;
    child_needs(keep_pool_new(&options, &pool) == KEEP_OK);
    need_refusal(pool, 32);
    need_refusal(pool, 5000);
    set_lock_limit(65536);
    child_needs(keep_pool_acquire(pool, 32, NULL, &secret) == KEEP_OK);
    child_needs(stats_of(pool).lock_failures == 8);
}

/* memory T6 */
START_TEST(under_a_limit_of_0_everything_is_refused_until_it_is_raised)
{
    if (has_memory(_i))
        assert_returns(acquire_under_limit_0, &_i);
}
END_TEST

static void acquire_unlocked(void *ctx)
{
    keep_pool_options options = options_of(*(int *)ctx);
    keep_pool *pool = NULL;
    keep_secret *secret = NULL;
    struct keep_pool_stats stats;

    if (!become_ordinary(0))
        return;
    child_needs(keep_pool_new(&options, &pool) == KEEP_OK);
    child_needs(keep_pool_acquire(pool, 32, NULL, &secret) == KEEP_OK);
    stats = stats_of(pool);
    child_needs(info_of(secret).locked == 0);
    child_needs(stats.locked_bytes == 0 && stats.unlocked_bytes != 0 && stats.lock_failures == 1);
    child_needs(stats.last_lock_errno != 0);
}

/* memory T6, R34 */
START_TEST(unlocked_memory_is_taken_if_allowed_and_said)
{
    int memory = BACKINGS + _i;

    if (has_memory(_i))
        assert_returns(acquire_unlocked, &memory);
}
END_TEST

static void acquire_under_two_pages(void *ctx)
{
    keep_pool_options options = options_of(*(int *)ctx);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    keep_pool *pool = NULL;
    keep_secret *slot = NULL;

    if (!become_ordinary(2 * page))
        return;
    child_needs(keep_pool_new(&options, &pool) == KEEP_OK);
    child_needs(keep_pool_acquire(pool, 32, NULL, &slot) == KEEP_OK);
    child_needs(locked_len() == 2 * page);
    need_refusal(pool, 64);
    child_needs(keep_secret_put(slot, 0, "works", 5) == KEEP_OK);
}

/* memory T6 */
START_TEST(under_a_limit_of_two_pages_the_third_is_refused)
{
    if (has_memory(_i))
        assert_returns(acquire_under_two_pages, &_i);
}
END_TEST

static void use_all_defaults(void *ctx)
{
    static const size_t lens[] = { 32, 64, 256, 1024 };
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    keep_sealed *sealed = NULL;
    keep_pool *pool = NULL;

    options.backing = *(uint32_t *)ctx;
    if (!become_ordinary(65536) || sysconf(_SC_PAGESIZE) != 4096)
        return;
    child_needs(keep_pool_default(&options, &pool) == KEEP_OK);
    for (int i = 0; i < 4; i++)
        child_needs(new_secret(NULL, lens[i]) != NULL);
    child_needs(keep_sealed_new(NULL, "x", 1, 0, &sealed) == KEEP_OK);
    child_needs(locked_len() == 4 * 8192 + 3 * 4096);
}

/* memory T6 */
START_TEST(under_a_limit_of_64_kib_all_defaults_work)
{
    uint32_t backing = _i == 0 ? KEEP_BACKING_AUTO : KEEP_BACKING_LOCKED;

    assert_returns(use_all_defaults, &backing);
}
END_TEST

static void use_default_pool_late(void *unused)
{
    keep_pool_options options = one_tier(32, 0);
    keep_pool *pool = NULL;

    (void)unused;
    if (!become_ordinary(0))
        return;
    options.tier_slots[0] = 1;
    child_needs(keep_pool_default(&options, &pool) == KEEP_ERR_LOCK_LIMIT && pool == NULL);
    child_needs(locked_len() == 0);
    set_lock_limit(65536);
    child_needs(keep_pool_default(&options, &pool) == KEEP_OK);
    child_needs(new_secret(NULL, 32) != NULL);
}

/* memory T17, R6 */
START_TEST(a_default_pool_that_could_not_be_made_is_made_at_its_next_use)
{
    assert_returns(use_default_pool_late, NULL);
}
END_TEST

static void use_slots_silently(void *ctx)
{
    keep_pool_options options = options_of(*(int *)ctx);
    static keep_secret *secrets[1000];
    keep_pool *pool = NULL;
    const uint8_t *data;
    size_t len;

    if (keep_pool_new(&options, &pool) != KEEP_OK || keep_pool_reserve(pool, 32, 1000) != KEEP_OK)
        return;
    if (!forbid_calls())
        return;
    for (int i = 0; i < 1000; i++) {
        if (keep_pool_acquire(pool, 32, NULL, &secrets[i]) != KEEP_OK)
            exit_at_once(1);
    }
    for (int i = 0; i < 100000; i++) {
        if (keep_secret_read_begin(secrets[i % 1000], &data, &len) != KEEP_OK ||
            keep_secret_end(secrets[i % 1000]) != KEEP_OK)
            exit_at_once(2);
    }
    for (int i = 0; i < 1000; i++) {
        if (keep_secret_free(&secrets[i]) != KEEP_OK)
            exit_at_once(3);
    }
    exit_at_once(0);
}

/* memory T18, R17 */
START_TEST(reserved_slots_and_their_windows_take_no_system_call)
{
    if (has_memory(_i))
        assert_returns(use_slots_silently, &_i);
}
END_TEST

RUN_SUITE("limits", TIMES(under_a_limit_of_0_everything_is_refused_until_it_is_raised, BACKINGS),
          TIMES(unlocked_memory_is_taken_if_allowed_and_said, BACKINGS),
          TIMES(under_a_limit_of_two_pages_the_third_is_refused, BACKINGS),
          TIMES(under_a_limit_of_64_kib_all_defaults_work, 2),
          ONCE(a_default_pool_that_could_not_be_made_is_made_at_its_next_use),
          TIMES(reserved_slots_and_their_windows_take_no_system_call, BACKINGS))
