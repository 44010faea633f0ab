/* SPDX-License-Identifier: MIT */
/*
 * Lock: the seam of pthread's mutexes and conditions. With default attributes none of these calls can fail on Linux
 * unless the caller breaks the lock order or ends a lock that is held; assertions look.
 */
#include "base/lock.h"

#include <errno.h>
#include <time.h>

#include "base/die.h"
#include "base/banned.h"

static KEEP__THREAD_LOCAL uint32_t held; /* bit r: a lock of rank r is held by this thread */

static void note_acquired(keep__rank rank)
{
    keep__assert(held >> rank == 0);
    held |= 1U << rank;
}

static void note_released(keep__rank rank)
{
    held &= ~(1U << rank);
}

void keep__lock_init(keep__lock *lock, keep__rank rank)
{
    int failed = pthread_mutex_init(&lock->mutex, NULL);

    keep__assert(failed == 0);
    lock->rank = rank;
}

void keep__lock_end(keep__lock *lock)
{
    int failed = pthread_mutex_destroy(&lock->mutex);

    keep__assert(failed == 0);
}

void keep__lock_acquire(keep__lock *lock) KEEP__UNCHECKED
{
    int failed = pthread_mutex_lock(&lock->mutex);

    keep__assert(failed == 0);
    note_acquired(lock->rank);
}

void keep__lock_release(keep__lock *lock) KEEP__UNCHECKED
{
    note_released(lock->rank);
    (void)pthread_mutex_unlock(&lock->mutex);
}

void keep__condition_init(keep__condition *condition)
{
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);

    failed |= pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    failed |= pthread_cond_init(&condition->cond, &attributes);
    failed |= pthread_condattr_destroy(&attributes);
    keep__assert(failed == 0);
}

void keep__condition_end(keep__condition *condition)
{
    (void)pthread_cond_destroy(&condition->cond);
}

void keep__condition_wake(keep__condition *condition)
{
    (void)pthread_cond_signal(&condition->cond);
}

bool keep__condition_wait(keep__condition *condition, keep__lock *lock, uint64_t deadline_ns)
{
    struct timespec deadline = {
        .tv_sec = (time_t)(deadline_ns / 1000000000U),
        .tv_nsec = (long)(deadline_ns % 1000000000U),
    };
    int result;

    note_released(lock->rank);
    if (deadline_ns == UINT64_MAX)
        result = pthread_cond_wait(&condition->cond, &lock->mutex);
    else
        result = pthread_cond_timedwait(&condition->cond, &lock->mutex, &deadline);
    note_acquired(lock->rank);
    return result != ETIMEDOUT;
}
