/* SPDX-License-Identifier: MIT */
/*
 * Window. Invariant: bit c mod 64 of word (c / 64) mod words tells of counter c, for every c from the word of
 * next - W on; bits from `next` on are zero.
 */
#include "packet/window.h"

#include "base/die.h"
#include "base/banned.h"

static uint64_t *word_of(keep__window *window, uint64_t counter)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): width / 64 + 1 */
    return &window->ring[counter / 64 % keep__window_words(window->width)];
}

/* Clears the words that come into sight when `counter` becomes the newest. */
static void move_to(keep__window *window, uint64_t counter)
{
    uint64_t words = keep__window_words(window->width);
    uint64_t newest = window->next == 0 ? 0 : (window->next - 1) / 64;
    uint64_t steps = counter / 64 - newest;

    if (steps > words)
        steps = words;
    for (uint64_t i = 0; i < steps; i++)
        *word_of(window, counter - i * 64) = 0;
    window->next = counter + 1;
}

void keep__window_init(keep__window *window, uint32_t width, uint64_t *ring)
{
    keep__assert(width >= KEEP__WINDOW_MIN && width <= KEEP__WINDOW_MAX && (width & (width - 1)) == 0);
    window->next = 0;
    window->width = width;
    window->ring = ring;
}

bool keep__window_commit(keep__window *window, uint64_t counter)
{
    uint64_t bit = UINT64_C(1) << counter % 64;
    uint64_t *word;

    if (counter == UINT64_MAX)
        return false;
    if (counter >= window->next)
        move_to(window, counter);
    else if (window->next - 1 - counter >= window->width)
        return false;
    word = word_of(window, counter);
    if ((*word & bit) != 0)
        return false;
    *word |= bit;
    return true;
}
