/* SPDX-License-Identifier: MIT */
/*
 * Filling the caller's keep_error, once, at the place where a foreign call failed.
 */
#ifndef KEEP_BASE_ERROR_H
#define KEEP_BASE_ERROR_H

#include "keep/error.h"

/* What goes into an error besides the status. */
typedef struct keep__origin {
    int32_t layer;
    int64_t code;
    uint32_t reason;
    uint64_t value[4];
} keep__origin;

/*
 * Fills `err` and gives the status back. The message is `sentence`, cut between characters if it is too long.
 *
 * err   NULL, or smaller than 256 bytes: nothing is written
 */
keep_status keep__error_fill(keep_error *err, keep_status status, const keep__origin *origin, const char *sentence);

#endif
