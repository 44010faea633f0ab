/* SPDX-License-Identifier: MIT */
/*
 * A sealed secret: bytes that are idle, encrypted in ordinary memory, in any number. The key is its pool's own and
 * never leaves the library: it exists only in two halves, in locked pages apart from each other, which are re-split as
 * they are used; the joined key lives in a locked scratch slot for the time of one call.
 *
 * Lifetime: whoever makes it frees it. It keeps its pool alive. It ends, like every secret, with keep_purge.
 * Threads: immutable
 * Limits: KEEP_MAX_SECRET_LEN bytes, of which KEEP_SEALED_OVERHEAD more are stored.
 *
 * A pool made with `hot_cache` keeps that many opened secrets in the clear, in locked slots, so that opening them again
 * is a copy. That trades secrecy for time: it is off by default. Only sealed secrets exactly as long as a tier's slots
 * are kept; they give way as soon as anybody needs the slot.
 *
 * Every function may return KEEP_ERR_INVALID_ARGUMENT (correct the call), KEEP_ERR_FORKED (the parent's: make your own)
 * and KEEP_ERR_PURGED (a purge destroyed the key, or ran meanwhile: load the secret again).
 */
#ifndef KEEP_SEALED_H
#define KEEP_SEALED_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/pool.h>
#include <keep/status.h>

KEEP_BEGIN_DECLS

#define KEEP_SEALED_OVERHEAD 40 /* nonce(24) + tag(16) */

typedef struct keep_sealed keep_sealed;

/* KEEP_SEALED_INFO_INIT. */
struct keep_sealed_info {
    size_t size;
    uint64_t id;         /* unique in the process, rising from 1 */
    uint64_t len;        /* of the plaintext */
    uint64_t stored_len; /* len + KEEP_SEALED_OVERHEAD */
    uint32_t type;       /* the caller's number */
    uint8_t purged;      /* 1: the key is gone, it can only be freed */
};

#define KEEP_SEALED_INFO_INIT KEEP_SIZED(struct keep_sealed_info)

/*
 * Seals a copy of `bytes`. The source stays as it is: wipe it with keep_wipe.
 *
 * bytes   NULL only if `len` is 0
 * type    a number of the caller's, bound to the bytes
 *
 * KEEP_OK     the caller frees the sealed secret
 * acquiring   see pool.h: memory for the bytes, or for the pool's key at the first seal
 *
 * Binding: payload bytes
 */
KEEP_API KEEP_MUST_USE keep_status
keep_sealed_new(keep_pool *KEEP_NULLABLE pool, const void *KEEP_NULLABLE bytes, size_t len, uint32_t type,
                KEEP_OWN keep_sealed **out_sealed);

/*
 * Seals exactly the secret's bytes, in the secret's pool. The secret stays as it is.
 *
 * KEEP_OK          the caller frees the sealed secret
 * KEEP_ERR_BUSY    a write window is open: end it first
 * KEEP_ERR_CLOSED  the secret was freed: look for a lifetime bug
 * acquiring        see pool.h
 *
 * Binding: payload secret
 */
KEEP_API KEEP_MUST_USE keep_status
keep_sealed_from_secret(const keep_secret *secret, uint32_t type, KEEP_OWN keep_sealed **out_sealed);

/*
 * Opens into a new secret of the same pool: exactly the sealed length, frozen. Decryption goes straight into its
 * memory.
 *
 * options   as of keep_pool_acquire
 *
 * KEEP_OK           the caller frees the secret
 * KEEP_ERR_TIMEOUT  no slot came in time
 * KEEP_ERR_AUTH     the stored bytes or what is bound to them were changed: treat it as an attack
 * acquiring         see pool.h
 *
 * Binding: waits
 */
KEEP_API KEEP_MUST_USE keep_status
keep_sealed_open(const keep_sealed *sealed, const keep_acquire_options *KEEP_NULLABLE options,
                 KEEP_OWN keep_secret **out_secret);

/*
 * Opens into a secret that exists, of any pool: sets its length and wipes the rest of its capacity.
 *
 * secret   writable, with capacity for the sealed length
 *
 * KEEP_OK          the secret holds the bytes
 * KEEP_ERR_CLOSED  the secret was freed: look for a lifetime bug
 * KEEP_ERR_STATE   the secret is frozen: melt it first
 * KEEP_ERR_BUSY    a window is open on the secret
 * KEEP_ERR_AUTH    as above; the secret is all zero, with its old length
 * KEEP_ERR_SYSTEM  the kernel refused to change a guarded buffer's protection
 *
 * Binding: payload secret
 */
KEEP_API KEEP_MUST_USE keep_status
keep_sealed_open_into(const keep_sealed *sealed, keep_secret *secret);

/*
 * Tells what is sealed, without opening it.
 *
 * out_info   KEEP_SEALED_INFO_INIT
 *
 * KEEP_OK   the struct is filled
 */
KEEP_API KEEP_MUST_USE keep_status
keep_sealed_info(const keep_sealed *sealed, struct keep_sealed_info *out_info);

/*
 * Wipes and frees, and nulls the handle; a null handle is nothing. Nobody else may be using it. Cannot fail.
 */
KEEP_API void keep_sealed_free(keep_sealed **sealed);

KEEP_END_DECLS

#endif
