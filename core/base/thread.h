/* SPDX-License-Identifier: MIT */
/*
 * What the library needs to know of threads. It starts none.
 */
#ifndef KEEP_BASE_THREAD_H
#define KEEP_BASE_THREAD_H

#include <stdint.h>

#include "keep/status.h"

/* A small number of this thread's own, counted up from 0 in the order of first use. */
uint32_t keep__thread_number(void);

/* Lets other threads run: for waits of some hundred nanoseconds that have no lock to wait on. */
void keep__thread_yield(void);

/* How many processors are online. */
uint32_t keep__thread_processors(void);

/* Calls `function` in the child of every fork from now on. KEEP_ERR_NO_MEMORY */
keep_status keep__thread_at_fork(void (*function)(void));

/*
 * Calls `function` with `value` when the calling thread ends by itself. One function for the whole process; a later
 * value of a thread takes the place of its former one. KEEP_ERR_NO_MEMORY
 */
keep_status keep__thread_at_exit(void (*function)(void *), void *value);

#endif
