/* SPDX-License-Identifier: MIT */
/*
 * Procfs. PID (NAME) STATE … : a name may hold blanks and parentheses, so fields are counted after the last parenthesis.
 */
#include "tracker/procfs.h"

#include <string.h>

#include "base/checked.h"
#include "base/banned.h"

#define START_FIELD 20 /* of those after the name: the 22nd of all */

/* A decimal number, to which `*out` is set, and what follows it; NULL: there is none, or it is too large. */
static const char *parse_decimal(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    const char *at;

    for (at = text; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return NULL;
    }
    if (at == text)
        return NULL;
    *out = value;
    return at;
}

/* The begin of the nth field, from 1, after blanks; NULL: there are fewer. */
static const char *nth_field(const char *text, unsigned nth)
{
    for (;;) {
        text += strspn(text, " \n");
        if (*text == '\0')
            return NULL;
        if (--nth == 0)
            return text;
        text += strcspn(text, " \n");
    }
}

bool keep__procfs_stat(const char *text, uint64_t *out_start, char *out_comm, size_t comm_cap)
{
    const char *name = strchr(text, '(');
    const char *end = strrchr(text, ')');
    const char *field = end == NULL ? NULL : nth_field(end + 1, START_FIELD);
    uint64_t start;
    size_t len;

    if (name == NULL || end == NULL || end < name || field == NULL)
        return false;
    field = parse_decimal(field, &start);
    if (field == NULL || (*field != ' ' && *field != '\n' && *field != '\0'))
        return false;
    len = keep__size_min((size_t)(end - name) - 1, comm_cap - 1);
    memcpy(out_comm, name + 1, len);
    out_comm[len] = '\0';
    *out_start = start;
    return true;
}

uint64_t keep__procfs_inode(const char *text)
{
    uint64_t inode;
    const char *rest;

    if (strncmp(text, "pid:[", 5) != 0)
        return 0;
    rest = parse_decimal(text + 5, &inode);
    return rest != NULL && strcmp(rest, "]") == 0 ? inode : 0;
}
