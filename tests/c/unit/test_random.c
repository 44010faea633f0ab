/* SPDX-License-Identifier: MIT */
/*
 * Random, white box: pieces, interruptions and failures of the kernel's source.
 */
#include "base/random.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "support/suite.h"

ssize_t __real_getrandom(void *out, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags);

static int calls;
static int fails_at; /* 0: never */
static int error;
static size_t most; /* bytes of one call */

/* A source that gives pieces, is interrupted, or fails. */
ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags)
{
    calls++;
    if (calls == fails_at) {
        errno = error;
        return -1;
    }
    return __real_getrandom(out, most != 0 && len > most ? most : len, flags);
}

START_TEST(bytes_that_come_in_pieces_are_all_there)
{
    uint8_t bytes[1000] = { 0 };

    most = 7;
    assert_ok(keep__random(bytes, sizeof bytes));
    ck_assert_int_ge(calls, 1000 / 7);
    for (size_t i = 0; i + 16 <= sizeof bytes; i += 16)
        ck_assert(!are_all(bytes + i, 0, 16));
}
END_TEST

START_TEST(an_interruption_is_no_failure)
{
    uint8_t bytes[32];

    fails_at = 1;
    error = EINTR;
    assert_ok(keep__random(bytes, sizeof bytes));
    ck_assert_int_eq(calls, 2);
}
END_TEST

START_TEST(a_failure_leaves_zeros)
{
    uint8_t bytes[64];

    memset(bytes, 0x11, sizeof bytes);
    most = 16;
    fails_at = 3;
    error = ENOSYS;
    assert_status(keep__random(bytes, sizeof bytes), KEEP_ERR_SYSTEM);
    ck_assert(are_all(bytes, 0, sizeof bytes));
}
END_TEST

START_TEST(no_bytes_need_no_call)
{
    assert_ok(keep__random(NULL, 0));
    ck_assert_int_eq(calls, 0);
}
END_TEST

RUN_SUITE("random", ONCE(bytes_that_come_in_pieces_are_all_there), ONCE(an_interruption_is_no_failure),
          ONCE(a_failure_leaves_zeros), ONCE(no_bytes_need_no_call))
