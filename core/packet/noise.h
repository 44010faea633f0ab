/* SPDX-License-Identifier: MIT */
/*
 * The symmetric state of Noise (revision 34): chaining key, hash and cipher key, and what tokens do to them.
 */
#ifndef KEEP_PACKET_NOISE_H
#define KEEP_PACKET_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/bytes.h"
#include "keep/status.h"

#define KEEP__NOISE_LEN 32
#define KEEP__NOISE_TAG_LEN 16

/* Lies in locked memory, as whole. */
typedef struct keep__noise {
    uint8_t chaining_key[KEEP__NOISE_LEN];
    uint8_t cipher_key[KEEP__NOISE_LEN];
    uint8_t hash[KEEP__NOISE_LEN];
    uint64_t nonce;
} keep__noise;

void keep__noise_begin(keep__noise *noise, const char *protocol, keep_bytes prologue);
void keep__noise_mix_hash(keep__noise *noise, const uint8_t *bytes, size_t len);
void keep__noise_mix_key(keep__noise *noise, const uint8_t bytes[KEEP__NOISE_LEN]);
void keep__noise_mix_key_and_hash(keep__noise *noise, const uint8_t bytes[KEEP__NOISE_LEN]);

/* Writes `len` bytes and a tag; tells how many. There is a key: patterns with a pre-shared key mix one with each ephemeral. */
size_t keep__noise_encrypt(keep__noise *noise, const uint8_t *plaintext, size_t len, uint8_t *out);

/* The reverse: AUTH, and `out` is zero. `len` is the plaintext's. */
keep_status keep__noise_decrypt(keep__noise *noise, const uint8_t *ciphertext, size_t len, uint8_t *out);

/* The two keys of the session. */
void keep__noise_split(const keep__noise *noise, uint8_t first[KEEP__NOISE_LEN], uint8_t second[KEEP__NOISE_LEN]);

#endif
