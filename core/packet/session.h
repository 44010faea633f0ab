/* SPDX-License-Identifier: MIT */
/*
 * A session from inside: what sealing, opening and the handshake share.
 */
#ifndef KEEP_PACKET_SESSION_H
#define KEEP_PACKET_SESSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "keep/session.h"
#include "keep/status.h"
#include "memory/secret.h"
#include "packet/aead.h"
#include "packet/window.h"

/* What is read together lies together: the counter of senders, the window of receivers and the rest far from each other. */
#define KEEP__FAR_APART 128

struct keep__tx_mark;

struct keep_session {
    uint32_t stamp;
    keep__cipher_choice choice;
    uint64_t epoch; /* of purges, when the keys were copied */
    uint64_t session_id;
    uint64_t max_failed_opens;
    keep__key tx, rx; /* bytes NULL: the session has none */
    struct keep__tx_mark *mark;
    size_t block_len;
    _Alignas(KEEP__FAR_APART) _Atomic uint64_t next_counter;
    _Alignas(KEEP__FAR_APART) keep__lock lock;
    keep__window window;                  /* guarded by lock, as are the counts */
    uint64_t opened, replayed, malformed;
    _Atomic bool confirmed;
    _Atomic uint64_t auth_failed;
    uint64_t ring[];
};

/* Null, fork, purge: INVALID_ARGUMENT FORKED PURGED. */
keep_status keep__session_check(const keep_session *session);

/* PURGED: the keys went since the session was made. */
keep_status keep__session_check_epoch(const keep_session *session);

/* What a handshake gives a session of. */
typedef struct keep__session_keys {
    const keep_secret *tx_key, *rx_key;
    uint64_t session_id;
    bool is_confirmed;
} keep__session_keys;

/* Makes a session with the keys and id of `keys`, and the rest of `options` (NULL: defaults). As keep_session_new. */
keep_status keep__session_make(const keep__session_keys *keys, const keep_session_options *options,
                               keep_session **out_session);

#endif
