/* SPDX-License-Identifier: MIT */
/*
 * A pool: locked memory for secrets. A secret of up to the largest tier's length (1024 bytes by default) lives in a
 * slot of a slab of locked pages between guard pages; a longer one, or one that asks for it, in a guarded buffer with
 * pages of its own. Acquiring and freeing a slot takes no system call and no lock.
 *
 * A pool is also a compartment: the key of its sealed secrets is its own.
 *
 * Lifetime: a handle is counted. Slabs and keys are wiped and unmapped when the last handle, secret and sealed secret
 * of the pool is gone, in any order. The default pool, which a NULL `pool` means everywhere, lives until the process
 * ends.
 * Threads: locked
 * Limits: KEEP_MAX_SECRETS live secrets in the process; the options' caps in the pool.
 *
 * Every function may return KEEP_ERR_INVALID_ARGUMENT (correct the call), KEEP_ERR_FORKED (the handle belongs to the
 * parent process: make your own) and KEEP_ERR_PURGED (a purge ran meanwhile: try again). Acquiring, here and wherever a
 * function makes a secret, may return
 *
 * KEEP_ERR_EXHAUSTED    a cap of the pool or the process is reached: free secrets or raise it
 * KEEP_ERR_LOCK_LIMIT   the kernel refused to lock more memory: raise RLIMIT_MEMLOCK (`keep doctor` says how)
 * KEEP_ERR_NO_MEMORY    memory was refused: free some; many guarded buffers also need vm.max_map_count
 * KEEP_ERR_UNSUPPORTED  this kernel lacks the backing that was asked for: choose another
 * KEEP_ERR_SYSTEM       the kernel failed otherwise, or gave no random bytes: report it
 *
 * In a forked child no page of the parent's secrets exists with content, and every inherited handle is FORKED. Memory
 * of memfd_secret works with read, write and send, not with O_DIRECT, vmsplice or io_uring's fixed buffers; it blocks
 * hibernation; before Linux 6.5 it needs secretmem.enable=1 at boot. With pages of 4 KiB all defaults work under a
 * lock limit of 64 KiB: four tiers of 8 KiB and 12 KiB for the sealing key.
 */
#ifndef KEEP_POOL_H
#define KEEP_POOL_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/status.h>

KEEP_BEGIN_DECLS

#define KEEP_MAX_SECRET_LEN 67108864 /* 64 MiB */
#define KEEP_MAX_SECRETS 4194304
#define KEEP_MAX_TIERS 8
#define KEEP_MIN_SLOT_LEN 16
#define KEEP_MAX_SLOT_LEN 16384
#define KEEP_MAX_BATCH 1024
#define KEEP_MAX_HOT_CACHE 4096
#define KEEP_MAX_POOL_BYTES 1073741824 /* 1 GiB */
#define KEEP_WAIT_FOREVER 4294967295

/* A secret in locked memory; see secret.h. A value, not an address: nothing may be read through it. */
typedef struct keep_secret keep_secret;
typedef struct keep_pool keep_pool;

/* What a region's pages are made of. */
enum {
    KEEP_BACKING_AUTO = 0,         /* memfd_secret where the kernel has it, else locked */
    KEEP_BACKING_MEMFD_SECRET = 1, /* outside the kernel's own map */
    KEEP_BACKING_LOCKED = 2        /* anonymous memory and mlock */
};

/* What happens when the kernel refuses to lock memory. */
enum {
    KEEP_LOCK_REQUIRE = 0,       /* KEEP_ERR_LOCK_LIMIT */
    KEEP_LOCK_ALLOW_UNLOCKED = 1 /* guarded, undumped, but unlocked memory, shown by info and stats */
};

/* Flags of keep_acquire_options. */
enum {
    KEEP_ACQUIRE_FALLBACK = 1, /* a guarded buffer if the tier has no slot, after the wait if there is one */
    KEEP_ACQUIRE_GUARDED = 2,  /* a guarded buffer from the start */
    KEEP_ACQUIRE_ALIGN16 = 4,  /* a guarded buffer's data begins at a multiple of 16 */
    KEEP_ACQUIRE_RESIDENT = 8  /* a guarded buffer stays accessible between windows: no system calls per window */
};

/*
 * KEEP_POOL_OPTIONS_INIT; zero everywhere means the defaults. Slot sizes are multiples of 16 from KEEP_MIN_SLOT_LEN to
 * KEEP_MAX_SLOT_LEN; one given twice counts once if its counts are equal. A count above its own cap, initial slots that
 * together need more than `max_bytes`, and a value beyond the constants are KEEP_ERR_INVALID_ARGUMENT.
 *
 * Between two slots of a slab there is no guard: a write that leaves a slot is found when it meets a free slot or the
 * unused end of one, not when it meets the content of a neighbour. What may overrun belongs into a guarded buffer.
 */
typedef struct keep_pool_options {
    size_t size;
    uint32_t tier_count;                     /* 0: the tiers 32, 64, 256, 1024 */
    uint32_t tier_len[KEEP_MAX_TIERS];       /* slot sizes in bytes, multiples of 16, in any order */
    uint32_t tier_slots[KEEP_MAX_TIERS];     /* slots made by keep_pool_new; 0: none until first use */
    uint32_t tier_max_slots[KEEP_MAX_TIERS]; /* the tier's growth cap; 0: max_bytes alone decides */
    uint64_t max_bytes;                      /* growth cap of the pool's slabs; 0: 4 MiB; KEEP_MAX_POOL_BYTES */
    uint32_t backing;                        /* KEEP_BACKING_... */
    uint32_t lock_policy;                    /* KEEP_LOCK_... */
    uint32_t hot_cache;                      /* opened secrets kept in the clear; 0: none; KEEP_MAX_HOT_CACHE */
    uint32_t resplit_views;                  /* uses of the sealing key between two re-splits; 0: 256 */
} keep_pool_options;

#define KEEP_POOL_OPTIONS_INIT KEEP_SIZED(keep_pool_options)

/* KEEP_ACQUIRE_OPTIONS_INIT: zeros. */
typedef struct keep_acquire_options {
    size_t size;
    uint32_t timeout_ms; /* how long to wait for a slot; 0: not at all; KEEP_WAIT_FOREVER */
    uint32_t flags;      /* KEEP_ACQUIRE_... */
} keep_acquire_options;

#define KEEP_ACQUIRE_OPTIONS_INIT KEEP_SIZED(keep_acquire_options)

/* One tier as it is: `in_use` counts secrets, `cached` entries of the hot cache, `waiting` threads. */
typedef struct keep_tier_stats {
    uint64_t slot_len, slots, in_use, cached, waiting, regions;
} keep_tier_stats;

/*
 * KEEP_POOL_STATS_INIT. Bytes are of memory as it is, counts never go down. Like stat(2), the struct has the name of the
 * function that fills it, so it is written with `struct`.
 */
struct keep_pool_stats {
    size_t size;
    uint32_t tier_count;
    uint32_t backing;         /* of the newest region: KEEP_BACKING_MEMFD_SECRET or _LOCKED; 0: none yet */
    int32_t last_lock_errno;  /* of the newest lock failure */
    uint32_t reserved;        /* 0 */
    uint64_t locked_bytes, unlocked_bytes, metadata_bytes, guarded_bytes;
    uint64_t guarded;         /* guarded buffers alive */
    uint64_t growths, waits, timeouts, fallbacks, lock_failures, resplits, purges;
    uint64_t cache_entries, cache_hits, cache_misses, cache_evictions;
    keep_tier_stats tiers[KEEP_MAX_TIERS];
};

#define KEEP_POOL_STATS_INIT KEEP_SIZED(struct keep_pool_stats)

/*
 * Makes a pool. It maps only what `tier_slots` asks for, all or nothing; the rest comes with first use. It never
 * changes the process.
 *
 * options    NULL: the defaults
 * out_pool   the caller frees it with keep_pool_free
 *
 * KEEP_OK      the pool is ready
 * acquiring    the initial slots could not be made; nothing stays behind
 *
 * Binding: blocks
 */
KEEP_API KEEP_MUST_USE keep_status
keep_pool_new(const keep_pool_options *KEEP_NULLABLE options, KEEP_OWN keep_pool **out_pool);

/*
 * Gives a counted handle of the default pool. If its first use fails nothing stays behind and the next use tries again.
 *
 * options    NULL, or how to make the default pool, which must then not exist yet
 *
 * KEEP_OK         the caller frees the handle like any other; the pool itself stays
 * KEEP_ERR_STATE  options were given and the default pool exists: call this before anything else uses it
 * acquiring       the initial slots could not be made
 *
 * Binding: blocks
 */
KEEP_API KEEP_MUST_USE keep_status
keep_pool_default(const keep_pool_options *KEEP_NULLABLE options, KEEP_OWN keep_pool **out_pool);

/*
 * Acquires a secret of exactly `len` zero bytes: a slot of the smallest tier that holds it, else a guarded buffer.
 * Without a free slot the pool grows; when it cannot, a wait or a fallback happens only if the options ask for it.
 * Waiters of a tier are served first in, first out, and nobody overtakes them.
 *
 * len       0 is legal
 * options   NULL: no wait, no fallback
 *
 * KEEP_OK           the caller frees the secret
 * KEEP_ERR_TIMEOUT  no slot came in time: try again later
 * acquiring         at the top of this header
 *
 * Binding: waits
 */
KEEP_API KEEP_MUST_USE keep_status
keep_pool_acquire(keep_pool *KEEP_NULLABLE pool, size_t len, const keep_acquire_options *KEEP_NULLABLE options,
                  KEEP_OWN keep_secret **out_secret);

/*
 * Acquires `count` secrets of one length, or none. Never waits.
 *
 * count         1 to KEEP_MAX_BATCH
 * out_secrets   room for `count` handles
 *
 * KEEP_OK     all were acquired
 * acquiring   none stays acquired
 *
 * Binding: payload len
 */
KEEP_API KEEP_MUST_USE keep_status
keep_pool_acquire_batch(keep_pool *KEEP_NULLABLE pool, size_t len, size_t count, KEEP_OWN keep_secret **out_secrets);

/*
 * Grows now, so that the tier of `len` has `count` free slots and the next acquires cannot fail for want of memory.
 *
 * len     at most the largest tier's
 * count   1 to KEEP_MAX_SECRETS
 *
 * KEEP_OK     the slots are there
 * acquiring   nothing was allocated
 *
 * Binding: payload count
 */
KEEP_API KEEP_MUST_USE keep_status
keep_pool_reserve(keep_pool *KEEP_NULLABLE pool, size_t len, size_t count);

/*
 * Unmaps regions all of whose slots are free, but never a tier's first one.
 *
 * out_bytes   NULL, or how many bytes of locked memory were given back
 *
 * KEEP_OK   also if there was nothing to give back
 *
 * Binding: blocks
 */
KEEP_API KEEP_MUST_USE keep_status
keep_pool_trim(keep_pool *KEEP_NULLABLE pool, uint64_t *KEEP_NULLABLE out_bytes);

/*
 * Fills a report. Each number was true during the call.
 *
 * out_stats   KEEP_POOL_STATS_INIT
 *
 * KEEP_OK   the report is filled
 */
KEEP_API KEEP_MUST_USE keep_status
keep_pool_stats(keep_pool *KEEP_NULLABLE pool, struct keep_pool_stats *out_stats);

/*
 * Gives the handle back and nulls it; a null handle is nothing. Secrets and sealed secrets of the pool keep working
 * until they are freed. Nobody else may be using this handle. Cannot fail.
 *
 * Binding: blocks
 */
KEEP_API void keep_pool_free(keep_pool **pool);

KEEP_END_DECLS

#endif
