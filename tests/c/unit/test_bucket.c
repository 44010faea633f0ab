/* SPDX-License-Identifier: MIT */
/*
 * Bucket, white box: tokens to the nanosecond (tracker R37).
 */
#include "tracker/bucket.h"

#include "support/suite.h"

static void assert_takes(keep__bucket *bucket, uint64_t now_ns, int tokens)
{
    for (int i = 0; i < tokens; i++)
        ck_assert(keep__bucket_take(bucket, now_ns));
    ck_assert(!keep__bucket_take(bucket, now_ns));
}

START_TEST(it_is_full_at_its_first_use)
{
    keep__bucket bucket = { .rate = 1, .burst = 3 };

    assert_takes(&bucket, 5000000000, 3);
}
END_TEST

START_TEST(a_token_comes_in_its_nanosecond)
{
    keep__bucket bucket = { .rate = 3, .burst = 1 };

    assert_takes(&bucket, 100, 1);
    ck_assert(!keep__bucket_has(&bucket, 100 + 333333333));
    ck_assert(keep__bucket_has(&bucket, 100 + 333333334));
}
END_TEST

START_TEST(remainders_are_kept_until_it_is_full)
{
    keep__bucket bucket = { .rate = 3, .burst = 2 };

    assert_takes(&bucket, 0, 2);
    for (uint64_t now = 1; now < 333333334; now += 1000003)
        ck_assert(!keep__bucket_has(&bucket, now));
    assert_takes(&bucket, 333333334, 1);
    assert_takes(&bucket, 666666666, 0);
    assert_takes(&bucket, 666666667, 1);
    assert_takes(&bucket, UINT64_MAX, 2);
}
END_TEST

START_TEST(a_clock_that_goes_back_brings_nothing)
{
    keep__bucket bucket = { .rate = 1, .burst = 1 };

    assert_takes(&bucket, 5000000000, 1);
    assert_takes(&bucket, 0, 0);
    assert_takes(&bucket, 5999999999, 0);
    assert_takes(&bucket, 6000000000, 1);
}
END_TEST

START_TEST(the_largest_rate_and_burst_fit)
{
    keep__bucket bucket = { .rate = UINT32_MAX, .burst = UINT32_MAX };

    ck_assert(keep__bucket_take(&bucket, 0));
    ck_assert(keep__bucket_take(&bucket, UINT64_MAX));
    ck_assert_uint_eq(bucket.milli, UINT64_C(1000) * UINT32_MAX - 1000);
}
END_TEST

START_TEST(rate_or_burst_0_is_off)
{
    keep__bucket without_rate = { .burst = 1 }, without_burst = { .rate = 1 };

    for (int i = 0; i < 10; i++) {
        ck_assert(keep__bucket_take(&without_rate, 0));
        ck_assert(keep__bucket_take(&without_burst, 0));
    }
}
END_TEST

RUN_SUITE("bucket", ONCE(it_is_full_at_its_first_use), ONCE(a_token_comes_in_its_nanosecond),
          ONCE(remainders_are_kept_until_it_is_full), ONCE(a_clock_that_goes_back_brings_nothing),
          ONCE(the_largest_rate_and_burst_fit), ONCE(rate_or_burst_0_is_off))
