/* SPDX-License-Identifier: MIT */
/*
 * Options of any size and content: they are refused, or the pool that they make works.
 */
#include "faults.h"
#include "fuzz.h"

#include <string.h>

#include <keep/keep.h>

enum {
    ROOM = 512
};

static void use(keep_pool *pool, const keep_acquire_options *options)
{
    keep_secret *secret = NULL;
    struct keep_pool_stats stats = KEEP_POOL_STATS_INIT;

    fuzz_needs(keep_pool_stats(pool, &stats) == KEEP_OK && stats.tier_count >= 1);
    if (keep_pool_acquire(pool, 1, options, &secret) == KEEP_OK)
        fuzz_needs(keep_secret_free(&secret) == KEEP_OK);
    fuzz_needs(secret == NULL);
}

/* The first byte says how long the pool's options claim to be, the second what the acquire options' flags are. */
static void make_pool(const uint8_t *bytes, size_t len)
{
    _Alignas(16) uint8_t given[ROOM] = { 0 };
    keep_acquire_options acquire = KEEP_ACQUIRE_OPTIONS_INIT;
    keep_pool_options *options = (keep_pool_options *)(void *)given;
    keep_pool *pool = NULL;

    memcpy(given, bytes + 2, len - 2 < sizeof given ? len - 2 : sizeof given);
    options->size = sizeof *options - 16 + bytes[0] % 32;
    if (options->max_bytes > 1 << 20 && options->max_bytes <= KEEP_MAX_POOL_BYTES)
        options->max_bytes &= (1 << 20) - 1; /* what may be locked here */
    acquire.flags = bytes[1];
    if (keep_pool_new(options, &pool) == KEEP_OK)
        use(pool, &acquire);
    else
        fuzz_needs(pool == NULL);
    keep_pool_free(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len >= 2)
        fuzz_with_faults(make_pool, bytes, len);
    return 0;
}
