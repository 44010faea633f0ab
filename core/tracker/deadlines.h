/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: a binary heap of those who can stall, by deadline, then pid. Pure. A beat does not touch it: an entry may
 * be older than its slot's deadline, never newer, and goes back in when it is met at the head.
 */
#ifndef KEEP_TRACKER_DEADLINES_H
#define KEEP_TRACKER_DEADLINES_H

#include <stdint.h>

#include "tracker/slot.h"

typedef struct keep__deadline {
    uint64_t at_ns;
    uint32_t pid, slot;
} keep__deadline;

typedef struct keep__deadlines {
    keep__deadline *heap; /* room for every slot */
    uint32_t count;
} keep__deadlines;

/* Puts a slot in, or moves it forward; one that is there with an earlier deadline stays. */
void keep__deadlines_put(keep__deadlines *deadlines, keep__slot *slots, uint32_t at);

/* Takes a slot out, if it is there. */
void keep__deadlines_remove(keep__deadlines *deadlines, keep__slot *slots, uint32_t at);

/* Who has the least deadline, then the least pid; KEEP__NOBODY: nobody can stall. */
uint32_t keep__deadlines_first(keep__deadlines *deadlines, keep__slot *slots);

/* Whether nobody can be due at `time`: one comparison, and no entry is moved. */
static inline bool keep__deadlines_idle(const keep__deadlines *deadlines, uint64_t time)
{
    return deadlines->count == 0 || deadlines->heap[0].at_ns > time;
}

#endif
