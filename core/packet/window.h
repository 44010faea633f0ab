/* SPDX-License-Identifier: MIT */
/*
 * The replay window: which of the last W counters were seen. Pure; the caller holds its lock.
 *
 * A ring of words as in RFC 6479: nothing is shifted. It has one spare word, so that W counters are remembered exactly
 * wherever the newest one stands in its word. `next` is the highest committed counter + 1, or 0.
 */
#ifndef KEEP_PACKET_WINDOW_H
#define KEEP_PACKET_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEEP__WINDOW_MIN 1024
#define KEEP__WINDOW_MAX 65536

typedef struct keep__window {
    uint64_t next;
    uint32_t width; /* W: a power of two */
    uint64_t *ring; /* keep__window_words(W) words */
} keep__window;

static inline size_t keep__window_words(uint32_t width)
{
    return width / 64 + 1;
}

/* `ring` is all zero. */
void keep__window_init(keep__window *window, uint32_t width, uint64_t *ring);

/* Whether the counter is new: then it is not any more. */
bool keep__window_commit(keep__window *window, uint64_t counter);

#endif
