/* SPDX-License-Identifier: MIT */
/*
 * Sums and products of sizes that say when they do not fit. Pure. `*out` is set only if the result is true.
 */
#ifndef KEEP_BASE_CHECKED_H
#define KEEP_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool keep__size_add(size_t a, size_t b, size_t *out)
{
    size_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

static inline bool keep__size_mul(size_t a, size_t b, size_t *out)
{
    size_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

/* The least multiple of `unit`, a power of two, that is not below `size`. */
static inline bool keep__size_round_up(size_t size, size_t unit, size_t *out)
{
    size_t sum;

    if (!keep__size_add(size, unit - 1, &sum))
        return false;
    *out = sum & ~(unit - 1);
    return true;
}

/* Whether `len` bytes from `offset` on lie within `total`. */
static inline bool keep__range_fits(size_t offset, size_t len, size_t total)
{
    return offset <= total && len <= total - offset;
}

static inline size_t keep__size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t keep__size_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Sums and products that stop at the largest number. */
static inline uint64_t keep__u64_add_capped(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static inline uint64_t keep__u64_mul_capped(uint64_t a, uint64_t b)
{
    uint64_t product;

    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static inline uint64_t keep__u64_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t keep__u64_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif
