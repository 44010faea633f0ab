/* SPDX-License-Identifier: MIT */
/*
 * Intervals between an agent's beats: mean, jitter and quantiles, and the suspicion that follows from a silence. Pure,
 * in integers, so that every language and machine has the same numbers.
 */
#ifndef KEEP_TRACKER_INTERVAL_H
#define KEEP_TRACKER_INTERVAL_H

#include <stdint.h>

#define KEEP__INTERVAL_BUCKETS 64

typedef struct keep__intervals {
    uint64_t count, min_ns, max_ns, mean_ns, jitter_ns;
    uint16_t buckets[KEEP__INTERVAL_BUCKETS];
} keep__intervals;

void keep__intervals_add(keep__intervals *intervals, uint64_t interval_ns);

/* The interval that so many of a hundred do not exceed; 0: there is none yet. */
uint64_t keep__intervals_quantile(const keep__intervals *intervals, unsigned percent);

/* -log10 of the chance that somebody so silent is only late, in thousandths; 0 with fewer than 8 intervals. */
uint32_t keep__suspicion(const keep__intervals *intervals, uint64_t silence_ns);

#endif
