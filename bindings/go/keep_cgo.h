/* SPDX-License-Identifier: MIT */
/*
 * What Go calls that is not a function of libkeep itself. Each one stands here for one of three reasons:
 *
 *   bytes     Go passes `uint8_t *`: the type says that the memory is flat, so cgo need not search it for Go pointers,
 *             and does not refuse a slice that lies beside some
 *   window    a window comes back as a value, so that Go passes no memory that holds a pointer
 *   take      two calls of C that belong together
 */
#ifndef KEEP_CGO_H
#define KEEP_CGO_H

#ifdef KEEP_EMBEDDED
#include "keep_core.h"
#else
#include <keep/keep.h>
#endif

/* The bytes of an open window, or why there is none. */
typedef struct keep_go_window {
    uint8_t *data;
    size_t len;
    keep_status status;
} keep_go_window;

static inline keep_status
keep_go_secret_from_bytes(keep_pool *pool, const uint8_t *bytes, size_t len, keep_secret **out_secret)
{
    return keep_secret_from_bytes(pool, bytes, len, out_secret);
}

static inline keep_status
keep_go_secret_take(keep_pool *pool, uint8_t *bytes, size_t len, keep_secret **out_secret)
{
    keep_status st = keep_secret_from_bytes(pool, bytes, len, out_secret);

    if (st == KEEP_OK)
        keep_wipe(bytes, len);
    return st;
}

static inline keep_go_window keep_go_secret_read_begin(const keep_secret *secret)
{
    keep_go_window window = {0};
    const uint8_t *data = NULL;

    window.status = keep_secret_read_begin(secret, &data, &window.len);
    window.data = (uint8_t *)data;
    return window;
}

static inline keep_go_window keep_go_secret_write_begin(keep_secret *secret)
{
    keep_go_window window = {0};

    window.status = keep_secret_write_begin(secret, &window.data, &window.len);
    return window;
}

static inline keep_status
keep_go_secret_put(keep_secret *secret, size_t offset, const uint8_t *bytes, size_t len)
{
    return keep_secret_put(secret, offset, bytes, len);
}

static inline keep_status
keep_go_secret_get(const keep_secret *secret, size_t offset, uint8_t *out, size_t len)
{
    return keep_secret_get(secret, offset, out, len);
}

static inline keep_status
keep_go_secret_reveal(const keep_secret *secret, uint8_t *out, size_t cap, size_t *out_len)
{
    return keep_secret_reveal(secret, out, cap, out_len);
}

static inline keep_status
keep_go_secret_equal_bytes(const keep_secret *secret, const uint8_t *bytes, size_t len, int *out_equal)
{
    return keep_secret_equal_bytes(secret, bytes, len, out_equal);
}

static inline keep_status
keep_go_sealed_new(keep_pool *pool, const uint8_t *bytes, size_t len, uint32_t type, keep_sealed **out_sealed)
{
    return keep_sealed_new(pool, bytes, len, type, out_sealed);
}

static inline keep_status
keep_go_sealed_take(keep_pool *pool, uint8_t *bytes, size_t len, uint32_t type, keep_sealed **out_sealed)
{
    keep_status st = keep_sealed_new(pool, bytes, len, type, out_sealed);

    if (st == KEEP_OK)
        keep_wipe(bytes, len);
    return st;
}

static inline keep_status
keep_go_memory_known_answer(const char *name, const uint8_t *in, size_t in_len, uint8_t *out, size_t cap,
                            size_t *out_len)
{
    return keep_memory_known_answer(name, in, in_len, out, cap, out_len);
}

#include "keep_cgo_packet.h"
#include "keep_cgo_tracker.h"

#endif
