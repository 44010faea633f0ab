/* SPDX-License-Identifier: MIT */
/*
 * Units of time, in nanoseconds.
 */
#ifndef KEEP_BASE_UNITS_H
#define KEEP_BASE_UNITS_H

#include <stdint.h>

#define KEEP__NS_PER_US UINT64_C(1000)
#define KEEP__NS_PER_MS UINT64_C(1000000)
#define KEEP__NS_PER_S UINT64_C(1000000000)

#endif
