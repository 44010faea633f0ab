/* SPDX-License-Identifier: MIT */
/*
 * A pattern that stands in for a secret, and the search for it in everything this process can write to. The pattern
 * itself is kept in disguise, so that only what a test planted is ever found.
 */
#ifndef SUPPORT_PATTERN_H
#define SUPPORT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PATTERN_LEN = 32
};

/* Writes the pattern. The caller wipes it. */
void pattern_write(uint8_t *out);

/* Whether bytes are the pattern. */
bool is_pattern(const uint8_t *bytes);

/* How often 16 or more bytes of the pattern stand in a run of memory. */
size_t count_pattern_in(const void *bytes, size_t len);

/*
 * The same in all readable and writable mappings; with `but_locked`, but for locked ones. Not under sanitizers, whose
 * shadow has no end: look at `can_search_process` first.
 */
size_t count_pattern_in_process(bool but_locked);

bool can_search_process(void);

/* The same search for other bytes, given each XORed with 0xC3. */
size_t count_disguised_in_process(const uint8_t *disguised, size_t len, bool but_locked);

#endif
