/* SPDX-License-Identifier: MIT */
/*
 * Marks: which tx keys live sessions seal with. A forked child inherits them, so its parent's keys stay refused there.
 */
#ifndef KEEP_PACKET_MARK_H
#define KEEP_PACKET_MARK_H

#include <stdint.h>

#include "keep/status.h"

struct keep__tx_mark;

/* Marks a key of 32 bytes: STATE if it is marked. NO_MEMORY SYSTEM. */
keep_status keep__mark_set(const uint8_t *key, struct keep__tx_mark **out_mark);

/* Nobody seals with it any more; NULL is nothing. */
void keep__mark_end(struct keep__tx_mark *mark);

#endif
