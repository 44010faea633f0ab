/* SPDX-License-Identifier: MIT */
/*
 * Secrets for the other subsystems: key slots. And what two threads do to one secret at once.
 */
#include "memory/secret.h"

#include <string.h>

#include "keep/protect.h"
#include "memory/place.h"
#include "support/meanwhile.h"
#include "support/pools.h"

keep_status __real_keep__place_read_begin(keep__spot spot, const uint8_t **out_data, size_t *out_len);
keep_status __wrap_keep__place_read_begin(keep__spot spot, const uint8_t **out_data, size_t *out_len);
keep_status __real_keep__place_write_begin(keep__spot spot, uint8_t **out_data, size_t *out_len);
keep_status __wrap_keep__place_write_begin(keep__spot spot, uint8_t **out_data, size_t *out_len);

keep_status __wrap_keep__place_read_begin(keep__spot spot, const uint8_t **out_data, size_t *out_len)
{
    do_awaited("begin");
    return __real_keep__place_read_begin(spot, out_data, out_len);
}

keep_status __wrap_keep__place_write_begin(keep__spot spot, uint8_t **out_data, size_t *out_len)
{
    do_awaited("begin");
    return __real_keep__place_write_begin(spot, out_data, out_len);
}

START_TEST(a_key_slot_is_read_and_written_in_place)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    keep__key key = { 0 };

    assert_ok(keep__key_new(pool, 48, &key));
    ck_assert(key.len == 48 && are_all(key.bytes, 0, 48));
    memset(key.bytes, 7, key.len);
    ck_assert_uint_eq(stats_of(pool).tiers[1].in_use, 1);
    keep__key_free(&key);
    ck_assert(key.bytes == NULL && key.secret == NULL && key.len == 0);
    ck_assert_uint_eq(stats_of(pool).tiers[1].in_use, 0);
    keep__key_free(&key);
}
END_TEST

START_TEST(a_key_slot_is_no_longer_than_the_largest_tier)
{
    keep__key key = { 0 };

    assert_ok(keep__key_new(NULL, 1024, &key));
    keep__key_free(&key);
    assert_status(keep__key_new(NULL, 1025, &key), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_null(key.secret);
}
END_TEST

START_TEST(a_purge_wipes_a_key_slot)
{
    keep__key key = { 0 };

    assert_ok(keep__key_new(NULL, 32, &key));
    memset(key.bytes, 7, key.len);
    assert_ok(keep_purge(NULL));
    ck_assert(are_all(key.bytes, 0, 32));
    keep__key_free(&key);
}
END_TEST

START_TEST(a_key_slot_keeps_its_pool_alive)
{
    keep_pool *pool = new_pool(NULL);
    keep__key key = { 0 };

    assert_ok(keep__key_new(pool, 32, &key));
    keep_pool_free(&pool);
    memset(key.bytes, 7, key.len);
    keep__key_free(&key);
}
END_TEST

static void shorten(void *secret)
{
    assert_ok(keep_secret_resize(secret, 2));
}

START_TEST(a_secret_that_is_shortened_before_its_window_opens_is_looked_at_again)
{
    KEEP_AUTO(keep_secret) secret = secret_of(NULL, "long");
    uint8_t out[4] = { 7, 7, 7, 7 };

    before_call("begin", shorten, secret);
    assert_status(keep_secret_get(secret, 0, out, 4), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert(are_all(out, 7, 4));
    assert_ok(keep_secret_resize(secret, 4));
    before_call("begin", shorten, secret);
    assert_status(keep_secret_put(secret, 0, out, 4), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert(holds(secret, "lo"));
}
END_TEST

RUN_SUITE("secret", ONCE(a_key_slot_is_read_and_written_in_place), ONCE(a_key_slot_is_no_longer_than_the_largest_tier),
          ONCE(a_purge_wipes_a_key_slot), ONCE(a_key_slot_keeps_its_pool_alive),
          ONCE(a_secret_that_is_shortened_before_its_window_opens_is_looked_at_again))
