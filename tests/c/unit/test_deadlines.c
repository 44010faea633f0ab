/* SPDX-License-Identifier: MIT */
/*
 * Deadlines, white box: the heap's order and places, and entries that are older than their slots (tracker R19).
 */
#include "tracker/deadlines.h"

#include "support/stream.h"
#include "support/suite.h"

enum {
    SLOTS = 40
};

static keep__slot slots[SLOTS];
static keep__deadline heap[SLOTS];

static bool is_sane(const keep__deadlines *deadlines)
{
    for (uint32_t i = 0; i < deadlines->count; i++) {
        const keep__deadline *entry = &heap[i], *parent = &heap[(i - (i > 0)) / 2];
        bool is_in_order = parent->at_ns < entry->at_ns || (parent->at_ns == entry->at_ns && parent->pid <= entry->pid);

        if (!is_in_order || slots[entry->slot].heap_at != i ||
            entry->at_ns > keep__slot_deadline(&slots[entry->slot]))
            return false;
    }
    return true;
}

/* The first by looking at all. */
static uint32_t first_of_all(void)
{
    uint32_t first = KEEP__NOBODY;

    for (uint32_t at = 0; at < SLOTS; at++) {
        uint64_t deadline = keep__slot_deadline(&slots[at]);

        if (slots[at].heap_at == KEEP__NOBODY)
            continue;
        if (first == KEEP__NOBODY || deadline < keep__slot_deadline(&slots[first]) ||
            (deadline == keep__slot_deadline(&slots[first]) && slots[at].pid < slots[first].pid))
            first = at;
    }
    return first;
}

START_TEST(the_first_is_the_first_of_all)
{
    struct stream stream = stream_begin();
    keep__deadlines deadlines = { .heap = heap };

    for (uint32_t at = 0; at < SLOTS; at++)
        slots[at] = (keep__slot){ .pid = SLOTS - at, .heap_at = KEEP__NOBODY };
    for (int i = 0; i < 20000; i++) {
        uint32_t at = (uint32_t)stream_below(&stream, SLOTS);

        switch (stream_below(&stream, 4)) {
        case 0: /* a beat: the slot's deadline moves back, the heap does not know */
            slots[at].start += stream_below(&stream, 5);
            break;
        case 1: /* other settings: forward, too */
            slots[at].start = stream_below(&stream, 50);
            keep__deadlines_put(&deadlines, slots, at);
            break;
        case 2:
            keep__deadlines_remove(&deadlines, slots, at);
            break;
        default:
            ck_assert_uint_eq(keep__deadlines_first(&deadlines, slots), first_of_all());
        }
        ck_assert(is_sane(&deadlines));
    }
}
END_TEST

START_TEST(an_idle_look_moves_nothing)
{
    keep__deadlines deadlines = { .heap = heap };

    ck_assert(keep__deadlines_idle(&deadlines, UINT64_MAX));
    slots[0] = (keep__slot){ .pid = 1, .start = 10, .limit_ns = 5, .heap_at = KEEP__NOBODY };
    keep__deadlines_put(&deadlines, slots, 0);
    ck_assert(keep__deadlines_idle(&deadlines, 14));
    ck_assert(!keep__deadlines_idle(&deadlines, 15));
    ck_assert_uint_eq(keep__deadlines_first(&deadlines, slots), 0);
    keep__deadlines_remove(&deadlines, slots, 0);
    keep__deadlines_remove(&deadlines, slots, 0);
    ck_assert_uint_eq(keep__deadlines_first(&deadlines, slots), KEEP__NOBODY);
}
END_TEST

RUN_SUITE("deadlines", ONCE(the_first_is_the_first_of_all), ONCE(an_idle_look_moves_nothing))
