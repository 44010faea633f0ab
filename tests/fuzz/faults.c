/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include "fault/wrap.h"
#include "fuzz.h"
#include "support/stream.h"

static struct stream stream;
static uint64_t rareness; /* of the calls one in so many fails; 0: none does */

/* FNV-1a. */
static uint64_t hash_of(const uint8_t *bytes, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash;
}

static int choose_at_random(const char *symbol, const int errors[VARIANTS])
{
    (void)symbol;
    if (rareness == 0 || stream_below(&stream, rareness) != 0)
        return 0;
    return errors[stream_below(&stream, VARIANTS)];
}

void fuzz_with_faults(void (*body)(const uint8_t *bytes, size_t len), const uint8_t *bytes, size_t len)
{
    static const uint64_t choices[] = { 0, 2, 10, 50 };

    stream.state = hash_of(bytes, len);
    rareness = choices[stream_below(&stream, sizeof choices / sizeof *choices)];
    faults_begin(choose_at_random);
    body(bytes, len);
    faults_end();
    if (!has_fault())
        return;
    rareness = 0;
    faults_begin(choose_at_random);
    body(bytes, len);
    faults_end();
}

bool fuzz_works(keep_status st)
{
    fuzz_needs(st == KEEP_OK || has_fault());
    return st == KEEP_OK;
}

bool has_fault(void)
{
    return fault_counts.failed != 0;
}
