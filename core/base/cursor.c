/* SPDX-License-Identifier: MIT */
/*
 * Cursor. Invariant: `at` points to `left` bytes; a failed cursor stays failed.
 */
#include "base/cursor.h"

#include <endian.h>
#include <string.h>

#include "base/banned.h"

/* The next `len` bytes of a run of `*left`, or NULL once it is too short. */
static bool advance(size_t len, size_t *left, bool *failed)
{
    if (*failed || len > *left) {
        *failed = true;
        return false;
    }
    *left -= len;
    return true;
}

const uint8_t *keep__read_bytes(keep__reader *reader, size_t len)
{
    const uint8_t *bytes = reader->at;

    if (!advance(len, &reader->left, &reader->failed))
        return NULL;
    if (len != 0)
        reader->at += len;
    return bytes;
}

uint32_t keep__read_u32le(keep__reader *reader)
{
    uint32_t value = 0;
    const uint8_t *bytes = keep__read_bytes(reader, sizeof value);

    if (bytes != NULL)
        memcpy(&value, bytes, sizeof value);
    return le32toh(value);
}

uint64_t keep__read_u64le(keep__reader *reader)
{
    uint64_t value = 0;
    const uint8_t *bytes = keep__read_bytes(reader, sizeof value);

    if (bytes != NULL)
        memcpy(&value, bytes, sizeof value);
    return le64toh(value);
}

void keep__write_bytes(keep__writer *writer, const void *bytes, size_t len)
{
    if (!advance(len, &writer->left, &writer->failed) || len == 0)
        return;
    memcpy(writer->at, bytes, len);
    writer->at += len;
}

void keep__write_u32le(keep__writer *writer, uint32_t value)
{
    uint32_t bytes = htole32(value);

    keep__write_bytes(writer, &bytes, sizeof bytes);
}

void keep__write_u64le(keep__writer *writer, uint64_t value)
{
    uint64_t bytes = htole64(value);

    keep__write_bytes(writer, &bytes, sizeof bytes);
}
