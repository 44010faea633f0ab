/* SPDX-License-Identifier: MIT */
/*
 * What libkeep uses of intel-ipsec-mb, loaded when it is installed: ChaCha20-Poly1305 by one job per packet.
 */
#ifndef KEEP_PACKET_IPSEC_H
#define KEEP_PACKET_IPSEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/status.h"
#include "packet/aead.h"

/* A manager of jobs. One thread at a time. */
typedef struct keep__ipsec keep__ipsec;

/* KEEP_AEAD_USABLE, or why not; loads the library at the first call. */
uint32_t keep__ipsec_state(void);

/* Version and processor form; only if it is usable. `*out_is_fast`: AVX-512 with IFMA. */
const char *keep__ipsec_version(void);
const char *keep__ipsec_form(bool *out_is_fast);

/* NO_MEMORY; UNSUPPORTED: the library says that it does not work here. */
keep_status keep__ipsec_new(keep__ipsec **out_ipsec);
void keep__ipsec_free(keep__ipsec *ipsec);
size_t keep__ipsec_bytes(void);

/* SYSTEM: the library failed. Opening: the tag it computed stands in `out_tag`, and the caller compares. */
keep_status keep__ipsec_run(keep__ipsec *ipsec, const keep__cipher_job *job, bool is_sealing, uint8_t *out_tag);

#endif
