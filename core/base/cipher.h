/* SPDX-License-Identifier: MIT */
/*
 * ChaCha20-Poly1305 (RFC 8439) as any library gives it: what one call is about, and what a library must be able to do.
 */
#ifndef KEEP_BASE_CIPHER_H
#define KEEP_BASE_CIPHER_H

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

/* Whatever a library works with. One thread at a time. */
typedef struct keep__cipher_context keep__cipher_context;

/* A library. */
typedef struct keep__cipher_form {
    const char *name;

    /* KEEP_AEAD_USABLE, or why not; the first call may load the library. The others only if it is usable. */
    uint32_t (*state)(void);

    /* NO_MEMORY; UNSUPPORTED: the library says that it does not work here. */
    keep_status (*make)(keep__cipher_context **out_context);
    void (*end)(keep__cipher_context *context);

    /* SYSTEM: the library failed. */
    keep_status (*seal)(keep__cipher_context *context, const keep__cipher_job *job);

    /* AUTH, SYSTEM: `out` may hold plaintext, which the caller wipes. */
    keep_status (*open)(keep__cipher_context *context, const keep__cipher_job *job);

    /* Takes the key out of the context. */
    void (*forget)(keep__cipher_context *context);

    const char *(*version)(void);
    const char *(*instructions)(void); /* of the processor that it uses, or an empty text */
    size_t context_len;                /* memory of a context, as far as it is known */
} keep__cipher_form;

#endif
