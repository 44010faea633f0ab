/* SPDX-License-Identifier: MIT */
/*
 * Interval. Buckets: 0 below 2^20 ns, then four to each power of two, by the two bits after the highest; the last has no
 * upper end. Suspicion: y deviations of 1000 from the mean, then the upper tail of the normal distribution by a table.
 */
#include "tracker/interval.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/checked.h"
#include "base/die.h"
#include "base/banned.h"

#define MAX_INTERVAL_NS (UINT64_C(1) << 50)
#define FIRST_POWER 20
#define MIN_DEVIATION_NS 1000000
#define ENOUGH_INTERVALS 8

/* y in thousandths of a deviation, and its suspicion. */
static const struct point {
    int64_t y;
    uint32_t phi;
} points[] = {
    { -3000, 0 },    { 0, 301 },      { 1282, 1000 },  { 2326, 2000 },  { 3090, 3000 },  { 3719, 4000 },
    { 4265, 5000 },  { 4753, 6000 },  { 5199, 7000 },  { 5612, 8000 },  { 5998, 9000 },  { 6361, 10000 },
    { 6706, 11000 }, { 7034, 12000 }, { 7349, 13000 }, { 7651, 14000 }, { 7941, 15000 }, { 8222, 16000 },
};
#define POINTS (sizeof points / sizeof *points)

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

/* Moves towards `target` by a sixteenth of the distance, rounded down. */
static uint64_t approach(uint64_t from, uint64_t target)
{
    uint64_t step = distance(from, target) / 16;

    return target > from ? from + step : from - step;
}

static unsigned bucket_of(uint64_t interval_ns)
{
    unsigned power;
    unsigned bucket;

    if (interval_ns < UINT64_C(1) << FIRST_POWER)
        return 0;
    power = 63 - (unsigned)__builtin_clzll(interval_ns);
    bucket = 1 + 4 * (power - FIRST_POWER) + (unsigned)(interval_ns >> (power - 2) & 3);
    return bucket < KEEP__INTERVAL_BUCKETS ? bucket : KEEP__INTERVAL_BUCKETS - 1;
}

static uint64_t upper_end(unsigned bucket)
{
    if (bucket == 0)
        return UINT64_C(1) << FIRST_POWER;
    if (bucket == KEEP__INTERVAL_BUCKETS - 1)
        return UINT64_MAX;
    return (5 + (uint64_t)(bucket - 1) % 4) << (FIRST_POWER + (bucket - 1) / 4 - 2);
}

static void count_bucket(keep__intervals *intervals, unsigned bucket)
{
    if (intervals->buckets[bucket] == UINT16_MAX) {
        for (unsigned i = 0; i < KEEP__INTERVAL_BUCKETS; i++)
            intervals->buckets[i] /= 2;
    }
    intervals->buckets[bucket]++;
}

void keep__intervals_add(keep__intervals *intervals, uint64_t interval_ns)
{
    uint64_t x = keep__u64_min(interval_ns, MAX_INTERVAL_NS);

    if (intervals->count == 0) {
        intervals->min_ns = x;
        intervals->mean_ns = x;
        intervals->jitter_ns = x / 2;
    } else {
        uint64_t off = distance(x, intervals->mean_ns);

        intervals->mean_ns = approach(intervals->mean_ns, x);
        intervals->jitter_ns = approach(intervals->jitter_ns, off);
    }
    intervals->min_ns = keep__u64_min(intervals->min_ns, x);
    intervals->max_ns = keep__u64_max(intervals->max_ns, x);
    intervals->count = keep__u64_add_capped(intervals->count, 1);
    count_bucket(intervals, bucket_of(x));
}

uint64_t keep__intervals_quantile(const keep__intervals *intervals, unsigned percent)
{
    uint64_t count = 0;
    uint64_t seen = intervals->buckets[0];
    uint64_t wanted;
    unsigned bucket;

    keep__assert(percent <= 100);
    for (bucket = 0; bucket < KEEP__INTERVAL_BUCKETS; bucket++)
        count += intervals->buckets[bucket];
    if (count == 0)
        return 0;
    wanted = (count * percent + 99) / 100;
    for (bucket = 0; seen < wanted;)
        seen += intervals->buckets[++bucket];
    return keep__u64_min(upper_end(bucket), intervals->max_ns);
}

/* The table at y, linear between its points. */
static uint32_t phi_at(int64_t y)
{
    size_t next = 1;

    if (y <= points[0].y)
        return points[0].phi;
    if (y >= points[POINTS - 1].y)
        return points[POINTS - 1].phi;
    while (points[next].y <= y)
        next++;
    return points[next - 1].phi + (uint32_t)((y - points[next - 1].y) * (points[next].phi - points[next - 1].phi) /
                                             (points[next].y - points[next - 1].y));
}

uint32_t keep__suspicion(const keep__intervals *intervals, uint64_t silence_ns)
{
    uint64_t mean = intervals->mean_ns;
    uint64_t deviation = keep__u64_max(intervals->jitter_ns + intervals->jitter_ns / 4, mean / 4);
    uint64_t off = keep__u64_min(distance(silence_ns, mean), MAX_INTERVAL_NS);
    int64_t y;

    if (intervals->count < ENOUGH_INTERVALS)
        return 0;
    deviation = keep__u64_min(keep__u64_max(deviation, MIN_DEVIATION_NS), MAX_INTERVAL_NS);
    y = (int64_t)(off * 1000 / deviation);
    return phi_at(silence_ns < mean ? -y : y);
}
