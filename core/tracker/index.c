/* SPDX-License-Identifier: MIT */
/*
 * Index. Invariant: every slot with a pid is in the chain of its pid's hash, once. Leaving a chain leaves no trace, so
 * the length of a chain depends on who is there, not on who ever was.
 */
#include "tracker/index.h"

#include <string.h>

#include "base/crypto.h"
#include "base/die.h"
#include "base/banned.h"

static uint32_t *chain_of(const keep__index *index, uint32_t pid)
{
    return &index->chains[keep__short_hash(index->key, pid) & index->mask];
}

uint32_t keep__index_chains(uint32_t capacity)
{
    uint32_t chains = 1;

    while (chains < capacity)
        chains *= 2;
    return 2 * chains;
}

void keep__index_init(keep__index *index, uint32_t *chains, uint32_t capacity, const uint8_t key[KEEP__INDEX_KEY_LEN])
{
    index->chains = chains;
    index->mask = keep__index_chains(capacity) - 1;
    memcpy(index->key, key, sizeof index->key);
    for (uint32_t i = 0; i <= index->mask; i++)
        chains[i] = KEEP__NOBODY;
}

uint32_t keep__index_find(const keep__index *index, const keep__slot *slots, uint32_t pid)
{
    uint32_t at = *chain_of(index, pid);

    while (at != KEEP__NOBODY && slots[at].pid != pid)
        at = slots[at].next;
    return at;
}

void keep__index_add(keep__index *index, keep__slot *slots, uint32_t at)
{
    uint32_t *chain = chain_of(index, slots[at].pid);

    slots[at].next = *chain;
    *chain = at;
}

void keep__index_remove(keep__index *index, keep__slot *slots, uint32_t at)
{
    uint32_t *link = chain_of(index, slots[at].pid);

    while (*link != at) {
        keep__assert(*link != KEEP__NOBODY);
        link = &slots[*link].next;
    }
    *link = slots[at].next;
}
