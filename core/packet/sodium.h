/* SPDX-License-Identifier: MIT */
/*
 * ChaCha20-Poly1305 (RFC 8439) by libsodium, in the faster of two forms that give equal bytes.
 */
#ifndef KEEP_PACKET_SODIUM_H
#define KEEP_PACKET_SODIUM_H

#include <stdbool.h>

#include "base/cipher.h"

/* Works without a context, and cannot fail. */
extern const keep__cipher_form keep__sodium_cipher;

void keep__sodium_seal(const keep__cipher_job *job);

/* False: not authentic, and `out` is zero. */
bool keep__sodium_open(const keep__cipher_job *job);

/* libsodium's own combined calls: what every back end is compared with. */
void keep__sodium_seal_combined(const keep__cipher_job *job);
bool keep__sodium_open_combined(const keep__cipher_job *job);

#endif
