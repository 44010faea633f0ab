/* SPDX-License-Identifier: MIT */
/*
 * Options, white box: structs of callers that are older or newer than the library (style R12).
 */
#include "base/options.h"

#include <stdint.h>
#include <string.h>

#include "support/suite.h"

/* What the library knows: two fields, of which the first version had one. */
struct known {
    size_t size;
    uint64_t first;
    uint64_t second;
};

struct newer {
    struct known known;
    uint64_t third;
};

#define FIRST_LEN offsetof(struct known, second)

static const struct known defaults = { sizeof defaults, 10, 20 };

START_TEST(no_options_are_the_defaults)
{
    struct known out = defaults;

    assert_ok(keep__options_read(NULL, FIRST_LEN, sizeof out, &out));
    assert_bytes(&out, &defaults, sizeof out);
}
END_TEST

START_TEST(an_older_caller_leaves_later_fields_at_their_default)
{
    struct known given = { FIRST_LEN, 1, 2 };
    struct known out = defaults;

    assert_ok(keep__options_read(&given, FIRST_LEN, sizeof out, &out));
    ck_assert_uint_eq(out.first, 1);
    ck_assert_uint_eq(out.second, 20);
}
END_TEST

START_TEST(a_newer_caller_may_not_ask_for_what_is_unknown)
{
    struct newer given = { { sizeof given, 1, 2 }, 0 };
    struct known out = defaults;

    assert_ok(keep__options_read(&given, FIRST_LEN, sizeof out, &out));
    ck_assert_uint_eq(out.second, 2);
    given.third = 1;
    assert_status(keep__options_read(&given, FIRST_LEN, sizeof out, &out), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(a_size_below_the_first_version_is_refused)
{
    struct known given = { FIRST_LEN - 1, 1, 2 };
    struct known out = defaults;

    assert_status(keep__options_read(&given, FIRST_LEN, sizeof out, &out), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep__report_check(&given, FIRST_LEN), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep__report_check(NULL, FIRST_LEN), KEEP_ERR_INVALID_ARGUMENT);
    assert_bytes(&out, &defaults, sizeof out);
}
END_TEST

START_TEST(a_size_that_is_garbage_is_refused_and_not_read_up_to)
{
    struct known given = { SIZE_MAX, 1, 2 };
    struct known out = defaults;

    assert_status(keep__options_read(&given, FIRST_LEN, sizeof out, &out), KEEP_ERR_INVALID_ARGUMENT);
    given.size = 4097;
    assert_status(keep__options_read(&given, FIRST_LEN, sizeof out, &out), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(a_report_fills_what_the_caller_knows)
{
    struct known full = { sizeof full, 1, 2 };
    struct known older = { FIRST_LEN, 7, 8 };
    struct newer newer = { { sizeof newer, 7, 8 }, 9 };

    assert_ok(keep__report_check(&older, FIRST_LEN));
    keep__report_fill(&older, &full, sizeof full);
    ck_assert_uint_eq(older.size, FIRST_LEN);
    ck_assert_uint_eq(older.first, 1);
    ck_assert_uint_eq(older.second, 8);
    keep__report_fill(&newer, &full, sizeof full);
    ck_assert_uint_eq(newer.known.size, sizeof newer);
    ck_assert_uint_eq(newer.known.second, 2);
    ck_assert_uint_eq(newer.third, 9);
}
END_TEST

START_TEST(a_report_whose_size_shrank_meanwhile_is_left_alone)
{
    struct known full = { sizeof full, 1, 2 };
    struct known shrunk = { 3, 7, 8 };

    keep__report_fill(&shrunk, &full, sizeof full);
    ck_assert_uint_eq(shrunk.first, 7);
    ck_assert_uint_eq(shrunk.second, 8);
}
END_TEST

RUN_SUITE("options", ONCE(no_options_are_the_defaults), ONCE(an_older_caller_leaves_later_fields_at_their_default),
          ONCE(a_newer_caller_may_not_ask_for_what_is_unknown), ONCE(a_size_below_the_first_version_is_refused),
          ONCE(a_size_that_is_garbage_is_refused_and_not_read_up_to), ONCE(a_report_fills_what_the_caller_knows), ONCE(a_report_whose_size_shrank_meanwhile_is_left_alone))
