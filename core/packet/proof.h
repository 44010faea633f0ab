/* SPDX-License-Identifier: MIT */
/*
 * The proof of a back end: known answers, libsodium's bytes for every length that matters, and no tag but the right one.
 */
#ifndef KEEP_PACKET_PROOF_H
#define KEEP_PACKET_PROOF_H

#include <stdbool.h>

#include "base/cipher.h"
#include "keep/status.h"

/* NO_MEMORY. */
keep_status keep__proof_run(const keep__cipher_form *form, keep__cipher_context *context, bool *out_is_right);

#endif
