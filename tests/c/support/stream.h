/* SPDX-License-Identifier: MIT */
/*
 * A stream of numbers for randomised tests. It begins with the value of KEEP_TEST_RANDOM, else with a new one, and says
 * which: a failure can be run again.
 */
#ifndef SUPPORT_STREAM_H
#define SUPPORT_STREAM_H

#include <stddef.h>
#include <stdint.h>

struct stream {
    uint64_t state;
};

/* Prints "KEEP_TEST_RANDOM=VALUE". */
struct stream stream_begin(void);

uint64_t stream_next(struct stream *stream);

/* A number below `bound`, which is not 0. */
uint64_t stream_below(struct stream *stream, uint64_t bound);

void stream_fill(struct stream *stream, void *out, size_t len);

#endif
