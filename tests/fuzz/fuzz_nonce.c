/* SPDX-License-Identifier: MIT */
/*
 * Counters: whatever is asked for, none is given twice and the end is never passed.
 */
#include "fuzz.h"

#include <string.h>

#include "packet/nonce.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    uint64_t start = 0;
    _Atomic uint64_t next;

    memcpy(&start, bytes, len < sizeof start ? len : sizeof start);
    atomic_init(&next, start);
    for (size_t at = sizeof start; at + 2 <= len; at += 2) {
        uint64_t before = next;
        uint64_t count = 1 + (bytes[at] | (uint64_t)bytes[at + 1] << 8) % 1024;
        uint64_t first = 0;
        bool is_taken = keep__nonce_take(&next, count, &first);

        fuzz_needs(is_taken == (count <= UINT64_MAX - before));
        fuzz_needs(next == (is_taken ? before + count : before));
        fuzz_needs(!is_taken || first == before);
    }
    return 0;
}
