/* SPDX-License-Identifier: MIT */
/*
 * An observer: the sockets, credentials, limits, process descriptors and events around a tracker. It names the dead and
 * the hung, and no live one: no flood makes a local agent look silent, and no pause of its own does.
 *
 * Lifetime: whoever made it frees it; it retains its tracker, which nobody else uses meanwhile. Freeing closes the sockets
 * and unlinks those that are still its own.
 * Threads: one at a time
 * Limits: KEEP_MAX_LISTENERS listeners, KEEP_MAX_BEAT_KEYS keys, KEEP_MAX_ALLOWED_UIDS user ids, KEEP_MAX_SEALED_SENDERS
 * senders of sealed frames. Linux 5.3 or later.
 *
 * A wait is the caller's: one descriptor becomes readable when there is something to do, in any event loop; then call
 * keep_observer_poll, which never blocks. Credentials carry the sender's pid and real uid; a process with CAP_SYS_ADMIN
 * and CAP_SETUID can forge them. Holders of a shared key are one trust domain: each can speak for any agent.
 *
 * Every function may return KEEP_ERR_INVALID_ARGUMENT (correct the call, nothing changed) and KEEP_ERR_FORKED (the
 * parent's: make your own); those with an `err` also KEEP_ERR_SYSTEM (look into it) and KEEP_ERR_NO_MEMORY.
 */
#ifndef KEEP_OBSERVER_H
#define KEEP_OBSERVER_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/bytes.h>
#include <keep/error.h>
#include <keep/pool.h>
#include <keep/status.h>
#include <keep/tracker.h>

KEEP_BEGIN_DECLS

#define KEEP_MAX_LISTENERS 8
#define KEEP_MAX_BEAT_KEYS 16
#define KEEP_MAX_ALLOWED_UIDS 64
#define KEEP_MAX_SEALED_SENDERS 1024

typedef struct keep_observer keep_observer;

/* Which clock an observer reads. */
enum {
    KEEP_CLOCK_MONOTONIC = 0, /* stands still while the machine sleeps */
    KEEP_CLOCK_BOOTTIME = 1
};

/* What happened; each event's meaning of its fields stands beside it. */
enum {
    KEEP_EVENT_BEAT = 1, /* only with report_beats */
    KEEP_EVENT_STALL = 2,
    KEEP_EVENT_RECOVERED = 3,
    KEEP_EVENT_EXITED = 4,
    KEEP_EVENT_GOODBYE = 5,
    KEEP_EVENT_REGISTERED = 6,
    KEEP_EVENT_READY = 7,
    KEEP_EVENT_FAILED = 8,       /* the agent itself said so */
    KEEP_EVENT_CRASH = 9,        /* a terminal beat; detail 1: its process was gone already */
    KEEP_EVENT_EVICTED = 10,     /* pid alone */
    KEEP_EVENT_RECYCLED = 11,
    KEEP_EVENT_DECODE_ERROR = 12, /* detail: KEEP_FAULT_... */
    KEEP_EVENT_UID_REFUSED = 13,
    KEEP_EVENT_AUTH_FAILURE = 14,
    KEEP_EVENT_ORIGIN_CONFLICT = 15,
    KEEP_EVENT_NAMESPACE_CONFLICT = 16,
    KEEP_EVENT_OUTAGE = 17,      /* the observer itself did not run: nobody is accused */
    KEEP_EVENT_IO_ERROR = 18     /* detail: errno */
};

/* Why a frame does not decode. */
enum {
    KEEP_FAULT_BAD_LENGTH = 1,
    KEEP_FAULT_BAD_MAGIC = 2,
    KEEP_FAULT_BAD_VERSION = 3,
    KEEP_FAULT_BAD_CRC = 4,
    KEEP_FAULT_BAD_STATUS = 5,
    KEEP_FAULT_STALL_ON_WIRE = 6,
    KEEP_FAULT_BAD_PID = 7,
    KEEP_FAULT_BAD_TIMESTAMP = 8,
    KEEP_FAULT_BAD_NONCE = 9,
    KEEP_FAULT_BAD_RESERVED = 10
};

/* How frames are sealed. */
enum {
    KEEP_BEAT_PLAIN = 0,
    KEEP_BEAT_SHARED = 1, /* one key for all agents */
    KEEP_BEAT_MASTER = 2  /* each agent's key is made from a master key and its pid */
};

/* KEEP_OBSERVER_OPTIONS_INIT: the values in brackets, else 0. */
typedef struct keep_observer_options {
    size_t size;
    const uint32_t *uids;         /* who may beat over Unix sockets; NULL: [the real uid] */
    size_t uid_count;
    uint8_t any_uid;              /* 1: everybody */
    uint8_t require_pid_match;    /* 1: a beat's own pid must be the kernel's */
    uint8_t accept_notify;        /* [1] sd_notify's messages */
    uint8_t own_namespace_only;
    uint8_t report_beats;         /* 1: an event per beat */
    uint32_t clock;               /* KEEP_CLOCK_... */
    uint32_t pid_max;             /* over UDP; 0: the kernel's */
    uint32_t per_pid_rate;        /* [100] beats per second; 0: off */
    uint32_t global_rate;         /* [5000] */
    uint32_t global_burst;        /* [10000] */
    uint32_t budget;              /* [1024] datagrams in one poll */
    uint32_t max_pidfds;          /* 0: as many as descriptors allow */
    uint32_t max_series;          /* [1024] agents in the metrics */
    uint64_t own_ns_inode;        /* 0: this process's */
    uint64_t session_gap_ns;      /* [0: never] a sealed sender silent that long may begin again */
    uint64_t min_threshold_ns;    /* [10 ms] of what agents may register */
    uint64_t max_threshold_ns;    /* [1 h] */
} keep_observer_options;

#define KEEP_OBSERVER_OPTIONS_INIT \
    { sizeof(keep_observer_options), 0, 0, 0, 0, 1, 0, 0, KEEP_CLOCK_MONOTONIC, 0, 100, 5000, 10000, 1024, 0, 1024, 0, 0, \
      10000000, 3600000000000 }

/* KEEP_LISTEN_OPTIONS_INIT: mode 0600, fd -1. One of path, fd and address. */
typedef struct keep_listen_options {
    size_t size;
    const char *path;          /* of a Unix socket; "@name" is abstract */
    uint32_t mode;             /* of the path */
    int32_t fd;                /* a Unix datagram socket that a supervisor bound */
    const char *address;       /* numeric, for UDP */
    uint16_t port;
    uint8_t sealed;            /* UDP: frames are sealed */
    uint8_t attested;          /* UDP: the operator vouches for the pids */
    uint8_t allow_plain;       /* UDP: needed for frames that are not sealed */
    uint8_t allow_any_address; /* UDP: needed beyond loopback */
} keep_listen_options;

#define KEEP_LISTEN_OPTIONS_INIT { sizeof(keep_listen_options), 0, 0600, -1, 0, 0, 0, 0, 0, 0 }

/* Where a datagram for keep_observer_feed came from. */
enum {
    KEEP_SOURCE_UNIX = 1,
    KEEP_SOURCE_UDP = 2,
    KEEP_SOURCE_UDP_SEALED = 3,
    KEEP_SOURCE_EXIT = 4 /* no datagram: the process kernel_pid, generation ended */
};

/* What is known of a datagram besides its bytes. */
enum {
    KEEP_MARK_TRUNCATED = 1,
    KEEP_MARK_NO_CREDENTIALS = 2,
    KEEP_MARK_SENDER_GONE = 4,
    KEEP_MARK_ATTESTED = 8
};

typedef struct keep_datagram {
    keep_bytes data;
    uint64_t ns_inode, generation;
    uint32_t kernel_pid, uid;
    uint32_t source; /* KEEP_SOURCE_... */
    uint32_t marks;  /* KEEP_MARK_... */
} keep_datagram;

typedef struct keep_event {
    uint64_t at_ns; /* the clock */
    uint64_t nonce, last_ns, silence_ns, ns_inode, generation;
    uint32_t kind, detail, pid, claimed_pid, uid, payload, stalled, agents;
    uint8_t health, origin;
} keep_event;

/* KEEP_OBSERVER_STATS_INIT. Counters that never reset. */
struct keep_observer_stats {
    size_t size;
    uint64_t datagrams, bad_length, uid_refused, no_credentials, decode_errors, auth_failures, pid_above_max;
    uint64_t limited_pid, limited_global, posthumous, after_goodbye, notify_unattested, notice_refused;
    uint64_t decrypt_failures, replay_refused, senders_evicted, foreign_namespace, pidfd_unavailable, io_errors;
};

#define KEEP_OBSERVER_STATS_INIT KEEP_SIZED(struct keep_observer_stats)

/*
 * Makes an observer.
 *
 * options   NULL: the defaults
 * tracker   retained; its threshold is at least 10 ms
 *
 * KEEP_OK               the caller frees it with keep_observer_free
 * KEEP_ERR_UNSUPPORTED  the kernel is older than 5.3
 */
KEEP_API KEEP_MUST_USE keep_status
keep_observer_new(const keep_observer_options *KEEP_NULLABLE options, keep_tracker *tracker,
                  KEEP_OWN keep_observer **out_observer, keep_error *KEEP_NULLABLE err);

/*
 * Begins to listen. The first call sets a ledger's max_gap of 0 to a quarter of its limit, so that a pause of the observer
 * accuses nobody.
 *
 * KEEP_OK             beats are received from the next poll on
 * KEEP_ERR_BUSY       somebody listens on that path
 * KEEP_ERR_EXHAUSTED  KEEP_MAX_LISTENERS are listening
 */
KEEP_API KEEP_MUST_USE keep_status
keep_observer_listen(keep_observer *observer, const keep_listen_options *options, keep_error *KEEP_NULLABLE err);

/*
 * Adds a key for sealed frames; its bytes are copied into a locked slot.
 *
 * secret   32 bytes
 * mode     KEEP_BEAT_SHARED, or KEEP_BEAT_MASTER once
 *
 * KEEP_OK             frames under it are opened from now on
 * KEEP_ERR_STATE      there is a master key
 * KEEP_ERR_EXHAUSTED  KEEP_MAX_BEAT_KEYS keys are there, or a pool's cap is reached
 * KEEP_ERR_CLOSED     the secret was freed
 * KEEP_ERR_PURGED     the secret was purged
 * KEEP_ERR_BUSY       its write window is open
 * acquiring           see pool.h
 */
KEEP_API KEEP_MUST_USE keep_status
keep_observer_add_key(keep_observer *observer, const keep_secret *secret, uint32_t mode);

/*
 * The descriptor to wait on: readable while there is something to do. It stays the observer's; wait on a duplicate if
 * another thread may free the observer.
 *
 * KEEP_OK   always, with right arguments
 */
KEEP_API KEEP_MUST_USE keep_status keep_observer_fd(keep_observer *observer, int *out_fd);

/*
 * Receives what has come, looks who ended, and drains the ledger. Never blocks.
 *
 * out_events   room for `cap`; events beyond it come first next time, and until then nothing is received
 * out_count    how many
 *
 * KEEP_OK          `*out_count` events were given
 * KEEP_ERR_PURGED  the keys of sealed frames are gone: make a new observer
 */
KEEP_API KEEP_MUST_USE keep_status
keep_observer_poll(keep_observer *observer, keep_event *KEEP_NULLABLE out_events, size_t cap, size_t *out_count,
                   keep_error *KEEP_NULLABLE err);

/*
 * The same without sockets: judges datagrams that the caller received, then drains.
 *
 * count        0 to KEEP_MAX_BATCH
 * out_events   as of poll
 *
 * KEEP_OK          `*out_count` events were given
 * KEEP_ERR_BUSY    events wait from before: feed none until they are taken
 * KEEP_ERR_PURGED  the keys of sealed frames are gone: make a new observer
 */
KEEP_API KEEP_MUST_USE keep_status
keep_observer_feed(keep_observer *observer, const keep_datagram *KEEP_NULLABLE datagrams, size_t count, uint64_t now_ns,
                   keep_event *KEEP_NULLABLE out_events, size_t cap, size_t *out_count);

/*
 * Tells the counters.
 *
 * out_stats   KEEP_OBSERVER_STATS_INIT
 *
 * KEEP_OK   the struct is filled
 */
KEEP_API KEEP_MUST_USE keep_status
keep_observer_stats(keep_observer *observer, struct keep_observer_stats *out_stats);

/*
 * Writes all numbers as Prometheus text, version 0.0.4.
 *
 * out       room for `cap` bytes; no NUL is written
 * out_len   the text's length, also when `cap` is too small
 *
 * KEEP_OK                    the text is written
 * KEEP_ERR_BUFFER_TOO_SMALL  call again with `*out_len` bytes
 */
KEEP_API KEEP_MUST_USE keep_status
keep_observer_metrics(keep_observer *observer, char *KEEP_NULLABLE out, size_t cap, size_t *out_len);

/*
 * Closes everything, gives the tracker back and nulls the handle; a null handle is nothing. Cannot fail.
 */
KEEP_API void keep_observer_free(keep_observer **observer);

KEEP_END_DECLS

#endif
