/* SPDX-License-Identifier: MIT */
/*
 * Senders, white box: marks, silence to the nanosecond, and who gives way (tracker R45).
 */
#include "tracker/senders.h"

#include "support/suite.h"

static keep__senders senders;

static bool hears(uint32_t pid, uint64_t nonce, uint64_t now_ns)
{
    const keep__heard heard = { .pid = pid, .nonce = nonce };

    return keep__senders_accept(&senders, &heard, now_ns, 0);
}

static bool hears_terminal(uint32_t pid, uint64_t timestamp_ns, uint64_t gap_ns, uint64_t now_ns)
{
    const keep__heard heard = { .pid = pid, .nonce = UINT64_MAX, .timestamp_ns = timestamp_ns, .is_terminal = true };

    return keep__senders_accept(&senders, &heard, now_ns, gap_ns);
}

START_TEST(only_a_higher_nonce_is_new)
{
    ck_assert(hears(5, 0, 0));
    ck_assert(!hears(5, 0, 1));
    ck_assert(hears(5, 1, 2));
    ck_assert(hears(4, 1, 3));
    ck_assert(!hears(5, 1, 4));
    ck_assert(hears(5, UINT64_MAX - 1, 5));
    ck_assert(!hears(5, 0, 6));
}
END_TEST

START_TEST(a_last_word_has_a_mark_of_its_own)
{
    ck_assert(hears_terminal(5, 0, 0, 0));
    ck_assert(!hears_terminal(5, 0, 0, 1));
    ck_assert(hears_terminal(5, 1, 0, 2));
    ck_assert(hears(5, 1, 3));
}
END_TEST

START_TEST(a_silence_as_long_as_the_gap_starts_over)
{
    keep__heard beat = { .pid = 5, .nonce = 9 }, notice = { .pid = 5, .nonce = 1, .is_notice = true };

    ck_assert(keep__senders_accept(&senders, &beat, 1000, 100));
    ck_assert(hears_terminal(5, 7, 100, 1000));
    beat.nonce = 1;
    ck_assert(!keep__senders_accept(&senders, &beat, 1099, 100));
    ck_assert(!keep__senders_accept(&senders, &notice, 1100, 100));
    ck_assert(!hears_terminal(5, 7, 100, 1100));
    ck_assert(keep__senders_accept(&senders, &beat, 1100, 100));
    ck_assert(hears_terminal(5, 1, 100, 1100));
}
END_TEST

START_TEST(the_one_silent_longest_gives_way_then_the_least_pid)
{
    for (uint32_t i = 0; i < KEEP_MAX_SEALED_SENDERS; i++)
        ck_assert(hears(5000 - i, 10, i == 3 ? 0 : 1));
    ck_assert(hears(1, 1, 2));
    ck_assert_uint_eq(senders.evicted, 1);
    ck_assert(!hears(1, 1, 3));
    ck_assert(hears(2, 1, 3));
    ck_assert_uint_eq(senders.evicted, 2);
    ck_assert_uint_eq(senders.count, KEEP_MAX_SEALED_SENDERS);
    ck_assert(!hears(5000, 10, 4));
    ck_assert(hears(5000 - 3, 1, 4));                           /* went first */
    ck_assert(hears(5000 - KEEP_MAX_SEALED_SENDERS + 1, 1, 4)); /* went second */
}
END_TEST

RUN_SUITE("senders", ONCE(only_a_higher_nonce_is_new), ONCE(a_last_word_has_a_mark_of_its_own),
          ONCE(a_silence_as_long_as_the_gap_starts_over), ONCE(the_one_silent_longest_gives_way_then_the_least_pid))
