/* SPDX-License-Identifier: MIT */
/*
 * Buffer. Invariants: the slack [0, offset) and [offset + capacity, end) holds the canary, byte i of the pages
 * canary[i mod 16]; the bytes between length and capacity are zero.
 */
#include "memory/buffer.h"

#include <stdbool.h>
#include <string.h>

#include "base/crypto.h"
#include "base/die.h"
#include "base/heap.h"
#include "base/random.h"
#include "base/trace.h"
#include "memory/place.h"
#include "memory/pool.h"
#include "base/banned.h"

/*
 * How a run of the pages differs from the repeated canary: 0 if not at all. A run starts at a multiple of 16, or is
 * shorter than 16 bytes.
 */
static uint64_t differing_bits(const keep__buffer *buffer, size_t from, size_t to)
{
    const uint8_t *bytes = buffer->pages.data;
    uint64_t differs = 0;
    uint64_t seen[2];
    uint64_t canary[2];

    memcpy(canary, buffer->canary, sizeof canary);
    for (; from + sizeof seen <= to; from += sizeof seen) {
        memcpy(seen, bytes + from, sizeof seen);
        differs |= (seen[0] ^ canary[0]) | (seen[1] ^ canary[1]);
    }
    for (; from < to; from++)
        differs |= bytes[from] ^ buffer->canary[from % KEEP__CANARY_LEN];
    return differs;
}

/* Repeats the canary over such a run. */
static void write_run(const keep__buffer *buffer, size_t from, size_t to)
{
    uint8_t *bytes = buffer->pages.data;

    for (; from + KEEP__CANARY_LEN <= to; from += KEEP__CANARY_LEN)
        memcpy(bytes + from, buffer->canary, KEEP__CANARY_LEN);
    for (; from < to; from++)
        bytes[from] = buffer->canary[from % KEEP__CANARY_LEN];
}

static bool is_intact(const keep__buffer *buffer)
{
    return (differing_bits(buffer, 0, buffer->offset) |
            differing_bits(buffer, buffer->offset + buffer->capacity, buffer->pages.len)) == 0;
}

static void write_canary(const keep__buffer *buffer)
{
    write_run(buffer, 0, buffer->offset);
    write_run(buffer, buffer->offset + buffer->capacity, buffer->pages.len);
}

/* Under AddressSanitizer and valgrind nobody but this file may touch the slack. */
static void poison_slack(const keep__buffer *buffer)
{
    size_t end = buffer->offset + buffer->capacity;

    KEEP__POISON(buffer->pages.data, buffer->offset);
    KEEP__POISON(buffer->pages.data + end, buffer->pages.len - end);
}

static keep_status map_buffer(keep__buffer *buffer, keep_pool *pool, size_t len)
{
    uint32_t is_aligned = (buffer->flags & KEEP_ACQUIRE_ALIGN16) != 0;
    keep__guarded_plan plan;
    keep_status st = keep__layout_guarded(keep__page_size(), len, is_aligned, &plan);

    if (st == KEEP_OK)
        st = keep__random(buffer->canary, sizeof buffer->canary);
    if (st == KEEP_OK)
        st = keep__pool_map(pool, plan.inner, &buffer->pages);
    if (st != KEEP_OK)
        return st;
    buffer->pool = pool;
    buffer->capacity = len;
    buffer->offset = plan.offset;
    buffer->access = KEEP__ACCESS_WRITE;
    write_canary(buffer);
    poison_slack(buffer);
    return KEEP_OK;
}

keep_status keep__buffer_new(keep_pool *pool, size_t len, uint32_t flags, keep__buffer **out_buffer)
{
    keep__buffer *buffer = keep__heap_new(sizeof *buffer);
    keep_status st;

    if (buffer == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    buffer->flags = flags & (KEEP_ACQUIRE_ALIGN16 | KEEP_ACQUIRE_RESIDENT);
    st = map_buffer(buffer, pool, len);
    if (st != KEEP_OK)
        keep__heap_free(buffer, sizeof *buffer);
    else
        *out_buffer = buffer;
    return st;
}

void keep__buffer_free(keep__buffer *buffer)
{
    KEEP__UNPOISON(buffer->pages.data, buffer->pages.len);
    /* if the kernel refuses access, it is the kernel that zeroes the pages before anybody gets them */
    if (keep__buffer_need(buffer, KEEP__ACCESS_WRITE) == KEEP_OK)
        keep__wipe(buffer->pages.data, buffer->pages.len);
    keep__pool_unmap(buffer->pool, &buffer->pages);
    keep__heap_free(buffer, sizeof *buffer);
}

keep_status keep__buffer_allow(keep__buffer *buffer, keep__access access)
{
    keep_status st;

    if (buffer->access == access)
        return KEEP_OK;
    st = keep__pages_protect(&buffer->pages, access);
    if (st == KEEP_OK)
        buffer->access = access;
    return st;
}

keep_status keep__buffer_need(keep__buffer *buffer, keep__access access)
{
    return buffer->access >= access ? KEEP_OK : keep__buffer_allow(buffer, access);
}

void keep__buffer_check(const keep__buffer *buffer, size_t len)
{
    KEEP__UNPOISON(buffer->pages.data, buffer->pages.len);
    if (KEEP__LIKELY(is_intact(buffer) && keep__zeros(keep__buffer_data(buffer) + len, buffer->capacity - len))) {
        poison_slack(buffer);
        return;
    }
    if (buffer->access == KEEP__ACCESS_WRITE || keep__pages_protect(&buffer->pages, KEEP__ACCESS_WRITE) == KEEP_OK)
        keep__wipe(buffer->pages.data, buffer->pages.len);
    keep__die(KEEP__DAMAGED);
}
