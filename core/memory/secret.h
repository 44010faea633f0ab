/* SPDX-License-Identifier: MIT */
/*
 * Secrets for the other subsystems: the few things that the public interface does not give.
 */
#ifndef KEEP_MEMORY_SECRET_H
#define KEEP_MEMORY_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "keep/secret.h"
#include "keep/status.h"

/*
 * A key slot: bytes in a slot that its owner reads in place, without a window. A purge wipes it: compare the epoch of
 * guard.h after each use. It keeps its pool alive.
 */
typedef struct keep__key {
    keep_secret *secret;
    uint8_t *bytes;
    size_t len;
} keep__key;

/* A zeroed key slot of at most the largest tier's length: INVALID_ARGUMENT, statuses of acquiring. */
keep_status keep__key_new(keep_pool *pool, size_t len, keep__key *out_key);

/* A key slot with a copy of a secret of exactly `len` bytes: INVALID_ARGUMENT, statuses of reading and acquiring. */
keep_status keep__key_from_secret(keep_pool *pool, const keep_secret *secret, size_t len, keep__key *out_key);

/* Wipes; a key that was never made is nothing. */
void keep__key_free(keep__key *key);

/* A handle more of a pool, for a handle that makes secrets later; keep_pool_free gives it back. FORKED. */
keep_status keep__secret_hold_pool(keep_pool *pool);

#endif
