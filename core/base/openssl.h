/* SPDX-License-Identifier: MIT */
/*
 * What libkeep uses of OpenSSL's libcrypto, through one private library context with the default provider alone: no
 * configuration of the machine, and no other provider, has a say.
 */
#ifndef KEEP_BASE_OPENSSL_H
#define KEEP_BASE_OPENSSL_H

#include <stddef.h>
#include <stdint.h>

#include "keep/bytes.h"
#include "keep/status.h"

/* A context for ChaCha20-Poly1305 (RFC 8439). One thread at a time. */
typedef struct keep__openssl_aead keep__openssl_aead;

/* The text of the loaded library's version. */
const char *keep__openssl_version(void);

/* NO_MEMORY; UNSUPPORTED: libcrypto has no ChaCha20-Poly1305. */
keep_status keep__openssl_aead_new(keep__openssl_aead **out_aead);
void keep__openssl_aead_free(keep__openssl_aead *aead);

/* One call: `in` and `out` have `len` bytes and may be the same. */
typedef struct keep__openssl_job {
    const uint8_t *key;   /* 32 */
    const uint8_t *nonce; /* 12 */
    keep_bytes aad;
    const uint8_t *in;
    uint8_t *out;
    size_t len;
    uint8_t *tag; /* 16: written by sealing, read by opening */
} keep__openssl_job;

/* SYSTEM: the library failed. */
keep_status keep__openssl_aead_seal(keep__openssl_aead *aead, const keep__openssl_job *job);

/* AUTH, SYSTEM: `out` may hold plaintext, which the caller wipes. */
keep_status keep__openssl_aead_open(keep__openssl_aead *aead, const keep__openssl_job *job);

/* Takes the key out of the context, by another one. */
void keep__openssl_aead_forget(keep__openssl_aead *aead);

#endif
