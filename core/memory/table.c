/* SPDX-License-Identifier: MIT */
/*
 * Table. A search starts at the group where this thread last found a slot of a tier with this index, at first at one of
 * its own, so that two threads seldom meet. It may miss a group that is being moved: who found nothing looks again under
 * the growth lock.
 */
#include "memory/table.h"

#include "base/heap.h"
#include "base/thread.h"
#include "keep/pool.h"
#include "base/banned.h"

#define CAP_AT_FIRST 4

static KEEP__THREAD_LOCAL uint32_t last_found[KEEP_MAX_TIERS]; /* index in the table + 1; 0: not yet */

static size_t len_with(uint32_t cap)
{
    return sizeof(keep__table) + cap * sizeof(_Atomic(keep__group *));
}

static uint32_t count_of(const keep__table *table)
{
    return table == NULL ? 0 : atomic_load_explicit(&table->count, memory_order_acquire);
}

keep__table *keep__table_with_room(keep__table *newest, uint64_t more)
{
    uint32_t count = count_of(newest);
    uint32_t cap = newest == NULL ? CAP_AT_FIRST : newest->cap;
    keep__table *table;

    if (newest != NULL && count + more <= cap)
        return newest;
    while (cap < count + more)
        cap *= 2;
    table = keep__heap_new(len_with(cap));
    if (table == NULL)
        return NULL;
    table->cap = cap;
    for (uint32_t i = 0; i < count; i++)
        atomic_init(&table->groups[i], atomic_load(&newest->groups[i]));
    atomic_init(&table->count, count);
    return table;
}

void keep__table_free(keep__table *table)
{
    if (table != NULL)
        keep__heap_free(table, len_with(table->cap));
}

size_t keep__table_bytes(const keep__table *table)
{
    return len_with(table->cap);
}

void keep__table_enter(keep__table *table, keep__group *group)
{
    uint32_t count = count_of(table);

    atomic_store_explicit(&table->groups[count], group, memory_order_release);
    atomic_store_explicit(&table->count, count + 1, memory_order_release);
}

void keep__table_leave(keep__table *table, const keep__pages *pages)
{
    uint32_t count = count_of(table);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        keep__group *group = atomic_load(&table->groups[i]);

        if (!keep__pages_hold(pages, atomic_load(&group->base)))
            atomic_store(&table->groups[kept++], group);
    }
    atomic_store(&table->count, kept);
}

bool keep__table_take(const keep__table *table, uint32_t tier_index, keep__spot *out)
{
    uint32_t *last = &last_found[tier_index];
    uint32_t count = count_of(table);
    uint32_t at;

    if (count == 0)
        return false;
    if (KEEP__UNLIKELY(*last == 0))
        *last = keep__thread_number() % count + 1;
    at = *last - 1 < count ? *last - 1 : 0;
    for (uint32_t tried = 0; tried < count; tried++) {
        if (keep__slab_take(atomic_load_explicit(&table->groups[at], memory_order_acquire), out)) {
            *last = at + 1;
            return true;
        }
        at = at + 1 < count ? at + 1 : 0;
    }
    return false;
}

uint64_t keep__table_count_free(const keep__table *table)
{
    uint32_t count = count_of(table);
    uint64_t free = 0;

    for (uint32_t i = 0; i < count; i++) {
        const keep__group *group = atomic_load(&table->groups[i]);

        free += (uint64_t)__builtin_popcountll(atomic_load(&group->free));
    }
    return free;
}
