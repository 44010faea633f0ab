/* SPDX-License-Identifier: MIT */
/*
 * One place's word, changed by four threads at once in every way there is.
 */
#include "memory/slab.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/threads.h"

/* A group of one place, and the spot under which it lives at present. */
struct arena {
    keep__group *group;
    _Atomic uint64_t at;
};

static keep__spot current(struct arena *arena)
{
    return (keep__spot){ arena->group, atomic_load(&arena->at) };
}

static void make_live(struct arena *arena)
{
    keep__spot spot;

    while (!keep__slab_take(arena->group, &spot)) /* the holder gives it back */
        sched_yield();
    keep__slab_hand_out(&spot, 1, 0);
    atomic_store(&arena->at, spot.at);
}

static void open_and_close(struct worker *worker)
{
    int count = rounds(40000000);
    bool is_last;

    for (int i = 0; i < count; i++) {
        keep__spot spot = current(worker->shared);
        keep_status st = i % 4 == 0 ? keep__slab_write_begin(spot) : keep__slab_read_begin(spot);

        if (st == KEEP_OK && keep__slab_end(spot, &is_last) != KEEP_OK)
            ck_abort_msg("a window that was begun cannot be ended");
    }
}

static void freeze_and_melt(struct worker *worker)
{
    int count = rounds(40000000);

    for (int i = 0; i < count; i++) {
        keep__spot spot = current(worker->shared);

        (void)!(i % 2 == 0 ? keep__slab_freeze(spot) : keep__slab_melt(spot));
    }
}

static void release_and_make_anew(struct worker *worker)
{
    struct arena *arena = worker->shared;
    int count = rounds(40000000);

    for (int i = 0; i < count; i++) {
        keep__spot spot = current(arena);
        bool is_left = false;

        if (keep__slab_release(spot, &is_left) != KEEP_OK)
            continue;
        if (!is_left)
            keep__slab_give(spot);
        make_live(arena);
    }
}

static void hold_and_let_go(struct worker *worker)
{
    struct arena *arena = worker->shared;
    uint32_t windows;

    while (!atomic_load(&worker->crew->is_over)) {
        keep__spot spot = keep__spot_of(arena->group, 0, 0);

        if (keep__slab_hold(&spot, &windows) && keep__slab_let_go(spot))
            keep__slab_give(spot);
    }
}

/* memory 5: races are lost in the word, and nowhere else */
START_TEST(a_place_that_all_fight_for_stays_whole)
{
    struct arena arena = { .group = aligned_alloc(64, (sizeof(keep__group) + 63) / 64 * 64) };
    struct crew crew = { 0 };
    bool is_left;

    ck_assert_ptr_nonnull(arena.group);
    memset(arena.group, 0, sizeof *arena.group);
    keep__slab_fill(arena.group, 1);
    make_live(&arena);
    crew_add(&crew, 1, release_and_make_anew, &arena);
    crew_add(&crew, 1, open_and_close, &arena);
    crew_add(&crew, 1, freeze_and_melt, &arena);
    crew_add(&crew, 1, hold_and_let_go, &arena);
    crew_run(&crew, 3);
    ck_assert_uint_eq(keep__word_windows(keep__spot_word(current(&arena))), 0);
    assert_ok(keep__slab_release(current(&arena), &is_left));
    keep__slab_give(current(&arena));
    ck_assert(keep__slab_sane(arena.group));
    free(arena.group);
}
END_TEST

static void take_and_give(struct worker *worker)
{
    int count = rounds(40000000);
    keep__spot spot;

    for (int i = 0; i < count; i++) {
        if (keep__slab_take(worker->shared, &spot))
            keep__slab_give(spot);
    }
}

START_TEST(a_free_place_is_taken_by_one)
{
    keep__group *group = aligned_alloc(64, (sizeof(keep__group) + 63) / 64 * 64);
    struct crew crew = { 0 };

    ck_assert_ptr_nonnull(group);
    memset(group, 0, sizeof *group);
    keep__slab_fill(group, 2);
    crew_add(&crew, 4, take_and_give, group);
    crew_run(&crew, 4);
    ck_assert_uint_eq(keep__slab_take_all(group), 3);
    free(group);
}
END_TEST

RUN_SUITE("slab", ONCE(a_place_that_all_fight_for_stays_whole), ONCE(a_free_place_is_taken_by_one))
