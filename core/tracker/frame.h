/* SPDX-License-Identifier: MIT */
/*
 * Frames: the 32 bytes of a beat and of a notice, to and from fields. Pure.
 */
#ifndef KEEP_TRACKER_FRAME_H
#define KEEP_TRACKER_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/observer.h"
#include "keep/status.h"
#include "keep/tracker.h"

#define KEEP__NONCE_TERMINAL UINT64_MAX
#define KEEP__NONCE_LAST (UINT64_MAX - 1)

typedef struct keep__beat {
    uint64_t timestamp_ns, nonce;
    uint32_t pid, payload;
    uint8_t health;
} keep__beat;

enum {
    KEEP__NOTICE_REGISTER = 1,
    KEEP__NOTICE_GOODBYE = 2
};

typedef struct keep__notice {
    uint64_t nonce;
    uint32_t pid, threshold_ms, grace_ms;
    uint8_t op, misses;
} keep__notice;

/* Why bytes are no frame: KEEP_FAULT_... and the value that was wrong. Kind 0: they are one. */
typedef struct keep__fault {
    uint64_t value;
    uint8_t kind;
} keep__fault;

/* CRC-32C (Castagnoli); the second is what processors without an instruction for it do. */
uint32_t keep__crc32c(const uint8_t *bytes, size_t len);
uint32_t keep__crc32c_by_tables(const uint8_t *bytes, size_t len);

/* A crash's last word. */
static inline bool keep__is_terminal(uint64_t nonce, uint8_t health)
{
    return nonce == KEEP__NONCE_TERMINAL && health == KEEP_HEALTH_CRITICAL;
}

/* Whether 32 bytes begin as a notice does. */
static inline bool keep__is_notice(const uint8_t *bytes)
{
    return bytes[0] == 0x4B && bytes[1] == 0x50;
}

/* INVALID_ARGUMENT for what decoding would refuse. */
keep_status keep__beat_encode(const keep__beat *beat, uint8_t out[KEEP_BEAT_LEN]);
keep_status keep__notice_encode(const keep__notice *notice, uint8_t out[KEEP_BEAT_LEN]);

/* `*out` is set only if the fault's kind is 0. */
keep__fault keep__beat_decode(const uint8_t *bytes, size_t len, keep__beat *out);
keep__fault keep__notice_decode(const uint8_t *bytes, size_t len, keep__notice *out);

#endif
