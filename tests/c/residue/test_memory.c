/* SPDX-License-Identifier: MIT */
/*
 * Residue: after each call that handles a secret, on a stack of its own, neither that stack nor any other writable memory
 * holds a copy. First the search must find what was planted.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "keep/keep.h"
#include "memory/coffer.h"
#include "memory/pool.h"
#include "memory/sealed.h"
#include "support/apart.h"
#include "support/memories.h"
#include "support/pattern.h"
#include "support/pools.h"

/* What calls work on. The pattern is only ever in locked memory. */
struct bench {
    keep_pool *pool;
    keep_secret *secret;
    keep_secret *other;
    keep_sealed *sealed;
};

static keep_secret *secret_with_pattern(keep_pool *pool, bool is_guarded)
{
    keep_secret *secret = is_guarded ? new_guarded(pool, PATTERN_LEN, 0) : new_secret(pool, PATTERN_LEN);
    uint8_t *data;
    size_t len;

    assert_ok(keep_secret_write_begin(secret, &data, &len));
    pattern_write(data);
    assert_ok(keep_secret_end(secret));
    return secret;
}

static struct bench new_bench(int kind)
{
    keep_pool_options options = one_tier(PATTERN_LEN, 0);
    struct bench bench;

    options.backing = kind % 2 == 0 ? KEEP_BACKING_AUTO : KEEP_BACKING_LOCKED;
    options.hot_cache = 2;
    bench.pool = new_pool(&options);
    bench.secret = secret_with_pattern(bench.pool, kind >= 2);
    bench.other = secret_with_pattern(bench.pool, kind >= 2);
    assert_ok(keep_sealed_from_secret(bench.secret, 0, &bench.sealed));
    return bench;
}

static void end_bench(struct bench *bench)
{
    assert_ok(keep_secret_free(&bench->secret));
    assert_ok(keep_secret_free(&bench->other));
    keep_sealed_free(&bench->sealed);
    keep_pool_free(&bench->pool);
}

static void leave_on_stack(void *unused)
{
    uint8_t bytes[4096]; /* so far down that the end of the thread does not overwrite it */

    (void)unused;
    pattern_write(bytes);
}

/* style R34: a search that finds nothing of what was planted would prove nothing */
START_TEST(the_search_finds_a_planted_pattern)
{
    void *stack = on_own_stack(leave_on_stack, NULL);
    uint8_t *heap = malloc(PATTERN_LEN);

    ck_assert_uint_gt(count_pattern_in(stack, STACK_LEN), 0);
    munmap(stack, STACK_LEN);
    pattern_write(heap);
    if (can_search_process())
        ck_assert_uint_eq(count_pattern_in_process(true), 1);
    keep_wipe(heap, PATTERN_LEN);
    if (can_search_process())
        ck_assert_uint_eq(count_pattern_in_process(true), 0);
    free(heap);
}
END_TEST

/* From a window: the source is in locked memory. */
static void copy_it_in(void *ctx)
{
    struct bench *bench = ctx;
    keep_secret *copy = NULL;
    keep_sealed *sealed = NULL;
    const uint8_t *data;
    size_t len;

    assert_ok(keep_secret_read_begin(bench->secret, &data, &len));
    assert_ok(keep_secret_from_bytes(bench->pool, data, len, &copy));
    assert_ok(keep_sealed_new(bench->pool, data, len, 0, &sealed));
    assert_ok(keep_secret_end(bench->secret));
    assert_ok(keep_secret_free(&copy));
    keep_sealed_free(&sealed);
}

static void duplicate_it(void *ctx)
{
    struct bench *bench = ctx;
    keep_secret *copy = NULL;

    assert_ok(keep_secret_duplicate(bench->secret, &copy));
    assert_ok(keep_secret_free(&copy));
}

static void compare_it(void *ctx)
{
    struct bench *bench = ctx;
    int equal = 0;

    assert_ok(keep_secret_equal(bench->secret, bench->other, &equal));
    ck_assert_int_eq(equal, 1);
}

static void shorten_and_lengthen_it(void *ctx)
{
    struct bench *bench = ctx;

    assert_ok(keep_secret_resize(bench->other, 3));
    assert_ok(keep_secret_resize(bench->other, PATTERN_LEN));
}

static void seal_and_open_it(void *ctx)
{
    struct bench *bench = ctx;
    keep_sealed *sealed = NULL;
    keep_secret *opened = NULL;

    assert_ok(keep_sealed_from_secret(bench->secret, 7, &sealed));
    for (int i = 0; i < 2; i++) { /* a miss, a hit */
        assert_ok(keep_sealed_open(sealed, NULL, &opened));
        assert_ok(keep_secret_free(&opened));
    }
    keep_sealed_free(&sealed);
}

static void open_it_into(void *ctx)
{
    struct bench *bench = ctx;

    assert_ok(keep_sealed_open_into(bench->sealed, bench->other));
}

static void put_and_get_it(void *ctx)
{
    struct bench *bench = ctx;
    uint8_t bytes[PATTERN_LEN];

    assert_ok(keep_secret_get(bench->secret, 0, bytes, PATTERN_LEN));
    assert_ok(keep_secret_put(bench->other, 0, bytes, PATTERN_LEN));
    keep_wipe(bytes, sizeof bytes);
}

static void reveal_it(void *ctx)
{
    struct bench *bench = ctx;
    uint8_t bytes[PATTERN_LEN];
    size_t len;

    assert_status(keep_secret_reveal(bench->secret, bytes, 5, &len), KEEP_ERR_BUFFER_TOO_SMALL);
    assert_ok(keep_secret_reveal(bench->secret, bytes, PATTERN_LEN, &len));
    keep_wipe(bytes, sizeof bytes);
}

static void purge_it(void *ctx)
{
    (void)ctx;
    assert_ok(keep_purge(NULL));
}

static const struct {
    void (*call)(void *ctx);
    const char *name;
} calls[] = {
    { copy_it_in, "from_bytes, new" }, { duplicate_it, "duplicate" }, { compare_it, "equal" },
    { put_and_get_it, "put, get" }, { reveal_it, "reveal" },
    { seal_and_open_it, "seal, open" }, { open_it_into, "open_into" },
    { shorten_and_lengthen_it, "resize" }, { purge_it, "purge" },
};

/* memory T13, R38 */
START_TEST(no_call_leaves_a_copy_behind)
{
    struct bench bench = new_bench(_i);

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        void *stack = on_own_stack(calls[i].call, &bench);

        ck_assert_msg(count_pattern_in(stack, STACK_LEN) == 0, "%s left the pattern on its stack", calls[i].name);
        if (can_search_process())
            ck_assert_msg(count_pattern_in_process(true) == 0, "%s left the pattern", calls[i].name);
        munmap(stack, STACK_LEN);
    }
    end_bench(&bench);
    if (can_search_process())
        ck_assert_uint_eq(count_pattern_in_process(false), 0);
}
END_TEST

/* The stored bytes of a sealed secret, changed behind the library's back, and everything that fails with them. */
static void open_what_was_changed(void *ctx)
{
    struct bench *bench = ctx;
    keep_secret *opened = NULL;

    bench->sealed->stored[PATTERN_LEN + KEEP_SEALED_OVERHEAD - 1] ^= 1;
    assert_status(keep_sealed_open(bench->sealed, NULL, &opened), KEEP_ERR_AUTH);
    assert_status(keep_sealed_open_into(bench->sealed, bench->other), KEEP_ERR_AUTH);
}

/* memory T13 */
START_TEST(a_failed_open_leaves_no_copy_behind)
{
    struct bench bench = new_bench(_i);
    void *stack = on_own_stack(open_what_was_changed, &bench);

    ck_assert_uint_eq(count_pattern_in(stack, STACK_LEN), 0);
    if (can_search_process())
        ck_assert_uint_eq(count_pattern_in_process(true), 0);
    munmap(stack, STACK_LEN);
    end_bench(&bench);
}
END_TEST

/* The key as the two halves have it, in disguise. */
static void disguise_key(const keep_pool *pool, uint8_t out[32])
{
    for (size_t i = 0; i < 32; i++)
        out[i] = (uint8_t)(pool->coffer.left.data[i] ^ pool->coffer.right.data[i] ^ 0xC3);
}

static void disguise_half(const keep__pages *half, uint8_t out[32])
{
    for (size_t i = 0; i < 32; i++)
        out[i] = half->data[i] ^ 0xC3;
}

/* memory T13, R42 */
START_TEST(the_joined_key_is_nowhere_after_seals_and_opens)
{
    static void (*const uses[])(void *) = { seal_and_open_it, open_it_into, open_what_was_changed };
    struct bench bench = new_bench(_i);
    uint8_t disguised[32];

    if (!can_search_process()) {
        end_bench(&bench);
        return;
    }
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        munmap(on_own_stack(uses[i], &bench), STACK_LEN);
        disguise_half(&bench.pool->coffer.left, disguised);
        ck_assert_uint_eq(count_disguised_in_process(disguised, 32, false), 1); /* the half: the search works */
        disguise_key(bench.pool, disguised);
        ck_assert_uint_eq(count_disguised_in_process(disguised, 32, false), 0);
    }
    end_bench(&bench);
}
END_TEST

/* memory T13: neither does the change of a re-split stay */
START_TEST(what_split_the_key_anew_is_nowhere_afterwards)
{
    keep_pool_options options = one_tier(PATTERN_LEN, 0);
    KEEP_AUTO(keep_pool) pool = NULL;
    KEEP_AUTO(keep_sealed) sealed = NULL;
    KEEP_AUTO(keep_secret) opened = NULL;
    uint8_t before[32];
    uint8_t after[32];
    uint8_t change[32];

    options.resplit_views = 1;
    pool = new_pool(&options);
    assert_ok(keep_sealed_new(pool, "x", 1, 0, &sealed));
    disguise_half(&pool->coffer.left, before);
    assert_ok(keep_sealed_open(sealed, NULL, &opened));
    disguise_half(&pool->coffer.left, after);
    for (size_t i = 0; i < 32; i++)
        change[i] = (uint8_t)(before[i] ^ after[i] ^ 0xC3);
    ck_assert_mem_ne(before, after, 32);
    if (can_search_process())
        ck_assert_uint_eq(count_disguised_in_process(change, 32, false), 0);
}
END_TEST

RUN_SUITE("residue", ONCE(the_search_finds_a_planted_pattern), TIMES(no_call_leaves_a_copy_behind, 4),
          TIMES(a_failed_open_leaves_no_copy_behind, 4), TIMES(the_joined_key_is_nowhere_after_seals_and_opens, 2),
          ONCE(what_split_the_key_anew_is_nowhere_afterwards))
