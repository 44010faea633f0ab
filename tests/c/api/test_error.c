/* SPDX-License-Identifier: MIT */
/*
 * keep/error.h from outside.
 */
#include <keep/error.h>

#include "support/suite.h"

START_TEST(an_error_begins_empty_with_its_size)
{
    keep_error err = KEEP_ERROR_INIT;

    ck_assert_uint_eq(err.size, 256);
    ck_assert_int_eq(err.status, KEEP_OK);
    ck_assert_str_eq(err.message, "");
}
END_TEST

START_TEST(a_reason_has_its_word)
{
    ck_assert_str_eq(keep_reason_name(0), "none");
    ck_assert_str_eq(keep_reason_name(12345), "unknown");
}
END_TEST

RUN_SUITE("error", ONCE(an_error_begins_empty_with_its_size), ONCE(a_reason_has_its_word))
