/* SPDX-License-Identifier: MIT */
/*
 * A table of groups that threads search for a free slot without a lock, while one thread at a time enters and removes
 * groups. When it is full a larger one takes its place; the old one stays, as somebody may still be searching it.
 */
#ifndef KEEP_MEMORY_TABLE_H
#define KEEP_MEMORY_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/pages.h"
#include "memory/slab.h"

typedef struct keep__table {
    struct keep__table *older;
    uint32_t cap;
    _Atomic uint32_t count;
    _Atomic(keep__group *) groups[];
} keep__table;

/* A table with the groups of `newest` (NULL: none) and room for `more`: `newest` itself, a new one, or NULL. */
keep__table *keep__table_with_room(keep__table *newest, uint64_t more);
void keep__table_free(keep__table *table);
size_t keep__table_bytes(const keep__table *table);

void keep__table_enter(keep__table *table, keep__group *group);

/* Removes the groups whose slots lie in the pages. */
void keep__table_leave(keep__table *table, const keep__pages *pages);

/* Claims a free slot of any group. `tier_index` tells which searches of this thread are alike. */
bool keep__table_take(const keep__table *table, uint32_t tier_index, keep__spot *out);

uint64_t keep__table_count_free(const keep__table *table);

#endif
