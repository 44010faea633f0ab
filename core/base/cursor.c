/* SPDX-License-Identifier: MIT */
/*
 * Cursor. Invariant: `at` points to `left` bytes; a failed cursor stays failed.
 */
#include "base/cursor.h"

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

static uint64_t read_le(keep__reader *reader, size_t len)
{
    const uint8_t *bytes = keep__read_bytes(reader, len);
    uint64_t value = 0;

    if (bytes == NULL)
        return 0;
    for (size_t i = len; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return value;
}

static void write_le(keep__writer *writer, uint64_t value, size_t len)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    keep__write_bytes(writer, bytes, len);
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
    return (uint32_t)read_le(reader, 4);
}

uint64_t keep__read_u64le(keep__reader *reader)
{
    return read_le(reader, 8);
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
    write_le(writer, value, 4);
}

void keep__write_u64le(keep__writer *writer, uint64_t value)
{
    write_le(writer, value, 8);
}
