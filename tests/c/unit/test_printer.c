/* SPDX-License-Identifier: MIT */
/*
 * Printer, white box: numbers, and text beyond the room.
 */
#include "base/printer.h"

#include <string.h>

#include "support/suite.h"

static const char *scaled(uint64_t number, uint64_t scale)
{
    static char text[64];
    keep__printer printer = keep__printer_of(text, sizeof text);

    keep__print_scaled(&printer, number, scale);
    ck_assert(keep__print_end(&printer));
    return text;
}

START_TEST(numbers_are_exact)
{
    ck_assert_str_eq(scaled(0, 1), "0");
    ck_assert_str_eq(scaled(UINT64_MAX, 1), "18446744073709551615");
    ck_assert_str_eq(scaled(1500, 1000), "1.5");
    ck_assert_str_eq(scaled(1005, 1000), "1.005");
    ck_assert_str_eq(scaled(1000000001, 1000000000), "1.000000001");
    ck_assert_str_eq(scaled(999, 1000), "0.999");
    ck_assert_str_eq(scaled(2000, 1000), "2");
    ck_assert_str_eq(scaled(10, 1000), "0.01");
}
END_TEST

START_TEST(what_finds_no_room_is_counted)
{
    char text[4] = { 'x', 'x', 'x', 'x' };
    keep__printer printer = keep__printer_of(text, 3);

    keep__print(&printer, "ab");
    keep__print_u64(&printer, 123);
    keep__print(&printer, "more");
    ck_assert_uint_eq(printer.len, 9);
    ck_assert_mem_eq(text, "ab1x", 4);
    ck_assert(!keep__print_end(&printer));
    printer = keep__printer_of(NULL, 0);
    keep__print(&printer, "counted");
    ck_assert_uint_eq(printer.len, 7);
}
END_TEST

START_TEST(a_text_ends_if_there_is_room_for_its_end)
{
    char text[3];
    keep__printer printer = keep__printer_of(text, 3);

    keep__print(&printer, "ab");
    ck_assert(keep__print_end(&printer));
    ck_assert_str_eq(text, "ab");
    printer = keep__printer_of(text, 2);
    keep__print(&printer, "ab");
    ck_assert(!keep__print_end(&printer));
}
END_TEST

RUN_SUITE("printer", ONCE(numbers_are_exact), ONCE(what_finds_no_room_is_counted),
          ONCE(a_text_ends_if_there_is_room_for_its_end))
