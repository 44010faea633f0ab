/* SPDX-License-Identifier: MIT */
/*
 * Text, white box: what is text, and what its lines say (tracker R6, R40).
 */
#include "tracker/text.h"

#include <string.h>

#include "support/suite.h"

static keep__text said(const char *text)
{
    return keep__text_parse((const uint8_t *)text, strlen(text));
}

START_TEST(text_has_printable_bytes_and_an_equals_sign)
{
    static uint8_t bytes[KEEP__TEXT_CAP + 1];

    for (int byte = 0; byte < 256; byte++) {
        uint8_t two[] = { '=', (uint8_t)byte, 'x' };
        bool is_allowed = byte >= 0x20 || byte == '\t' || byte == '\n' || byte == '\r';

        ck_assert_int_eq(keep__is_text(two, 3), is_allowed);
        ck_assert_int_eq(keep__is_text(two, 2), is_allowed || byte == 0);
    }
    ck_assert(!keep__is_text((const uint8_t *)"READY", 5));
    ck_assert(!keep__is_text(bytes, 0));
    ck_assert(!keep__is_text(bytes, 1));
    memset(bytes, '=', sizeof bytes);
    ck_assert(keep__is_text(bytes, 1));
    ck_assert(keep__is_text(bytes, KEEP__TEXT_CAP));
    ck_assert(!keep__is_text(bytes, KEEP__TEXT_CAP + 1));
}
END_TEST

START_TEST(keys_are_whole_and_the_last_valid_value_counts)
{
    ck_assert(said("READY=1").is_ready);
    ck_assert(said("x=y\rREADY=1\n").is_ready);
    ck_assert(!said("READY=10").is_ready && !said(" READY=1").is_ready && !said("READY=").is_ready);
    ck_assert(said("STOPPING=1").is_stopping);
    ck_assert(said("WATCHDOG=1").has_beat && !said("WATCHDOG=1").has_failed);
    ck_assert(said("WATCHDOG=trigger").has_beat && said("WATCHDOG=trigger").has_failed);
    ck_assert(!said("WATCHDOG=trigger\nWATCHDOG=1\nWATCHDOG=2").has_failed);
    ck_assert(said("WATCHDOG=1\nWATCHDOG=trigger").has_failed);
    ck_assert_uint_eq(said("WATCHDOG_USEC=5\nWATCHDOG_USEC=6\nWATCHDOG_USEC=x").watchdog_usec, 6);
}
END_TEST

START_TEST(a_watchdogs_time_is_in_range)
{
    ck_assert_uint_eq(said("WATCHDOG_USEC=1").watchdog_usec, 1);
    ck_assert_uint_eq(said("WATCHDOG_USEC=0001").watchdog_usec, 1);
    ck_assert_uint_eq(said("WATCHDOG_USEC=18446744073709551").watchdog_usec, 18446744073709551);
    ck_assert_uint_eq(said("WATCHDOG_USEC=18446744073709552").watchdog_usec, 0);
    ck_assert_uint_eq(said("WATCHDOG_USEC=99999999999999999999999").watchdog_usec, 0);
    ck_assert_uint_eq(said("WATCHDOG_USEC=0").watchdog_usec, 0);
    ck_assert_uint_eq(said("WATCHDOG_USEC=").watchdog_usec, 0);
    ck_assert_uint_eq(said("WATCHDOG_USEC=+5").watchdog_usec, 0);
}
END_TEST

START_TEST(a_final_nul_is_no_part_of_the_last_line)
{
    ck_assert(keep__text_parse((const uint8_t *)"READY=1", 8).is_ready);
}
END_TEST

START_TEST(no_text_says_nothing)
{
    keep__text text = said("");

    ck_assert(!text.is_ready && !text.is_stopping && !text.has_beat && text.watchdog_usec == 0);
}
END_TEST

RUN_SUITE("text", ONCE(text_has_printable_bytes_and_an_equals_sign),
          ONCE(keys_are_whole_and_the_last_valid_value_counts), ONCE(a_watchdogs_time_is_in_range),
          ONCE(a_final_nul_is_no_part_of_the_last_line), ONCE(no_text_says_nothing))
