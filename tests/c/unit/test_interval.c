/* SPDX-License-Identifier: MIT */
/*
 * Interval, white box: buckets at their edges, halving, quantiles, suspicion (tracker R22, R23).
 */
#include "tracker/interval.h"

#include "support/suite.h"

/* The only bucket that a first interval counts in. */
static unsigned bucket_of_interval(uint64_t interval_ns)
{
    keep__intervals intervals = { .count = 0 };
    unsigned found = KEEP__INTERVAL_BUCKETS;

    keep__intervals_add(&intervals, interval_ns);
    for (unsigned i = 0; i < KEEP__INTERVAL_BUCKETS; i++) {
        if (intervals.buckets[i] != 0) {
            ck_assert_uint_eq(found, KEEP__INTERVAL_BUCKETS);
            found = i;
        }
    }
    return found;
}

START_TEST(each_bucket_ends_where_the_next_begins)
{
    ck_assert_uint_eq(bucket_of_interval(0), 0);
    ck_assert_uint_eq(bucket_of_interval((1 << 20) - 1), 0);
    ck_assert_uint_eq(bucket_of_interval(1 << 20), 1);
    for (unsigned bucket = 1; bucket < KEEP__INTERVAL_BUCKETS - 1; bucket++) {
        uint64_t end = (uint64_t)(5 + (bucket - 1) % 4) << (20 + (bucket - 1) / 4 - 2);

        ck_assert_uint_eq(bucket_of_interval(end - 1), bucket);
        ck_assert_uint_eq(bucket_of_interval(end), bucket + 1);
    }
    ck_assert_uint_eq(bucket_of_interval(UINT64_MAX), KEEP__INTERVAL_BUCKETS - 1);
}
END_TEST

START_TEST(mean_and_jitter_move_by_a_sixteenth)
{
    keep__intervals intervals = { .count = 0 };

    keep__intervals_add(&intervals, 1000);
    ck_assert_uint_eq(intervals.mean_ns, 1000);
    ck_assert_uint_eq(intervals.jitter_ns, 500);
    keep__intervals_add(&intervals, 1015);
    ck_assert_uint_eq(intervals.mean_ns, 1000);
    ck_assert_uint_eq(intervals.jitter_ns, 500 - (500 - 15) / 16);
    keep__intervals_add(&intervals, 1016);
    ck_assert_uint_eq(intervals.mean_ns, 1001);
    keep__intervals_add(&intervals, 985);
    ck_assert_uint_eq(intervals.mean_ns, 1000);
    ck_assert_uint_eq(intervals.min_ns, 985);
    ck_assert_uint_eq(intervals.max_ns, 1016);
    ck_assert_uint_eq(intervals.count, 4);
}
END_TEST

START_TEST(all_buckets_are_halved_before_one_runs_over)
{
    keep__intervals intervals = { .count = 0 };

    for (int i = 0; i < 65535; i++)
        keep__intervals_add(&intervals, 0);
    keep__intervals_add(&intervals, 1 << 20);
    ck_assert_uint_eq(intervals.buckets[0], 65535);
    keep__intervals_add(&intervals, 0);
    ck_assert_uint_eq(intervals.buckets[0], 65535 / 2 + 1);
    ck_assert_uint_eq(intervals.buckets[1], 0);
    ck_assert_uint_eq(intervals.count, 65537);
}
END_TEST

START_TEST(a_quantile_is_the_end_of_its_bucket_or_the_maximum)
{
    keep__intervals intervals = { .count = 0 };

    ck_assert_uint_eq(keep__intervals_quantile(&intervals, 50), 0);
    keep__intervals_add(&intervals, 5);
    ck_assert_uint_eq(keep__intervals_quantile(&intervals, 50), 5);
    keep__intervals_add(&intervals, 1 << 21);
    ck_assert_uint_eq(keep__intervals_quantile(&intervals, 50), 1 << 20);
    ck_assert_uint_eq(keep__intervals_quantile(&intervals, 51), 1 << 21);
    keep__intervals_add(&intervals, UINT64_MAX);
    ck_assert_uint_eq(keep__intervals_quantile(&intervals, 99), UINT64_C(1) << 50);
}
END_TEST

static keep__intervals steady(uint64_t interval_ns, int count)
{
    keep__intervals intervals = { .count = 0 };

    for (int i = 0; i < count; i++)
        keep__intervals_add(&intervals, interval_ns);
    return intervals;
}

START_TEST(suspicion_begins_with_eight_intervals)
{
    keep__intervals seven = steady(1000000000, 7), eight = steady(1000000000, 8);

    ck_assert_uint_eq(keep__suspicion(&seven, 1000000000), 0);
    ck_assert_uint_eq(keep__suspicion(&eight, 1000000000), 301);
}
END_TEST

START_TEST(suspicion_follows_the_table)
{
    keep__intervals intervals = { .count = 8, .mean_ns = 4000000000 }; /* the deviation is a quarter of it: 1 s */

    ck_assert_uint_eq(keep__suspicion(&intervals, 4000000000 + 1282000000), 1000);
    ck_assert_uint_eq(keep__suspicion(&intervals, 4000000000 + 1281999999), 999);
    ck_assert_uint_eq(keep__suspicion(&intervals, 4000000000 + 8221999999), 15996);
    ck_assert_uint_eq(keep__suspicion(&intervals, 4000000000 + 8222000000), 16000);
    ck_assert_uint_eq(keep__suspicion(&intervals, UINT64_MAX), 16000);
    ck_assert_uint_eq(keep__suspicion(&intervals, 1000000000), 0);
    ck_assert_uint_eq(keep__suspicion(&intervals, 2500000000), 150);
}
END_TEST

RUN_SUITE("interval", ONCE(each_bucket_ends_where_the_next_begins), ONCE(mean_and_jitter_move_by_a_sixteenth),
          ONCE(all_buckets_are_halved_before_one_runs_over), ONCE(a_quantile_is_the_end_of_its_bucket_or_the_maximum),
          ONCE(suspicion_begins_with_eight_intervals), ONCE(suspicion_follows_the_table))
