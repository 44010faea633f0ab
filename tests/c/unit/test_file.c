/* SPDX-License-Identifier: MIT */
/*
 * Text files, lines and numbers of base/file.
 */
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/suite.h"

ssize_t __real_read(int fd, void *out, size_t cap);
ssize_t __wrap_read(int fd, void *out, size_t cap);

static int read_error; /* of the next call; 0: none */

ssize_t __wrap_read(int fd, void *out, size_t cap)
{
    if (read_error == 0)
        return __real_read(fd, out, cap);
    errno = read_error;
    read_error = 0;
    return -1;
}

/* Puts `text` into a new file, opens it for reading, and removes its name. */
static void open_text(const char *text, keep__lines *lines)
{
    char path[] = P_tmpdir "/keep-lines-XXXXXX";
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_ok(keep__lines_open(path, lines));
    ck_assert_int_eq(close(fd) | unlink(path), 0);
}

static void assert_line(keep__lines *lines, const char *wanted)
{
    ck_assert(keep__lines_next(lines));
    ck_assert_str_eq(lines->line, wanted);
}

START_TEST(lines_come_one_by_one_also_empty_ones_and_an_unended_one)
{
    keep__lines lines;

    open_text("first\n\nthird\nlast", &lines);
    assert_line(&lines, "first");
    assert_line(&lines, "");
    assert_line(&lines, "third");
    assert_line(&lines, "last");
    ck_assert(!keep__lines_next(&lines));
    keep__lines_close(&lines);
}
END_TEST

START_TEST(a_long_line_is_cut_and_the_next_one_is_whole)
{
    char text[4 * KEEP__LINE_CAP];
    keep__lines lines;

    memset(text, 'a', sizeof text);
    memcpy(text + sizeof text - 6, "\nnext", 6);
    open_text(text, &lines);
    ck_assert(keep__lines_next(&lines));
    ck_assert_uint_eq(strlen(lines.line), KEEP__LINE_CAP - 1);
    assert_line(&lines, "next");
    keep__lines_close(&lines);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_a_status)
{
    char found[KEEP__LINE_CAP];
    keep__lines lines;

    assert_status(keep__lines_open(P_tmpdir "/keep/is/not/there", &lines), KEEP_ERR_SYSTEM);
    ck_assert(!keep__file_find(P_tmpdir "/keep/is/not/there", "", found));
}
END_TEST

/* Makes a file of the text; `path` ends in XXXXXX. */
static void make_file(char *path, const char *text)
{
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(fd), 0);
}

START_TEST(the_first_line_with_a_prefix_is_found)
{
    char path[] = P_tmpdir "/keep-lines-XXXXXX";
    char found[KEEP__LINE_CAP];

    make_file(path, "Name: a\nSize: 12 kB\nSize: 13 kB\n");
    ck_assert(keep__file_find(path, "Size:", found));
    ck_assert_str_eq(found, " 12 kB");
    ck_assert(!keep__file_find(path, "Missing:", found));
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(a_file_is_read_as_far_as_there_is_room)
{
    char path[] = P_tmpdir "/keep-lines-XXXXXX";
    char text[6];

    make_file(path, "12345678");
    ck_assert(keep__file_read(path, text, sizeof text));
    ck_assert_str_eq(text, "12345");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert(!keep__file_read(path, text, sizeof text));
}
END_TEST

START_TEST(an_interrupted_read_goes_on_and_a_failed_one_ends)
{
    char path[] = P_tmpdir "/keep-lines-XXXXXX";
    char text[6];

    make_file(path, "123");
    read_error = EINTR;
    ck_assert(keep__file_read(path, text, sizeof text));
    ck_assert_str_eq(text, "123");
    read_error = EIO;
    ck_assert(!keep__file_read(path, text, sizeof text));
    ck_assert_str_eq(text, "");
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(a_link_is_read_if_there_is_room_for_all_of_it)
{
    char path[] = P_tmpdir "/keep-lines-XXXXXX";
    char target[6];

    make_file(path, "no link");
    ck_assert(!keep__file_link(path, target, sizeof target));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("there", path), 0);
    ck_assert(keep__file_link(path, target, sizeof target));
    ck_assert_str_eq(target, "there");
    ck_assert(!keep__file_link(path, target, sizeof target - 1));
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

static const struct {
    const char *text;
    unsigned base;
    uint64_t value;
    const char *rest; /* NULL: no number */
} numbers[] = {
    { "0", 10, 0, "" },
    { " \t12 kB", 10, 12, " kB" },
    { "7f-80 r", 16, 0x7f, "-80 r" },
    { "18446744073709551615", 10, UINT64_MAX, "" },
    { "ffffffffffffffff", 16, UINT64_MAX, "" },
    { "18446744073709551616", 10, 0, NULL },
    { "10000000000000000", 16, 0, NULL },
    { "9a", 10, 9, "a" },
    { "g", 16, 0, NULL },
    { "-1", 10, 0, NULL },
    { "", 10, 0, NULL },
};

START_TEST(a_number_is_read_up_to_its_last_digit)
{
    uint64_t value = 0;
    const char *rest = keep__parse_u64(numbers[_i].text, numbers[_i].base, &value);

    ck_assert_pstr_eq(rest, numbers[_i].rest);
    ck_assert_uint_eq(value, numbers[_i].value);
}
END_TEST

START_TEST(a_prefix_is_skipped_only_if_all_of_it_is_there)
{
    ck_assert_str_eq(keep__skip_prefix("VmLck: 1", "VmLck:"), " 1");
    ck_assert_str_eq(keep__skip_prefix("any", ""), "any");
    ck_assert_ptr_null(keep__skip_prefix("VmL", "VmLck:"));
}
END_TEST

RUN_SUITE("file", ONCE(lines_come_one_by_one_also_empty_ones_and_an_unended_one),
          ONCE(a_long_line_is_cut_and_the_next_one_is_whole), ONCE(a_file_that_is_not_there_is_a_status),
          ONCE(the_first_line_with_a_prefix_is_found), ONCE(a_file_is_read_as_far_as_there_is_room),
          ONCE(an_interrupted_read_goes_on_and_a_failed_one_ends), ONCE(a_link_is_read_if_there_is_room_for_all_of_it),
          TIMES(a_number_is_read_up_to_its_last_digit, sizeof numbers / sizeof *numbers),
          ONCE(a_prefix_is_skipped_only_if_all_of_it_is_there))
