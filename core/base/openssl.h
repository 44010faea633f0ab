/* SPDX-License-Identifier: MIT */
/*
 * What libkeep uses of OpenSSL's libcrypto, through one private library context with the default provider alone: no
 * configuration of the machine, and no other provider, has a say.
 */
#ifndef KEEP_BASE_OPENSSL_H
#define KEEP_BASE_OPENSSL_H

#include "base/cipher.h"

extern const keep__cipher_form keep__openssl_cipher;

#endif
