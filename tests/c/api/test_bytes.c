/* SPDX-License-Identifier: MIT */
/*
 * keep/bytes.h from outside.
 */
#include <keep/bytes.h>

#include <string.h>

#include "support/suite.h"

START_TEST(wiped_bytes_are_zero_and_their_neighbours_as_before)
{
    unsigned char bytes[300];

    for (size_t len = 0; len <= 298; len++) {
        memset(bytes, 0xAB, sizeof bytes);
        keep_wipe(bytes + 1, len);
        ck_assert(are_all(bytes + 1, 0, len));
        ck_assert_uint_eq(bytes[0], 0xAB);
        ck_assert_uint_eq(bytes[len + 1], 0xAB);
    }
}
END_TEST

START_TEST(nothing_may_be_null)
{
    keep_wipe(NULL, 0);
}
END_TEST

RUN_SUITE("bytes", ONCE(wiped_bytes_are_zero_and_their_neighbours_as_before), ONCE(nothing_may_be_null))
