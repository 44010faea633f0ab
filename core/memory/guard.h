/* SPDX-License-Identifier: MIT */
/*
 * The guard: how every part notices a fork and a purge, with one load each. All state of the process is reached through
 * one page that the kernel wipes in a child: a zero there means that this is the child. So no lock that a thread of the
 * parent held is ever taken in the child.
 *
 * A constructor takes a stamp into its handle; every function compares it. A user of key bytes compares the epoch
 * before and after: if a purge came between, its outputs are zeroed and it returns KEEP_ERR_PURGED.
 */
#ifndef KEEP_MEMORY_GUARD_H
#define KEEP_MEMORY_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "keep/pool.h"
#include "keep/status.h"
#include "memory/slab.h"

#define KEEP__GROUPS (KEEP_MAX_SECRETS / KEEP__GROUP_PLACES)

/* What subsystems keep once per process; each names its own here. */
typedef enum keep__part {
    KEEP__PART_AEAD,     /* packet/aead */
    KEEP__PART_SESSIONS, /* packet/session */
    KEEP__PART_PACKETS,  /* packet/pool */
    KEEP__PARTS
} keep__part;

/* What a process has once. */
typedef struct keep__root {
    _Atomic(keep__group *) groups[KEEP__GROUPS]; /* by number; a group never leaves */
    _Atomic uint32_t group_count;
    keep__lock directory;
    keep__group *free_groups;    /* guarded by directory */
    keep__group *guarded_groups; /* guarded by directory: those with places for guarded buffers */
    keep_pool *free_pools;       /* guarded by directory */
    keep__lock purge;            /* one purge at a time */
    keep__lock listing;
    keep_pool *pools;            /* guarded by listing: every pool that has pages */
    keep__lock making_default;
    _Atomic(keep_pool *) default_pool;
    struct keep__root *ancestor;   /* the parent process's, never used */
    _Atomic uint64_t sealed_count; /* the newest id of a sealed secret */
    _Atomic uint64_t purge_count;  /* ended ones: less than the epoch while one runs */
    _Atomic(void *) parts[KEEP__PARTS];
} keep__root;

/* The page. `stamp` is 0 until the process has a root, and in a child. */
typedef struct keep__guard {
    _Atomic uint32_t stamp;
    _Atomic uint32_t making;
    _Atomic uint64_t epoch;
    keep__root *root;
} keep__guard;

extern _Atomic(keep__guard *) keep__guard_page;

/* This process's stamp; 0: it has none yet. */
static inline uint32_t keep__guard_stamp(void)
{
    const keep__guard *guard = atomic_load_explicit(&keep__guard_page, memory_order_acquire);

    return guard == NULL ? 0 : atomic_load_explicit(&guard->stamp, memory_order_acquire);
}

/* KEEP_ERR_FORKED: the stamp was taken in another process. */
static inline keep_status keep__guard_check(uint32_t stamp)
{
    return KEEP__LIKELY(stamp == keep__guard_stamp()) ? KEEP_OK : KEEP_ERR_FORKED;
}

/* How often secrets were purged. Only behind a stamp that was checked, as is the root. */
static inline uint64_t keep__guard_epoch(void)
{
    const keep__guard *guard = atomic_load_explicit(&keep__guard_page, memory_order_acquire);

    return atomic_load_explicit(&guard->epoch, memory_order_seq_cst);
}

static inline keep__root *keep__guard_root(void)
{
    return atomic_load_explicit(&keep__guard_page, memory_order_acquire)->root;
}

/* Makes the process's root if it has none: NO_MEMORY UNSUPPORTED SYSTEM. */
keep_status keep__guard_enter(void);

/*
 * A subsystem's part of the process's state: `len` bytes that are zero at first, set up by `begin` before anybody sees
 * them. A child has its own. NO_MEMORY. Behind keep__guard_enter.
 */
keep_status keep__guard_part(keep__part part, size_t len, void (*begin)(void *state), void **out_state);

/*
 * The epoch, once no purge is running. Who copies a secret and finds the same epoch after the copy is handed out knows
 * that no purge missed it.
 */
uint64_t keep__guard_settled_epoch(void);

/* Begins a new epoch. Under root->purge. */
void keep__guard_new_epoch(void);

/* Whether fork bits are those of a process that this one descends from. */
bool keep__guard_has_ancestor(uint32_t fork);

/* What a handle gets whose fork bits are not this process's. */
static inline keep_status keep__guard_stranger(uint32_t fork)
{
    return keep__guard_has_ancestor(fork) ? KEEP_ERR_FORKED : KEEP_ERR_CLOSED;
}

/* The fork bits of this process's handles. */
static inline uint32_t keep__guard_fork(void)
{
    return keep__guard_stamp() & (uint32_t)KEEP__FORK_MASK;
}

/* Whether a handle's fork bits are this process's. */
static inline bool keep__guard_knows(uint32_t fork)
{
    uint32_t stamp = keep__guard_stamp();

    return stamp != 0 && (stamp & (uint32_t)KEEP__FORK_MASK) == fork;
}

/* The group of a place, or NULL. */
static inline keep__group *keep__guard_group(uint32_t place)
{
    return atomic_load_explicit(&keep__guard_root()->groups[place / KEEP__GROUP_PLACES], memory_order_acquire);
}

/*
 * An empty group, claimed by the caller, without tier and bytes. NO_MEMORY SYSTEM; EXHAUSTED: all numbers are given.
 */
keep_status keep__guard_new_group(keep__group **out_group);

/* Takes groups none of whose places is free or live, linked by `next`. */
void keep__guard_take_back(keep__group *groups);

#endif
