/* SPDX-License-Identifier: MIT */
/*
 * Stream, white box: nonces at their end, timestamps, and what each errno makes of a frame (tracker R48 to R51).
 */
#include "tracker/stream.h"

#include <errno.h>

#include "support/suite.h"

static keep_outcome settled(keep__stream *stream, uint64_t now_ns, uint32_t error)
{
    keep_outcome outcome;

    keep__stream_next(stream, now_ns);
    keep__stream_settle(stream, error, &outcome);
    return outcome;
}

START_TEST(nonces_count_to_their_end_then_from_0)
{
    keep__stream stream;

    keep__stream_begin(&stream, UINT64_MAX - 3);
    ck_assert_uint_eq(settled(&stream, 1, 0).nonce, UINT64_MAX - 2);
    ck_assert_uint_eq(settled(&stream, 1, 0).nonce, UINT64_MAX - 1);
    ck_assert_uint_eq(settled(&stream, 1, 0).nonce, 0);
    ck_assert_uint_eq(settled(&stream, 1, 0).nonce, 1);
    keep__stream_begin(&stream, UINT64_MAX);
    ck_assert_uint_eq(settled(&stream, 1, 0).nonce, 0);
}
END_TEST

START_TEST(only_what_was_sent_is_committed)
{
    keep__stream stream;

    keep__stream_begin(&stream, 7);
    ck_assert_uint_eq(settled(&stream, 100, EAGAIN).nonce, 7);
    ck_assert_uint_eq(stream.timestamp_ns, 0);
    ck_assert_uint_eq(settled(&stream, 100, EIO).nonce, 7);
    ck_assert_uint_eq(settled(&stream, 100, 0).nonce, 8);
    (void)settled(&stream, 99, 0);
    ck_assert_uint_eq(stream.timestamp_ns, 100);
    (void)settled(&stream, UINT64_MAX, 0);
    ck_assert_uint_eq(stream.timestamp_ns, UINT64_MAX - 1);
}
END_TEST

START_TEST(drops_count_until_one_is_sent_or_fails)
{
    static const uint32_t drops[] = { EAGAIN, ENOBUFS, ECONNREFUSED, ENOENT, ECONNRESET, ENOTCONN, EPIPE, ENOSPC };
    keep__stream stream;
    keep_outcome outcome;

    keep__stream_begin(&stream, 0);
    for (uint32_t i = 0; i < sizeof drops / sizeof *drops; i++) {
        outcome = settled(&stream, 1, drops[i]);
        ck_assert_uint_eq(outcome.dropped, i + 1);
        ck_assert_uint_eq(outcome.error, drops[i]);
        ck_assert(keep__stream_wants_reconnect(&stream, &outcome, i + 1));
        ck_assert(!keep__stream_wants_reconnect(&stream, &outcome, i + 2));
        ck_assert(!keep__stream_wants_reconnect(&stream, &outcome, 0));
    }
    outcome = settled(&stream, 1, EACCES);
    ck_assert_uint_eq(outcome.kind, KEEP_OUTCOME_FAILED);
    ck_assert_uint_eq(outcome.dropped, 0);
    ck_assert(!keep__stream_wants_reconnect(&stream, &outcome, 1));
    stream.dropped = UINT32_MAX;
    ck_assert_uint_eq(settled(&stream, 1, EPIPE).dropped, UINT32_MAX);
}
END_TEST

RUN_SUITE("stream", ONCE(nonces_count_to_their_end_then_from_0), ONCE(only_what_was_sent_is_committed),
          ONCE(drops_count_until_one_is_sent_or_fails))
