/* SPDX-License-Identifier: MIT */
/*
 * System calls that the rest of a test shall not make, by a seccomp filter. It stays until the process ends, and is for
 * tests that Check runs in a process of their own.
 */
#ifndef SUPPORT_CALLS_H
#define SUPPORT_CALLS_H

#include <stdbool.h>

/*
 * From now on the call with this number fails with `error` and does nothing. False, and a line on standard output: there
 * are no filters here, the test has nothing to look at.
 */
bool refuse_call(long number, int error);

/* The same: the call kills the process. */
bool forbid_call(long number);

#endif
