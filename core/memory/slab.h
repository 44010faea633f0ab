/* SPDX-License-Identifier: MIT */
/*
 * A group: 64 places, of which each is free, claimed by somebody who is preparing or clearing it, or live. Lock-free
 * and pure: every race between two users of a place is lost here, in one compare-and-swap, and nowhere else.
 *
 * A place's word: generation 36 ‖ flags 12 ‖ readers 16, from the highest bit. The argument why it is enough:
 *
 * free → claimed      the bit in `free` is cleared by one thread only (fetch-and tells who)
 * claimed → live      that thread stores the word, with the next generation and LIVE: handles can name it from then on
 * live → claimed      one compare-and-swap takes LIVE away, if no window is open; who did it clears the place
 * claimed → free      that thread sets the bit
 *
 * While a purge wipes a live place the word has HELD. Who takes LIVE away meanwhile leaves LEFT instead of clearing:
 * the purge then does that, so it never wipes the next owner's bytes.
 *
 * Groups are never given back to the heap, only used again: a stale handle may always look.
 */
#ifndef KEEP_MEMORY_SLAB_H
#define KEEP_MEMORY_SLAB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attributes.h"
#include "keep/status.h"
#include "memory/handle.h"

#define KEEP__GROUP_PLACES 64

#define KEEP__READERS UINT64_C(0xFFFF)
#define KEEP__LIVE (UINT64_C(1) << 16)
#define KEEP__WRITER (UINT64_C(1) << 17)
#define KEEP__FROZEN (UINT64_C(1) << 18)
#define KEEP__PURGED (UINT64_C(1) << 19)
#define KEEP__HELD (UINT64_C(1) << 20)
#define KEEP__LEFT (UINT64_C(1) << 21)
#define KEEP__EXPOSED (UINT64_C(1) << 22)
#define KEEP__WINDOWS (KEEP__READERS | KEEP__WRITER)
#define KEEP__GENERATION_SHIFT 28

struct keep__tier;
struct keep__guarded_group;

typedef struct keep__group {
    _Alignas(64) _Atomic uint64_t free;         /* bit i: place i is free */
    _Alignas(64) _Atomic(struct keep__tier *) tier; /* whose slots these are; NULL: guarded buffers, or nobody's */
    _Atomic(uint8_t *) base;                    /* of slot 0 */
    _Atomic(struct keep__guarded_group *) guarded; /* not NULL: the places are guarded buffers */
    _Atomic uint32_t slot_len;
    _Atomic uint32_t backing;                   /* of the slots: KEEP_BACKING_... */
    _Atomic bool locked;                        /* the slots' pages are */
    uint32_t number;                            /* place of slot 0 is 64 * number */
    uint64_t all;                               /* the bits of places that exist */
    struct keep__group *next;                   /* in a list of its owner's */
    _Atomic uint64_t word[KEEP__GROUP_PLACES];
    _Atomic uint32_t len[KEEP__GROUP_PLACES];
} keep__group;

/* One place of a group under one generation: what a handle stands for. Two words, so that it travels in registers. */
typedef struct keep__spot {
    keep__group *group;
    uint64_t at; /* generation, where a place's word has it, and slot */
} keep__spot;

static inline keep__spot keep__spot_of(keep__group *group, uint32_t slot, uint64_t generation)
{
    return (keep__spot){ group, generation << KEEP__GENERATION_SHIFT | slot };
}

static inline uint32_t keep__spot_slot(keep__spot spot)
{
    return (uint32_t)(spot.at % KEEP__GROUP_PLACES);
}

static inline uint64_t keep__spot_generation(keep__spot spot)
{
    return spot.at >> KEEP__GENERATION_SHIFT;
}

static inline uint64_t keep__spot_word(keep__spot spot)
{
    return atomic_load_explicit(&spot.group->word[keep__spot_slot(spot)], memory_order_acquire);
}

static inline size_t keep__spot_len(keep__spot spot)
{
    return atomic_load_explicit(&spot.group->len[keep__spot_slot(spot)], memory_order_relaxed);
}

/* A slot's bytes; not for guarded buffers. */
static inline uint8_t *keep__spot_bytes(keep__spot spot)
{
    size_t slot_len = atomic_load_explicit(&spot.group->slot_len, memory_order_relaxed);

    return atomic_load_explicit(&spot.group->base, memory_order_relaxed) + keep__spot_slot(spot) * slot_len;
}

/* Makes a group's first `count` places free. Generations stay: they only ever grow. */
void keep__slab_fill(keep__group *group, uint32_t count);

/* Claims a free place. False: none is free. `generation` is not set. */
bool keep__slab_take(keep__group *group, keep__spot *out);

/* Claims all free places at once and tells which; keep__slab_put_back undoes it. */
uint64_t keep__slab_take_all(keep__group *group);
void keep__slab_put_back(keep__group *group, uint64_t bits);

/* Frees a claimed place. Ordered before everything the caller looks at next. */
void keep__slab_give(keep__spot spot);

/* Makes a claimed place live, with `flags` (0 or KEEP__FROZEN), and sets the spot's generation. */
void keep__slab_hand_out(keep__spot *spot, size_t len, uint64_t flags);

/* Orders a hand-out before all that the caller looks at next, as a purge orders its epoch before its search. */
void keep__slab_publish(keep__spot spot);

/* Whether the spot is live: KEEP_ERR_CLOSED. */
keep_status keep__slab_check_closed(keep__spot spot);

/* Whether the spot is live and not purged: KEEP_ERR_CLOSED, KEEP_ERR_PURGED. */
keep_status keep__slab_check(keep__spot spot);

/* The same, and whether it may be written: KEEP_ERR_STATE if frozen. */
keep_status keep__slab_check_writable(keep__spot spot);

/* Windows: CLOSED PURGED BUSY; for writing also STATE. */
keep_status keep__slab_read_begin(keep__spot spot);
keep_status keep__slab_write_begin(keep__spot spot);

/* CLOSED; STATE: no window is open. `*out_last`: it was the last one. */
keep_status keep__slab_end(keep__spot spot, bool *out_last);

/* CLOSED PURGED BUSY. */
keep_status keep__slab_freeze(keep__spot spot);
keep_status keep__slab_melt(keep__spot spot);

/* A claimed place from a live one: CLOSED BUSY. `*out_left`: a purge holds it and clears and frees it. */
keep_status keep__slab_release(keep__spot spot, bool *out_left);

/* Marks a live place purged and holds it; false: it is not live. Sets the generation and the windows it had open. */
bool keep__slab_hold(keep__spot *spot, uint32_t *out_windows);

/* Ends the hold. True: the owner left meanwhile, the place is the caller's claim now. */
bool keep__slab_let_go(keep__spot spot);

void keep__slab_set_exposed(keep__spot spot, bool exposed);

static inline uint32_t keep__word_windows(uint64_t word)
{
    return (uint32_t)(word & KEEP__READERS) + ((word & KEEP__WRITER) != 0);
}

/* Invariant: no place outside `all` is free, no free place is live. For assertions and tests, where nobody races. */
static inline bool keep__slab_sane(const keep__group *group)
{
    uint64_t free = atomic_load_explicit(&group->free, memory_order_relaxed);

    for (uint32_t i = 0; i < KEEP__GROUP_PLACES; i++) {
        uint64_t word = atomic_load_explicit(&group->word[i], memory_order_relaxed);

        if ((free >> i & 1) != 0 && (word & (KEEP__LIVE | KEEP__WINDOWS)) != 0)
            return false;
    }
    return (free & ~group->all) == 0;
}

#endif
