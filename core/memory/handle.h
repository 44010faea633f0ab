/* SPDX-License-Identifier: MIT */
/*
 * Handle values: how a place in a table is named by a value that cannot be mistaken for an address. Pure.
 *
 * Formula: 1 ‖ generation 36 ‖ place 22 ‖ fork 5, from the highest bit. Bit 63 makes every dereference fault and keeps
 * the value out of the address ranges that garbage collectors know. A place's generation grows at each hand-out, so an
 * old value never names a new owner.
 */
#ifndef KEEP_MEMORY_HANDLE_H
#define KEEP_MEMORY_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#define KEEP__GENERATION_BITS 36
#define KEEP__PLACE_BITS 22
#define KEEP__FORK_BITS 5

#define KEEP__GENERATION_MASK ((UINT64_C(1) << KEEP__GENERATION_BITS) - 1)
#define KEEP__PLACE_MASK ((UINT64_C(1) << KEEP__PLACE_BITS) - 1)
#define KEEP__FORK_MASK ((UINT64_C(1) << KEEP__FORK_BITS) - 1)

_Static_assert(1 + KEEP__GENERATION_BITS + KEEP__PLACE_BITS + KEEP__FORK_BITS == 64, "a handle fills a word");

typedef struct keep__handle {
    uint64_t generation;
    uint32_t place;
    uint32_t fork;
} keep__handle;

static inline uint64_t keep__handle_value(keep__handle handle)
{
    return UINT64_C(1) << 63 | (handle.generation & KEEP__GENERATION_MASK) << (KEEP__PLACE_BITS + KEEP__FORK_BITS) |
           (uint64_t)handle.place << KEEP__FORK_BITS | handle.fork;
}

/* False: no handle ever had this value. */
static inline bool keep__handle_parse(uint64_t value, keep__handle *out)
{
    out->fork = (uint32_t)(value & KEEP__FORK_MASK);
    out->place = (uint32_t)(value >> KEEP__FORK_BITS & KEEP__PLACE_MASK);
    out->generation = value >> (KEEP__PLACE_BITS + KEEP__FORK_BITS) & KEEP__GENERATION_MASK;
    return value >> 63 == 1;
}

#endif
