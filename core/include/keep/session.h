/* SPDX-License-Identifier: MIT */
/*
 * A session: two keys, one counter and one replay window. It never uses a nonce twice: every way of sealing, every
 * thread and every kind of packet takes the next value of one counter, and after the last there is none. See packet.h
 * for sealing and opening, handshake.h for sessions that two sides agree on.
 *
 * Lifetime: whoever made it frees it, when no call uses it any more. The key bytes are copied into locked memory of a
 * pool, which the session keeps alive; the caller's secrets may be freed at once. Nothing returns a key, and a session
 * cannot be copied. To rekey, make a new session: new keys, new id, counter 0; while changing keep both and choose by
 * keep_packet_parse.
 * Threads: locked
 * Limits: 2^64 - 1 packets; max_failed_opens failed opens; windows of 1024 to 65536.
 *
 * A process may not have two live sessions that seal with the same key, also not in a forked child with the key of its
 * parent. Two things cannot be noticed and are the caller's duty: using a key again after its session was freed, and a
 * machine image that is restored: sessions must not survive it.
 */
#ifndef KEEP_SESSION_H
#define KEEP_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/pool.h>
#include <keep/status.h>

KEEP_BEGIN_DECLS

typedef struct keep_session keep_session;

/* KEEP_SESSION_OPTIONS_INIT: zeros. At least one key is needed, 32 bytes; the two must differ. */
typedef struct keep_session_options {
    size_t size;
    const keep_secret *tx_key;  /* NULL: the session only opens */
    const keep_secret *rx_key;  /* NULL: the session only seals */
    uint64_t session_id;
    uint64_t first_counter;     /* above all that this tx key was ever used with */
    uint64_t max_failed_opens;  /* 0: 2^36, which is also the maximum */
    uint32_t window;            /* 0: 1024; a power of two from 1024 to 65536 */
    uint32_t aead;              /* KEEP_AEAD_...; 0: the fastest */
    keep_pool *pool;            /* gives the key slots; NULL: the default pool */
} keep_session_options;

#define KEEP_SESSION_OPTIONS_INIT KEEP_SIZED(keep_session_options)

/* KEEP_SESSION_STATS_INIT. */
struct keep_session_stats {
    size_t size;
    uint64_t next_counter;    /* of the next packet; 2^64 - 1: spent */
    uint64_t opened;          /* packets, with heartbeats */
    uint64_t auth_failed;     /* forged ones */
    uint64_t replayed;
    uint64_t malformed;       /* authentic, but their frames are wrong: the peer is at fault */
    uint64_t highest_counter; /* opened so far */
    uint8_t has_highest;      /* 1: there is one */
    uint8_t confirmed;        /* 1: the peer has shown that it has the keys; see keep_handshake_session */
};

#define KEEP_SESSION_STATS_INIT KEEP_SIZED(struct keep_session_stats)

/*
 * Makes a session from keys.
 *
 * options       with one key or two
 * out_session   the caller frees it with keep_session_free
 *
 * KEEP_OK                    the session is ready
 * KEEP_ERR_INVALID_ARGUMENT  no key, a key that is not 32 bytes, equal keys, a bad window, aead or limit
 * KEEP_ERR_STATE             a live session of this process seals with the same tx key
 * KEEP_ERR_UNSUPPORTED       the aead that was asked for cannot be used here
 * KEEP_ERR_FORKED            a key or the pool belongs to the parent process
 * KEEP_ERR_CLOSED            a key was freed
 * KEEP_ERR_PURGED            a key was purged
 * KEEP_ERR_BUSY              a key's write window is open
 * acquiring                  see pool.h
 */
KEEP_API KEEP_MUST_USE keep_status
keep_session_new(const keep_session_options *options, KEEP_OWN keep_session **out_session);

/*
 * Tells how far the session is.
 *
 * out_stats   KEEP_SESSION_STATS_INIT
 *
 * KEEP_OK                    the struct is filled
 * KEEP_ERR_INVALID_ARGUMENT  correct the call
 * KEEP_ERR_FORKED            the parent's session: make your own
 * KEEP_ERR_PURGED            its keys are gone: make a new session
 */
KEEP_API KEEP_MUST_USE keep_status
keep_session_stats(keep_session *session, struct keep_session_stats *out_stats);

/*
 * Wipes the keys, frees the session and nulls the handle; a null handle is nothing. Cannot fail.
 */
KEEP_API void keep_session_free(keep_session **session);

KEEP_END_DECLS

#endif
