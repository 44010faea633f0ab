/* SPDX-License-Identifier: MIT */
/*
 * Every function of memory with every call below it failing (memory T7).
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <keep/keep.h>

#include "memory/pages.h"
#include "memory/secret.h"
#include "support/forked.h"
#include "support/memories.h"
#include "support/pattern.h"
#include "support/pools.h"
#include "sweep.h"

/* What making memory may give, and OK where AUTO or ALLOW_UNLOCKED let a refusal pass. */
static const keep_status of_acquiring[] = { KEEP_ERR_LOCK_LIMIT, KEEP_ERR_NO_MEMORY, KEEP_ERR_UNSUPPORTED,
                                            KEEP_ERR_SYSTEM, KEEP_OK };

enum {
    KINDS = MEMORIES + 1, /* the last is AUTO */
    OF_ACQUIRING = sizeof of_acquiring / sizeof *of_acquiring
};

/*
 * Whether a failure may be lost: AUTO and ALLOW_UNLOCKED have a second choice; and a guarded buffer is freed by
 * unmapping it, also if its pages could not be opened before.
 */
enum loss {
    NOTHING_IS_LOST,
    FREEING_IS_LOST
};

static size_t statuses_for(int kind, enum loss loss)
{
    return kind < BACKINGS && loss == NOTHING_IS_LOST ? OF_ACQUIRING - 1 : OF_ACQUIRING;
}

static keep_pool_options options_of_kind(int kind)
{
    keep_pool_options options = options_of(kind % MEMORIES);

    if (kind == MEMORIES) {
        options.backing = KEEP_BACKING_AUTO;
        options.lock_policy = KEEP_LOCK_REQUIRE;
    }
    return options;
}

/* The first failure of several steps. */
static keep_status first_of(keep_status st, keep_status next)
{
    return st != KEEP_OK ? st : next;
}

/* Checks that a failure left the output alone, and frees what came. */
static keep_status end_secret(keep_status st, keep_secret **secret)
{
    body_needs((st == KEEP_OK) == (*secret != NULL));
    return first_of(st, keep_secret_free(secret));
}

static keep_status end_sealed(keep_status st, keep_sealed **sealed)
{
    body_needs((st == KEEP_OK) == (*sealed != NULL));
    keep_sealed_free(sealed);
    return st;
}

/* --- pools --- */

static keep_status make_pool(void *ctx)
{
    keep_pool_options options = options_of_kind(*(int *)ctx);
    keep_pool *pool = NULL;
    keep_status st;

    options.tier_count = 2;
    options.tier_len[0] = 32;
    options.tier_len[1] = 64;
    options.tier_slots[0] = options.tier_slots[1] = 10;
    st = keep_pool_new(&options, &pool);
    body_needs((st == KEEP_OK) == (pool != NULL));
    keep_pool_free(&pool);
    return st;
}

START_TEST(making_a_pool_with_initial_slots_survives_every_failing_call)
{
    if (_i == MEMORIES || has_memory(_i))
        sweep(make_pool, &_i, of_acquiring, statuses_for(_i, NOTHING_IS_LOST));
}
END_TEST

/* A pool whose making is not part of the sweep. */
struct ready {
    int kind;
    keep_pool *pool;
};

static struct ready ready_of_kind(int kind)
{
    keep_pool_options options = options_of_kind(kind);

    options.hot_cache = 2;
    return (struct ready){ kind, new_pool(&options) };
}

static void sweep_ready(sweep_body body, int kind, enum loss loss)
{
    struct ready ready;

    if (kind != MEMORIES && !has_memory(kind))
        return;
    ready = ready_of_kind(kind);
    sweep(body, &ready, of_acquiring, statuses_for(kind, loss));
    keep_pool_free(&ready.pool);
}

static keep_status acquire_slot(void *ctx)
{
    keep_pool_options options = options_of_kind(((struct ready *)ctx)->kind);
    keep_pool *pool = NULL;
    keep_secret *secret = NULL;
    keep_status st = keep_pool_new(&options, &pool);

    if (st == KEEP_OK)
        st = end_secret(keep_pool_acquire(pool, 20, NULL, &secret), &secret);
    keep_pool_free(&pool);
    return st;
}

static keep_status acquire_guarded(void *ctx)
{
    const keep_acquire_options options = { .size = sizeof options, .flags = KEEP_ACQUIRE_GUARDED };
    keep_secret *secret = NULL;
    keep_status st = keep_pool_acquire(((struct ready *)ctx)->pool, 20, &options, &secret);

    return end_secret(st, &secret);
}

static keep_status acquire_batch(void *ctx)
{
    keep_secret *secrets[3] = { NULL };
    keep_status st = keep_pool_acquire_batch(((struct ready *)ctx)->pool, 2000, 3, secrets);

    for (int i = 0; i < 3; i++)
        body_needs((st == KEEP_OK) == (secrets[i] != NULL));
    return first_of(st, keep_secret_free_batch(secrets, 3));
}

static keep_status reserve_and_trim(void *ctx)
{
    keep_pool *pool = ((struct ready *)ctx)->pool;
    struct keep_pool_stats before = KEEP_POOL_STATS_INIT;
    struct keep_pool_stats after = KEEP_POOL_STATS_INIT;
    keep_status st = keep_pool_stats(pool, &before);

    if (st == KEEP_OK)
        st = keep_pool_reserve(pool, 32, 2000);
    (void)!keep_pool_stats(pool, &after);
    if (st != KEEP_OK)
        body_needs(after.tiers[0].slots == before.tiers[0].slots);
    return first_of(st, keep_pool_trim(pool, NULL));
}

START_TEST(acquiring_a_slot_survives_every_failing_call)
{
    sweep_ready(acquire_slot, _i, NOTHING_IS_LOST);
}
END_TEST

START_TEST(acquiring_a_guarded_buffer_survives_every_failing_call)
{
    sweep_ready(acquire_guarded, _i, FREEING_IS_LOST);
}
END_TEST

START_TEST(acquiring_a_batch_survives_every_failing_call)
{
    sweep_ready(acquire_batch, _i, FREEING_IS_LOST);
}
END_TEST

START_TEST(reserving_and_trimming_survive_every_failing_call)
{
    sweep_ready(reserve_and_trim, _i, NOTHING_IS_LOST);
}
END_TEST

/* --- secrets --- */

static keep_status generate(void *ctx)
{
    keep_pool *pool = ((struct ready *)ctx)->pool;
    keep_secret *small = NULL;
    keep_secret *large = NULL;
    keep_status st = keep_secret_generate(pool, 32, &small);

    st = end_secret(st, &small);
    return st != KEEP_OK ? st : end_secret(keep_secret_generate(pool, 5000, &large), &large);
}

/* A guarded secret that holds the pattern. */
static keep_status secret_with_pattern(keep_pool *pool, size_t len, keep_secret **out_secret)
{
    uint8_t bytes[2000] = { 0 };
    keep_status st;

    pattern_write(bytes);
    st = keep_secret_from_bytes(pool, bytes, len, out_secret);
    keep_wipe(bytes, sizeof bytes);
    return st;
}

static keep_status copy_in_and_out(void *ctx)
{
    keep_pool *pool = ((struct ready *)ctx)->pool;
    keep_secret *secret = NULL;
    uint8_t out[2000] = { 0 };
    size_t len = 0;
    keep_status st = secret_with_pattern(pool, 2000, &secret);

    if (st == KEEP_OK)
        st = keep_secret_get(secret, 0, out, 100);
    body_needs(st == KEEP_OK ? is_pattern(out) : are_all(out, 0, sizeof out));
    keep_wipe(out, sizeof out);
    if (st == KEEP_OK)
        st = keep_secret_reveal(secret, out, sizeof out, &len);
    body_needs(st == KEEP_OK ? is_pattern(out) : are_all(out, 0, sizeof out));
    keep_wipe(out, sizeof out);
    if (st == KEEP_OK)
        st = keep_secret_put(secret, 5, "x", 1);
    return first_of(st, keep_secret_free(&secret));
}

static keep_status duplicate(void *ctx)
{
    keep_pool *pool = ((struct ready *)ctx)->pool;
    keep_secret *secret = NULL;
    keep_secret *copy = NULL;
    keep_status st = secret_with_pattern(pool, 2000, &secret);

    if (st == KEEP_OK)
        st = end_secret(keep_secret_duplicate(secret, &copy), &copy);
    return first_of(st, keep_secret_free(&secret));
}

/* What only guarded buffers can fail at; each leaves a secret that is as before and can be freed. */
static keep_status change_guarded(void *ctx)
{
    keep_secret *secret = NULL;
    keep_secret *other = NULL;
    int equal = 9;
    keep_status st = secret_with_pattern(((struct ready *)ctx)->pool, 2000, &secret);

    if (st == KEEP_OK)
        st = secret_with_pattern(((struct ready *)ctx)->pool, 2000, &other);
    if (st == KEEP_OK)
        st = keep_secret_equal(secret, other, &equal);
    body_needs(equal == (st == KEEP_OK ? 1 : 9));
    if (st == KEEP_OK)
        st = keep_secret_equal_bytes(secret, "x", 1, &equal);
    body_needs(st != KEEP_OK || equal == 0);
    if (st == KEEP_OK)
        st = keep_secret_freeze(secret);
    if (st == KEEP_OK)
        st = keep_secret_melt(secret);
    if (st == KEEP_OK)
        st = keep_secret_resize(secret, 100);
    if (st == KEEP_OK)
        st = keep_secret_randomize(secret);
    if (st == KEEP_OK)
        st = keep_secret_clear(secret);
    st = first_of(st, keep_secret_free(&secret));
    return first_of(st, keep_secret_free(&other));
}

/* What other subsystems are offered, from a secret that is a guarded buffer. */
static keep_status use_key(void *ctx)
{
    keep_pool *pool = ((struct ready *)ctx)->pool;
    const keep_acquire_options options = { .size = sizeof options, .flags = KEEP_ACQUIRE_GUARDED };
    keep_secret *secret = NULL;
    keep__key key = { 0 };
    keep_status st = keep_pool_acquire(pool, 32, &options, &secret);

    if (st == KEEP_OK)
        st = keep__key_from_secret(pool, secret, 32, &key);
    body_needs((st == KEEP_OK) == (key.bytes != NULL));
    keep__key_free(&key);
    return first_of(st, keep_secret_free(&secret));
}

START_TEST(copying_a_key_survives_every_failing_call)
{
    sweep_ready(use_key, _i, FREEING_IS_LOST);
}
END_TEST

START_TEST(generating_survives_every_failing_call)
{
    sweep_ready(generate, _i, FREEING_IS_LOST);
}
END_TEST

START_TEST(copying_in_and_out_survives_every_failing_call)
{
    sweep_ready(copy_in_and_out, _i, FREEING_IS_LOST);
}
END_TEST

START_TEST(duplicating_survives_every_failing_call)
{
    sweep_ready(duplicate, _i, FREEING_IS_LOST);
}
END_TEST

START_TEST(changing_a_guarded_buffer_survives_every_failing_call)
{
    sweep_ready(change_guarded, _i, FREEING_IS_LOST);
}
END_TEST

/* --- sealed secrets --- */

static keep_status seal_pattern(keep_pool *pool, size_t len, keep_sealed **out_sealed)
{
    uint8_t bytes[2000] = { 0 };
    keep_status st;

    pattern_write(bytes);
    st = keep_sealed_new(pool, bytes, len, 0, out_sealed);
    keep_wipe(bytes, sizeof bytes);
    return st;
}

/* With a pool of its own: the coffer is made too. */
static keep_status seal_first(void *ctx)
{
    keep_pool_options options = options_of_kind(((struct ready *)ctx)->kind);
    keep_pool *pool = NULL;
    keep_sealed *sealed = NULL;
    keep_status st = keep_pool_new(&options, &pool);

    if (st == KEEP_OK)
        st = end_sealed(seal_pattern(pool, 32, &sealed), &sealed);
    keep_pool_free(&pool);
    return st;
}

static keep_status seal_and_open(void *ctx, size_t len)
{
    keep_pool *pool = ((struct ready *)ctx)->pool;
    keep_sealed *sealed = NULL;
    keep_secret *secret = NULL;
    keep_status st = seal_pattern(pool, len, &sealed);

    for (int i = 0; i < 2 && st == KEEP_OK; i++) {
        st = keep_sealed_open(sealed, NULL, &secret);
        st = end_secret(st, &secret);
    }
    keep_sealed_free(&sealed);
    return st;
}

static keep_status seal_and_open_slot(void *ctx)
{
    return seal_and_open(ctx, 32); /* an exact fit: the second one is a hit */
}

static keep_status seal_and_open_guarded(void *ctx)
{
    return seal_and_open(ctx, 2000);
}

static keep_status seal_secret_and_open_into(void *ctx)
{
    keep_pool *pool = ((struct ready *)ctx)->pool;
    keep_secret *secret = NULL;
    keep_sealed *sealed = NULL;
    keep_status st = secret_with_pattern(pool, 2000, &secret);

    if (st == KEEP_OK)
        st = keep_sealed_from_secret(secret, 0, &sealed);
    if (st == KEEP_OK)
        st = keep_sealed_open_into(sealed, secret);
    keep_sealed_free(&sealed);
    return first_of(st, keep_secret_free(&secret));
}

START_TEST(a_first_seal_survives_every_failing_call)
{
    sweep_ready(seal_first, _i, NOTHING_IS_LOST);
}
END_TEST

START_TEST(opening_into_a_slot_and_the_cache_survives_every_failing_call)
{
    sweep_ready(seal_and_open_slot, _i, FREEING_IS_LOST);
}
END_TEST

START_TEST(opening_into_a_guarded_buffer_survives_every_failing_call)
{
    sweep_ready(seal_and_open_guarded, _i, FREEING_IS_LOST);
}
END_TEST

START_TEST(opening_into_a_secret_survives_every_failing_call)
{
    sweep_ready(seal_secret_and_open_into, _i, FREEING_IS_LOST);
}
END_TEST

/* --- purge --- */

static keep_status purge_some(void *ctx)
{
    keep_pool *pool = ((struct ready *)ctx)->pool;
    keep_secret *slot = NULL;
    keep_secret *guarded = NULL;
    keep_status st = secret_with_pattern(pool, 40, &slot);

    if (st == KEEP_OK)
        st = secret_with_pattern(pool, 2000, &guarded);
    st = first_of(st, keep_purge(NULL));
    st = first_of(st, keep_secret_free(&slot));
    return first_of(st, keep_secret_free(&guarded));
}

START_TEST(a_purge_survives_every_failing_call)
{
    sweep_ready(purge_some, _i, FREEING_IS_LOST);
}
END_TEST

/* --- the first use of a process --- */

static keep_status use_default_pool(void *unused)
{
    keep_secret *secret = NULL;

    (void)unused;
    return end_secret(keep_secret_generate(NULL, 32, &secret), &secret);
}

static keep_status purge_nothing(void *unused)
{
    (void)unused;
    return keep_purge(NULL);
}

/* memory R6 */
START_TEST(the_first_use_of_a_process_survives_every_failing_call)
{
    sweep_first_use(use_default_pool, NULL, of_acquiring, OF_ACQUIRING);
    sweep_first_use(purge_nothing, NULL, of_acquiring, OF_ACQUIRING);
}
END_TEST

/* --- single failures and what they leave --- */

/* memory R29 */
START_TEST(a_begin_that_cannot_open_its_pages_opens_no_window)
{
    KEEP_AUTO(keep_secret) secret = new_guarded(NULL, 10, 0);
    const uint8_t *data = NULL;
    uint8_t *writable = NULL;
    size_t len = 77;

    fail_calls_of("mprotect", ENOMEM);
    assert_status(keep_secret_read_begin(secret, &data, &len), KEEP_ERR_SYSTEM);
    assert_status(keep_secret_write_begin(secret, &writable, &len), KEEP_ERR_SYSTEM);
    fail_calls_of(NULL, 0);
    ck_assert(data == NULL && writable == NULL && len == 77);
    ck_assert_uint_eq(info_of(secret).windows, 0);
    ck_assert_uint_eq(info_of(secret).exposed, 0);
    assert_ok(keep_secret_write_begin(secret, &writable, &len));
    assert_ok(keep_secret_end(secret));
}
END_TEST

/* memory R29 */
START_TEST(an_end_that_cannot_close_its_pages_has_ended_and_says_exposed)
{
    KEEP_AUTO(keep_secret) secret = new_guarded(NULL, 10, 0);
    const uint8_t *data;
    size_t len;

    assert_ok(keep_secret_read_begin(secret, &data, &len));
    fail_calls_of("mprotect", ENOMEM);
    assert_status(keep_secret_end(secret), KEEP_ERR_SYSTEM);
    fail_calls_of(NULL, 0);
    ck_assert_uint_eq(info_of(secret).windows, 0);
    ck_assert_uint_eq(info_of(secret).exposed, 1);
    assert_ok(keep_secret_read_begin(secret, &data, &len));
    assert_ok(keep_secret_end(secret));
    ck_assert_uint_eq(info_of(secret).exposed, 0);
}
END_TEST

/* memory R29 */
START_TEST(a_freeze_that_cannot_change_its_pages_freezes_nothing)
{
    KEEP_AUTO(keep_secret) secret = new_guarded(NULL, 10, 0);

    fail_calls_of("mprotect", ENOMEM);
    assert_status(keep_secret_freeze(secret), KEEP_ERR_SYSTEM);
    fail_calls_of(NULL, 0);
    ck_assert_uint_eq(info_of(secret).frozen, 0);
    assert_ok(keep_secret_freeze(secret));
    fail_calls_of("mprotect", ENOMEM);
    assert_status(keep_secret_melt(secret), KEEP_ERR_SYSTEM);
    fail_calls_of(NULL, 0);
    ck_assert_uint_eq(info_of(secret).frozen, 1);
}
END_TEST

/* memory R31, R34 */
START_TEST(a_refused_lock_changes_nothing_but_the_count)
{
    static const int refusals[] = { EPERM, ENOMEM, EAGAIN };
    keep_pool_options options = options_of(1);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep_secret *secret = NULL;

    for (unsigned i = 0; i < 3; i++) {
        fail_calls_of("mlock2", refusals[i]);
        assert_status(keep_pool_acquire(pool, 1, NULL, &secret), KEEP_ERR_LOCK_LIMIT);
        fail_calls_of(NULL, 0);
        ck_assert_uint_eq(stats_of(pool).lock_failures, i + 1);
        ck_assert_int_eq(stats_of(pool).last_lock_errno, refusals[i]);
        ck_assert_uint_eq(stats_of(pool).locked_bytes, 0);
        ck_assert_uint_eq(stats_of(pool).growths, 0);
    }
    assert_ok(keep_pool_acquire(pool, 1, NULL, &secret));
    assert_ok(keep_secret_free(&secret));
}
END_TEST

/* memory R34 */
START_TEST(an_allowed_refusal_is_told_by_info_and_stats)
{
    keep_pool_options options = options_of(3);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    KEEP_AUTO(keep_secret) secret = NULL;

    fail_calls_of("mlock2", EPERM);
    assert_ok(keep_pool_acquire(pool, 1, NULL, &secret));
    fail_calls_of(NULL, 0);
    ck_assert_uint_eq(info_of(secret).locked, 0);
    ck_assert_uint_eq(stats_of(pool).unlocked_bytes, 8192);
    ck_assert_uint_eq(stats_of(pool).locked_bytes, 0);
    ck_assert_uint_eq(stats_of(pool).lock_failures, 1);
}
END_TEST

/* memory R32 */
START_TEST(auto_takes_anonymous_memory_where_there_is_no_secret_one)
{
    static const int errors[] = { ENOSYS, EPERM, EMFILE, ENFILE };

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
        KEEP_AUTO(keep_pool) pool = new_pool(&options);
        KEEP_AUTO(keep_secret) secret = NULL;

        fail_calls_of("syscall", errors[i]);
        assert_ok(keep_pool_acquire(pool, 1, NULL, &secret));
        fail_calls_of(NULL, 0);
        ck_assert_uint_eq(info_of(secret).backing, KEEP_BACKING_LOCKED);
        ck_assert_uint_eq(info_of(secret).locked, 1);
    }
}
END_TEST

/* memory R32 */
START_TEST(an_explicit_backing_that_is_missing_is_unsupported_and_one_that_is_used_up_is_not)
{
    static const struct {
        int error;
        keep_status st;
        bool is_there;
    } cases[] = {
        { ENOSYS, KEEP_ERR_UNSUPPORTED, false }, { EPERM, KEEP_ERR_UNSUPPORTED, false },
        { EINVAL, KEEP_ERR_UNSUPPORTED, false }, { EMFILE, KEEP_ERR_SYSTEM, true },
        { ENFILE, KEEP_ERR_SYSTEM, true },       { ENOMEM, KEEP_ERR_SYSTEM, true },
    };
    keep_pool_options options = options_of(0);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep_secret *secret = NULL;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fail_calls_of("syscall", cases[i].error);
        assert_status(keep_pool_acquire(pool, 1, NULL, &secret), cases[i].st);
        ck_assert(keep__pages_has_memfd_secret() == cases[i].is_there);
        fail_calls_of(NULL, 0);
        ck_assert_ptr_null(secret);
    }
}
END_TEST

/* memory R34 */
START_TEST(refused_advice_is_no_memory_or_unsupported)
{
    keep_pool_options options = options_of(_i);
    KEEP_AUTO(keep_pool) pool = NULL;
    keep_secret *secret = NULL;

    if (!has_memory(_i))
        return;
    pool = new_pool(&options);
    fail_calls_of("madvise", ENOMEM);
    assert_status(keep_pool_acquire(pool, 1, NULL, &secret), KEEP_ERR_NO_MEMORY);
    fail_calls_of("madvise", EINVAL);
    assert_status(keep_pool_acquire(pool, 1, NULL, &secret), KEEP_ERR_UNSUPPORTED);
    fail_calls_of(NULL, 0);
}
END_TEST

/* memory T12, R43 */
START_TEST(a_view_goes_on_if_there_are_no_random_bytes_to_split_the_key_anew)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    KEEP_AUTO(keep_pool) pool = NULL;
    KEEP_AUTO(keep_sealed) sealed = NULL;
    KEEP_AUTO(keep_secret) secret = new_secret(NULL, 32);

    options.resplit_views = 1;
    pool = new_pool(&options);
    assert_ok(keep_sealed_new(pool, "x", 1, 0, &sealed));
    fail_calls_of("getrandom", EIO);
    assert_ok(keep_sealed_open_into(sealed, secret));
    ck_assert_uint_gt(failed_calls(), 0);
    fail_calls_of(NULL, 0);
    ck_assert_uint_eq(stats_of(pool).resplits, 0);
    assert_ok(keep_sealed_open_into(sealed, secret));
    ck_assert_uint_eq(stats_of(pool).resplits, 1);
    ck_assert(holds(secret, "x"));
}
END_TEST

START_TEST(randomizing_without_random_bytes_leaves_zeros)
{
    KEEP_AUTO(keep_secret) secret = secret_of(NULL, "old");

    fail_calls_of("getrandom", EIO);
    assert_status(keep_secret_randomize(secret), KEEP_ERR_SYSTEM);
    fail_calls_of(NULL, 0);
    ck_assert(!holds(secret, "old"));
    ck_assert_uint_eq(info_of(secret).windows, 0);
}
END_TEST

static void need_forked(void *secret)
{
    keep_secret *own = NULL;

    child_needs(keep_secret_clear(secret) == KEEP_ERR_FORKED);
    child_needs(keep_secret_generate(NULL, 1, &own) == KEEP_OK);
    child_needs(keep_secret_clear(own) == KEEP_OK);
    child_needs(keep_secret_clear(secret) == KEEP_ERR_FORKED);
}

/* memory R54 */
START_TEST(a_fork_is_noticed_where_the_kernel_wipes_no_page)
{
    KEEP_AUTO(keep_secret) secret = NULL;

    fail_calls_of("madvise", EINVAL);
    assert_ok(keep_purge(NULL)); /* maps nothing but the page that tells of forks */
    ck_assert_uint_gt(failed_calls(), 0);
    fail_calls_of(NULL, 0);
    secret = secret_of(NULL, "the parent's");
    assert_returns(need_forked, secret);
    ck_assert(holds(secret, "the parent's"));
}
END_TEST

RUN_SUITE(
    "memory", TIMES(making_a_pool_with_initial_slots_survives_every_failing_call, KINDS),
    TIMES(acquiring_a_slot_survives_every_failing_call, KINDS),
    TIMES(acquiring_a_guarded_buffer_survives_every_failing_call, KINDS),
    TIMES(acquiring_a_batch_survives_every_failing_call, KINDS),
    TIMES(reserving_and_trimming_survive_every_failing_call, KINDS),
    TIMES(generating_survives_every_failing_call, KINDS), TIMES(copying_in_and_out_survives_every_failing_call, KINDS),
    TIMES(duplicating_survives_every_failing_call, KINDS),
    TIMES(changing_a_guarded_buffer_survives_every_failing_call, KINDS),
    TIMES(copying_a_key_survives_every_failing_call, KINDS), TIMES(a_first_seal_survives_every_failing_call, KINDS),
    TIMES(opening_into_a_slot_and_the_cache_survives_every_failing_call, KINDS),
    TIMES(opening_into_a_guarded_buffer_survives_every_failing_call, KINDS),
    TIMES(opening_into_a_secret_survives_every_failing_call, KINDS), TIMES(a_purge_survives_every_failing_call, KINDS),
    ONCE(the_first_use_of_a_process_survives_every_failing_call),
    ONCE(a_begin_that_cannot_open_its_pages_opens_no_window),
    ONCE(an_end_that_cannot_close_its_pages_has_ended_and_says_exposed),
    ONCE(a_freeze_that_cannot_change_its_pages_freezes_nothing), ONCE(a_refused_lock_changes_nothing_but_the_count),
    ONCE(an_allowed_refusal_is_told_by_info_and_stats), ONCE(auto_takes_anonymous_memory_where_there_is_no_secret_one),
    ONCE(an_explicit_backing_that_is_missing_is_unsupported_and_one_that_is_used_up_is_not),
    TIMES(refused_advice_is_no_memory_or_unsupported, BACKINGS),
    ONCE(a_view_goes_on_if_there_are_no_random_bytes_to_split_the_key_anew),
    ONCE(randomizing_without_random_bytes_leaves_zeros), ONCE(a_fork_is_noticed_where_the_kernel_wipes_no_page))
