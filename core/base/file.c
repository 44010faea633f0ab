/* SPDX-License-Identifier: MIT */
/*
 * File: the seam of open, read and readlink.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/trace.h"
#include "base/banned.h"

static ssize_t read_some(int fd, void *out, size_t cap)
{
    ssize_t got;

    do {
        got = read(fd, out, cap);
    } while (got < 0 && errno == EINTR);
    return got;
}

/* The next byte, or -1. */
static int next_byte(keep__lines *lines)
{
    if (lines->at == lines->end) {
        ssize_t got = read_some(lines->fd, lines->bytes, sizeof lines->bytes);

        if (got <= 0)
            return -1;
        lines->at = 0;
        lines->end = (size_t)got;
    }
    return (unsigned char)lines->bytes[lines->at++];
}

static unsigned value_of_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (unsigned)(digit - '0');
    if (digit >= 'a' && digit <= 'f')
        return (unsigned)(digit - 'a') + 10;
    return 16;
}

keep_status keep__lines_open(const char *path, keep__lines *out)
{
    out->fd = open(path, O_RDONLY | O_CLOEXEC);
    out->at = 0;
    out->end = 0;
    return out->fd < 0 ? keep__trace(KEEP_ERR_SYSTEM) : KEEP_OK;
}

bool keep__lines_next(keep__lines *lines)
{
    int byte = next_byte(lines);
    size_t len = 0;

    if (byte < 0)
        return false;
    for (; byte >= 0 && byte != '\n'; byte = next_byte(lines)) {
        if (len < sizeof lines->line - 1)
            lines->line[len++] = (char)byte;
    }
    lines->line[len] = '\0';
    return true;
}

void keep__lines_close(keep__lines *lines)
{
    (void)close(lines->fd);
}

bool keep__file_find(const char *path, const char *prefix, char out[KEEP__LINE_CAP])
{
    const char *rest = NULL;
    keep__lines lines;

    if (keep__lines_open(path, &lines) != KEEP_OK)
        return false;
    while (rest == NULL && keep__lines_next(&lines))
        rest = keep__skip_prefix(lines.line, prefix);
    if (rest != NULL)
        memcpy(out, rest, strlen(rest) + 1);
    keep__lines_close(&lines);
    return rest != NULL;
}

bool keep__file_read(const char *path, char *out, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got;

    if (fd < 0)
        return false;
    do {
        got = read_some(fd, out + len, cap - 1 - len);
        len += got > 0 ? (size_t)got : 0;
    } while (got > 0 && len < cap - 1);
    (void)close(fd);
    out[len] = '\0';
    return got >= 0;
}

bool keep__file_link(const char *path, char *out, size_t cap)
{
    ssize_t len = readlink(path, out, cap);

    if (len < 0 || (size_t)len >= cap)
        return false;
    out[len] = '\0';
    return true;
}

const char *keep__parse_u64(const char *text, unsigned base, uint64_t *out)
{
    uint64_t value = 0;
    const char *at;

    while (*text == ' ' || *text == '\t')
        text++;
    for (at = text; value_of_digit(*at) < base; at++) {
        if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, value_of_digit(*at), &value))
            return NULL;
    }
    if (at == text)
        return NULL;
    *out = value;
    return at;
}

const char *keep__skip_prefix(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}
