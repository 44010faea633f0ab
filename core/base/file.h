/* SPDX-License-Identifier: MIT */
/*
 * Files: reading the kernel's text files, whole or line by line, without the heap.
 */
#ifndef KEEP_BASE_FILE_H
#define KEEP_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/status.h"

#define KEEP__LINE_CAP 160

/* A file that is being read; whoever opened it closes it. */
typedef struct keep__lines {
    char line[KEEP__LINE_CAP]; /* the newest, without its line feed; cut if it is longer */
    int fd;
    size_t at, end; /* read and not given yet: bytes[at] to bytes[end] */
    char bytes[256];
} keep__lines;

/* KEEP_ERR_SYSTEM: it cannot be opened. */
keep_status keep__lines_open(const char *path, keep__lines *out);

/* Reads a line into `lines->line`. False: there is none, or reading failed. */
bool keep__lines_next(keep__lines *lines);

void keep__lines_close(keep__lines *lines);

/* What follows `prefix` on the first line that begins with it. False: no such line, or no such file. */
bool keep__file_find(const char *path, const char *prefix, char out[KEEP__LINE_CAP]);

/* The begin of a file, as a text that ends with NUL. False: it cannot be read. */
bool keep__file_read(const char *path, char *out, size_t cap);

/* What a symbolic link says. False: there is none, or its text is too long. */
bool keep__file_link(const char *path, char *out, size_t cap);

/* Reads a number after blanks, of base 10 or 16, and gives the place behind it. NULL: there is none, or it is too large. */
const char *keep__parse_u64(const char *text, unsigned base, uint64_t *out);

/* What follows `prefix`, or NULL if the text does not begin with it. */
const char *keep__skip_prefix(const char *text, const char *prefix);

#endif
