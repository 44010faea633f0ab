/* SPDX-License-Identifier: MIT */
/*
 * Clock: the seam of clock_gettime. The clocks exist on every Linux, so a failure cannot be, and reads as zero.
 */
#include "base/clock.h"

#include <time.h>

#include "base/banned.h"
#undef clock_gettime

static uint64_t read_clock(clockid_t id)
{
    struct timespec now = { 0 };

    if (clock_gettime(id, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

uint64_t keep__clock_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t keep__clock_coarse_ns(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE);
}

uint64_t keep__clock_boot_ns(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

uint64_t keep__clock_real_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}
