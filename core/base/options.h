/* SPDX-License-Identifier: MIT */
/*
 * Structs that begin with their size: reading the caller's options over the defaults, filling the caller's reports.
 */
#ifndef KEEP_BASE_OPTIONS_H
#define KEEP_BASE_OPTIONS_H

#include <stddef.h>

#include "keep/status.h"

/* The size of a struct that ended with `field` when it was first published. */
#define KEEP__SIZE_UP_TO(type, field) (offsetof(type, field) + sizeof((type){ 0 }.field))

/*
 * Copies the caller's options over `out`, which holds the defaults.
 *
 * given   NULL: all defaults
 * first   the size of the struct when it was first published
 * known   its size here
 *
 * KEEP_ERR_INVALID_ARGUMENT  smaller than the first, not zero beyond what is known, or larger than any struct of ours
 */
keep_status keep__options_read(const void *given, size_t first, size_t known, void *out);

/* The same check of an output struct: KEEP_ERR_INVALID_ARGUMENT if it is NULL or smaller than the first. */
keep_status keep__report_check(const void *out, size_t first);

/* Fills a checked output struct with as much of `full` as it has room for; its size stays. */
void keep__report_fill(void *out, const void *full, size_t known);

#endif
