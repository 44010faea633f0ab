/* SPDX-License-Identifier: MIT */
/*
 * Window: the set remembers the newest counters by their remainder, and forgets none that could still be asked for.
 */
#include "model/window.h"

#include <stdlib.h>
#include <string.h>

#include "packet/window.h"

enum {
    REMEMBERED = 4 * KEEP__WINDOW_MAX,
    STEP_LEN = 4 /* what, and three bytes of how far */
};

struct set {
    uint64_t next;
    uint64_t seen[REMEMBERED]; /* the counter + 1 */
};

static bool set_commit(struct set *set, uint32_t width, uint64_t counter)
{
    uint64_t *seen = &set->seen[counter % REMEMBERED];

    if (counter == UINT64_MAX)
        return false;
    if (counter < set->next && (set->next - 1 - counter >= width || *seen == counter + 1))
        return false;
    *seen = counter + 1;
    if (counter >= set->next)
        set->next = counter + 1;
    return true;
}

static uint64_t counter_of(const uint8_t *step, uint64_t next, uint32_t width)
{
    uint64_t far = (uint64_t)step[1] | (uint64_t)step[2] << 8 | (uint64_t)step[3] << 16;

    switch (step[0] % 16) {
    case 0:
        return next + far % 3;
    case 1:
        return next + far % (2 * width);
    case 2:
        return next - 1 - width + far % 3; /* ages W + 1 to W - 1 */
    case 3:
        return next + (far % 64 == 0 ? far << 40 : 64);
    case 4:
        return far % 64 == 0 ? UINT64_MAX - far / 64 % 3 : next;
    default:
        return next - 1 - far % (width + 200);
    }
}

const char *model_window(const uint8_t *bytes, size_t len)
{
    uint32_t width = (uint32_t)KEEP__WINDOW_MIN << (len == 0 ? 0 : bytes[0] % 7);
    uint64_t *ring = calloc(keep__window_words(width), sizeof *ring);
    struct set *set = calloc(1, sizeof *set);
    const char *wrong = ring == NULL || set == NULL ? "memory" : NULL;
    keep__window window;

    keep__window_init(&window, width, ring);
    for (size_t at = 1; wrong == NULL && at + STEP_LEN <= len; at += STEP_LEN) {
        uint64_t counter = counter_of(bytes + at, window.next, width);

        if (keep__window_commit(&window, counter) != set_commit(set, width, counter))
            wrong = "whether a counter is new";
        else if (window.next != set->next)
            wrong = "which counter is the newest";
    }
    free(ring);
    free(set);
    return wrong;
}
