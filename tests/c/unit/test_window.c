/* SPDX-License-Identifier: MIT */
/*
 * Window, white box: its edges. tests/c/model runs it beside a set.
 */
#include "packet/window.h"

#include <stdlib.h>

#include "support/suite.h"

enum {
    WIDTHS = 7 /* 1024 to 65536 */
};

static keep__window new_window(int i)
{
    uint32_t width = (uint32_t)KEEP__WINDOW_MIN << i;
    uint64_t *ring = calloc(keep__window_words(width), sizeof *ring);
    keep__window window;

    ck_assert_ptr_nonnull(ring);
    keep__window_init(&window, width, ring);
    return window;
}

/* packet R24 */
START_TEST(ages_are_exact_wherever_the_newest_stands)
{
    for (uint64_t place = 0; place < 130; place++) {
        keep__window window = new_window(_i);
        uint64_t newest = 5 * (uint64_t)window.width + place;

        ck_assert(keep__window_commit(&window, newest));
        ck_assert(!keep__window_commit(&window, newest));
        ck_assert(!keep__window_commit(&window, newest - window.width));
        ck_assert(keep__window_commit(&window, newest - window.width + 1));
        ck_assert(!keep__window_commit(&window, newest - window.width + 1));
        free(window.ring);
    }
}
END_TEST

START_TEST(the_last_counter_is_used_and_all_before_it_remembered)
{
    keep__window window = new_window(_i);

    ck_assert(!keep__window_commit(&window, UINT64_MAX));
    ck_assert(keep__window_commit(&window, UINT64_MAX - 1));
    ck_assert(!keep__window_commit(&window, UINT64_MAX - 1));
    ck_assert(!keep__window_commit(&window, UINT64_MAX));
    for (uint64_t age = 1; age < window.width; age++)
        ck_assert(keep__window_commit(&window, UINT64_MAX - 1 - age));
    ck_assert(!keep__window_commit(&window, UINT64_MAX - 1 - window.width));
    ck_assert(!keep__window_commit(&window, 0));
    free(window.ring);
}
END_TEST

RUN_SUITE("window", TIMES(ages_are_exact_wherever_the_newest_stands, WIDTHS),
          TIMES(the_last_counter_is_used_and_all_before_it_remembered, WIDTHS))
