/* SPDX-License-Identifier: MIT */
/*
 * Bucket: (elapsed ns × rate + remainder) ÷ 10^6 thousandths come in. What is elapsed is capped first at what fills the
 * bucket, so that the product stays below burst × 10^9 + 2^32.
 */
#include "tracker/bucket.h"

#include "base/checked.h"
#include "base/banned.h"

#define MILLI 1000
#define NS_MILLI 1000000 /* a rate of 1 brings a thousandth in so many nanoseconds */

static void refill(keep__bucket *bucket, uint64_t now_ns)
{
    uint64_t full = (uint64_t)bucket->burst * MILLI;
    uint64_t missing = (full - bucket->milli) * NS_MILLI;
    uint64_t elapsed = now_ns > bucket->last_ns ? now_ns - bucket->last_ns : 0;
    uint64_t gained = keep__u64_min(elapsed, missing / bucket->rate + 1) * bucket->rate + bucket->remainder;

    bucket->last_ns = keep__u64_max(bucket->last_ns, now_ns);
    bucket->milli += gained / NS_MILLI;
    bucket->remainder = gained % NS_MILLI;
    if (bucket->milli >= full) {
        bucket->milli = full;
        bucket->remainder = 0;
    }
}

bool keep__bucket_has(keep__bucket *bucket, uint64_t now_ns)
{
    if (bucket->rate == 0 || bucket->burst == 0)
        return true;
    if (!bucket->was_used) {
        bucket->was_used = true;
        bucket->milli = (uint64_t)bucket->burst * MILLI;
        bucket->last_ns = now_ns;
    }
    refill(bucket, now_ns);
    return bucket->milli >= MILLI;
}

bool keep__bucket_take(keep__bucket *bucket, uint64_t now_ns)
{
    if (!keep__bucket_has(bucket, now_ns))
        return false;
    if (bucket->rate != 0 && bucket->burst != 0)
        bucket->milli -= MILLI;
    return true;
}
