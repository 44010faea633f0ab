/* SPDX-License-Identifier: MIT */
/*
 * Deadlines. Invariant: no entry comes before its parent, (i - 1) / 2; a slot's heap_at is the place of its entry; an
 * entry's time is not after its slot's deadline. So a head whose time is its slot's deadline is the first of all.
 */
#include "tracker/deadlines.h"

#include "base/die.h"
#include "base/banned.h"

static bool comes_before(const keep__deadline *one, const keep__deadline *other)
{
    return one->at_ns != other->at_ns ? one->at_ns < other->at_ns : one->pid < other->pid;
}

static void place_entry(keep__deadlines *deadlines, keep__slot *slots, uint32_t place, keep__deadline entry)
{
    deadlines->heap[place] = entry;
    slots[entry.slot].heap_at = place;
}

/* Moves an entry from `place` towards the head, as far as it comes before others. */
static void move_up(keep__deadlines *deadlines, keep__slot *slots, uint32_t place, keep__deadline entry)
{
    while (place > 0 && comes_before(&entry, &deadlines->heap[(place - 1) / 2])) {
        place_entry(deadlines, slots, place, deadlines->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    place_entry(deadlines, slots, place, entry);
}

/* Moves an entry from `place` away from the head, as far as others come before it. */
static void move_down(keep__deadlines *deadlines, keep__slot *slots, uint32_t place, keep__deadline entry)
{
    uint32_t child = 2 * place + 1;

    while (child < deadlines->count) {
        if (child + 1 < deadlines->count && comes_before(&deadlines->heap[child + 1], &deadlines->heap[child]))
            child++;
        if (!comes_before(&deadlines->heap[child], &entry))
            break;
        place_entry(deadlines, slots, place, deadlines->heap[child]);
        place = child;
        child = 2 * place + 1;
    }
    place_entry(deadlines, slots, place, entry);
}

void keep__deadlines_put(keep__deadlines *deadlines, keep__slot *slots, uint32_t at)
{
    keep__deadline entry = { keep__slot_deadline(&slots[at]), slots[at].pid, at };
    uint32_t place = slots[at].heap_at;

    if (place == KEEP__NOBODY)
        move_up(deadlines, slots, deadlines->count++, entry);
    else if (entry.at_ns < deadlines->heap[place].at_ns)
        move_up(deadlines, slots, place, entry);
}

void keep__deadlines_remove(keep__deadlines *deadlines, keep__slot *slots, uint32_t at)
{
    uint32_t place = slots[at].heap_at;
    keep__deadline last;

    if (place == KEEP__NOBODY)
        return;
    slots[at].heap_at = KEEP__NOBODY;
    last = deadlines->heap[--deadlines->count];
    if (last.slot == at)
        return;
    if (place > 0 && comes_before(&last, &deadlines->heap[(place - 1) / 2]))
        move_up(deadlines, slots, place, last);
    else
        move_down(deadlines, slots, place, last);
}

uint32_t keep__deadlines_first(keep__deadlines *deadlines, keep__slot *slots)
{
    while (deadlines->count > 0) {
        keep__deadline head = deadlines->heap[0];
        uint64_t deadline = keep__slot_deadline(&slots[head.slot]);

        keep__assert(head.at_ns <= deadline);
        if (head.at_ns == deadline)
            return head.slot;
        head.at_ns = deadline;
        move_down(deadlines, slots, 0, head);
    }
    return KEEP__NOBODY;
}
