/* SPDX-License-Identifier: MIT */
/*
 * A beacon: a connection, a stream, and what a crash needs.
 */
#ifndef KEEP_TRACKER_BEACON_H
#define KEEP_TRACKER_BEACON_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/beacon.h"
#include "keep/error.h"
#include "keep/observer.h"
#include "memory/secret.h"
#include "tracker/sealer.h"
#include "tracker/stream.h"

#define KEEP__ADDRESS_CAP 128
#define KEEP__NO_SOCKET (-1)

/* Where frames go. */
typedef struct keep__peer {
    uint32_t len; /* of the address; 0: nowhere, the beacon is detached */
    bool is_udp;
    uint8_t address[KEEP__ADDRESS_CAP]; /* a struct sockaddr */
} keep__peer;

/* A socket to it. */
typedef struct keep__connection {
    int fd;
    uint32_t error; /* why it could not be connected, so that nobody observes; 0: it is */
    keep__sealer sealer;
} keep__connection;

/* What a detached beacon's caller does next. */
enum keep__turn {
    KEEP__TURN_PREPARE = 0, /* nothing is prepared */
    KEEP__TURN_COMMIT,      /* a frame waits to be settled */
    KEEP__TURN_RECONNECT,   /* a dropped frame may be sent on a new connection */
    KEEP__TURN_COMMIT_AGAIN /* it was sent there */
};

/* A last word's way out, apart from everything else. */
typedef struct keep__last_word {
    _Atomic uint32_t is_armed;
    int fd;
    _Atomic uint32_t counter;
    uint8_t prefix[KEEP__PREFIX_LEN];
} keep__last_word;

struct keep_beacon {
    uint32_t stamp;              /* of the process; see memory/guard.h */
    uint32_t pid;                /* as it is sent */
    keep_beacon_options options; /* without its pointers */
    keep__peer peer;
    keep__connection connection;
    keep__stream stream;
    keep__key key;
    uint64_t epoch; /* of the key; see memory/guard.h */
    enum keep__turn turn;
    keep__last_word last_word;
};

/* INVALID_ARGUMENT FORKED */
keep_status keep__beacon_check(const keep_beacon *beacon);

/* KEEP_ERR_PURGED: the key is gone. */
keep_status keep__beacon_check_key(const keep_beacon *beacon);

/* The clock of a beacon's timestamps; 0: it fails. Async-signal-safe. */
uint64_t keep__beacon_clock(const keep_beacon *beacon);

/* One system call. 0, or an errno. Async-signal-safe. */
uint32_t keep__connection_send(int fd, const void *bytes, size_t len);

/* A connection with its own salt. The status is not OK only if there is none at all; see `error`. */
keep_status keep__connection_open(const keep__peer *peer, bool is_sealed, keep__connection *out, keep_error *err);

/* Replaces a connection's socket in place, so that another thread may send on it meanwhile. */
void keep__connection_replace(int fd, const keep__peer *peer);

void keep__connection_close(keep__connection *connection);

/* Connects anew; the stream goes on. */
keep_status keep__beacon_reconnect(keep_beacon *beacon, keep_error *err);

/* Closes what a crash would use, and stops telling signals. */
void keep__beacon_disarm(keep_beacon *beacon);

/* A last word's timestamp: now, and above all former ones. Async-signal-safe. */
uint64_t keep__crash_timestamp(_Atomic uint64_t *last, uint64_t now_ns);

/* The counter of a sealed last word; UINT32_MAX: all are used up, since none is used twice. Async-signal-safe. */
uint32_t keep__crash_counter(_Atomic uint32_t *counter);

/* A frame as it goes out: itself, or sealed. `out` has room for KEEP_BEAT_MASTER_LEN; gives the length. */
size_t keep__beacon_wrap(const keep_beacon *beacon, const uint8_t prefix[KEEP__PREFIX_LEN], uint32_t counter,
                         const uint8_t frame[KEEP_BEAT_LEN], uint8_t *out);

#endif
