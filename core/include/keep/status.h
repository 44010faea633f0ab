/* SPDX-License-Identifier: MIT */
/*
 * The statuses: the only list of codes, names and sentences. Every language generates its errors from this map.
 *
 * A code stands for one reaction of the caller; what happened in a layer below stands in a `keep_error`. KEEP_OK is 0
 * and the only success. Codes are 0 to 255, only ever appended, never changed or used again: 1 to 63 are for two or
 * more subsystems, 64 to 95 packet, 96 to 127 keystore, 128 to 159 tracker, 160 to 191 store. A failed authentication
 * is one code, without detail.
 *
 * What the caller does about the ones that any subsystem may return:
 *
 * INVALID_ARGUMENT   corrects the call                 BUFFER_TOO_SMALL  calls again with `*out_len` bytes
 * STATE              changes the order of calls        CLOSED            looks for a lifetime bug
 * FORKED             makes its own handle              PURGED            loads the secret, opens the handle again
 * BUSY               ends its windows, tries later     TIMEOUT           tries again later
 * NO_MEMORY          frees memory (vm.max_map_count)   EXHAUSTED         frees some, waits, or raises the cap
 * LOCK_LIMIT         raises RLIMIT_MEMLOCK             SYSTEM            reports it, reopens if the reason says so
 * UNSUPPORTED        chooses another option or kernel  AUTH              rejects it, treats it as an attack
 *
 * Threads: immutable
 */
#ifndef KEEP_STATUS_H
#define KEEP_STATUS_H

#include <keep/attributes.h>

KEEP_BEGIN_DECLS

/* X(NAME, number, "sentence") of every status. */
#define KEEP_STATUS_MAP(X) \
    X(OK, 0, "success") \
    KEEP_ERROR_MAP(X)

/* The same without KEEP_OK. */
#define KEEP_ERROR_MAP(X) \
    X(INVALID_ARGUMENT, 1, "an argument is wrong or out of range") \
    X(BUFFER_TOO_SMALL, 2, "the output buffer is too small") \
    X(STATE, 3, "not possible in this state") \
    X(CLOSED, 4, "the handle names nothing that lives") \
    X(FORKED, 5, "the handle belongs to the parent process") \
    X(PURGED, 6, "a purge destroyed the secret") \
    X(BUSY, 7, "in use by somebody else") \
    X(TIMEOUT, 8, "the time ran out") \
    X(NO_MEMORY, 9, "memory was refused") \
    X(EXHAUSTED, 10, "no more objects of this kind") \
    X(LOCK_LIMIT, 11, "the kernel refused to lock more memory") \
    X(SYSTEM, 12, "a layer below failed") \
    X(UNSUPPORTED, 13, "not supported here") \
    X(AUTH, 14, "authentication failed") \
    X(MALFORMED, 15, "the bytes are malformed") \
    X(NOT_FOUND, 16, "nothing has this name") \
    X(EXISTS, 17, "the name or place is taken") \
    X(CORRUPT, 18, "stored data was damaged or changed") \
    X(ROLLBACK, 19, "an older state was put back") \
    X(BAD_KEY, 20, "the key is missing or not the right one") \
    X(NO_SPACE, 21, "the disk or the file cap is full") \
    X(PACKET_SHORT, 64, "shorter than a packet header") \
    X(PACKET_MAGIC, 65, "not a packet") \
    X(PACKET_VERSION, 66, "unknown packet version") \
    X(PACKET_TOO_LARGE, 67, "the payload is too large") \
    X(PACKET_TOO_MANY_EVENTS, 68, "too many events for one packet") \
    X(PACKET_LENGTH, 69, "header and datagram disagree") \
    X(PACKET_HANDSHAKE, 70, "a handshake frame") \
    X(PACKET_SESSION, 71, "a packet of another session") \
    X(REPLAY, 72, "opened before, or too old") \
    X(PACKET_EVENTS, 73, "frames and payload disagree") \
    X(PACKET_TRAILING, 74, "bytes after the last frame") \
    X(REKEY, 75, "the counter or the failed opens are spent") \
    X(LOCKED_OUT, 96, "the tries are spent") \
    X(POLICY, 97, "a term of the policy is not met") \
    X(EXPIRED, 98, "the key has expired") \
    X(WRONG_DEVICE, 99, "the keys belong to another or a cleared TPM") \
    X(UNAVAILABLE, 100, "no TPM, library or transport") \
    X(BAD_PATH, 160, "not a valid name") \
    X(DENIED, 161, "the tier lacks this right") \
    X(APPEND_ONLY, 162, "the ledger is append-only") \
    X(GONE, 163, "the bytes were removed") \
    X(PRECONDITION, 164, "the precondition does not hold") \
    X(TOO_LARGE, 165, "larger than a cap allows") \
    X(QUOTA, 166, "the store is full") \
    X(CURSOR_AHEAD, 167, "the cursor is newer than the store") \
    X(LAGGED, 168, "changes were missed") \
    X(SHUT_DOWN, 169, "the store is shut down")

#define KEEP_STATUS_VALUE(name, number, sentence) KEEP_ERR_##name = number,

/* KEEP_OK, and KEEP_ERR_NAME for every other row. */
typedef enum keep_status {
    KEEP_OK = 0,
    KEEP_ERROR_MAP(KEEP_STATUS_VALUE)
} keep_status;

/*
 * The name of a status without prefix, "BUSY"; "UNKNOWN" for a number that is no status. It lives for ever. Cannot
 * fail.
 */
KEEP_API const char *keep_status_name(keep_status status);

/*
 * What the status says to a reader, "in use by somebody else"; "unknown status" for a number that is none. It lives
 * for ever. Cannot fail.
 */
KEEP_API const char *keep_status_sentence(keep_status status);

KEEP_END_DECLS

#endif
