/* SPDX-License-Identifier: MIT */
/*
 * Nonce, white box.
 */
#include "packet/nonce.h"

#include "support/meanwhile.h"
#include "support/suite.h"

/* packet §4 */
START_TEST(a_nonce_is_the_folded_id_and_the_counter)
{
    static const uint8_t wanted[KEEP__NONCE_LEN] = { 0x97, 0x9b, 0x9f, 0x82, 8, 7, 6, 5, 4, 3, 2, 1 };
    uint8_t nonce[KEEP__NONCE_LEN];

    keep__nonce_write(0x1234567890abcdef, 0x0102030405060708, nonce);
    assert_bytes(nonce, wanted, sizeof wanted);
}
END_TEST

/* Whether a counter can be taken, and which. */
static bool takes(uint64_t next, uint64_t count, uint64_t *out_next)
{
    _Atomic uint64_t counter = next;
    uint64_t first = 77;
    bool is_taken = keep__nonce_take(&counter, count, &first);

    ck_assert_uint_eq(first, is_taken ? next : 77);
    *out_next = counter;
    return is_taken;
}

/* packet R10 */
START_TEST(counters_are_taken_up_to_the_last_and_then_none)
{
    static const struct {
        uint64_t next, count, after;
        bool is_taken;
    } cases[] = {
        { 0, 1, 1, true },
        { 0, 1024, 1024, true },
        { (UINT64_C(1) << 63) - 1, 1024, (UINT64_C(1) << 63) + 1023, true },
        { UINT64_C(1) << 63, 1, (UINT64_C(1) << 63) + 1, true },
        { UINT64_MAX - 2, 1, UINT64_MAX - 1, true },
        { UINT64_MAX - 2, 2, UINT64_MAX, true },
        { UINT64_MAX - 2, 3, UINT64_MAX - 2, false },
        { UINT64_MAX - 1, 1, UINT64_MAX, true },
        { UINT64_MAX - 1, 2, UINT64_MAX - 1, false },
        { UINT64_MAX, 1, UINT64_MAX, false },
        { UINT64_MAX, 1024, UINT64_MAX, false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t after;

        ck_assert(takes(cases[i].next, cases[i].count, &after) == cases[i].is_taken);
        ck_assert_uint_eq(after, cases[i].after);
    }
}
END_TEST

static void take_too(void *counter)
{
    uint64_t first;

    ck_assert(keep__nonce_take(counter, 1, &first));
    ck_assert_uint_eq(first, UINT64_MAX - 5);
}

START_TEST(near_the_end_two_at_once_get_different_counters)
{
    _Atomic uint64_t *counter = new_pages(sizeof *counter);
    uint64_t first;

    *counter = UINT64_MAX - 5;
    before_write(counter, sizeof *counter, take_too, counter);
    ck_assert(keep__nonce_take(counter, 2, &first));
    ck_assert_uint_eq(first, UINT64_MAX - 4);
    ck_assert_uint_eq(*counter, UINT64_MAX - 2);
}
END_TEST

RUN_SUITE("nonce", ONCE(a_nonce_is_the_folded_id_and_the_counter),
          ONCE(counters_are_taken_up_to_the_last_and_then_none), ONCE(near_the_end_two_at_once_get_different_counters))
