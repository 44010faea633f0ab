/* SPDX-License-Identifier: MIT */
/*
 * Transforms of the tracker: inputs that are none. What they answer is in the vectors.
 */
#include <keep/tracker.h>

#include <string.h>

#include "support/suite.h"

static const struct {
    const char *name;
    size_t len;
    const char *begin; /* zeros follow */
} inputs[] = {
    { "beat.encode", 0, "" },   { "beat.encode", 24, "" },   { "beat.encode", 26, "" },   { "beat.encode", 25, "" },
    { "notice.encode", 0, "" }, { "notice.encode", 21, "" }, { "notice.encode", 22, "" }, { "notice.encode", 23, "" },
    { "iv.prefix", 0, "" },     { "iv.prefix", 100, "" },    { "beat.seal", 0, "" },      { "beat.seal", 80, "\1" },
    { "beat.seal", 82, "\1" },  { "beat.seal", 81, "" },     { "beat.open", 0, "" },      { "beat.open", 32, "\1" },
    { "beat.open", 93, "\3" },
};

START_TEST(inputs_of_another_form_are_refused)
{
    uint8_t in[128] = { 0 };
    uint8_t out[128];
    size_t len = 7;

    memcpy(in, inputs[_i].begin, strlen(inputs[_i].begin));
    assert_status(keep_tracker_known_answer(inputs[_i].name, in, inputs[_i].len, out, sizeof out, &len),
                  KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_uint_eq(len, 7);
}
END_TEST

RUN_SUITE("transforms", TIMES(inputs_of_another_form_are_refused, sizeof inputs / sizeof *inputs))
