/* SPDX-License-Identifier: MIT */
/*
 * Thread: numbers, yielding, and the hooks of fork and of a thread's end.
 */
#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/trace.h"
#include "base/banned.h"

typedef void (*exit_call)(void *value);

static _Atomic uint32_t numbers_given;
static KEEP__THREAD_LOCAL uint32_t number; /* 1 and up; 0: none yet */
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;
static _Atomic exit_call exit_function;
static int exit_error;

uint32_t keep__thread_number(void)
{
    if (KEEP__UNLIKELY(number == 0))
        number = atomic_fetch_add_explicit(&numbers_given, 1, memory_order_relaxed) + 1;
    return number - 1;
}

void keep__thread_yield(void)
{
    (void)sched_yield();
}

uint32_t keep__thread_processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : (uint32_t)count;
}

keep_status keep__thread_at_fork(void (*function)(void))
{
    return pthread_atfork(NULL, NULL, function) == 0 ? KEEP_OK : keep__trace(KEEP_ERR_NO_MEMORY);
}

static void make_exit_key(void)
{
    exit_error = pthread_key_create(&exit_key, exit_function);
}

keep_status keep__thread_at_exit(void (*function)(void *), void *value)
{
    exit_function = function;
    (void)pthread_once(&exit_once, make_exit_key); /* fails for no other reason than a control that is none */
    if (exit_error != 0 || pthread_setspecific(exit_key, value) != 0)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    return KEEP_OK;
}
