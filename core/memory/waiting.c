/* SPDX-License-Identifier: MIT */
/*
 * Waiting. Invariant: `attention` of the tier counts the waiters that are listed. A waiter stands on its thread's stack;
 * it is taken out of the line by whoever serves it, or by itself when its time is up, both under the lock.
 */
#include "memory/waiting.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/die.h"
#include "base/trace.h"
#include "memory/pool.h"
#include "memory/tier.h"
#include "base/banned.h"

struct keep__waiter {
    keep__waiter *next;
    keep__condition served_condition;
    keep__spot spot;
    bool is_served;
};

static uint64_t deadline_of(uint32_t timeout_ms)
{
    if (timeout_ms == KEEP_WAIT_FOREVER)
        return UINT64_MAX;
    return keep__clock_now_ns() + (uint64_t)timeout_ms * 1000000U;
}

static void append_locked(keep__tier *tier, keep__waiter *waiter) KEEP_HOLDS(tier->line.lock)
{
    keep__line *line = &tier->line;

    if (line->last == NULL)
        line->first = waiter;
    else
        line->last->next = waiter;
    line->last = waiter;
    atomic_fetch_add(&tier->attention, 1);
}

static void remove_locked(keep__tier *tier, keep__waiter *waiter) KEEP_HOLDS(tier->line.lock)
{
    keep__line *line = &tier->line;
    keep__waiter **link = &line->first;
    keep__waiter *before = NULL;

    while (*link != waiter) {
        before = *link;
        link = &before->next;
    }
    *link = waiter->next;
    if (line->last == waiter)
        line->last = before;
    atomic_fetch_sub(&tier->attention, 1);
}

static void serve_locked(keep__tier *tier) KEEP_HOLDS(tier->line.lock)
{
    keep__waiter *first = tier->line.first;

    while (first != NULL && keep__tier_take(tier, &first->spot)) {
        remove_locked(tier, first);
        first->is_served = true;
        keep__condition_wake(&first->served_condition);
        first = tier->line.first;
    }
}

static keep_status wait_locked(keep__tier *tier, keep__waiter *waiter, uint64_t deadline_ns) KEEP_HOLDS(tier->line.lock)
{
    while (!waiter->is_served) {
        if (!keep__condition_wait(&waiter->served_condition, &tier->line.lock, deadline_ns))
            break;
    }
    if (waiter->is_served)
        return KEEP_OK;
    remove_locked(tier, waiter);
    return keep__trace(KEEP_ERR_TIMEOUT);
}

/* Whoever frees a slot from here on sees the waiter; what was free before is his too. */
static void list_waiter(keep__tier *tier, keep__waiter *waiter)
{
    keep__lock_acquire(&tier->line.lock);
    append_locked(tier, waiter);
    serve_locked(tier);
    keep__lock_release(&tier->line.lock);
}

void keep__line_init(keep__line *line)
{
    keep__lock_init(&line->lock, KEEP__RANK_WAITING);
}

keep_status keep__line_wait(keep__tier *tier, uint32_t timeout_ms, keep__spot *out)
{
    keep__waiter waiter = { .is_served = false };
    uint64_t deadline_ns = deadline_of(timeout_ms);
    keep_status st;

    keep__condition_init(&waiter.served_condition);
    list_waiter(tier, &waiter);
    (void)keep__cache_evict(&tier->pool->cache, tier); /* a slot that was cached while nobody was listed */
    keep__lock_acquire(&tier->line.lock);
    st = wait_locked(tier, &waiter, deadline_ns);
    keep__lock_release(&tier->line.lock);
    keep__condition_end(&waiter.served_condition);
    if (st == KEEP_OK)
        *out = waiter.spot;
    return st;
}

void keep__line_serve(keep__tier *tier)
{
    keep__lock_acquire(&tier->line.lock);
    serve_locked(tier);
    keep__lock_release(&tier->line.lock);
}
