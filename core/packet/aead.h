/* SPDX-License-Identifier: MIT */
/*
 * Ciphers: ChaCha20-Poly1305 by the fastest back end of the machine. All give equal bytes; libsodium is always there and
 * cannot fail, so a caller always gets its packet.
 *
 * A back end other than libsodium works through contexts, of which a call borrows one and never waits: if none is free,
 * libsodium does it.
 */
#ifndef KEEP_PACKET_AEAD_H
#define KEEP_PACKET_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/status.h"

#define KEEP__CIPHER_KEY_LEN 32
#define KEEP__CIPHER_NONCE_LEN 12
#define KEEP__CIPHER_TAG_LEN 16
#define KEEP__CIPHER_MAX_AAD_LEN 64

/* One call: `in` and `out` have `len` bytes and are apart, or the same. */
typedef struct keep__cipher_job {
    const uint8_t *key;
    const uint8_t *nonce;
    const uint8_t *aad;
    size_t aad_len; /* at most KEEP__CIPHER_MAX_AAD_LEN */
    const uint8_t *in;
    uint8_t *out;
    size_t len;
    uint8_t *tag; /* written by sealing, read by opening */
} keep__cipher_job;

/* What a call, or a batch of them, has borrowed. */
typedef struct keep__cipher {
    uint32_t aead;       /* KEEP_AEAD_... as the session wants it */
    uint32_t backend;    /* whose context it is; KEEP_AEAD_SODIUM: none */
    uint32_t slot;
    uint32_t is_used : 1; /* the context holds a key */
} keep__cipher;

/* Proves the back ends, once per process, and makes contexts for this choice. INVALID_ARGUMENT UNSUPPORTED NO_MEMORY. */
keep_status keep__cipher_prepare(uint32_t aead);

/* Borrows nothing yet. The choice was prepared. */
static inline keep__cipher keep__cipher_begin(uint32_t aead)
{
    return (keep__cipher){ .aead = aead, .backend = 1 };
}

/* SYSTEM: the back end failed and is not used any more; write the input again and call once more, which succeeds. */
keep_status keep__cipher_seal(keep__cipher *cipher, const keep__cipher_job *job);

/* AUTH: `out` is zero. */
keep_status keep__cipher_open(keep__cipher *cipher, const keep__cipher_job *job);

/* Takes the key out of a borrowed context and gives it back. */
void keep__cipher_end(keep__cipher *cipher);

#endif
