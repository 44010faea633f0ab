/* SPDX-License-Identifier: MIT */
/*
 * Where failures began. Test builds keep the last 64 origins per thread and print them when a test fails; release
 * builds contain none of it, and `return keep__trace(status);` is `return status;`.
 */
#ifndef KEEP_BASE_TRACE_H
#define KEEP_BASE_TRACE_H

#include "keep/status.h"

#ifdef KEEP_TESTABLE
/* Notes an origin and gives the status back. errno at this moment is noted with it. */
keep_status keep__trace_note(keep_status status, const char *function, int line);
/* Writes the noted origins to standard error, oldest first, and forgets them. */
void keep__trace_print(void);
#define keep__trace(status) keep__trace_note((status), __func__, __LINE__)
#else
#define keep__trace(status) (status)
#endif

#endif
