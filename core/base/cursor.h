/* SPDX-License-Identifier: MIT */
/*
 * A cursor reads fields from bytes or writes them, and remembers if it ever ran out. Pure. After that every read gives
 * zero, every write does nothing: a caller checks once, at the end.
 */
#ifndef KEEP_BASE_CURSOR_H
#define KEEP_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct keep__reader {
    const uint8_t *at;
    size_t left;
    bool failed;
} keep__reader;

typedef struct keep__writer {
    uint8_t *at;
    size_t left;
    bool failed;
} keep__writer;

static inline keep__reader keep__reader_of(const void *bytes, size_t len)
{
    return (keep__reader){ .at = bytes, .left = len };
}

static inline keep__writer keep__writer_of(void *bytes, size_t len)
{
    return (keep__writer){ .at = bytes, .left = len };
}

/* `len` bytes in place, or NULL. */
const uint8_t *keep__read_bytes(keep__reader *reader, size_t len);
uint32_t keep__read_u32le(keep__reader *reader);
uint64_t keep__read_u64le(keep__reader *reader);

void keep__write_bytes(keep__writer *writer, const void *bytes, size_t len);
void keep__write_u32le(keep__writer *writer, uint32_t value);
void keep__write_u64le(keep__writer *writer, uint64_t value);

#endif
