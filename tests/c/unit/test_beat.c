/* SPDX-License-Identifier: MIT */
/*
 * Frame, white box: both ways to a checksum. What frames are is compared in tests/c/vectors.
 */
#include "tracker/frame.h"

#include <string.h>

#include "support/stream.h"
#include "support/suite.h"

START_TEST(processor_and_tables_have_one_checksum)
{
    struct stream stream = stream_begin();
    uint8_t bytes[64];

    ck_assert_uint_eq(keep__crc32c((const uint8_t *)"123456789", 9), 0xE3069283);
    ck_assert_uint_eq(keep__crc32c_by_tables((const uint8_t *)"123456789", 9), 0xE3069283);
    for (int i = 0; i < 1000; i++) {
        stream_fill(&stream, bytes, sizeof bytes);
        for (size_t len = 0; len <= sizeof bytes; len++)
            ck_assert_uint_eq(keep__crc32c(bytes, len), keep__crc32c_by_tables(bytes, len));
    }
}
END_TEST

RUN_SUITE("beat", ONCE(processor_and_tables_have_one_checksum))
