/* SPDX-License-Identifier: MIT */
/*
 * Pattern: bytes that compilers and libraries do not produce by chance, each XORed with MASK where this file keeps them.
 */
#include "support/pattern.h"

#include <string.h>

#include <check.h>

#include "support/maps.h"

enum {
    MASK = 0xC3,
    NEEDLE_LEN = 16
};

/* Read at run time: a compiler that knew it would put the pattern itself into the program. */
static volatile uint8_t run_time_mask = MASK;

static uint8_t disguise(size_t i)
{
    return (uint8_t)((i * 37 + 11) ^ (i >> 2) ^ 0x9B);
}

void pattern_write(uint8_t *out)
{
    for (size_t i = 0; i < PATTERN_LEN; i++)
        out[i] = disguise(i) ^ run_time_mask;
}

bool is_pattern(const uint8_t *bytes)
{
    for (size_t i = 0; i < PATTERN_LEN; i++) {
        if (bytes[i] != (uint8_t)(disguise(i) ^ run_time_mask))
            return false;
    }
    return true;
}

/* A search that leaves no undisguised byte behind. */
struct needle {
    uint8_t disguised[NEEDLE_LEN];
    bool but_locked;
    size_t found;
};

static bool is_at(const uint8_t *at, const uint8_t *disguised)
{
    for (size_t i = 0; i < NEEDLE_LEN; i++) {
        if ((at[i] ^ disguised[i]) != MASK)
            return false;
    }
    return true;
}

static size_t count_in(const uint8_t *bytes, size_t len,
                                                                         const uint8_t *disguised)
{
    size_t found = 0;

    for (size_t at = 0; len >= NEEDLE_LEN && at <= len - NEEDLE_LEN; at++) {
        if ((bytes[at] ^ disguised[0]) == MASK && is_at(bytes + at, disguised))
            found++;
    }
    return found;
}

static void count_in_mapping(const struct mapping *mapping, void *ctx)
{
    struct needle *needle = ctx;
    bool is_secret = mapping->locked_len != 0 || mapping_has(mapping, "lo");

    if (strncmp(mapping->access, "rw", 2) != 0 || (needle->but_locked && is_secret))
        return;
    needle->found += count_in((const uint8_t *)mapping->start, mapping->end - mapping->start, needle->disguised);
}

static void disguise_all(uint8_t *out)
{
    for (size_t i = 0; i < NEEDLE_LEN; i++)
        out[i] = disguise(i);
}

size_t count_pattern_in(const void *bytes, size_t len)
{
    uint8_t disguised[NEEDLE_LEN];

    disguise_all(disguised);
    return count_in(bytes, len, disguised);
}

bool can_search_process(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#else
    return true;
#endif
}

size_t count_disguised_in_process(const uint8_t *disguised, size_t len, bool but_locked)
{
    struct needle needle = { .but_locked = but_locked };

    ck_assert_uint_ge(len, NEEDLE_LEN);
    memcpy(needle.disguised, disguised, NEEDLE_LEN);
    each_mapping(count_in_mapping, &needle);
    return needle.found;
}

size_t count_pattern_in_process(bool but_locked)
{
    uint8_t disguised[NEEDLE_LEN];

    disguise_all(disguised);
    return count_disguised_in_process(disguised, NEEDLE_LEN, but_locked);
}
