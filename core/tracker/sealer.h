/* SPDX-License-Identifier: MIT */
/*
 * A sealer: the sending side of sealed frames. No prefix and counter are used twice under a salt.
 */
#ifndef KEEP_TRACKER_SEALER_H
#define KEEP_TRACKER_SEALER_H

#include <stdbool.h>
#include <stdint.h>

#include "keep/status.h"
#include "tracker/sealed.h"

typedef struct keep__sealer {
    uint32_t index, counter; /* of the next frame */
    uint8_t salt[KEEP__SALT_LEN];
    uint8_t prefix[KEEP__PREFIX_LEN];
    bool is_spent; /* begin anew before the next frame */
} keep__sealer;

/* A new salt, of the next connection. KEEP_ERR_SYSTEM */
keep_status keep__sealer_begin(keep__sealer *sealer);

/* The kernel took a frame: the next counter, or the next index. */
void keep__sealer_advance(keep__sealer *sealer);

#endif
