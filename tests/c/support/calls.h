/* SPDX-License-Identifier: MIT */
/*
 * System calls that the rest of a test shall not make, by seccomp. It stays until the process ends, and is for
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

/* Whatever is no read, write or exit kills the process, which ends by exit_at_once. False: this kernel has no such mode. */
bool forbid_calls(void);

/* Nothing comes between, of the C library or of a sanitizer: which is why it is not said that it never returns. */
void exit_at_once(int status);

#endif
