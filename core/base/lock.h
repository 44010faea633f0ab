/* SPDX-License-Identifier: MIT */
/*
 * Locks, and their order. A thread acquires upward only: while it holds a lock it takes none of the same or a lower
 * rank. Builds with assertions keep the ranks that a thread holds and end the process on an inversion.
 *
 * No page is mapped, no random byte drawn and no TPM or database asked under a lock of KEEP__RANK_WAITING or above.
 */
#ifndef KEEP_BASE_LOCK_H
#define KEEP_BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

/* The lock order. */
typedef enum keep__rank {
    KEEP__RANK_PURGE = 1, /* memory/purge: one purge at a time */
    KEEP__RANK_DEFAULT,   /* memory/pool: making the default pool */
    KEEP__RANK_POOLS,     /* memory/pool: the list of pools, and whether one ends */
    KEEP__RANK_AEAD,      /* packet/aead: proving back ends, making contexts */
    KEEP__RANK_GROWTH,    /* memory/tier: one thread per tier builds or trims */
    KEEP__RANK_COFFER,    /* memory/coffer: making a pool's key */
    KEEP__RANK_WAITING,   /* memory/waiting: a tier's first-in-first-out list */
    KEEP__RANK_CACHE,     /* memory/cache: a pool's hot cache */
    KEEP__RANK_BUFFER,    /* memory/guarded: windows of 64 guarded buffers */
    KEEP__RANK_DIRECTORY, /* memory/guard: free groups and free pools */
    KEEP__RANK_SESSIONS,  /* packet/session: the tx keys in use */
    KEEP__RANK_WINDOW,    /* packet/session: a replay window */
    KEEP__RANK_PACKETS    /* packet/pool: numbers of pools */
} keep__rank;

typedef struct KEEP__CAPABILITY("lock") keep__lock {
    pthread_mutex_t mutex;
    keep__rank rank;
} keep__lock;

/* Something that a thread waits for under a lock. */
typedef struct keep__condition {
    pthread_cond_t cond;
} keep__condition;

void keep__lock_init(keep__lock *lock, keep__rank rank);
void keep__lock_end(keep__lock *lock);
void keep__lock_acquire(keep__lock *lock) KEEP__ACQUIRES(*lock);
void keep__lock_release(keep__lock *lock) KEEP__RELEASES(*lock);

void keep__condition_init(keep__condition *condition);
void keep__condition_end(keep__condition *condition);
void keep__condition_wake(keep__condition *condition);

/*
 * Waits until woken, or until the monotonic clock reaches `deadline_ns` (UINT64_MAX: no deadline). False once the
 * deadline has passed. It may return early: look again.
 */
bool keep__condition_wait(keep__condition *condition, keep__lock *lock, uint64_t deadline_ns) KEEP_HOLDS(*lock);

#endif
