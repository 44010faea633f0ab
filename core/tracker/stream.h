/* SPDX-License-Identifier: MIT */
/*
 * A beacon's stream: which nonce and timestamp the next frame has, and what follows from what became of it. Pure.
 */
#ifndef KEEP_TRACKER_STREAM_H
#define KEEP_TRACKER_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "keep/beacon.h"

typedef struct keep__stream {
    uint64_t nonce, timestamp_ns;           /* committed: the kernel took them, or the stream begins after them */
    uint64_t next_nonce, next_timestamp_ns; /* of the frame that is not settled */
    uint32_t dropped;                       /* in a row */
} keep__stream;

/* Begins after `nonce`. */
void keep__stream_begin(keep__stream *stream, uint64_t nonce);

/* Chooses the next frame's nonce and timestamp. */
void keep__stream_next(keep__stream *stream, uint64_t now_ns);

/* What becomes of the frame by the errno of its sending, 0: the kernel took it. */
void keep__stream_settle(keep__stream *stream, uint32_t error, keep_outcome *out_outcome);

/* Whether it is time to connect anew. */
bool keep__stream_wants_reconnect(const keep__stream *stream, const keep_outcome *outcome, uint32_t reconnect_after);

#endif
