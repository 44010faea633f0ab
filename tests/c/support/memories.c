/* SPDX-License-Identifier: MIT */
/*
 * Memories: the backings and lock policies.
 */
#include "support/memories.h"

#include <stdio.h>

#include <keep/secret.h>

keep_pool_options options_of(int memory)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;

    options.backing = memory % BACKINGS == 0 ? KEEP_BACKING_MEMFD_SECRET : KEEP_BACKING_LOCKED;
    options.lock_policy = memory < BACKINGS ? KEEP_LOCK_REQUIRE : KEEP_LOCK_ALLOW_UNLOCKED;
    return options;
}

bool has_memory(int memory)
{
    keep_pool_options options = options_of(memory);
    KEEP_AUTO(keep_pool) pool = NULL;
    KEEP_AUTO(keep_secret) secret = NULL;

    if (keep_pool_new(&options, &pool) == KEEP_OK && keep_pool_acquire(pool, 1, NULL, &secret) == KEEP_OK)
        return true;
    printf("skipped: no memory of kind %d here\n", memory);
    fflush(stdout);
    return false;
}
