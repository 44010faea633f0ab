/* SPDX-License-Identifier: MIT */
/*
 * What libkeep uses of intel-ipsec-mb, loaded when it is installed: ChaCha20-Poly1305 by one job per packet.
 */
#ifndef KEEP_PACKET_IPSEC_H
#define KEEP_PACKET_IPSEC_H

#include <stdbool.h>

#include "base/cipher.h"

extern const keep__cipher_form keep__ipsec_cipher;

/* Whether it uses AVX-512 with IFMA: with less it gains little. Once a context was made. */
bool keep__ipsec_is_fast(void);

#endif
