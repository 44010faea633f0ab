/* SPDX-License-Identifier: MIT */
/*
 * Status, white box: every number from 0 to 255 and beyond has a text.
 */
#include <keep/status.h>

#include <stdint.h>
#include <string.h>

#include <keep/error.h>

#include "support/suite.h"

#define COUNT_ROW(name, number, sentence) +1

static const int rows = 0 KEEP_STATUS_MAP(COUNT_ROW);

START_TEST(every_status_has_a_name_and_a_sentence)
{
    int named = 0;

    for (int number = 0; number < 256; number++) {
        const char *name = keep_status_name((keep_status)number);

        ck_assert_int_eq(strcmp(name, "UNKNOWN") == 0,
                         strcmp(keep_status_sentence((keep_status)number), "unknown status") == 0);
        named += strcmp(name, "UNKNOWN") != 0;
    }
    ck_assert_int_eq(named, rows);
}
END_TEST

START_TEST(a_number_that_is_no_status_is_unknown)
{
    static const int numbers[] = { -1, 256, 1000, INT32_MAX, INT32_MIN };

    ck_assert_str_eq(keep_status_name((keep_status)numbers[_i]), "UNKNOWN");
    ck_assert_str_eq(keep_status_sentence((keep_status)numbers[_i]), "unknown status");
}
END_TEST

START_TEST(a_reason_has_its_word)
{
    ck_assert_str_eq(keep_reason_name(0), "none");
    ck_assert_str_eq(keep_reason_name(UINT32_MAX), "unknown");
}
END_TEST

RUN_SUITE("status", ONCE(every_status_has_a_name_and_a_sentence), TIMES(a_number_that_is_no_status_is_unknown, 5),
          ONCE(a_reason_has_its_word))
