/* SPDX-License-Identifier: MIT */
/*
 * Procfs, white box: what /proc may say (tracker section 7).
 */
#include "tracker/procfs.h"

#include <string.h>

#include "support/suite.h"

#define AFTER_NAME " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "

START_TEST(the_start_is_the_22nd_field_whatever_the_name)
{
    static const char *const texts[] = {
        "1234 (name)" AFTER_NAME "777 0\n",
        "1234 (weird )name foo)" AFTER_NAME "777 0\n",
        "1234 (a\n) S 1)" AFTER_NAME "777",
    };
    static const char *const names[] = { "name", "weird )name foo", "a\n) S 1" };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint64_t start = 0;
        char comm[16];

        ck_assert(keep__procfs_stat(texts[i], &start, comm, sizeof comm));
        ck_assert_uint_eq(start, 777);
        ck_assert_str_eq(comm, names[i]);
    }
}
END_TEST

START_TEST(what_is_no_stat_is_unknown)
{
    static const char *const texts[] = {
        "",
        "1234",
        "1234 (name",
        "1234 name) S 1",
        "1234 (name) S 1 2 3",
        ")(" AFTER_NAME "777 0",
        "1234 (name)" AFTER_NAME,
        "1234 (name)" AFTER_NAME "x 0",
        "1234 (name)" AFTER_NAME "77x 0",
        "1234 (name)" AFTER_NAME "18446744073709551616 0",
        "1234 (name)" AFTER_NAME "-5 0",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint64_t start = 5;
        char comm[16] = "untouched";

        ck_assert_msg(!keep__procfs_stat(texts[i], &start, comm, sizeof comm), "%s", texts[i]);
        ck_assert_uint_eq(start, 5);
        ck_assert_str_eq(comm, "untouched");
    }
}
END_TEST

START_TEST(a_long_name_is_cut)
{
    uint64_t start;
    char comm[8];

    ck_assert(keep__procfs_stat("1 (abcdefghijkl)" AFTER_NAME "7", &start, comm, sizeof comm));
    ck_assert_str_eq(comm, "abcdefg");
}
END_TEST

START_TEST(a_namespace_is_a_number_in_brackets)
{
    static const char *const none[] = { "", "pid:[]", "pid:[abc]", "pid:[42", "net:[42]", "pid:[42]x", "pid:[42x]" };

    ck_assert_uint_eq(keep__procfs_inode("pid:[42]"), 42);
    ck_assert_uint_eq(keep__procfs_inode("pid:[18446744073709551615]"), UINT64_MAX);
    ck_assert_uint_eq(keep__procfs_inode("pid:[18446744073709551616]"), 0);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_msg(keep__procfs_inode(none[i]) == 0, "%s", none[i]);
}
END_TEST

START_TEST(the_start_may_be_the_last_field)
{
    static const char *const texts[] = { "1 (a)" AFTER_NAME "7", "1 (a)" AFTER_NAME "7\n", "1 (a)" AFTER_NAME "7 8" };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint64_t start = 0;
        char comm[8];

        ck_assert_msg(keep__procfs_stat(texts[i], &start, comm, sizeof comm), "%s", texts[i]);
        ck_assert_uint_eq(start, 7);
    }
}
END_TEST

RUN_SUITE("procfs", ONCE(the_start_is_the_22nd_field_whatever_the_name), ONCE(what_is_no_stat_is_unknown),
          ONCE(a_long_name_is_cut), ONCE(a_namespace_is_a_number_in_brackets), ONCE(the_start_may_be_the_last_field))
