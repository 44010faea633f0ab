/* SPDX-License-Identifier: MIT */
/*
 * Die, white box: one line, then SIGABRT.
 */
#include "base/die.h"

#include <signal.h>
#include <string.h>

#include "support/forked.h"
#include "support/suite.h"

static void die(void *sentence)
{
    keep__die(sentence);
}

/* memory R30 */
START_TEST(the_sentence_is_said_in_one_line_and_the_process_aborts)
{
    char sentence[] = "guarded memory damaged";
    struct outcome outcome = run_forked(die, sentence);

    ck_assert_int_eq(outcome.signal, SIGABRT);
    ck_assert_str_eq(outcome.said, "libkeep: guarded memory damaged\n");
}
END_TEST

START_TEST(a_sentence_that_is_too_long_is_cut_and_still_a_line)
{
    char sentence[600];
    struct outcome outcome;

    memset(sentence, 'x', sizeof sentence);
    sentence[sizeof sentence - 1] = '\0';
    outcome = run_forked(die, sentence);
    ck_assert_int_eq(outcome.signal, SIGABRT);
    ck_assert_uint_le(strlen(outcome.said), 256);
    ck_assert_int_eq(outcome.said[strlen(outcome.said) - 1], '\n');
}
END_TEST

RUN_SUITE("die", ONCE(the_sentence_is_said_in_one_line_and_the_process_aborts),
          ONCE(a_sentence_that_is_too_long_is_cut_and_still_a_line))
