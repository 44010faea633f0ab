/* SPDX-License-Identifier: MIT */
/*
 * Forks beside threads that hold every lock of the library in turn. A child uses what it inherited, then its own.
 */
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keep/keep.h>

#include "support/pools.h"
#include "support/threads.h"

#define TEXT "exactly thirty-two bytes of text"

/* What parent threads use, and what children inherit of it. */
struct family {
    keep_pool *pool;
    keep_secret *secret;
    keep_secret *guarded;
    keep_sealed *sealed;
};

static void acquire_seal_and_grow(struct worker *worker)
{
    const struct family *family = worker->shared;

    while (!atomic_load(&worker->crew->is_over)) {
        keep_secret *secrets[200] = { NULL };
        keep_sealed *sealed = NULL;

        assert_ok(keep_pool_acquire_batch(family->pool, 64, 200, secrets));
        assert_ok(keep_sealed_from_secret(secrets[0], 0, &sealed));
        assert_ok(keep_secret_free_batch(secrets, 200));
        assert_ok(keep_sealed_open(sealed, NULL, &secrets[0]));
        assert_ok(keep_secret_free(&secrets[0]));
        keep_sealed_free(&sealed);
        secrets[0] = new_guarded(family->pool, 10, 0);
        assert_ok(keep_secret_free(&secrets[0]));
        assert_ok(keep_pool_trim(family->pool, NULL));
    }
}

/* The line in which the child found something wrong; 0: nothing. */
static int look_at_inherited(struct family *family)
{
    keep_secret *opened = NULL;
    uint8_t byte = 0;
    struct keep_pool_stats stats = KEEP_POOL_STATS_INIT;

    if (keep_secret_get(family->secret, 0, &byte, 1) != KEEP_ERR_FORKED)
        return __LINE__;
    if (keep_secret_put(family->guarded, 0, &byte, 1) != KEEP_ERR_FORKED)
        return __LINE__;
    if (keep_sealed_open(family->sealed, NULL, &opened) != KEEP_ERR_FORKED)
        return __LINE__;
    if (keep_pool_stats(family->pool, &stats) != KEEP_ERR_FORKED)
        return __LINE__;
    if (keep_secret_free(&family->secret) != KEEP_ERR_FORKED || keep_secret_free(&family->guarded) != KEEP_ERR_FORKED)
        return __LINE__;
    keep_sealed_free(&family->sealed);
    keep_pool_free(&family->pool);
    return 0;
}

static int use_own(void)
{
    keep_pool *pool = NULL;
    keep_sealed *sealed = NULL;
    keep_secret *secret = NULL;
    int equal = 0;

    if (keep_pool_new(NULL, &pool) != KEEP_OK)
        return __LINE__;
    if (keep_sealed_new(pool, TEXT, 32, 0, &sealed) != KEEP_OK)
        return __LINE__;
    if (keep_sealed_open(sealed, NULL, &secret) != KEEP_OK)
        return __LINE__;
    if (keep_secret_equal_bytes(secret, TEXT, 32, &equal) != KEEP_OK || equal != 1)
        return __LINE__;
    if (keep_secret_free(&secret) != KEEP_OK || keep_secret_generate(NULL, 5000, &secret) != KEEP_OK)
        return __LINE__;
    return 0;
}

static void fork_one_after_the_other(struct worker *worker)
{
    int count = all_rounds(1000);

    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        int status;

        /* first: an assertion takes a lock of Check's, which another thread may have held at the fork */
        if (child == 0) {
            int line = look_at_inherited(worker->shared);

            _exit((line != 0 ? line : use_own()) & 0xFF);
        }
        ck_assert_int_gt(child, 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %#x", (unsigned)status);
    }
}

/* memory T16 */
START_TEST(a_thousand_children_of_a_busy_process_have_a_library_of_their_own)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    struct family family;
    struct crew crew = { 0 };

    options.backing = _i == 0 ? KEEP_BACKING_AUTO : KEEP_BACKING_LOCKED;
    family.pool = new_pool(&options);
    family.secret = secret_of(family.pool, TEXT);
    family.guarded = new_guarded(family.pool, 10, 0);
    assert_ok(keep_sealed_from_secret(family.secret, 0, &family.sealed));
    crew_add(&crew, 1, fork_one_after_the_other, &family);
    crew_add(&crew, 3, acquire_seal_and_grow, &family);
    crew_run(&crew, 1);
    ck_assert(holds(family.secret, TEXT));
    assert_ok(keep_secret_free(&family.secret));
    assert_ok(keep_secret_free(&family.guarded));
    keep_sealed_free(&family.sealed);
    keep_pool_free(&family.pool);
}
END_TEST

RUN_SUITE("forks", TIMES(a_thousand_children_of_a_busy_process_have_a_library_of_their_own, 2))
