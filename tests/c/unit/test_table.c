/* SPDX-License-Identifier: MIT */
/*
 * Table, white box: entering, growing, removing and searching groups that hold no memory.
 */
#include "memory/table.h"

#include "base/heap.h"
#include "support/suite.h"

#define GROUPS 20
#define PLACES 3

static keep__group *groups[GROUPS];
static uint8_t bytes[GROUPS];

static keep__table *table_of(int count)
{
    keep__table *table = NULL;

    for (int i = 0; i < count; i++) {
        keep__table *larger = keep__table_with_room(table, 1);

        ck_assert_ptr_nonnull(larger);
        if (larger != table && table != NULL)
            keep__table_free(table);
        table = larger;
        groups[i] = keep__heap_new_line(sizeof *groups[i]);
        atomic_store(&groups[i]->base, &bytes[i]);
        keep__slab_fill(groups[i], PLACES);
        keep__table_enter(table, groups[i]);
    }
    return table;
}

static void end_table(keep__table *table, int count)
{
    keep__table_free(table);
    for (int i = 0; i < count; i++)
        keep__heap_free(groups[i], sizeof *groups[i]);
}

START_TEST(every_place_is_found_once)
{
    keep__table *table = table_of(GROUPS);
    keep__spot spot;

    ck_assert_uint_eq(keep__table_count_free(table), GROUPS * PLACES);
    for (int i = 0; i < GROUPS * PLACES; i++)
        ck_assert(keep__table_take(table, 0, &spot));
    ck_assert(!keep__table_take(table, 0, &spot));
    ck_assert_uint_eq(keep__table_count_free(table), 0);
    end_table(table, GROUPS);
}
END_TEST

START_TEST(a_freed_place_is_found_again)
{
    keep__table *table = table_of(2);
    keep__spot spot;
    keep__spot again;

    for (int i = 0; i < 2 * PLACES; i++)
        ck_assert(keep__table_take(table, 1, &spot));
    keep__slab_give(spot);
    ck_assert(keep__table_take(table, 1, &again));
    ck_assert_ptr_eq(again.group, spot.group);
    end_table(table, 2);
}
END_TEST

START_TEST(groups_of_removed_pages_are_not_searched_any_more)
{
    keep__table *table = table_of(GROUPS);
    keep__pages pages = { .data = &bytes[5], .len = 10 };
    keep__spot spot;

    keep__table_leave(table, &pages);
    ck_assert_uint_eq(keep__table_count_free(table), (GROUPS - 10) * PLACES);
    while (keep__table_take(table, 0, &spot))
        ck_assert(!keep__pages_hold(&pages, atomic_load(&spot.group->base)));
    ck_assert_uint_eq(keep__slab_take_all(groups[5]), 7);
    end_table(table, GROUPS);
}
END_TEST

START_TEST(a_table_with_room_is_kept)
{
    keep__table *table = table_of(1);

    ck_assert_ptr_eq(keep__table_with_room(table, 1), table);
    ck_assert_uint_ge(keep__table_bytes(table), sizeof *table + sizeof(void *));
    end_table(table, 1);
}
END_TEST

START_TEST(an_empty_table_gives_nothing_and_none_is_freed_as_nothing)
{
    keep__table *table = keep__table_with_room(NULL, 1);
    keep__spot spot;

    ck_assert(!keep__table_take(table, 0, &spot));
    keep__table_free(table);
    keep__table_free(NULL);
}
END_TEST

RUN_SUITE("table", ONCE(every_place_is_found_once), ONCE(a_freed_place_is_found_again),
          ONCE(groups_of_removed_pages_are_not_searched_any_more), ONCE(a_table_with_room_is_kept),
          ONCE(an_empty_table_gives_nothing_and_none_is_freed_as_nothing))
