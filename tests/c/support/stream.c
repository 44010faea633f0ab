/* SPDX-License-Identifier: MIT */
/*
 * Stream: SplitMix64 by Steele, Lea and Flood.
 */
#include "support/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

struct stream stream_begin(void)
{
    const char *given = getenv("KEEP_TEST_RANDOM");
    struct stream stream = { 0 };

    if (given != NULL)
        stream.state = strtoull(given, NULL, 0);
    else if (getrandom(&stream.state, sizeof stream.state, 0) != sizeof stream.state)
        abort();
    printf("KEEP_TEST_RANDOM=%" PRIu64 "\n", stream.state);
    fflush(stdout);
    return stream;
}

uint64_t stream_next(struct stream *stream)
{
    uint64_t mixed = stream->state += UINT64_C(0x9E3779B97F4A7C15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return mixed ^ mixed >> 31;
}

uint64_t stream_below(struct stream *stream, uint64_t bound)
{
    return stream_next(stream) % bound;
}

void stream_fill(struct stream *stream, void *out, size_t len)
{
    uint8_t *at = out;

    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)stream_next(stream);
}
