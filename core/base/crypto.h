/* SPDX-License-Identifier: MIT */
/*
 * Cryptography for secrets, from libsodium; and the only wipe and the only comparisons of core/.
 *
 * Secrets live in pool slots. A copy on the stack is declared with KEEP__KEY32 or KEEP__KEY64: its scope wipes it.
 */
#ifndef KEEP_BASE_CRYPTO_H
#define KEEP_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"
#include "keep/bytes.h"
#include "keep/status.h"

#define KEEP__AEAD_KEY_LEN ((size_t)32)
#define KEEP__AEAD_NONCE_LEN ((size_t)24)
#define KEEP__AEAD_TAG_LEN ((size_t)16)

typedef struct keep__key32 {
    uint8_t bytes[32];
} keep__key32;

typedef struct keep__key64 {
    uint64_t words[8];
} keep__key64;

/*
 * Overwrites with zeros; the barrier makes the compiler believe that somebody reads them. Keys and the slots that hold
 * them are short multiples of 16: a call of memset would cost more than the wipe.
 */
static inline void keep__wipe(void *ptr, size_t len)
{
    static const uint8_t zeros[16];
    uint8_t *at = ptr;

    if (len == 0)
        return;
    if (len > 64 || len % sizeof zeros != 0) {
        memset(ptr, 0, len);
    } else {
        for (size_t i = 0; i < len; i += sizeof zeros)
            memcpy(at + i, zeros, sizeof zeros);
    }
    __asm__ __volatile__("" : : "r"(ptr) : "memory");
}

static inline void keep__key32_end(keep__key32 *key)
{
    keep__wipe(key, sizeof *key);
}

static inline void keep__key64_end(keep__key64 *key)
{
    keep__wipe(key, sizeof *key);
}

/* KEEP__KEY32(key); declares key bytes that are wiped when their scope is left. */
#define KEEP__KEY32(name) KEEP__CLEANUP(keep__key32_end) keep__key32 name = { { 0 } }
#define KEEP__KEY64(name) KEEP__CLEANUP(keep__key64_end) keep__key64 name = { { 0 } }

/* Makes libsodium ready; any number of times, from any thread. KEEP_ERR_UNSUPPORTED: it does not run here. */
keep_status keep__crypto_init(void);

/* Whether two runs of secret bytes are equal, in a time that does not depend on them. */
bool keep__equal(const void *a, const void *b, size_t len);

/* Whether all bytes are zero, in a time that does not depend on them. */
static inline bool keep__zeros(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    uint64_t seen = 0;
    uint64_t word;

    for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
        memcpy(&word, at, sizeof word);
        seen |= word;
    }
    for (; len > 0; len--)
        seen |= *at++;
    return seen == 0;
}

/* Orders public bytes as memcmp does. */
int keep__compare(const void *a, const void *b, size_t len);

#define KEEP__HASH_LEN 32

/* SHA-256 of up to two pieces; HMAC-SHA-256 of up to three under a key of KEEP__HASH_LEN bytes. */
void keep__sha256(keep_bytes first, keep_bytes second, uint8_t out[KEEP__HASH_LEN]);
void keep__hmac_sha256(const uint8_t *key, const keep_bytes *pieces, size_t count, uint8_t out[KEEP__HASH_LEN]);

/* HKDF (RFC 5869) with SHA-256 and no info: `count` outputs of KEEP__HASH_LEN bytes. The first may be the salt itself. */
void keep__hkdf_sha256(const uint8_t *salt, keep_bytes input, uint8_t *const *outputs, size_t count);

/* A short fingerprint under a key that nobody else has: equal inputs give equal ones, and nothing else is told. */
#define KEEP__FINGERPRINT_LEN 16
void keep__fingerprint(const uint8_t key[32], const uint8_t *bytes, size_t len, uint8_t out[KEEP__FINGERPRINT_LEN]);

/* X25519: the public key of a private one; a shared secret. False: the result is all zero, the other's key is bad. */
void keep__x25519_public(const uint8_t private_key[32], uint8_t out[32]);
bool keep__x25519(const uint8_t private_key[32], const uint8_t public_key[32], uint8_t out[32]);

/* A keyed hash of a number (SipHash), for tables whose keys others choose. */
uint64_t keep__short_hash(const uint8_t key[16], uint32_t number);

/* What an AEAD call is about besides the bytes. */
typedef struct keep__aead {
    const uint8_t *key;   /* KEEP__AEAD_KEY_LEN */
    const uint8_t *nonce; /* KEEP__AEAD_NONCE_LEN */
    const uint8_t *aad;
    size_t aad_len;
} keep__aead;

/* XChaCha20-Poly1305 (IETF): writes `len` + KEEP__AEAD_TAG_LEN bytes to `out`. */
void keep__aead_seal(const keep__aead *aead, const uint8_t *plaintext, size_t len, uint8_t *out);

/* Whether `len` + KEEP__AEAD_TAG_LEN bytes are authentic: KEEP_ERR_AUTH. */
keep_status keep__aead_check(const keep__aead *aead, const uint8_t *sealed, size_t len);

/* The reverse of `len` + KEEP__AEAD_TAG_LEN bytes; KEEP_ERR_AUTH: nothing but zeros was written to `out`. */
keep_status keep__aead_open(const keep__aead *aead, const uint8_t *sealed, size_t len, uint8_t *out);

#define KEEP__CHACHA_NONCE_LEN ((size_t)12)

/* The same with ChaCha20-Poly1305 (RFC 8439) and a nonce of KEEP__CHACHA_NONCE_LEN bytes. */
void keep__chacha_seal(const keep__aead *aead, const uint8_t *plaintext, size_t len, uint8_t *out);
keep_status keep__chacha_open(const keep__aead *aead, const uint8_t *sealed, size_t len, uint8_t *out);

#endif
