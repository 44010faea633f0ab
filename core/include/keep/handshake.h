/* SPDX-License-Identifier: MIT */
/*
 * A handshake: two sides that know a pre-shared key, and each other's or their own static keys, agree on a session by
 * Noise (revision 34): IKpsk2 in two messages when the initiator knows the responder's static key, XXpsk3 in three when
 * it does not. Both authenticate each other, and old traffic stays secret when a static key is lost later.
 *
 * Lifetime: whoever made it frees it. Its keys live in locked slots of a pool, which it keeps alive.
 * Threads: one at a time
 * Limits: messages of at most KEEP_MAX_PAYLOAD_LEN bytes with their payload; a prologue of 65535 bytes.
 *
 * Only success consumes state: after a failed read or write the handshake is exactly as before, so a forged, cut or stray
 * datagram cannot end it. A message is repeated by sending its bytes again.
 *
 * What a payload is worth: IK 1 can be replayed and is read if the responder's key is lost later; XX 1 is neither secret
 * nor authentic; XX 2 is secret from eavesdroppers, but the reader is not known yet; IK 2 and XX 3 are secret and
 * authentic. Who is welcome the caller decides, by the peer's static key, before it goes on.
 *
 * Every function may return KEEP_ERR_INVALID_ARGUMENT (correct the call); with a handshake KEEP_ERR_FORKED (the parent's:
 * make your own) and KEEP_ERR_PURGED (its keys are gone: begin again).
 */
#ifndef KEEP_HANDSHAKE_H
#define KEEP_HANDSHAKE_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/bytes.h>
#include <keep/pool.h>
#include <keep/session.h>
#include <keep/status.h>

KEEP_BEGIN_DECLS

#define KEEP_HANDSHAKE_KEY_LEN 32
#define KEEP_MAX_PROLOGUE_LEN 65535

typedef struct keep_handshake keep_handshake;

/* Noise_IKpsk2_25519_ChaChaPoly_SHA256 and Noise_XXpsk3_25519_ChaChaPoly_SHA256. */
enum {
    KEEP_NOISE_IKPSK2 = 1,
    KEEP_NOISE_XXPSK3 = 2
};

enum {
    KEEP_INITIATOR = 1,
    KEEP_RESPONDER = 2
};

/* Whose turn it is. */
enum {
    KEEP_HANDSHAKE_WRITE = 1, /* keep_handshake_write comes next */
    KEEP_HANDSHAKE_READ = 2,  /* keep_handshake_read comes next */
    KEEP_HANDSHAKE_DONE = 3,  /* keep_handshake_session comes next */
    KEEP_HANDSHAKE_SPENT = 4  /* the session was taken */
};

/* KEEP_HANDSHAKE_OPTIONS_INIT: zeros. Secrets are 32 bytes. */
typedef struct keep_handshake_options {
    size_t size;
    uint32_t pattern;                 /* KEEP_NOISE_... */
    uint32_t role;                    /* KEEP_INITIATOR or KEEP_RESPONDER */
    const keep_secret *static_key;    /* any 32 random bytes */
    const keep_secret *pre_shared_key;
    const keep_secret *ephemeral_key; /* NULL: random. For known answers: used twice it gives session keys away */
    const uint8_t *remote_static;     /* 32 bytes; for the IK initiator, and for nobody else */
    keep_bytes prologue;              /* equal on both sides */
    keep_pool *pool;                  /* gives the key slots; NULL: the default pool */
} keep_handshake_options;

#define KEEP_HANDSHAKE_OPTIONS_INIT KEEP_SIZED(keep_handshake_options)

/* KEEP_HANDSHAKE_INFO_INIT. */
struct keep_handshake_info {
    size_t size;
    uint32_t state;                                /* KEEP_HANDSHAKE_WRITE ... */
    uint8_t has_remote_static;                     /* 1: known, and authenticated by a message */
    uint8_t has_hash;                              /* 1: the handshake is done */
    uint8_t remote_static[KEEP_HANDSHAKE_KEY_LEN];
    uint8_t hash[KEEP_HANDSHAKE_KEY_LEN];          /* equal on both sides; no secret, and no key may be made of it */
};

#define KEEP_HANDSHAKE_INFO_INIT KEEP_SIZED(struct keep_handshake_info)

/*
 * Begins a handshake.
 *
 * KEEP_OK          the caller frees it with keep_handshake_free
 * KEEP_ERR_CLOSED  a key was freed
 * KEEP_ERR_BUSY    a key's write window is open
 * acquiring        see pool.h
 */
KEEP_API KEEP_MUST_USE keep_status
keep_handshake_new(const keep_handshake_options *options, KEEP_OWN keep_handshake **out_handshake);

/*
 * Writes the next message.
 *
 * payload   NULL only if `len` is 0
 * out       room for `cap` bytes, apart from the payload
 * out_len   the message's length, also when `cap` is too small
 *
 * KEEP_OK                    send the message, in a handshake frame of packet.h
 * KEEP_ERR_STATE             it is not this side's turn
 * KEEP_ERR_PACKET_TOO_LARGE  a shorter payload fits
 * KEEP_ERR_BUFFER_TOO_SMALL  call again with `*out_len` bytes
 * KEEP_ERR_SYSTEM            no random bytes could be had
 */
KEEP_API KEEP_MUST_USE keep_status
keep_handshake_write(keep_handshake *handshake, const void *KEEP_NULLABLE payload, size_t len, uint8_t *KEEP_NULLABLE out,
                     size_t cap, size_t *out_len);

/*
 * Reads a message and gives its payload.
 *
 * message   any bytes; NULL only if `len` is 0
 * out       room for `cap` bytes; zero after KEEP_ERR_AUTH
 * out_len   the payload's length, also when `cap` is too small
 *
 * KEEP_OK                    the other side's turn is over
 * KEEP_ERR_STATE             it is not the other side's turn
 * KEEP_ERR_BUFFER_TOO_SMALL  call again with `*out_len` bytes
 * KEEP_ERR_AUTH              drop it, and wait for the right one
 */
KEEP_API KEEP_MUST_USE keep_status
keep_handshake_read(keep_handshake *handshake, const void *KEEP_NULLABLE message, size_t len,
                    uint8_t *KEEP_NULLABLE out, size_t cap, size_t *out_len);

/*
 * Tells how far the handshake is, and with whom.
 *
 * out_info   KEEP_HANDSHAKE_INFO_INIT
 *
 * KEEP_OK   the struct is filled
 */
KEEP_API KEEP_MUST_USE keep_status
keep_handshake_info(const keep_handshake *handshake, struct keep_handshake_info *out_info);

/*
 * Takes the session, once; the handshake is spent and wiped then. The session of the side that read the last message is
 * confirmed at once, the other's with its first opened packet. The answer to a replayed IK message makes a session that
 * is never confirmed: drop it after a time of your choice.
 *
 * options   NULL, or with window, aead, pool and max_failed_opens; the other fields zero
 *
 * KEEP_OK               the caller frees the session
 * KEEP_ERR_STATE        the handshake is not done, or the session was taken
 * KEEP_ERR_UNSUPPORTED  the aead that was asked for cannot be used here
 * acquiring             see pool.h
 */
KEEP_API KEEP_MUST_USE keep_status
keep_handshake_session(keep_handshake *handshake, const keep_session_options *KEEP_NULLABLE options,
                       KEEP_OWN keep_session **out_session);

/*
 * The X25519 public key of a static key, to give to others.
 *
 * out   room for KEEP_HANDSHAKE_KEY_LEN bytes
 *
 * KEEP_OK          it is written
 * KEEP_ERR_CLOSED  the secret was freed
 * KEEP_ERR_FORKED  it belongs to the parent process
 * KEEP_ERR_PURGED  it was purged
 * KEEP_ERR_BUSY    its write window is open
 * KEEP_ERR_SYSTEM  the kernel refused to open its pages
 */
KEEP_API KEEP_MUST_USE keep_status keep_handshake_public_key(const keep_secret *static_key, uint8_t *out);

/*
 * Wipes, frees and nulls the handle; a null handle is nothing. Cannot fail.
 */
KEEP_API void keep_handshake_free(keep_handshake **handshake);

KEEP_END_DECLS

#endif
