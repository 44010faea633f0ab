/* SPDX-License-Identifier: MIT */
/*
 * The line of threads that wait for a slot of a tier, first in, first out.
 *
 * No wake-up is lost: a waiter lists itself and counts itself, then looks for a free slot once more; who frees or makes
 * a slot does so, then looks at the count; all of it sequentially consistent. If the count is not 0, free slots are
 * handed to the first waiters under the line's lock. A slot that was handed over is claimed, and nobody overtakes.
 */
#ifndef KEEP_MEMORY_WAITING_H
#define KEEP_MEMORY_WAITING_H

#include <stdint.h>

#include "base/lock.h"
#include "keep/status.h"
#include "memory/slab.h"

struct keep__tier;
typedef struct keep__waiter keep__waiter;

typedef struct keep__line {
    keep__lock lock;
    keep__waiter *first; /* guarded by lock */
    keep__waiter *last;  /* guarded by lock */
} keep__line;

void keep__line_init(keep__line *line);

/* Waits in the tier's line. KEEP_ERR_TIMEOUT; timeout_ms may be KEEP_WAIT_FOREVER. */
keep_status keep__line_wait(struct keep__tier *tier, uint32_t timeout_ms, keep__spot *out);

/* Hands free slots to the first waiters. */
void keep__line_serve(struct keep__tier *tier);

#endif
