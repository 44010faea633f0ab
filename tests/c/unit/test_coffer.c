/* SPDX-License-Identifier: MIT */
/*
 * Coffer, white box: when the halves change, and what a purge does to them.
 */
#include "memory/coffer.h"

#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/random.h"
#include "base/thread.h"
#include "keep/protect.h"
#include "keep/sealed.h"
#include "memory/guard.h"
#include "memory/pool.h"
#include "support/meanwhile.h"
#include "support/pools.h"
#include "support/threads.h"

enum {
    KEY_LEN = 32
};

void __real_keep__thread_yield(void);
void __wrap_keep__thread_yield(void);
void __real_keep__lock_acquire(keep__lock *lock);
void __wrap_keep__lock_acquire(keep__lock *lock);
keep_status __real_keep__random(void *out, size_t len);
keep_status __wrap_keep__random(void *out, size_t len);

void __wrap_keep__thread_yield(void)
{
    do_awaited("yield");
    __real_keep__thread_yield();
}

void __wrap_keep__lock_acquire(keep__lock *lock)
{
    do_awaited("lock");
    __real_keep__lock_acquire(lock);
}

keep_status __wrap_keep__random(void *out, size_t len)
{
    do_awaited("random");
    return __real_keep__random(out, len);
}

static keep_pool *new_pool_with_views(uint32_t resplit_views)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;

    options.resplit_views = resplit_views;
    return new_pool(&options);
}

/* Half a second is never over while a test counts views. */
static void stop_the_time(keep_pool *pool)
{
    atomic_store(&pool->coffer.last_resplit_ns, keep__clock_coarse_ns());
}

static void view_once(keep_pool *pool)
{
    keep_sealed *sealed = NULL;

    stop_the_time(pool);
    assert_ok(keep_sealed_new(pool, "x", 1, 0, &sealed));
    keep_sealed_free(&sealed);
}

static void copy_halves(const keep_pool *pool, uint8_t *left, uint8_t *right)
{
    memcpy(left, pool->coffer.left.data, KEY_LEN);
    memcpy(right, pool->coffer.right.data, KEY_LEN);
}

/* Whether both halves are as they were, neither is, or only one. */
static int count_changed(const keep_pool *pool, const uint8_t *left, const uint8_t *right)
{
    return (memcmp(left, pool->coffer.left.data, KEY_LEN) != 0) +
           (memcmp(right, pool->coffer.right.data, KEY_LEN) != 0);
}

static void need_same_key(const keep_pool *pool, const uint8_t *left, const uint8_t *right)
{
    uint8_t before[KEY_LEN];
    uint8_t after[KEY_LEN];

    keep__coffer_xor(left, right, before);
    keep__coffer_xor(pool->coffer.left.data, pool->coffer.right.data, after);
    ck_assert_mem_eq(before, after, KEY_LEN);
}

/* memory T12, R43 */
START_TEST(the_halves_change_at_the_257th_view_and_the_key_stays)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    uint8_t left[KEY_LEN];
    uint8_t right[KEY_LEN];

    view_once(pool);
    copy_halves(pool, left, right);
    for (int view = 2; view <= 256; view++)
        view_once(pool);
    ck_assert_int_eq(count_changed(pool, left, right), 0);
    view_once(pool);
    ck_assert_int_eq(count_changed(pool, left, right), 2);
    need_same_key(pool, left, right);
    ck_assert_uint_eq(stats_of(pool).resplits, 1);
    for (int view = 2; view <= 256; view++)
        view_once(pool);
    ck_assert_uint_eq(stats_of(pool).resplits, 1);
    view_once(pool);
    ck_assert_uint_eq(stats_of(pool).resplits, 2);
}
END_TEST

START_TEST(the_number_of_views_is_the_pools_choice)
{
    KEEP_AUTO(keep_pool) pool = new_pool_with_views(3);

    for (int view = 1; view <= 3; view++)
        view_once(pool);
    ck_assert_uint_eq(stats_of(pool).resplits, 0);
    view_once(pool);
    ck_assert_uint_eq(stats_of(pool).resplits, 1);
}
END_TEST

static void let_pass(keep_pool *pool, uint64_t ms)
{
    keep_sealed *sealed = NULL;

    atomic_store(&pool->coffer.last_resplit_ns, keep__clock_coarse_ns() - ms * 1000000);
    assert_ok(keep_sealed_new(pool, "x", 1, 0, &sealed));
    keep_sealed_free(&sealed);
}

/* memory T12: a pause of 600 ms */
START_TEST(the_halves_change_when_half_a_second_went_by)
{
    KEEP_AUTO(keep_pool) pool = new_pool_with_views(1000000);
    uint8_t left[KEY_LEN];
    uint8_t right[KEY_LEN];

    view_once(pool);
    copy_halves(pool, left, right);
    let_pass(pool, 100);
    ck_assert_int_eq(count_changed(pool, left, right), 0);
    let_pass(pool, 600);
    ck_assert_int_eq(count_changed(pool, left, right), 2);
    need_same_key(pool, left, right);
}
END_TEST

/* memory R42 */
START_TEST(the_scratch_slots_are_wiped_after_each_call)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);

    for (int i = 0; i < 100; i++)
        view_once(pool);
    ck_assert(are_all(pool->coffer.scratch.data, 0, pool->coffer.scratch.len));
}
END_TEST

/* One seals while every scratch slot is taken; the other looks on, then gives one back. */
struct crowd {
    keep_pool *pool;
    atomic_bool is_sealed;
};

static void seal_in_crowd(struct worker *worker)
{
    struct crowd *crowd = worker->shared;

    view_once(crowd->pool);
    atomic_store(&crowd->is_sealed, true);
}

static void leave_crowd(struct worker *worker)
{
    struct crowd *crowd = worker->shared;

    for (int i = 0; i < 10000; i++) {
        sched_yield();
        ck_assert(!atomic_load(&crowd->is_sealed));
    }
    atomic_fetch_or(&crowd->pool->coffer.scratch_word, 1);
    wait_until(atomic_load(&crowd->is_sealed));
    atomic_fetch_or(&crowd->pool->coffer.scratch_word, UINT32_MAX);
}

/* memory R42 */
START_TEST(who_finds_every_scratch_slot_taken_waits_for_one)
{
    struct crowd crowd = { .pool = new_pool(NULL) };
    struct crew crew = { 0 };

    view_once(crowd.pool);
    atomic_fetch_and(&crowd.pool->coffer.scratch_word, ~(uint64_t)UINT32_MAX);
    crew_add(&crew, 1, seal_in_crowd, &crowd);
    crew_add(&crew, 1, leave_crowd, &crowd);
    crew_run(&crew, 2);
    keep_pool_free(&crowd.pool);
}
END_TEST

START_TEST(the_coffer_is_made_at_the_first_seal)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);

    ck_assert_uint_eq(pool->coffer.left.len, 0);
    view_once(pool);
    ck_assert_uint_eq(stats_of(pool).locked_bytes, 3 * keep__page_size());
    ck_assert(!are_all(pool->coffer.left.data, 0, KEY_LEN));
    ck_assert(!are_all(pool->coffer.right.data, 0, KEY_LEN));
}
END_TEST

/* memory R49 */
START_TEST(a_purge_wipes_both_halves_and_the_next_seal_draws_a_new_key)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    uint8_t before[KEY_LEN];
    uint8_t after[KEY_LEN];

    view_once(pool);
    keep__coffer_xor(pool->coffer.left.data, pool->coffer.right.data, before);
    assert_ok(keep_purge(NULL));
    ck_assert(are_all(pool->coffer.left.data, 0, KEY_LEN));
    ck_assert(are_all(pool->coffer.right.data, 0, KEY_LEN));
    view_once(pool);
    keep__coffer_xor(pool->coffer.left.data, pool->coffer.right.data, after);
    ck_assert_mem_ne(before, after, KEY_LEN);
}
END_TEST

/* A purge has begun its epoch, and somebody seals before it comes to this pool. */
START_TEST(a_key_that_was_made_after_a_purge_began_outlives_it)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_sealed) sealed = NULL;
    KEEP_AUTO(keep_secret) secret = NULL;

    view_once(pool);
    keep__guard_new_epoch();
    assert_ok(keep_sealed_new(pool, "sealed meanwhile", 16, 0, &sealed));
    keep__coffer_purge(&pool->coffer, keep__guard_epoch());
    assert_ok(keep_sealed_open(sealed, NULL, &secret));
    ck_assert(holds(secret, "sealed meanwhile"));
}
END_TEST

/* memory 4.2: what the halves do is what is published */
START_TEST(a_pools_key_decrypts_by_the_published_formula)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    uint8_t key[KEY_LEN];
    uint8_t nonce[24] = { 9 };
    uint8_t aad[3] = { 'a', 'a', 'd' };
    uint8_t sealed[5 + 16];
    uint8_t opened[5];
    keep__aead aead = { .nonce = nonce, .aad = aad, .aad_len = sizeof aad };

    assert_ok(keep__coffer_seal(pool, keep__guard_epoch(), aead, (keep_bytes){ "hello", 5 }, sealed));
    keep__coffer_xor(pool->coffer.left.data, pool->coffer.right.data, key);
    aead.key = key;
    assert_ok(keep__aead_open(&aead, sealed, 5, opened));
    assert_bytes(opened, "hello", 5);
}
END_TEST

START_TEST(a_key_of_another_epoch_is_purged)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    uint8_t nonce[24] = { 0 };
    keep__aead aead = { .nonce = nonce, .aad = nonce, .aad_len = 1 };
    uint8_t bytes[16 + 1] = { 0 };
    uint8_t out[1];

    view_once(pool);
    assert_status(keep__coffer_open(pool, keep__guard_epoch() + 1, aead, (keep_bytes){ bytes, 17 }, out),
                  KEEP_ERR_PURGED);
}
END_TEST

/* Somebody read the epoch, a purge came, and others have a newer key already. */
START_TEST(a_seal_that_comes_too_late_is_purged_and_leaves_the_newer_key)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    uint8_t nonce[24] = { 0 };
    keep__aead aead = { .nonce = nonce, .aad = nonce, .aad_len = 1 };
    uint8_t left[KEY_LEN];
    uint8_t right[KEY_LEN];
    uint8_t out[1 + 16];

    assert_ok(keep_purge(NULL));
    view_once(pool);
    copy_halves(pool, left, right);
    assert_status(keep__coffer_seal(pool, keep__guard_epoch() - 1, aead, (keep_bytes){ "x", 1 }, out), KEEP_ERR_PURGED);
    ck_assert_int_eq(count_changed(pool, left, right), 0);
}
END_TEST

/* --- two at once --- */

static void view_too(void *pool)
{
    view_once(pool);
}

START_TEST(a_key_that_another_thread_made_is_used)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_sealed) sealed = NULL;
    KEEP_AUTO(keep_secret) secret = NULL;

    before_call("lock", view_too, pool);
    assert_ok(keep_sealed_new(pool, "with the other's key", 20, 0, &sealed));
    assert_ok(keep_sealed_open(sealed, NULL, &secret));
    ck_assert(holds(secret, "with the other's key"));
}
END_TEST

START_TEST(two_views_that_are_due_change_the_halves_once)
{
    KEEP_AUTO(keep_pool) pool = new_pool_with_views(1);
    KEEP_AUTO(keep_sealed) sealed = NULL;
    KEEP_AUTO(keep_secret) secret = NULL;

    assert_ok(keep_sealed_new(pool, "x", 1, 0, &sealed));
    assert_ok(keep_pool_reserve(pool, 1, 1));
    before_call("random", view_too, pool);
    assert_ok(keep_sealed_open(sealed, NULL, &secret));
    ck_assert_uint_eq(stats_of(pool).resplits, 1);
    ck_assert(holds(secret, "x"));
}
END_TEST

static void end_writing(void *pool)
{
    atomic_fetch_add(&((keep_pool *)pool)->coffer.sequence, 1);
}

START_TEST(a_view_waits_for_whoever_writes_the_halves)
{
    KEEP_AUTO(keep_pool) pool = new_pool_with_views(1);
    KEEP_AUTO(keep_sealed) sealed = NULL;
    KEEP_AUTO(keep_secret) secret = NULL;

    assert_ok(keep_sealed_new(pool, "x", 1, 0, &sealed));
    atomic_fetch_add(&pool->coffer.sequence, 1);
    before_call("yield", end_writing, pool);
    assert_ok(keep_sealed_open(sealed, NULL, &secret)); /* is due, and so writes */
    assert_ok(keep_secret_free(&secret));
    stop_the_time(pool);
    atomic_store(&pool->coffer.scratch_word, (uint32_t)pool->coffer.scratch_word);
    atomic_fetch_add(&pool->coffer.sequence, 1);
    before_call("yield", end_writing, pool);
    assert_ok(keep_sealed_open(sealed, NULL, &secret)); /* only reads */
    ck_assert(holds(secret, "x"));
}
END_TEST

static void write_halves_anew(void *pool)
{
    end_writing(pool);
    end_writing(pool);
}

START_TEST(halves_that_were_written_while_they_were_joined_are_joined_again)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_sealed) sealed = NULL;
    KEEP_AUTO(keep_secret) secret = NULL;

    assert_ok(keep_sealed_new(pool, "x", 1, 0, &sealed));
    stop_the_time(pool);
    before_access(pool->coffer.right.data, pool->coffer.right.len, write_halves_anew, pool);
    assert_ok(keep_sealed_open(sealed, NULL, &secret));
    ck_assert(holds(secret, "x"));
}
END_TEST

static void give_scratch_slots(void *pool)
{
    atomic_fetch_or(&((keep_pool *)pool)->coffer.scratch_word, UINT32_MAX);
}

START_TEST(a_view_waits_for_a_free_scratch_slot_and_a_purge_for_all_of_them)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);

    view_once(pool);
    atomic_fetch_and(&pool->coffer.scratch_word, ~(uint64_t)UINT32_MAX);
    before_call("yield", give_scratch_slots, pool);
    view_once(pool);
    atomic_fetch_and(&pool->coffer.scratch_word, ~UINT64_C(1));
    before_call("yield", give_scratch_slots, pool);
    assert_ok(keep_purge(NULL));
    ck_assert_uint_eq((uint32_t)pool->coffer.scratch_word, UINT32_MAX);
}
END_TEST

static void count_a_view(void *pool)
{
    atomic_fetch_add(&((keep_pool *)pool)->coffer.scratch_word, UINT64_C(1) << 32);
}

START_TEST(views_that_begin_at_once_are_all_counted)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    uint8_t nonce[24] = { 0 };
    keep__aead aead = { .nonce = nonce, .aad = nonce, .aad_len = 1 };
    uint8_t bytes[16] = { 0 };
    _Atomic uint64_t *word = &pool->coffer.scratch_word;

    view_once(pool);
    stop_the_time(pool);
    before_write(word, sizeof *word, count_a_view, pool);
    assert_status(keep__coffer_open(pool, keep__guard_epoch(), aead, (keep_bytes){ bytes, 16 }, NULL), KEEP_ERR_AUTH);
    ck_assert_uint_eq(*word >> 32, 3);
}
END_TEST

RUN_SUITE("coffer", ONCE(the_halves_change_at_the_257th_view_and_the_key_stays),
          ONCE(the_number_of_views_is_the_pools_choice), ONCE(the_halves_change_when_half_a_second_went_by),
          ONCE(the_scratch_slots_are_wiped_after_each_call),
          ONCE(who_finds_every_scratch_slot_taken_waits_for_one), ONCE(the_coffer_is_made_at_the_first_seal),
          ONCE(a_purge_wipes_both_halves_and_the_next_seal_draws_a_new_key),
          ONCE(a_key_that_was_made_after_a_purge_began_outlives_it),
          ONCE(a_pools_key_decrypts_by_the_published_formula), ONCE(a_key_of_another_epoch_is_purged),
          ONCE(a_seal_that_comes_too_late_is_purged_and_leaves_the_newer_key),
          ONCE(a_key_that_another_thread_made_is_used), ONCE(two_views_that_are_due_change_the_halves_once),
          ONCE(a_view_waits_for_whoever_writes_the_halves),
          ONCE(halves_that_were_written_while_they_were_joined_are_joined_again),
          ONCE(a_view_waits_for_a_free_scratch_slot_and_a_purge_for_all_of_them),
          ONCE(views_that_begin_at_once_are_all_counted))
