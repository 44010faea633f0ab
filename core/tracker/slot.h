/* SPDX-License-Identifier: MIT */
/*
 * A slot: what the ledger knows of one agent. Times are ledger time, `last_ns` the clock.
 */
#ifndef KEEP_TRACKER_SLOT_H
#define KEEP_TRACKER_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/checked.h"
#include "keep/tracker.h"
#include "tracker/frame.h"

#define KEEP__NOBODY UINT32_MAX

/* What a slot is marked with. */
enum {
    KEEP__SLOT_BEATEN = 1,   /* a beat was accepted */
    KEEP__SLOT_NONCE = 2,    /* it has a regular nonce */
    KEEP__SLOT_TERMINAL = 4, /* it has a terminal timestamp */
    KEEP__SLOT_LAST_WORD = 8, /* its last accepted beat was terminal */
    KEEP__SLOT_UNARMED = 16,
    KEEP__SLOT_STALLED = 32
};

typedef struct keep__slot {
    uint32_t pid;  /* 0: free */
    uint32_t next; /* slot in its chain of the index, or of the free ones */
    uint64_t nonce, terminal_ns, last_ns;
    uint64_t beat_at, start;
    uint64_t threshold_ns, limit_ns, grace_ns;
    uint64_t ns_inode, generation, beats, out_of_order;
    uint32_t claimed_pid, payload;
    uint32_t heap_at;       /* its place among the deadlines, or KEEP__NOBODY */
    uint32_t before, after; /* its neighbours among the stalled */
    uint8_t health, origin, marks;
} keep__slot;

static inline bool keep__slot_is(const keep__slot *slot, unsigned mark)
{
    return (slot->marks & mark) != 0;
}

/* The later of its start and its last beat. */
static inline uint64_t keep__slot_mark(const keep__slot *slot)
{
    return keep__slot_is(slot, KEEP__SLOT_BEATEN) && slot->beat_at > slot->start ? slot->beat_at : slot->start;
}

static inline uint64_t keep__slot_deadline(const keep__slot *slot)
{
    uint64_t limit_ends = keep__u64_add_capped(keep__slot_mark(slot), slot->limit_ns);
    uint64_t grace_ends = keep__u64_add_capped(slot->start, slot->grace_ns);

    if (keep__slot_is(slot, KEEP__SLOT_UNARMED))
        return KEEP_TIME_NEVER;
    return limit_ends > grace_ends ? limit_ends : grace_ends;
}

/* The last nonce that was seen of it; 0: none. */
static inline uint64_t keep__slot_nonce(const keep__slot *slot)
{
    if (keep__slot_is(slot, KEEP__SLOT_LAST_WORD))
        return KEEP__NONCE_TERMINAL;
    return keep__slot_is(slot, KEEP__SLOT_NONCE) ? slot->nonce : 0;
}

#endif
