/* SPDX-License-Identifier: MIT */
/*
 * Window, white box: against a set as model (packet T9).
 */
#include "packet/window.h"

#include <stdlib.h>
#include <string.h>

#include "support/stream.h"
#include "support/suite.h"

enum {
    WIDTHS = 7 /* 1024 to 65536 */
};

static keep__window new_window(int i)
{
    uint32_t width = KEEP__WINDOW_MIN << i;
    uint64_t *ring = calloc(keep__window_words(width), sizeof *ring);
    keep__window window;

    ck_assert_ptr_nonnull(ring);
    keep__window_init(&window, width, ring);
    return window;
}

/* The model remembers the newest counters by their remainder, and forgets none that could still be asked for. */
enum {
    REMEMBERED = 4 * KEEP__WINDOW_MAX
};

struct model {
    uint64_t next;
    uint64_t seen[REMEMBERED]; /* the counter + 1 */
};

static bool model_commit(struct model *model, uint32_t width, uint64_t counter)
{
    uint64_t *seen = &model->seen[counter % REMEMBERED];

    if (counter == UINT64_MAX)
        return false;
    if (counter < model->next && (model->next - 1 - counter >= width || *seen == counter + 1))
        return false;
    *seen = counter + 1;
    if (counter >= model->next)
        model->next = counter + 1;
    return true;
}

/* A counter near the edges that matter. */
static uint64_t next_counter(struct stream *stream, uint64_t next, uint32_t width)
{
    uint64_t age = stream_below(stream, (uint64_t)width + 200);

    switch (stream_below(stream, 8)) {
    case 0:
        return next + stream_below(stream, 3);
    case 1:
        return next + stream_below(stream, 2 * (uint64_t)width);
    case 2:
        return next - 1 - width + stream_below(stream, 3); /* ages W + 1 ... W - 1 */
    case 3:
        return next + (stream_below(stream, 1000) == 0 ? stream_next(stream) >> 20 : 64);
    default:
        return next - 1 - age;
    }
}

START_TEST(a_window_is_a_set_of_the_newest)
{
    struct model *model = calloc(1, sizeof *model);
    keep__window window = new_window(_i);
    struct stream stream = stream_begin();

    ck_assert_ptr_nonnull(model);
    for (int i = 0; i < 1000000; i++) {
        uint64_t counter = next_counter(&stream, window.next, window.width);
        bool wanted = model_commit(model, window.width, counter);

        ck_assert_msg(keep__window_commit(&window, counter) == wanted, "counter %#llx", (unsigned long long)counter);
        ck_assert_uint_eq(window.next, model->next);
    }
    free(window.ring);
    free(model);
}
END_TEST

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

RUN_SUITE("window", TIMES(a_window_is_a_set_of_the_newest, WIDTHS),
          TIMES(ages_are_exact_wherever_the_newest_stands, WIDTHS),
          TIMES(the_last_counter_is_used_and_all_before_it_remembered, WIDTHS))
