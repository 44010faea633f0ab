/* SPDX-License-Identifier: MIT */
/*
 * Sealed frames: a frame of 32 bytes under ChaCha20-Poly1305, and the keys and prefixes that come from HKDF-SHA256.
 * Pure: keys are arguments.
 */
#ifndef KEEP_TRACKER_SEALED_H
#define KEEP_TRACKER_SEALED_H

#include <stddef.h>
#include <stdint.h>

#include "keep/status.h"
#include "keep/tracker.h"

#define KEEP__BEAT_KEY_LEN 32
#define KEEP__SALT_LEN 16
#define KEEP__PREFIX_LEN 8

/* How a frame is sealed: `mode` is KEEP_BEAT_SHARED or KEEP_BEAT_MASTER, the key that of the sender's mode. */
typedef struct keep__sealing {
    const uint8_t *key;
    uint32_t mode, pid; /* the pid in clear: master mode */
    uint32_t counter;
    uint8_t prefix[KEEP__PREFIX_LEN];
} keep__sealing;

/* The length of a sealed frame by mode; 0: no such mode. */
size_t keep__sealed_len(uint32_t mode);

/* One agent's key, from the master key. */
void keep__agent_key(const uint8_t *master, uint32_t pid, uint8_t out[KEEP__BEAT_KEY_LEN]);

/* The prefix of a sender's nonces. */
void keep__sealed_prefix(const uint8_t salt[KEEP__SALT_LEN], uint32_t index, uint8_t out[KEEP__PREFIX_LEN]);

/* Writes keep__sealed_len(mode) bytes. The key is the agent's own, also in master mode. */
void keep__sealed_seal(const keep__sealing *sealing, const uint8_t frame[KEEP_BEAT_LEN], uint8_t *out);

/*
 * Opens a wire of `len` bytes; in master mode the key is the master key. KEEP_ERR_AUTH: whatever is wrong, and
 * `out_frame` is zero.
 */
keep_status keep__sealed_open(const uint8_t *key, uint32_t mode, const uint8_t *wire, size_t len,
                              uint8_t out_frame[KEEP_BEAT_LEN]);

#endif
