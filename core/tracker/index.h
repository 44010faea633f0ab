/* SPDX-License-Identifier: MIT */
/*
 * The index: from a pid to its slot, by chains through the slots. The hash is keyed, so that nobody chooses pids that
 * share a chain. Pure.
 */
#ifndef KEEP_TRACKER_INDEX_H
#define KEEP_TRACKER_INDEX_H

#include <stdint.h>

#include "tracker/slot.h"

#define KEEP__INDEX_KEY_LEN 16

typedef struct keep__index {
    uint32_t *chains; /* first slots, or KEEP__NOBODY */
    uint32_t mask;    /* their number, a power of two, less one */
    uint8_t key[KEEP__INDEX_KEY_LEN];
} keep__index;

/* How many chains an index of so many slots has. */
uint32_t keep__index_chains(uint32_t capacity);

/* An empty index over `chains`, whose number is keep__index_chains(capacity). */
void keep__index_init(keep__index *index, uint32_t *chains, uint32_t capacity, const uint8_t key[KEEP__INDEX_KEY_LEN]);

/* The slot of a pid, or KEEP__NOBODY. */
uint32_t keep__index_find(const keep__index *index, const keep__slot *slots, uint32_t pid);

/* Adds a slot whose pid is set and not in the index; takes out one that is. */
void keep__index_add(keep__index *index, keep__slot *slots, uint32_t at);
void keep__index_remove(keep__index *index, keep__slot *slots, uint32_t at);

#endif
