/* SPDX-License-Identifier: MIT */
/*
 * Cursor, white box: fields in order, and what happens at the end of the bytes.
 */
#include "base/cursor.h"

#include <string.h>

#include "support/suite.h"

START_TEST(numbers_are_read_little_endian_in_order)
{
    static const uint8_t bytes[] = { 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1, 0xAA };
    keep__reader reader = keep__reader_of(bytes, sizeof bytes);

    ck_assert_uint_eq(keep__read_u32le(&reader), 0x01020304);
    ck_assert_uint_eq(keep__read_u64le(&reader), 0x0102030405060708);
    ck_assert_ptr_eq(keep__read_bytes(&reader, 1), bytes + 12);
    ck_assert(!reader.failed);
    ck_assert_uint_eq(reader.left, 0);
}
END_TEST

START_TEST(numbers_are_written_little_endian_in_order)
{
    static const uint8_t wanted[] = { 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1, 'k' };
    uint8_t bytes[sizeof wanted];
    keep__writer writer = keep__writer_of(bytes, sizeof bytes);

    keep__write_u32le(&writer, 0x01020304);
    keep__write_u64le(&writer, 0x0102030405060708);
    keep__write_bytes(&writer, "k", 1);
    ck_assert(!writer.failed);
    assert_bytes(bytes, wanted, sizeof wanted);
}
END_TEST

START_TEST(a_reader_that_ran_out_gives_nothing_any_more)
{
    static const uint8_t bytes[] = { 1, 2, 3, 4, 5 };
    keep__reader reader = keep__reader_of(bytes, sizeof bytes);

    ck_assert_uint_eq(keep__read_u64le(&reader), 0);
    ck_assert(reader.failed);
    ck_assert_uint_eq(keep__read_u32le(&reader), 0); /* four bytes would be there */
    ck_assert_ptr_null(keep__read_bytes(&reader, 0));
}
END_TEST

START_TEST(a_writer_that_ran_out_writes_nothing_any_more)
{
    uint8_t bytes[5] = { 9, 9, 9, 9, 9 };
    keep__writer writer = keep__writer_of(bytes, sizeof bytes);

    keep__write_u64le(&writer, 0);
    ck_assert(writer.failed);
    keep__write_u32le(&writer, 0);
    ck_assert(are_all(bytes, 9, sizeof bytes));
}
END_TEST

START_TEST(no_bytes_at_all_may_be_null)
{
    keep__reader reader = keep__reader_of(NULL, 0);
    keep__writer writer = keep__writer_of(NULL, 0);

    ck_assert_ptr_null(keep__read_bytes(&reader, 0));
    keep__write_bytes(&writer, NULL, 0);
    ck_assert(!reader.failed && !writer.failed);
    ck_assert_uint_eq(keep__read_u32le(&reader), 0);
    ck_assert(reader.failed);
}
END_TEST

RUN_SUITE("cursor", ONCE(numbers_are_read_little_endian_in_order), ONCE(numbers_are_written_little_endian_in_order),
          ONCE(a_reader_that_ran_out_gives_nothing_any_more), ONCE(a_writer_that_ran_out_writes_nothing_any_more),
          ONCE(no_bytes_at_all_may_be_null))
