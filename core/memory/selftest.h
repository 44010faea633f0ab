/* SPDX-License-Identifier: MIT */
/*
 * Selftest: makes a private pool through the library's own functions, and asks the kernel whether what is promised of
 * it holds.
 */
#ifndef KEEP_MEMORY_SELFTEST_H
#define KEEP_MEMORY_SELFTEST_H

#include <stdint.h>

#include "keep/pool.h"
#include "keep/status.h"

typedef struct keep__findings {
    uint32_t backing;         /* of the pool's slots */
    uint32_t checked, failed; /* KEEP_CHECK_... */
} keep__findings;

/*
 * Fills `out` only if it ran to the end; whether checks failed is no status. INVALID_ARGUMENT: the options; statuses of
 * acquiring. It neither forks nor catches signals.
 */
keep_status keep__selftest_run(const keep_pool_options *options, keep__findings *out);

#endif
