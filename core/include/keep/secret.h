/* SPDX-License-Identifier: MIT */
/*
 * A secret: bytes in locked memory. It is reached through windows (the bytes in place), through copies in and out, or
 * not at all: functions of libkeep that need a key take the secret itself.
 *
 * Lifetime: whoever acquired it frees it; freeing wipes. A handle is a value, a place and a generation, never an
 * address: a freed handle, a copy of one, or an invented one is KEEP_ERR_CLOSED in every build, and the place's new
 * owner is untouched. A secret keeps its pool alive.
 * Threads: locked
 * Limits: KEEP_MAX_SECRET_LEN bytes; 65535 read windows at a time.
 *
 * A window is open between a begin and its end: many read windows, or one write window; a conflict is KEEP_ERR_BUSY at
 * once, never a wait. Functions that touch the bytes, also freeze, melt, resize and free, take the window they need for
 * the call. Every function on a secret may return
 *
 * KEEP_ERR_INVALID_ARGUMENT  a null pointer, a length or offset out of range: correct the call
 * KEEP_ERR_FORKED            the secret belongs to the parent process: make your own
 * KEEP_ERR_CLOSED            freed before, or never acquired: look for a lifetime bug
 * KEEP_ERR_PURGED            keep_purge wiped it: free it and load the secret again
 *
 * and the first that applies, in that order, then STATE, an offset or length against this secret, BUSY, BUFFER_TOO_SMALL.
 * A guarded buffer's functions may also return KEEP_ERR_SYSTEM: the kernel refused to change its protection.
 *
 * Damage found in guarded memory (a canary, a byte past the length, a free slot that was written to) ends the process
 * with one line on standard error: the memory is wiped, nothing can be trusted any more.
 */
#ifndef KEEP_SECRET_H
#define KEEP_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/pool.h>
#include <keep/status.h>

KEEP_BEGIN_DECLS

/* Where a secret lives. */
enum {
    KEEP_KIND_SLOT = 0,   /* in a slab of its pool */
    KEEP_KIND_GUARDED = 1 /* in pages of its own, inaccessible while no window is open */
};

/* KEEP_SECRET_INFO_INIT. */
struct keep_secret_info {
    size_t size;
    uint64_t len, capacity;
    uint32_t kind;    /* KEEP_KIND_... */
    uint32_t tier;    /* index of its tier in the pool's stats; of a guarded buffer KEEP_MAX_TIERS */
    uint32_t backing; /* KEEP_BACKING_MEMFD_SECRET or _LOCKED */
    uint32_t windows; /* open windows of either kind */
    uint8_t frozen;   /* 1: read-only */
    uint8_t locked;   /* 1: its pages cannot be swapped out */
    uint8_t exposed;  /* 1: the kernel refused to close its pages after a window */
    uint8_t purged;   /* 1: wiped by keep_purge */
};

#define KEEP_SECRET_INFO_INIT KEEP_SIZED(struct keep_secret_info)

/*
 * Makes a secret of `len` random bytes.
 *
 * KEEP_OK     the caller frees the secret
 * acquiring   see pool.h
 *
 * Binding: payload len
 */
KEEP_API KEEP_MUST_USE keep_status
keep_secret_generate(keep_pool *KEEP_NULLABLE pool, size_t len, KEEP_OWN keep_secret **out_secret);

/*
 * Makes a secret with a copy of `bytes`. The source stays as it is: wipe it with keep_wipe.
 *
 * bytes   NULL only if `len` is 0
 *
 * KEEP_OK     the caller frees the secret
 * acquiring   see pool.h
 *
 * Binding: payload bytes
 */
KEEP_API KEEP_MUST_USE keep_status
keep_secret_from_bytes(keep_pool *KEEP_NULLABLE pool, const void *KEEP_NULLABLE bytes, size_t len,
                       KEEP_OWN keep_secret **out_secret);

/*
 * Makes a second secret with equal bytes: same pool, same kind, not frozen.
 *
 * KEEP_OK        the caller frees the new secret
 * KEEP_ERR_BUSY  a write window is open: end it first
 * acquiring      see pool.h
 *
 * Binding: payload secret
 */
KEEP_API KEEP_MUST_USE keep_status
keep_secret_duplicate(const keep_secret *secret, KEEP_OWN keep_secret **out_secret);

/*
 * Begins a read window: the bytes in place, exactly `*out_len` of them, until keep_secret_end.
 *
 * out_data   never NULL, also for a secret of length 0
 *
 * KEEP_OK          the caller ends the window
 * KEEP_ERR_BUSY    a write window is open, or 65535 read windows are
 * KEEP_ERR_SYSTEM  a guarded buffer could not be made readable: no window is open
 */
KEEP_API KEEP_MUST_USE keep_status
keep_secret_read_begin(const keep_secret *secret, const uint8_t **out_data, size_t *out_len);

/*
 * Begins the write window: the bytes in place, for reading and writing, until keep_secret_end.
 *
 * out_data   never NULL, also for a secret of length 0
 *
 * KEEP_OK          the caller ends the window
 * KEEP_ERR_STATE   the secret is frozen: melt it first
 * KEEP_ERR_BUSY    a window is open
 * KEEP_ERR_SYSTEM  a guarded buffer could not be made writable: no window is open
 */
KEEP_API KEEP_MUST_USE keep_status
keep_secret_write_begin(keep_secret *secret, uint8_t **out_data, size_t *out_len);

/*
 * Ends the write window or one read window, begun by any thread; works on a purged secret too.
 *
 * KEEP_OK          the window is ended
 * KEEP_ERR_STATE   no window is open
 * KEEP_ERR_SYSTEM  the window is ended, but the guarded buffer stays accessible: info says `exposed`
 */
KEEP_API KEEP_MUST_USE keep_status keep_secret_end(const keep_secret *secret);

/*
 * Copies bytes in.
 *
 * bytes   `len` bytes for the place `offset`; together within the secret's length
 *
 * KEEP_OK         they were copied
 * KEEP_ERR_STATE  the secret is frozen
 * KEEP_ERR_BUSY   a window is open
 *
 * Binding: payload bytes
 */
KEEP_API KEEP_MUST_USE keep_status
keep_secret_put(keep_secret *secret, size_t offset, const void *KEEP_NULLABLE bytes, size_t len);

/*
 * Copies bytes out into memory that libkeep can neither lock nor wipe.
 *
 * out   room for `len` bytes from `offset` on; together within the secret's length
 *
 * KEEP_OK        they were copied
 * KEEP_ERR_BUSY  a write window is open
 *
 * Binding: payload len
 */
KEEP_API KEEP_MUST_USE keep_status
keep_secret_get(const keep_secret *secret, size_t offset, void *KEEP_NULLABLE out, size_t len);

/*
 * Copies the secret's bytes out of guarded memory. From then on a copy exists that libkeep can neither lock nor
 * wipe: prefer to hand the secret itself to the function that needs it.
 *
 * out        room for `cap` bytes; untouched unless KEEP_OK is returned
 * out_len    the secret's length, also when `cap` is too small
 *
 * KEEP_OK                    `*out_len` bytes were written
 * KEEP_ERR_BUSY              a write window is open: end it first
 * KEEP_ERR_BUFFER_TOO_SMALL  nothing was written: call again with `*out_len` bytes
 *
 * Binding: payload out
 */
KEEP_API KEEP_MUST_USE keep_status
keep_secret_reveal(const keep_secret *secret, void *KEEP_NULLABLE out, size_t cap, size_t *out_len);

/*
 * Fills the secret with random bytes.
 *
 * KEEP_OK          all bytes are new
 * KEEP_ERR_STATE   the secret is frozen
 * KEEP_ERR_BUSY    a window is open
 * KEEP_ERR_SYSTEM  no random bytes could be had: the bytes are zero
 *
 * Binding: payload secret
 */
KEEP_API KEEP_MUST_USE keep_status keep_secret_randomize(keep_secret *secret);

/*
 * Fills the secret with zeros.
 *
 * KEEP_OK         all bytes are zero
 * KEEP_ERR_STATE  the secret is frozen
 * KEEP_ERR_BUSY   a window is open
 *
 * Binding: payload secret
 */
KEEP_API KEEP_MUST_USE keep_status keep_secret_clear(keep_secret *secret);

/*
 * Changes the length, up to the capacity. The first bytes stay, bytes given up are wiped, bytes gained are zero.
 *
 * KEEP_OK         the secret has the new length
 * KEEP_ERR_STATE  the secret is frozen
 * KEEP_ERR_BUSY   a window is open
 *
 * Binding: payload secret
 */
KEEP_API KEEP_MUST_USE keep_status keep_secret_resize(keep_secret *secret, size_t len);

/*
 * Compares two secrets in a time that does not depend on their bytes. A secret equals itself; different lengths are
 * unequal.
 *
 * out_equal   1 or 0
 *
 * KEEP_OK        they were compared
 * KEEP_ERR_BUSY  a write window is open on one of them
 *
 * Binding: payload secret
 */
KEEP_API KEEP_MUST_USE keep_status
keep_secret_equal(const keep_secret *secret, const keep_secret *other, int *out_equal);

/*
 * Compares the secret with bytes in a time that does not depend on either.
 *
 * out_equal   1 or 0
 *
 * KEEP_OK        they were compared
 * KEEP_ERR_BUSY  a write window is open
 *
 * Binding: payload bytes
 */
KEEP_API KEEP_MUST_USE keep_status
keep_secret_equal_bytes(const keep_secret *secret, const void *KEEP_NULLABLE bytes, size_t len, int *out_equal);

/*
 * Makes the secret read-only: for guarded buffers the processor enforces it, for slots this interface. Freezing twice
 * is fine.
 *
 * KEEP_OK        the secret is frozen
 * KEEP_ERR_BUSY  a window is open
 */
KEEP_API KEEP_MUST_USE keep_status keep_secret_freeze(keep_secret *secret);

/*
 * Makes a frozen secret writable again. Melting twice is fine.
 *
 * KEEP_OK        the secret is writable
 * KEEP_ERR_BUSY  a window is open
 */
KEEP_API KEEP_MUST_USE keep_status keep_secret_melt(keep_secret *secret);

/*
 * Tells what the secret is and what protects it; also of a purged one, and while windows are open.
 *
 * out_info   KEEP_SECRET_INFO_INIT
 *
 * KEEP_OK   the struct is filled
 */
KEEP_API KEEP_MUST_USE keep_status
keep_secret_info(const keep_secret *secret, struct keep_secret_info *out_info);

/*
 * Wipes the secret, gives its memory back and nulls the handle. A null handle is nothing to do; a purged secret is
 * freed like any other. Not marked must-use: at the end of a scope there is nothing to do about its result.
 *
 * KEEP_OK          gone
 * KEEP_ERR_BUSY    a window is open: nothing happened, the handle stays
 * KEEP_ERR_CLOSED  freed before: the handle is nulled
 * KEEP_ERR_FORKED  the parent's: the handle is nulled
 */
KEEP_API keep_status keep_secret_free(keep_secret **secret);

/*
 * Frees every secret it can; null entries are passed over.
 *
 * secrets   `count` handles; freed ones are nulled, busy ones stay
 * count     1 to KEEP_MAX_BATCH
 *
 * KEEP_OK    all are gone
 * others     the first failure, as of keep_secret_free
 */
KEEP_API keep_status keep_secret_free_batch(keep_secret **secrets, size_t count);

KEEP_END_DECLS

#endif
