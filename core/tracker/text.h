/* SPDX-License-Identifier: MIT */
/*
 * Text: the messages of sd_notify, as far as they concern an observer. Pure.
 */
#ifndef KEEP_TRACKER_TEXT_H
#define KEEP_TRACKER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEEP__TEXT_CAP ((size_t)4096)

typedef struct keep__text {
    uint64_t watchdog_usec; /* 0: not said */
    bool is_ready, is_stopping;
    bool has_beat, has_failed; /* WATCHDOG=1, WATCHDOG=trigger */
} keep__text;

/* Whether bytes are text at all. */
bool keep__is_text(const uint8_t *bytes, size_t len);

/* What it says: of several valid values of a key the last. */
keep__text keep__text_parse(const uint8_t *bytes, size_t len);

#endif
