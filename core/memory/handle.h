/* SPDX-License-Identifier: MIT */
/*
 * Handle values: how a place in a table is named by a value that cannot be mistaken for an address. Pure.
 *
 * Formula: 1 ‖ generation ‖ place ‖ fork 5, from the highest bit; of a secret generation 36 ‖ place 22. Bit 63 makes every
 * dereference fault and keeps the value out of the address ranges that garbage collectors know. A place's generation
 * grows at each hand-out, so an old value never names a new owner.
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

/* Of a table whose places take `place_bits`; the generation has what is left, and is cut to it. */
static inline uint64_t keep__handle_pack(keep__handle handle, unsigned place_bits)
{
    return UINT64_C(1) << 63 | handle.generation << (place_bits + KEEP__FORK_BITS) |
           (uint64_t)handle.place << KEEP__FORK_BITS | handle.fork;
}

/* False: no handle ever had this value. */
static inline bool keep__handle_unpack(uint64_t value, unsigned place_bits, keep__handle *out)
{
    out->fork = (uint32_t)(value & KEEP__FORK_MASK);
    out->place = (uint32_t)(value >> KEEP__FORK_BITS & ((UINT64_C(1) << place_bits) - 1));
    out->generation = (value & ~(UINT64_C(1) << 63)) >> (place_bits + KEEP__FORK_BITS);
    return value >> 63 == 1;
}

/* Those of secrets. */
static inline uint64_t keep__handle_value(keep__handle handle)
{
    return keep__handle_pack(handle, KEEP__PLACE_BITS);
}

static inline bool keep__handle_parse(uint64_t value, keep__handle *out)
{
    return keep__handle_unpack(value, KEEP__PLACE_BITS, out);
}

#endif
