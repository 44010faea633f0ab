/* SPDX-License-Identifier: MIT */
/*
 * keep/status.h from outside: numbers that never change.
 */
#include <keep/status.h>

#include "support/suite.h"

#define NAME_OF(name, number, sentence) ck_assert_str_eq(keep_status_name((keep_status)(number)), #name);
#define SENTENCE_OF(name, number, text) ck_assert_str_eq(keep_status_sentence((keep_status)(number)), text);

START_TEST(success_alone_is_zero)
{
    ck_assert_int_eq(KEEP_OK, 0);
    ck_assert_int_eq(KEEP_ERR_INVALID_ARGUMENT, 1);
    ck_assert_int_eq(KEEP_ERR_NO_SPACE, 21);
    ck_assert_int_eq(KEEP_ERR_SHUT_DOWN, 169);
}
END_TEST

START_TEST(every_row_of_the_map_is_what_is_said)
{
    KEEP_STATUS_MAP(NAME_OF)
    KEEP_STATUS_MAP(SENTENCE_OF)
}
END_TEST

RUN_SUITE("status", ONCE(success_alone_is_zero), ONCE(every_row_of_the_map_is_what_is_said))
