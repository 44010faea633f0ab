/* SPDX-License-Identifier: MIT */
/*
 * The end of the process, for what cannot be a status: damaged guarded memory in every build, a broken invariant of
 * libkeep's own in builds with assertions.
 */
#ifndef KEEP_BASE_DIE_H
#define KEEP_BASE_DIE_H

#include "base/attributes.h"

/* Writes "libkeep: SENTENCE\n" to standard error in one write, then aborts. */
KEEP__NORETURN void keep__die(const char *sentence);

/* Release builds do not evaluate the condition. */
#ifdef NDEBUG
#define keep__assert(condition) ((void)sizeof(condition))
#else
#define keep__assert(condition) ((condition) ? (void)0 : keep__die("broken invariant: " #condition))
#endif

#endif
