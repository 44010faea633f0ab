/* SPDX-License-Identifier: MIT */
/*
 * Ciphers: ChaCha20-Poly1305 by the fastest back end of the machine. All give equal bytes; libsodium is always there and
 * cannot fail, so a caller always gets its packet.
 */
#ifndef KEEP_PACKET_AEAD_H
#define KEEP_PACKET_AEAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/cipher.h"
#include "keep/status.h"
#include "packet/backend.h"

/* From this payload on OpenSSL's kernel makes up for its cost per call; see docs/benchmarks.md. */
#define KEEP__LONG_PAYLOAD_LEN 2048

/* What a session seals and opens with: NULL is libsodium. */
typedef struct keep__cipher_choice {
    keep__backend *shorter;
    keep__backend *longer; /* for payloads from KEEP__LONG_PAYLOAD_LEN on */
} keep__cipher_choice;

/* What a call, or a batch of them, works with; begins with a choice alone. */
typedef struct keep__cipher {
    keep__cipher_choice choice;
    keep__backend *backend;   /* whose context is borrowed, or NULL */
    keep__backend_slot *slot;
} keep__cipher;

/*
 * Proves the back ends, once per process, and makes contexts for a choice. `aead` is KEEP_AEAD_...: INVALID_ARGUMENT
 * UNSUPPORTED NO_MEMORY. Behind keep__guard_enter.
 */
keep_status keep__cipher_prepare(uint32_t aead, keep__cipher_choice *out_choice);

/* SYSTEM: the back end failed and is not used any more; write the input again and call once more, which succeeds. */
keep_status keep__cipher_seal(keep__cipher *cipher, const keep__cipher_job *job);

/* AUTH: `out` is zero. */
keep_status keep__cipher_open(keep__cipher *cipher, const keep__cipher_job *job);

/* Gives back what was borrowed. */
void keep__cipher_end(keep__cipher *cipher);

#endif
