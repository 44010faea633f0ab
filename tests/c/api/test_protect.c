/* SPDX-License-Identifier: MIT */
/*
 * keep/protect.h from outside: purge and known answers. What hardens and what reports has tests/c/unit/test_harden.c and
 * test_report.c.
 */
#include <keep/protect.h>

#include <stdint.h>

#include <keep/sealed.h>

#include "support/memories.h"
#include "support/pools.h"

static uint64_t purge(void)
{
    uint64_t windows = 99;

    assert_ok(keep_purge(&windows));
    return windows;
}

/* memory T14, R49, R50 */
START_TEST(a_purge_wipes_every_secret_and_marks_it)
{
    keep_pool_options options = options_of(_i);
    KEEP_AUTO(keep_pool) pool = NULL;
    KEEP_AUTO(keep_secret) slot = NULL;
    KEEP_AUTO(keep_secret) guarded = NULL;
    KEEP_AUTO(keep_secret) of_default = secret_of(NULL, "default");
    keep_secret *secrets[3];

    if (!has_memory(_i))
        return;
    pool = new_pool(&options);
    slot = secret_of(pool, "slot");
    guarded = new_guarded(pool, 4, 0);
    secrets[0] = slot;
    secrets[1] = guarded;
    secrets[2] = of_default;
    ck_assert_uint_eq(purge(), 0);
    for (int i = 0; i < 3; i++) {
        const uint8_t *data;
        char out[8];
        size_t len;

        ck_assert_uint_eq(info_of(secrets[i]).purged, 1);
        assert_status(keep_secret_read_begin(secrets[i], &data, &len), KEEP_ERR_PURGED);
        assert_status(keep_secret_put(secrets[i], 0, "x", 1), KEEP_ERR_PURGED);
        assert_status(keep_secret_reveal(secrets[i], out, 8, &len), KEEP_ERR_PURGED);
        assert_status(keep_secret_freeze(secrets[i]), KEEP_ERR_PURGED);
        assert_status(keep_secret_end(secrets[i]), KEEP_ERR_STATE);
    }
    ck_assert_uint_eq(stats_of(pool).purges, 1);
}
END_TEST

/* memory T14, R49 */
START_TEST(an_open_window_is_counted_and_reads_zeros)
{
    keep_pool_options options = options_of(_i);
    KEEP_AUTO(keep_pool) pool = NULL;
    KEEP_AUTO(keep_secret) slot = NULL;
    KEEP_AUTO(keep_secret) guarded = NULL;
    const uint8_t *one;
    const uint8_t *two;
    uint8_t *writable;
    size_t len;

    if (!has_memory(_i))
        return;
    pool = new_pool(&options);
    slot = secret_of(pool, "slot");
    guarded = new_guarded(pool, 4, 0);
    assert_ok(keep_secret_put(guarded, 0, "wide", 4));
    assert_ok(keep_secret_read_begin(slot, &one, &len));
    assert_ok(keep_secret_read_begin(slot, &two, &len));
    assert_ok(keep_secret_write_begin(guarded, &writable, &len));
    ck_assert_uint_eq(purge(), 3);
    ck_assert(are_all(one, 0, 4));
    ck_assert(are_all(writable, 0, 4));
    writable[0] = 1;
    assert_ok(keep_secret_end(slot));
    assert_ok(keep_secret_end(slot));
    assert_ok(keep_secret_end(guarded));
    assert_status(keep_secret_end(guarded), KEEP_ERR_STATE);
}
END_TEST

/* memory R21 */
START_TEST(a_purged_secret_is_freed_like_any_other)
{
    keep_pool_options options = one_tier(32, 1);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    keep_secret *secret = secret_of(pool, "x");

    assert_ok(keep_purge(NULL));
    assert_ok(keep_secret_free(&secret));
    secret = new_secret(pool, 32);
    ck_assert_uint_eq(info_of(secret).purged, 0);
    assert_ok(keep_secret_free(&secret));
}
END_TEST

/* memory R49, R50 */
START_TEST(sealed_secrets_end_with_a_purge_and_new_ones_can_be_made)
{
    keep_pool_options options = one_tier(32, 0);
    KEEP_AUTO(keep_pool) pool = NULL;
    KEEP_AUTO(keep_sealed) before = NULL;
    KEEP_AUTO(keep_sealed) after = NULL;
    KEEP_AUTO(keep_secret) into = NULL;
    KEEP_AUTO(keep_secret) opened = NULL;
    struct keep_sealed_info info = KEEP_SEALED_INFO_INIT;
    keep_secret *secret = NULL;

    options.hot_cache = 4;
    pool = new_pool(&options);
    assert_ok(keep_sealed_new(pool, "exactly thirty-two bytes of text", 32, 0, &before));
    assert_ok(keep_sealed_open(before, NULL, &secret));
    assert_ok(keep_secret_free(&secret));
    ck_assert_uint_eq(stats_of(pool).cache_entries, 1);
    assert_ok(keep_purge(NULL));
    ck_assert_uint_eq(stats_of(pool).cache_entries, 0);
    assert_status(keep_sealed_open(before, NULL, &secret), KEEP_ERR_PURGED);
    into = new_secret(pool, 32);
    assert_status(keep_sealed_open_into(before, into), KEEP_ERR_PURGED);
    assert_ok(keep_sealed_info(before, &info));
    ck_assert_uint_eq(info.purged, 1);
    assert_ok(keep_sealed_new(pool, "new", 3, 0, &after));
    assert_ok(keep_sealed_open(after, NULL, &opened));
    ck_assert(holds(opened, "new"));
}
END_TEST

START_TEST(a_purge_of_nothing_is_fine)
{
    ck_assert_uint_eq(purge(), 0);
    ck_assert_uint_eq(purge(), 0);
}
END_TEST

/* memory R61 */
START_TEST(a_known_answer_tells_how_much_room_it_needs)
{
    uint8_t in[64] = { 1, 2, 3 };
    uint8_t out[32];
    size_t len = 0;

    in[32] = 0xF0;
    memset(out, 0x55, sizeof out);
    assert_status(keep_memory_known_answer("coffer.split", in, 64, out, 31, &len), KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(len, 32);
    ck_assert(are_all(out, 0x55, sizeof out));
    assert_ok(keep_memory_known_answer("coffer.split", in, 64, out, 32, &len));
    assert_bytes(out, "\xF1\x02\x03\0", 4);
}
END_TEST

START_TEST(a_known_answer_refuses_other_names_and_inputs)
{
    static const struct {
        const char *name;
        size_t len;
    } cases[] = {
        { "", 0 },
        { "sealed", 28 },
        { "sealed.aad", 27 },
        { "sealed.aad", 29 },
        { "sealed.encode", 75 },
        { "sealed.decode", 59 },
        { "coffer.split", 63 },
        { "coffer.join", 65 },
        { "coffer.resplit", 95 },
        { "guarded.layout", 19 },
        { "region.plan", 57 },
    };
    uint8_t in[128] = { 0 };
    uint8_t out[256];
    size_t len = 7;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_status(keep_memory_known_answer(cases[i].name, in, cases[i].len, out, sizeof out, &len),
                      KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_memory_known_answer(NULL, in, 28, out, sizeof out, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_memory_known_answer("sealed.aad", NULL, 28, out, 32, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_memory_known_answer("sealed.aad", in, 28, NULL, 32, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_memory_known_answer("sealed.aad", in, 28, out, 32, NULL), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_uint_eq(len, 7);
}
END_TEST

START_TEST(a_known_answer_to_more_than_a_secret_is_refused)
{
    static uint8_t in[76 + KEEP_MAX_SECRET_LEN + 1];
    static uint8_t out[sizeof in];
    size_t len = 7;

    assert_ok(keep_memory_known_answer("sealed.encode", in, sizeof in - 1, out, sizeof out, &len));
    ck_assert_uint_eq(len, KEEP_MAX_SECRET_LEN + KEEP_SEALED_OVERHEAD);
    assert_status(keep_memory_known_answer("sealed.encode", in, sizeof in, out, sizeof out, &len),
                  KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

RUN_SUITE("protect", TIMES(a_purge_wipes_every_secret_and_marks_it, MEMORIES),
          TIMES(an_open_window_is_counted_and_reads_zeros, BACKINGS), ONCE(a_purged_secret_is_freed_like_any_other),
          ONCE(sealed_secrets_end_with_a_purge_and_new_ones_can_be_made), ONCE(a_purge_of_nothing_is_fine),
          ONCE(a_known_answer_tells_how_much_room_it_needs), ONCE(a_known_answer_refuses_other_names_and_inputs),
          ONCE(a_known_answer_to_more_than_a_secret_is_refused))
