/* SPDX-License-Identifier: MIT */
/*
 * The keys of an observer, in locked slots: up to 16, of which one may be a master key.
 */
#ifndef KEEP_TRACKER_KEYS_H
#define KEEP_TRACKER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/observer.h"
#include "memory/secret.h"

typedef struct keep__keys {
    uint64_t epoch; /* of the first key; see memory/guard.h */
    uint32_t count;
    struct {
        keep__key key;
        uint32_t mode;
    } key[KEEP_MAX_BEAT_KEYS];
} keep__keys;

/* INVALID_ARGUMENT STATE EXHAUSTED PURGED, and the statuses of reading and acquiring. */
keep_status keep__keys_add(keep__keys *keys, const keep_secret *secret, uint32_t mode);

/* KEEP_ERR_PURGED: the keys are gone. */
keep_status keep__keys_check(const keep__keys *keys);

/* Whether a wire opens under any key of its length's mode. All are tried, also after one did. */
bool keep__keys_open(const keep__keys *keys, const uint8_t *wire, size_t len, uint8_t out_frame[KEEP_BEAT_LEN]);

void keep__keys_free(keep__keys *keys);

#endif
