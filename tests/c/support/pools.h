/* SPDX-License-Identifier: MIT */
/*
 * Short ways to what most tests begin with. Each asserts that it worked.
 */
#ifndef SUPPORT_POOLS_H
#define SUPPORT_POOLS_H

#include <string.h>

#include <keep/pool.h>
#include <keep/secret.h>

#include "support/suite.h"

/* Options with one tier. */
static inline keep_pool_options one_tier(uint32_t len, uint32_t max_slots)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;

    options.tier_count = 1;
    options.tier_len[0] = len;
    options.tier_max_slots[0] = max_slots;
    return options;
}

static inline keep_pool *new_pool(const keep_pool_options *options)
{
    keep_pool *pool = NULL;

    assert_ok(keep_pool_new(options, &pool));
    return pool;
}

static inline keep_secret *new_secret(keep_pool *pool, size_t len)
{
    keep_secret *secret = NULL;

    assert_ok(keep_pool_acquire(pool, len, NULL, &secret));
    return secret;
}

static inline keep_secret *secret_of(keep_pool *pool, const char *text)
{
    keep_secret *secret = NULL;

    assert_ok(keep_secret_from_bytes(pool, text, strlen(text), &secret));
    return secret;
}

static inline keep_secret *new_guarded(keep_pool *pool, size_t len, uint32_t flags)
{
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;
    keep_secret *secret = NULL;

    options.flags = KEEP_ACQUIRE_GUARDED | flags;
    assert_ok(keep_pool_acquire(pool, len, &options, &secret));
    return secret;
}

static inline struct keep_pool_stats stats_of(keep_pool *pool)
{
    struct keep_pool_stats stats = KEEP_POOL_STATS_INIT;

    assert_ok(keep_pool_stats(pool, &stats));
    return stats;
}

static inline struct keep_secret_info info_of(const keep_secret *secret)
{
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;

    assert_ok(keep_secret_info(secret, &info));
    return info;
}

/* Whether the secret's bytes are those of the text. */
static inline bool holds(const keep_secret *secret, const char *text)
{
    int equal = -1;

    assert_ok(keep_secret_equal_bytes(secret, text, strlen(text), &equal));
    return equal == 1;
}

#endif
