/* SPDX-License-Identifier: MIT */
/*
 * The clocks. Nothing else in core/ asks the time; pure code gets it as an argument.
 */
#ifndef KEEP_BASE_CLOCK_H
#define KEEP_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds of the monotonic clock. */
uint64_t keep__clock_now_ns(void);

/* The same clock as of the last tick of the kernel: some milliseconds behind, and several times cheaper to read. */
uint64_t keep__clock_coarse_ns(void);

/* Nanoseconds since the machine started, sleep included; since 1970, as the machine is set. */
uint64_t keep__clock_boot_ns(void);
uint64_t keep__clock_real_ns(void);

#endif
