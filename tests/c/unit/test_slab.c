/* SPDX-License-Identifier: MIT */
/*
 * Slab, white box: every transition of a place from every state.
 */
#include "memory/slab.h"

#include <stdlib.h>
#include <string.h>

#include "support/meanwhile.h"
#include "support/stream.h"
#include "support/suite.h"

static keep__group *new_group(uint32_t count)
{
    keep__group *group = aligned_alloc(64, (sizeof *group + 63) / 64 * 64);

    ck_assert_ptr_nonnull(group);
    memset(group, 0, sizeof *group);
    keep__slab_fill(group, count);
    return group;
}

static keep__spot new_live(keep__group *group)
{
    keep__spot spot;

    ck_assert(keep__slab_take(group, &spot));
    keep__slab_hand_out(&spot, 5, 0);
    return spot;
}

START_TEST(a_group_gives_each_place_once)
{
    for (uint32_t count = 1; count <= KEEP__GROUP_PLACES; count++) {
        keep__group *group = new_group(count);
        uint64_t seen = 0;
        keep__spot spot;

        for (uint32_t i = 0; i < count; i++) {
            ck_assert(keep__slab_take(group, &spot));
            ck_assert(spot.group == group && keep__spot_slot(spot) < count && (seen >> keep__spot_slot(spot) & 1) == 0);
            seen |= UINT64_C(1) << keep__spot_slot(spot);
        }
        ck_assert(!keep__slab_take(group, &spot));
        free(group);
    }
}
END_TEST

START_TEST(a_given_place_can_be_taken_again)
{
    keep__group *group = new_group(1);
    keep__spot spot;
    keep__spot again;

    ck_assert(keep__slab_take(group, &spot));
    keep__slab_give(spot);
    ck_assert(keep__slab_take(group, &again));
    ck_assert_uint_eq(keep__spot_slot(again), keep__spot_slot(spot));
    free(group);
}
END_TEST

START_TEST(all_free_places_can_be_taken_at_once_and_put_back)
{
    keep__group *group = new_group(10);
    keep__spot spot;
    uint64_t bits;

    ck_assert(keep__slab_take(group, &spot));
    bits = keep__slab_take_all(group);
    ck_assert_uint_eq(bits, 0x3FF & ~(UINT64_C(1) << keep__spot_slot(spot)));
    ck_assert(!keep__slab_take(group, &spot));
    keep__slab_put_back(group, bits);
    ck_assert_uint_eq(keep__slab_take_all(group), bits);
    free(group);
}
END_TEST

/* memory R20 */
START_TEST(the_generation_grows_at_each_hand_out)
{
    keep__group *group = new_group(1);
    keep__spot spot = new_live(group);
    uint64_t before = keep__spot_generation(spot);
    bool is_left;

    assert_ok(keep__slab_release(spot, &is_left));
    ck_assert(!is_left);
    keep__slab_give(spot);
    spot = new_live(group);
    ck_assert_uint_eq(keep__spot_generation(spot), before + 1);
    free(group);
}
END_TEST

START_TEST(the_generation_wraps_at_36_bits)
{
    keep__group *group = new_group(1);
    keep__spot spot;

    atomic_store(&group->word[0], KEEP__GENERATION_MASK << KEEP__GENERATION_SHIFT);
    spot = new_live(group);
    ck_assert_uint_eq(keep__spot_generation(spot), 0);
    assert_ok(keep__slab_check(spot));
    free(group);
}
END_TEST

/* memory R20: what an old generation asks for is CLOSED, and changes nothing */
START_TEST(a_stale_spot_is_closed_for_every_transition)
{
    keep__group *group = new_group(1);
    keep__spot stale = new_live(group);
    keep__spot spot;
    bool flag;
    uint64_t word;

    assert_ok(keep__slab_release(stale, &flag));
    keep__slab_give(stale);
    for (int is_owned = 0; is_owned < 2; is_owned++) {
        word = keep__spot_word(stale);
        assert_status(keep__slab_check(stale), KEEP_ERR_CLOSED);
        assert_status(keep__slab_check_closed(stale), KEEP_ERR_CLOSED);
        assert_status(keep__slab_check_writable(stale), KEEP_ERR_CLOSED);
        assert_status(keep__slab_read_begin(stale), KEEP_ERR_CLOSED);
        assert_status(keep__slab_write_begin(stale), KEEP_ERR_CLOSED);
        assert_status(keep__slab_end(stale, &flag), KEEP_ERR_CLOSED);
        assert_status(keep__slab_freeze(stale), KEEP_ERR_CLOSED);
        assert_status(keep__slab_melt(stale), KEEP_ERR_CLOSED);
        assert_status(keep__slab_release(stale, &flag), KEEP_ERR_CLOSED);
        ck_assert_uint_eq(keep__spot_word(stale), word);
        if (!is_owned)
            spot = new_live(group);
    }
    assert_ok(keep__slab_check(spot));
    free(group);
}
END_TEST

/* memory R22 */
START_TEST(many_readers_exclude_a_writer_and_a_writer_everybody)
{
    keep__group *group = new_group(1);
    keep__spot spot = new_live(group);
    bool is_last;

    assert_ok(keep__slab_read_begin(spot));
    assert_ok(keep__slab_read_begin(spot));
    assert_status(keep__slab_write_begin(spot), KEEP_ERR_BUSY);
    assert_ok(keep__slab_end(spot, &is_last));
    ck_assert(!is_last);
    assert_ok(keep__slab_end(spot, &is_last));
    ck_assert(is_last);
    assert_status(keep__slab_end(spot, &is_last), KEEP_ERR_STATE);
    assert_ok(keep__slab_write_begin(spot));
    assert_status(keep__slab_write_begin(spot), KEEP_ERR_BUSY);
    assert_status(keep__slab_read_begin(spot), KEEP_ERR_BUSY);
    assert_ok(keep__slab_end(spot, &is_last));
    ck_assert(is_last);
    free(group);
}
END_TEST

/* memory R22 */
START_TEST(the_65536th_reader_is_busy)
{
    keep__group *group = new_group(1);
    keep__spot spot = new_live(group);
    bool is_last;

    for (int i = 0; i < 65535; i++)
        assert_ok(keep__slab_read_begin(spot));
    assert_status(keep__slab_read_begin(spot), KEEP_ERR_BUSY);
    ck_assert_uint_eq(keep__word_windows(keep__spot_word(spot)), 65535);
    for (int i = 0; i < 65535; i++)
        assert_ok(keep__slab_end(spot, &is_last));
    ck_assert(is_last);
    assert_ok(keep__slab_check(spot));
    free(group);
}
END_TEST

START_TEST(an_open_window_keeps_the_place)
{
    keep__group *group = new_group(1);
    keep__spot spot = new_live(group);
    bool flag;

    for (int is_write = 0; is_write < 2; is_write++) {
        assert_ok(is_write ? keep__slab_write_begin(spot) : keep__slab_read_begin(spot));
        assert_status(keep__slab_release(spot, &flag), KEEP_ERR_BUSY);
        assert_status(keep__slab_freeze(spot), KEEP_ERR_BUSY);
        assert_status(keep__slab_melt(spot), KEEP_ERR_BUSY);
        assert_ok(keep__slab_end(spot, &flag));
    }
    assert_ok(keep__slab_release(spot, &flag));
    free(group);
}
END_TEST

/* memory R23 */
START_TEST(a_frozen_place_is_read_but_not_written)
{
    keep__group *group = new_group(1);
    keep__spot spot = new_live(group);
    bool is_last;

    assert_ok(keep__slab_freeze(spot));
    assert_ok(keep__slab_freeze(spot));
    assert_status(keep__slab_write_begin(spot), KEEP_ERR_STATE);
    assert_status(keep__slab_check_writable(spot), KEEP_ERR_STATE);
    assert_ok(keep__slab_read_begin(spot));
    assert_status(keep__slab_write_begin(spot), KEEP_ERR_STATE); /* memory R1: before BUSY */
    assert_ok(keep__slab_end(spot, &is_last));
    assert_ok(keep__slab_melt(spot));
    assert_ok(keep__slab_melt(spot));
    assert_ok(keep__slab_write_begin(spot));
    free(group);
}
END_TEST

/* memory R50 */
START_TEST(a_purged_place_can_only_be_ended_and_released)
{
    keep__group *group = new_group(1);
    keep__spot spot = new_live(group);
    keep__spot held = spot;
    uint32_t windows;
    bool flag;

    assert_ok(keep__slab_freeze(spot));
    assert_ok(keep__slab_read_begin(spot));
    assert_ok(keep__slab_read_begin(spot));
    ck_assert(keep__slab_hold(&held, &windows));
    ck_assert_uint_eq(windows, 2);
    ck_assert_uint_eq(keep__spot_generation(held), keep__spot_generation(spot));
    ck_assert(!keep__slab_let_go(held));
    assert_status(keep__slab_check(spot), KEEP_ERR_PURGED);
    assert_ok(keep__slab_check_closed(spot));
    assert_status(keep__slab_check_writable(spot), KEEP_ERR_PURGED); /* memory R1: before STATE */
    assert_status(keep__slab_read_begin(spot), KEEP_ERR_PURGED);
    assert_status(keep__slab_write_begin(spot), KEEP_ERR_PURGED);
    assert_status(keep__slab_freeze(spot), KEEP_ERR_PURGED);
    assert_status(keep__slab_melt(spot), KEEP_ERR_PURGED);
    assert_status(keep__slab_release(spot, &flag), KEEP_ERR_BUSY);
    assert_ok(keep__slab_end(spot, &flag));
    assert_ok(keep__slab_end(spot, &flag));
    ck_assert(flag);
    assert_ok(keep__slab_release(spot, &flag));
    ck_assert(!flag);
    free(group);
}
END_TEST

/* memory 5: without this a purge wipes the next owner's bytes */
START_TEST(who_leaves_a_held_place_leaves_it_to_the_purge)
{
    keep__group *group = new_group(1);
    keep__spot spot = new_live(group);
    keep__spot held = spot;
    uint32_t windows;
    bool is_left;

    ck_assert(keep__slab_hold(&held, &windows));
    assert_ok(keep__slab_release(spot, &is_left));
    ck_assert(is_left);
    assert_status(keep__slab_check(spot), KEEP_ERR_CLOSED);
    ck_assert(!keep__slab_take(group, &spot));
    ck_assert(keep__slab_let_go(held));
    keep__slab_give(held);
    spot = new_live(group);
    ck_assert_uint_eq(keep__spot_generation(spot), keep__spot_generation(held) + 1);
    free(group);
}
END_TEST

START_TEST(only_a_live_place_can_be_held)
{
    keep__group *group = new_group(2);
    keep__spot spot = keep__spot_of(group, 0, 0);
    uint32_t windows;

    ck_assert(!keep__slab_hold(&spot, &windows));
    ck_assert(keep__slab_take(group, &spot));
    ck_assert(!keep__slab_hold(&spot, &windows));
    free(group);
}
END_TEST

START_TEST(exposure_is_a_flag_of_its_own)
{
    keep__group *group = new_group(1);
    keep__spot spot = new_live(group);
    uint64_t word = keep__spot_word(spot);

    keep__slab_set_exposed(spot, true);
    ck_assert_uint_eq(keep__spot_word(spot), word | KEEP__EXPOSED);
    keep__slab_set_exposed(spot, false);
    ck_assert_uint_eq(keep__spot_word(spot), word);
    free(group);
}
END_TEST

START_TEST(the_invariant_tells_a_free_place_that_lives)
{
    keep__group *group = new_group(3);
    keep__spot spot = new_live(group);

    ck_assert(keep__slab_sane(group));
    keep__slab_give(spot);
    ck_assert(!keep__slab_sane(group));
    (void)keep__slab_take(group, &spot);
    ck_assert(keep__slab_sane(group));
    keep__slab_put_back(group, UINT64_C(1) << 3);
    ck_assert(!keep__slab_sane(group));
    free(group);
}
END_TEST

START_TEST(a_handle_value_is_what_it_was_made_of)
{
    struct stream stream = stream_begin();

    for (int i = 0; i < 100000; i++) {
        keep__handle handle = {
            .generation = stream_next(&stream) & KEEP__GENERATION_MASK,
            .place = (uint32_t)(stream_next(&stream) & KEEP__PLACE_MASK),
            .fork = (uint32_t)(stream_next(&stream) & KEEP__FORK_MASK),
        };
        uint64_t value = keep__handle_value(handle);
        keep__handle parsed;

        ck_assert_uint_eq(value >> 63, 1);
        ck_assert(keep__handle_parse(value, &parsed));
        ck_assert(parsed.generation == handle.generation && parsed.place == handle.place && parsed.fork == handle.fork);
        ck_assert(!keep__handle_parse(value & ~(UINT64_C(1) << 63), &parsed));
    }
}
END_TEST

/* A group whose next write another user of it comes before. */
static keep__group *new_shared_group(uint32_t count)
{
    keep__group *group = new_pages(sizeof *group);

    keep__slab_fill(group, count);
    return group;
}

static void take_too(void *spot)
{
    ck_assert(keep__slab_take(((keep__spot *)spot)->group, spot));
}

START_TEST(who_finds_a_place_taken_takes_the_next)
{
    keep__group *group = new_shared_group(2);
    keep__spot others = { .group = group };
    keep__spot spot;

    before_write(group, sizeof *group, take_too, &others);
    ck_assert(keep__slab_take(group, &spot));
    ck_assert_uint_eq(keep__spot_slot(others), 0);
    ck_assert_uint_eq(keep__spot_slot(spot), 1);
}
END_TEST

static void read_too(void *spot)
{
    assert_ok(keep__slab_read_begin(*(keep__spot *)spot));
}

static void end_too(void *spot)
{
    bool is_last;

    assert_ok(keep__slab_end(*(keep__spot *)spot, &is_last));
    ck_assert(!is_last);
}

static void release_too(void *spot)
{
    bool is_left;

    assert_ok(keep__slab_release(*(keep__spot *)spot, &is_left));
}

START_TEST(windows_that_open_and_end_at_once_are_all_counted)
{
    keep__group *group = new_shared_group(1);
    keep__spot spot = new_live(group);
    bool is_last = false;

    before_write(group, sizeof *group, read_too, &spot);
    assert_ok(keep__slab_read_begin(spot));
    ck_assert_uint_eq(keep__word_windows(keep__spot_word(spot)), 2);
    before_write(group, sizeof *group, end_too, &spot);
    assert_ok(keep__slab_end(spot, &is_last));
    ck_assert(is_last);
}
END_TEST

START_TEST(a_window_that_opens_before_a_release_prevents_it)
{
    keep__group *group = new_shared_group(1);
    keep__spot spot = new_live(group);
    bool is_left;

    before_write(group, sizeof *group, read_too, &spot);
    assert_status(keep__slab_release(spot, &is_left), KEEP_ERR_BUSY);
}
END_TEST

START_TEST(a_place_that_is_released_before_it_is_held_is_not)
{
    keep__group *group = new_shared_group(1);
    keep__spot spot = new_live(group);
    uint32_t windows;

    before_write(group, sizeof *group, release_too, &spot);
    ck_assert(!keep__slab_hold(&spot, &windows));
}
END_TEST

RUN_SUITE("slab", ONCE(a_group_gives_each_place_once), ONCE(a_given_place_can_be_taken_again),
          ONCE(all_free_places_can_be_taken_at_once_and_put_back), ONCE(the_generation_grows_at_each_hand_out),
          ONCE(the_generation_wraps_at_36_bits), ONCE(a_stale_spot_is_closed_for_every_transition),
          ONCE(many_readers_exclude_a_writer_and_a_writer_everybody), ONCE(the_65536th_reader_is_busy),
          ONCE(an_open_window_keeps_the_place), ONCE(a_frozen_place_is_read_but_not_written),
          ONCE(a_purged_place_can_only_be_ended_and_released), ONCE(who_leaves_a_held_place_leaves_it_to_the_purge),
          ONCE(only_a_live_place_can_be_held), ONCE(exposure_is_a_flag_of_its_own),
          ONCE(the_invariant_tells_a_free_place_that_lives), ONCE(a_handle_value_is_what_it_was_made_of),
          ONCE(who_finds_a_place_taken_takes_the_next), ONCE(windows_that_open_and_end_at_once_are_all_counted),
          ONCE(a_window_that_opens_before_a_release_prevents_it),
          ONCE(a_place_that_is_released_before_it_is_held_is_not))
