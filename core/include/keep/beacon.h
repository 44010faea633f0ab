/* SPDX-License-Identifier: MIT */
/*
 * A beacon: a process's side of being watched. It says "I am alive" in one system call, notices a fork and a restarted
 * observer, and can leave a last word from a signal handler.
 *
 * Lifetime: whoever made it frees it; freeing sends nothing, so say goodbye first. A key is copied into a locked slot.
 * Threads: one at a time
 * Limits: paths of at most 107 bytes. keep_beacon_crash may be called by any thread, also from a signal handler.
 *
 * Beat from the loop that is supervised, never from a thread of its own, which would beat on for a hung program. That
 * nobody observes is no error: the beat is dropped, and the outcome says so.
 *
 * Every function may return KEEP_ERR_INVALID_ARGUMENT (correct the call) and KEEP_ERR_FORKED (the parent's: restart it, or
 * make your own); with a key KEEP_ERR_PURGED (make a new one).
 */
#ifndef KEEP_BEACON_H
#define KEEP_BEACON_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/error.h>
#include <keep/pool.h>
#include <keep/status.h>
#include <keep/tracker.h>

KEEP_BEGIN_DECLS

typedef struct keep_beacon keep_beacon;

/* What became of a frame. */
enum {
    KEEP_OUTCOME_SENT = 0,
    KEEP_OUTCOME_DROPPED_QUEUE_FULL = 1,
    KEEP_OUTCOME_DROPPED_NO_OBSERVER = 2,
    KEEP_OUTCOME_DROPPED_PEER_GONE = 3,
    KEEP_OUTCOME_DROPPED_STORAGE_FULL = 4,
    KEEP_OUTCOME_FAILED = 5 /* `error` tells */
};

/* What a detached beacon's caller does next. */
enum {
    KEEP_ACTION_NONE = 0,
    KEEP_ACTION_RECONNECT = 1
};

#define KEEP_ARM_SIGNALS 1 /* handlers for SEGV, BUS, ILL, FPE and ABRT, which crash and then do what was done before */

/* KEEP_BEACON_OPTIONS_INIT: reconnect_after 3. A path, or a host and port, or neither: detached. */
typedef struct keep_beacon_options {
    size_t size;
    const char *path;         /* of a Unix socket; "@name" is abstract */
    const char *host;         /* numeric, for UDP */
    uint16_t port;
    uint8_t mode;             /* KEEP_BEAT_PLAIN, _SHARED or _MASTER of observer.h */
    uint8_t fork_refresh;     /* 1: a plain beacon restarts itself in a child */
    uint32_t agent_pid;       /* 0: this process's; needed in master mode and detached */
    uint32_t reconnect_after; /* drops in a row until it connects anew; 0: never */
    uint64_t start_nonce;     /* detached: where the stream begins */
    const keep_secret *key;   /* 32 bytes, for the sealed modes */
} keep_beacon_options;

#define KEEP_BEACON_OPTIONS_INIT { sizeof(keep_beacon_options), 0, 0, 0, 0, 0, 0, 3, 0, 0 }

/* What became of a beat or a notice. */
typedef struct keep_outcome {
    uint32_t kind;    /* KEEP_OUTCOME_... */
    uint32_t action;  /* KEEP_ACTION_... */
    uint32_t error;   /* errno, or 0 */
    uint32_t dropped; /* in a row */
    uint64_t nonce;   /* the last one that the kernel took */
} keep_outcome;

/*
 * Makes a beacon. No observer needs to be there yet.
 *
 * KEEP_OK               the caller frees it with keep_beacon_free
 * KEEP_ERR_UNSUPPORTED  the kernel is too old for a connected one
 * KEEP_ERR_CLOSED       the key was freed
 * KEEP_ERR_BUSY         the key's write window is open
 * KEEP_ERR_SYSTEM       no socket or no random bytes could be had: look into `err`
 * acquiring             see pool.h
 */
KEEP_API KEEP_MUST_USE keep_status
keep_beacon_new(const keep_beacon_options *options, KEEP_OWN keep_beacon **out_beacon, keep_error *KEEP_NULLABLE err);

/*
 * Says that the process is alive: one system call, no heap, no lock.
 *
 * health        KEEP_HEALTH_...
 * payload       a number of the caller's
 * out_outcome   what became of it
 *
 * KEEP_OK          sent or dropped
 * KEEP_ERR_STATE   the beacon is detached: use prepare and commit
 * KEEP_ERR_SYSTEM  failed: the outcome has the errno
 */
KEEP_API KEEP_MUST_USE keep_status
keep_beacon_beat(keep_beacon *beacon, uint32_t health, uint32_t payload, keep_outcome *out_outcome);

/*
 * Asks the observer to watch this process with settings of its own, from now on.
 *
 * settings   whole milliseconds, at least 1; NULL: the observer's
 *
 * KEEP_OK          sent or dropped
 * KEEP_ERR_STATE   the beacon is detached
 * KEEP_ERR_SYSTEM  failed: the outcome has the errno
 */
KEEP_API KEEP_MUST_USE keep_status
keep_beacon_register(keep_beacon *beacon, const keep_agent_settings *KEEP_NULLABLE settings, keep_outcome *out_outcome);

/*
 * Says that the process will end on purpose: from then on its silence and its end are no news.
 *
 * KEEP_OK          sent or dropped
 * KEEP_ERR_STATE   the beacon is detached
 * KEEP_ERR_SYSTEM  failed: the outcome has the errno
 */
KEEP_API KEEP_MUST_USE keep_status keep_beacon_goodbye(keep_beacon *beacon, keep_outcome *out_outcome);

/*
 * Prepares a last word: a second connection that keep_beacon_crash sends on. An alternate signal stack is set for the
 * calling thread: another thread whose stack overflow shall be told calls this too.
 *
 * flags   0, or KEEP_ARM_SIGNALS
 *
 * KEEP_OK             armed
 * KEEP_ERR_STATE      the beacon is detached
 * KEEP_ERR_NO_MEMORY  memory was refused
 * KEEP_ERR_SYSTEM     look into `err`
 */
KEEP_API KEEP_MUST_USE keep_status
keep_beacon_arm(keep_beacon *beacon, uint32_t flags, keep_error *KEEP_NULLABLE err);

/*
 * Sends the last word: critical, terminal. Async-signal-safe, from any thread; errno is kept. Unarmed, or in a forked
 * child, it does nothing. Cannot fail.
 */
KEEP_API void keep_beacon_crash(keep_beacon *beacon, uint32_t payload);

/*
 * Connects anew; the stream goes on. A detached beacon's caller says with it that it has a new connection.
 *
 * KEEP_OK          the new connection is in use
 * KEEP_ERR_STATE   a detached beacon did not ask for it
 * KEEP_ERR_SYSTEM  look into `err`; the old connection is still in use
 */
KEEP_API KEEP_MUST_USE keep_status keep_beacon_reconnect(keep_beacon *beacon, keep_error *KEEP_NULLABLE err);

/*
 * Begins a new life, in a forked child or not: a new connection, a new stream. A sealed beacon cannot in a child, where
 * its key is not.
 *
 * KEEP_OK          beat goes on from here
 * KEEP_ERR_SYSTEM  look into `err`
 */
KEEP_API KEEP_MUST_USE keep_status keep_beacon_restart(keep_beacon *beacon, keep_error *KEEP_NULLABLE err);

/*
 * The key of one agent, made from the master key: give it to that agent alone.
 *
 * master       32 bytes
 * out_secret   the caller frees it
 *
 * KEEP_OK          it was made in the master's pool
 * KEEP_ERR_CLOSED  the master was freed
 * KEEP_ERR_BUSY    its write window is open
 * acquiring        see pool.h
 */
KEEP_API KEEP_MUST_USE keep_status
keep_beacon_agent_key(const keep_secret *master, uint32_t pid, KEEP_OWN keep_secret **out_secret);

/*
 * A detached beacon's next frame, for the caller to send. One that was not settled is dropped.
 *
 * out_frame   room for 64 bytes; 32, 60 or 64 are written by mode
 *
 * KEEP_OK         send it, then call keep_beacon_commit
 * KEEP_ERR_STATE  the beacon is connected: use keep_beacon_beat
 */
KEEP_API KEEP_MUST_USE keep_status
keep_beacon_prepare(keep_beacon *beacon, uint32_t health, uint32_t payload, uint64_t now_ns, uint8_t *out_frame);

/*
 * Settles the frame that was prepared.
 *
 * error         errno of the caller's send, 0: the kernel took it
 * out_outcome   what became of it, and what to do
 *
 * KEEP_OK         it is settled
 * KEEP_ERR_STATE  nothing is prepared, or the beacon is connected
 */
KEEP_API KEEP_MUST_USE keep_status
keep_beacon_commit(keep_beacon *beacon, uint32_t error, keep_outcome *out_outcome);

/*
 * Closes, wipes, frees and nulls the handle; a null handle is nothing. Sends nothing. Cannot fail.
 */
KEEP_API void keep_beacon_free(keep_beacon **beacon);

KEEP_END_DECLS

#endif
