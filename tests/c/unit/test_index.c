/* SPDX-License-Identifier: MIT */
/*
 * Index, white box: against a map, over any history of pids (tracker R19, T2).
 */
#include "tracker/index.h"

#include <stdlib.h>

#include "support/stream.h"
#include "support/suite.h"

enum {
    SLOTS = 64,
    PIDS = 100
};

static keep__slot slots[SLOTS];
static uint32_t chains[2 * SLOTS];
static const uint8_t key[KEEP__INDEX_KEY_LEN] = { 1, 2, 3 };

/* The longest chain of an index. */
static uint32_t longest_chain(const keep__index *index)
{
    uint32_t longest = 0;

    for (uint32_t i = 0; i <= index->mask; i++) {
        uint32_t length = 0;

        for (uint32_t at = index->chains[i]; at != KEEP__NOBODY; at = slots[at].next)
            length++;
        longest = length > longest ? length : longest;
    }
    return longest;
}

START_TEST(there_are_twice_as_many_chains_as_slots)
{
    ck_assert_uint_eq(keep__index_chains(1), 2);
    ck_assert_uint_eq(keep__index_chains(64), 128);
    ck_assert_uint_eq(keep__index_chains(65), 256);
    ck_assert_uint_eq(keep__index_chains(KEEP_MAX_AGENTS), 2 * KEEP_MAX_AGENTS);
}
END_TEST

START_TEST(an_index_does_what_a_map_does)
{
    struct stream stream = stream_begin();
    uint32_t map[PIDS + 1]; /* the slot of each pid */
    keep__index index;

    keep__index_init(&index, chains, SLOTS, key);
    for (uint32_t pid = 1; pid <= PIDS; pid++)
        map[pid] = KEEP__NOBODY;
    for (int i = 0; i < 200000; i++) {
        uint32_t pid = 1 + (uint32_t)stream_below(&stream, PIDS), at = (uint32_t)stream_below(&stream, SLOTS);

        ck_assert_uint_eq(keep__index_find(&index, slots, pid), map[pid]);
        if (map[pid] != KEEP__NOBODY) {
            slots[map[pid]].pid = pid;
            keep__index_remove(&index, slots, map[pid]);
            slots[map[pid]].pid = 0;
            map[pid] = KEEP__NOBODY;
        } else if (slots[at].pid == 0) {
            slots[at].pid = pid;
            keep__index_add(&index, slots, at);
            map[pid] = at;
        }
    }
}
END_TEST

/* Whoever came and went leaves no trace: a chain is as long as who is there makes it. */
START_TEST(lookup_stays_flat_over_any_history)
{
    keep__index index;

    keep__index_init(&index, chains, SLOTS, key);
    for (uint32_t pid = 1; pid < 1000000; pid++) {
        slots[pid % SLOTS].pid = pid;
        keep__index_add(&index, slots, pid % SLOTS);
        if (pid >= SLOTS - 1) {
            uint32_t gone = (pid + 1) % SLOTS;

            if (slots[gone].pid != 0)
                keep__index_remove(&index, slots, gone);
            slots[gone].pid = 0;
        }
    }
    ck_assert_uint_le(longest_chain(&index), 6);
}
END_TEST

START_TEST(another_key_makes_other_chains)
{
    static const uint8_t other_key[KEEP__INDEX_KEY_LEN] = { 9 };
    uint32_t chain[2][SLOTS];
    int differing = 0;

    for (int i = 0; i < 2; i++) {
        keep__index index;

        keep__index_init(&index, chains, SLOTS, i == 0 ? key : other_key);
        for (uint32_t at = 0; at < SLOTS; at++) {
            slots[at].pid = 1 + at;
            keep__index_add(&index, slots, at);
            for (chain[i][at] = 0; chains[chain[i][at]] != at; chain[i][at]++)
                continue;
        }
    }
    for (uint32_t at = 0; at < SLOTS; at++)
        differing += chain[0][at] != chain[1][at];
    ck_assert_int_gt(differing, SLOTS / 2);
}
END_TEST

RUN_SUITE("index", ONCE(there_are_twice_as_many_chains_as_slots), ONCE(an_index_does_what_a_map_does),
          ONCE(lookup_stays_flat_over_any_history), ONCE(another_key_makes_other_chains))
