/* SPDX-License-Identifier: MIT */
/*
 * The published answers of the self-test (memory R60): each of them is asked for, and each can fail it.
 */
#include "memory/answers.h"

#include <string.h>

#include "keep/protect.h"
#include "support/suite.h"

static const char *const transforms[] = {
    "sealed.aad",  "sealed.encode",  "sealed.decode",  "coffer.split",
    "coffer.join", "coffer.resplit", "guarded.layout", "region.plan",
};

enum lie {
    LIE_NONE,
    LIE_BYTE,
    LIE_LENGTH,
    LIE_STATUS,
    LIE_COUNT
};

static enum lie lie;
static const char *lie_about;

keep_status __real_keep_memory_known_answer(const char *name, const void *in, size_t in_len, void *out, size_t cap,
                                            size_t *out_len);
keep_status __wrap_keep_memory_known_answer(const char *name, const void *in, size_t in_len, void *out, size_t cap,
                                            size_t *out_len);

keep_status __wrap_keep_memory_known_answer(const char *name, const void *in, size_t in_len, void *out, size_t cap,
                                            size_t *out_len)
{
    keep_status st = __real_keep_memory_known_answer(name, in, in_len, out, cap, out_len);

    if (lie == LIE_NONE || strcmp(name, lie_about) != 0)
        return st;
    if (lie == LIE_STATUS)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (lie == LIE_BYTE)
        ((uint8_t *)out)[*out_len - 1] ^= 1;
    else
        --*out_len;
    return st;
}

START_TEST(this_build_computes_what_is_published)
{
    ck_assert(keep__answers_hold());
}
END_TEST

START_TEST(a_wrong_answer_of_any_transform_is_found)
{
    lie_about = transforms[_i / (LIE_COUNT - 1)];
    lie = (enum lie)(_i % (LIE_COUNT - 1) + 1);
    ck_assert(!keep__answers_hold());
}
END_TEST

RUN_SUITE("answers", ONCE(this_build_computes_what_is_published),
          TIMES(a_wrong_answer_of_any_transform_is_found, sizeof transforms / sizeof *transforms * (LIE_COUNT - 1)))
