/* SPDX-License-Identifier: MIT */
/*
 * The coffer: the key of a pool's sealed secrets, in two halves, left XOR right, each alone in a locked region between
 * guard pages. The joined key exists only in a locked scratch slot of a third region, for one AEAD call. Each half of an
 * XOR split is uniformly random. The halves are re-split as they are used: the key stays, both halves change.
 *
 * No function returns the key.
 */
#ifndef KEEP_MEMORY_COFFER_H
#define KEEP_MEMORY_COFFER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/lock.h"
#include "keep/bytes.h"
#include "keep/pool.h"
#include "keep/status.h"
#include "memory/pages.h"

#define KEEP__KEY_WORDS 4

/* 32 bytes as words, so that a re-split and the views beside it are no data race. */
typedef struct keep__half {
    _Atomic uint64_t word[KEEP__KEY_WORDS];
} keep__half;

typedef struct keep__coffer {
    keep__lock lock;                           /* making the key */
    _Atomic uint64_t key_epoch;                /* of the key that is in it + 1; 0: none */
    keep__pages left, right, scratch;          /* made once, under lock */
    _Atomic uint64_t sequence;                 /* odd: the halves are being written */
    _Atomic uint64_t last_resplit_ns;
    _Alignas(64) _Atomic uint64_t scratch_word; /* views since the last re-split 32 ‖ free scratch slots 32 */
} keep__coffer;

void keep__coffer_init(keep__coffer *coffer);

/*
 * One AEAD call under the pool's key of `epoch`. Sealing makes the key if there is none yet: the statuses of acquiring.
 * The caller compares the epoch afterwards: the key may have been purged meanwhile.
 *
 * aead   everything but the key
 */
keep_status keep__coffer_seal(keep_pool *pool, uint64_t epoch, keep__aead aead, keep_bytes plaintext, uint8_t *out);

/* AUTH; PURGED: the key of that epoch is gone. */
keep_status keep__coffer_open(keep_pool *pool, uint64_t epoch, keep__aead aead, keep_bytes sealed, uint8_t *out);

/* Wipes both halves, unless the key is already of the new epoch. */
void keep__coffer_purge(keep__coffer *coffer, uint64_t new_epoch);

/* Wipes and unmaps. */
void keep__coffer_end(keep_pool *pool);

/* The formulas: out = a XOR b over 32 bytes. A split's other half; the joined key; a half re-split. */
static inline void keep__coffer_xor(const uint8_t *a, const uint8_t *b, uint8_t *out)
{
    for (size_t i = 0; i < KEEP__AEAD_KEY_LEN; i++)
        out[i] = a[i] ^ b[i];
}

#endif
