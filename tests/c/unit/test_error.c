/* SPDX-License-Identifier: MIT */
/*
 * Error, white box: which errors are filled, and with what (bindings T27).
 */
#include "base/error.h"

#include <string.h>

#include "support/suite.h"

#define MESSAGE_CAP (sizeof((keep_error *)NULL)->message)

static const keep__origin origin = { KEEP_LAYER_ERRNO, 13, 0, { 1, 2, 3, 4 } };

/* An error in a larger block, so that what lies behind is seen. */
struct block {
    keep_error err;
    uint8_t behind[4096 - sizeof(keep_error)];
};

static struct block block_with_size(size_t size)
{
    struct block block;

    memset(&block, 0x5A, sizeof block);
    block.err.size = size;
    return block;
}

START_TEST(an_error_has_256_bytes_for_ever)
{
    ck_assert_uint_eq(sizeof(keep_error), 256);
    ck_assert_uint_eq(offsetof(keep_error, message), 64);
}
END_TEST

START_TEST(a_null_error_is_allowed_everywhere)
{
    assert_status(keep__error_fill(NULL, KEEP_ERR_SYSTEM, &origin, "nothing"), KEEP_ERR_SYSTEM);
}
END_TEST

START_TEST(a_struct_that_is_too_small_is_left_alone)
{
    static const size_t sizes[] = { 0, 8, 255 };
    struct block block = block_with_size(sizes[_i]);
    struct block before = block;

    assert_status(keep__error_fill(&block.err, KEEP_ERR_SYSTEM, &origin, "nothing"), KEEP_ERR_SYSTEM);
    assert_bytes(&block, &before, sizeof block);
}
END_TEST

START_TEST(a_larger_struct_gets_256_bytes)
{
    static const size_t sizes[] = { 256, 257, 4096 };
    struct block block = block_with_size(sizes[_i]);

    assert_status(keep__error_fill(&block.err, KEEP_ERR_SYSTEM, &origin, "open failed"), KEEP_ERR_SYSTEM);
    ck_assert_uint_eq(block.err.size, sizes[_i]);
    ck_assert_int_eq(block.err.status, KEEP_ERR_SYSTEM);
    ck_assert_int_eq(block.err.layer, KEEP_LAYER_ERRNO);
    ck_assert_int_eq(block.err.code, 13);
    ck_assert_uint_eq(block.err.reserved, 0);
    ck_assert_uint_eq(block.err.value[3], 4);
    ck_assert_str_eq(block.err.message, "open failed");
    ck_assert(are_all(block.behind, 0x5A, sizeof block.behind));
}
END_TEST

START_TEST(a_long_message_is_cut_between_characters)
{
    char sentence[MESSAGE_CAP + 8];
    keep_error err = KEEP_ERROR_INIT;

    memset(sentence, 'a', sizeof sentence);
    memcpy(sentence + MESSAGE_CAP - 3, "\xE2\x82\xAC", 4); /* three bytes, of which two would fit */
    (void)keep__error_fill(&err, KEEP_ERR_SYSTEM, &origin, sentence);
    ck_assert_uint_eq(strlen(err.message), MESSAGE_CAP - 3);
    ck_assert(are_all(err.message, 'a', MESSAGE_CAP - 3));
}
END_TEST

START_TEST(a_long_message_without_a_character_is_empty)
{
    char sentence[MESSAGE_CAP + 8];
    keep_error err = KEEP_ERROR_INIT;

    memset(sentence, 0x80, sizeof sentence);
    sentence[sizeof sentence - 1] = '\0';
    (void)keep__error_fill(&err, KEEP_ERR_SYSTEM, &origin, sentence);
    ck_assert_str_eq(err.message, "");
}
END_TEST

START_TEST(a_message_that_just_fits_is_whole)
{
    char sentence[MESSAGE_CAP];
    keep_error err = KEEP_ERROR_INIT;

    memset(sentence, 'b', sizeof sentence);
    sentence[MESSAGE_CAP - 1] = '\0';
    (void)keep__error_fill(&err, KEEP_ERR_SYSTEM, &origin, sentence);
    ck_assert_str_eq(err.message, sentence);
}
END_TEST

RUN_SUITE("error", ONCE(an_error_has_256_bytes_for_ever), ONCE(a_null_error_is_allowed_everywhere),
          TIMES(a_struct_that_is_too_small_is_left_alone, 3), TIMES(a_larger_struct_gets_256_bytes, 3),
          ONCE(a_long_message_is_cut_between_characters), ONCE(a_long_message_without_a_character_is_empty),
          ONCE(a_message_that_just_fits_is_whole))
