/* SPDX-License-Identifier: MIT */
/*
 * A token bucket in thousandths of a token. Pure. It is full at its first use, and off if its rate or burst is 0.
 */
#ifndef KEEP_TRACKER_BUCKET_H
#define KEEP_TRACKER_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct keep__bucket {
    uint32_t rate, burst; /* tokens per second, tokens */
    bool was_used;
    uint64_t milli, remainder, last_ns;
} keep__bucket;

/* Whether a token is there. */
bool keep__bucket_has(keep__bucket *bucket, uint64_t now_ns);

/* Takes a token. False: there is none. */
bool keep__bucket_take(keep__bucket *bucket, uint64_t now_ns);

#endif
