/* SPDX-License-Identifier: MIT */
/*
 * Random counters in a window of each width (packet T9).
 */
#include "model/window.h"

#include <stdlib.h>

#include "support/stream.h"
#include "support/suite.h"

enum {
    WIDTHS = 7,
    BYTES = 4 * 1000000 + 1
};

START_TEST(a_window_is_a_set_of_the_newest)
{
    struct stream stream = stream_begin();
    uint8_t *bytes = malloc(BYTES);
    const char *wrong;

    ck_assert_ptr_nonnull(bytes);
    stream_fill(&stream, bytes, BYTES);
    bytes[0] = (uint8_t)_i;
    wrong = model_window(bytes, BYTES);
    ck_assert_msg(wrong == NULL, "otherwise than the set: %s", wrong);
    free(bytes);
}
END_TEST

RUN_SUITE("window", TIMES(a_window_is_a_set_of_the_newest, WIDTHS))
