/* SPDX-License-Identifier: MIT */
/*
 * Reads and writes through cursors: what is read back is what was written, and nothing beyond the ends is touched.
 */
#include "fuzz.h"

#include <string.h>

#include "base/cursor.h"

enum {
    ROOM = 64
};

/* Copies a run field by field, as the operations say, and stops where either end is. */
static void copy_fields(keep__reader *operations, keep__reader *in, keep__writer *out)
{
    const uint8_t *operation;

    while ((operation = keep__read_bytes(operations, 1)) != NULL) {
        size_t left = in->left;
        const uint8_t *bytes;

        switch (*operation % 3) {
        case 0:
            keep__write_u32le(out, keep__read_u32le(in));
            break;
        case 1:
            keep__write_u64le(out, keep__read_u64le(in));
            break;
        default:
            bytes = keep__read_bytes(in, *operation / 3);
            if (bytes != NULL)
                keep__write_bytes(out, bytes, *operation / 3);
        }
        fuzz_needs(in->left <= left);
        if (in->failed || out->failed)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t half = len / 2;
    keep__reader operations = keep__reader_of(bytes, half);
    keep__reader in = keep__reader_of(bytes + half, len - half);
    uint8_t copy[ROOM];
    keep__writer out = keep__writer_of(copy, sizeof copy);
    size_t written;

    copy_fields(&operations, &in, &out);
    written = sizeof copy - out.left;
    if (!in.failed && !out.failed)
        fuzz_needs(written == len - half - in.left && memcmp(copy, bytes + half, written) == 0);
    if (in.failed)
        fuzz_needs(keep__read_u64le(&in) == 0 && keep__read_bytes(&in, 0) == NULL);
    return 0;
}
