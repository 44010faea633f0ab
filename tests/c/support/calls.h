/* SPDX-License-Identifier: MIT */
/*
 * System calls that the rest of a test shall not make, by a seccomp filter. It stays until the process ends, and is for
 * tests that Check runs in a process of their own.
 */
#ifndef SUPPORT_CALLS_H
#define SUPPORT_CALLS_H

/* From now on the call with this number fails with `error` and does nothing. */
void refuse_call(long number, int error);

/* From now on the call with this number kills the process. */
void forbid_call(long number);

#endif
