/* SPDX-License-Identifier: MIT */
/*
 * Files: stands before open.
 */
#include "support/files.h"

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static struct {
    const char *path;
    const char *text;
} replaced[4];

static size_t replaced_count;
static bool is_hidden;

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode);

static bool is_of_kernel(const char *path)
{
    return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0;
}

static int open_text(const char *text)
{
    int fd = memfd_create("replaced", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* The mode that was not passed is not looked at. */
int __wrap_open(const char *path, int flags, mode_t mode)
{
    const char *text = NULL;
    bool is_replaced = is_hidden && is_of_kernel(path);

    for (size_t i = 0; i < replaced_count; i++) {
        if (strcmp(path, replaced[i].path) == 0) {
            is_replaced = true;
            text = replaced[i].text;
        }
    }
    if (!is_replaced)
        return __real_open(path, flags, mode);
    if (text != NULL)
        return open_text(text);
    errno = ENOENT;
    return -1;
}

void replace_file(const char *path, const char *text)
{
    ck_assert_uint_lt(replaced_count, sizeof replaced / sizeof *replaced);
    replaced[replaced_count].path = path;
    replaced[replaced_count].text = text;
    replaced_count++;
}

void hide_files(void)
{
    is_hidden = true;
}
