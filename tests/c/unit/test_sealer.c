/* SPDX-License-Identifier: MIT */
/*
 * Sealer, white box: counter and index at their ends (tracker R46, T14).
 */
#include "tracker/sealer.h"

#include <string.h>

#include "support/suite.h"

START_TEST(the_last_counter_is_never_sent)
{
    uint8_t wanted[KEEP__PREFIX_LEN];
    keep__sealer sealer;

    assert_ok(keep__sealer_begin(&sealer));
    keep__sealed_prefix(sealer.salt, 0, wanted);
    assert_bytes(sealer.prefix, wanted, sizeof wanted);
    sealer.counter = UINT32_MAX - 2;
    keep__sealer_advance(&sealer);
    ck_assert_uint_eq(sealer.counter, UINT32_MAX - 1);
    ck_assert_uint_eq(sealer.index, 0);
    keep__sealer_advance(&sealer);
    ck_assert_uint_eq(sealer.counter, 0);
    ck_assert_uint_eq(sealer.index, 1);
    keep__sealed_prefix(sealer.salt, 1, wanted);
    assert_bytes(sealer.prefix, wanted, sizeof wanted);
    ck_assert(!sealer.is_spent);
}
END_TEST

START_TEST(a_salt_is_spent_with_its_last_index)
{
    keep__sealer sealer, another;

    assert_ok(keep__sealer_begin(&sealer));
    another = sealer;
    sealer.index = UINT32_MAX;
    sealer.counter = UINT32_MAX - 1;
    keep__sealer_advance(&sealer);
    ck_assert(sealer.is_spent);
    assert_ok(keep__sealer_begin(&sealer));
    ck_assert(!sealer.is_spent);
    ck_assert_uint_eq(sealer.index, 0);
    ck_assert_uint_eq(sealer.counter, 0);
    ck_assert(memcmp(sealer.salt, another.salt, sizeof another.salt) != 0);
}
END_TEST

RUN_SUITE("sealer", ONCE(the_last_counter_is_never_sent), ONCE(a_salt_is_spent_with_its_last_index))
