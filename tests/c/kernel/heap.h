/* SPDX-License-Identifier: MIT */
/*
 * Calls of the heap by anybody in the process: the library, the libraries below it, and the C library itself.
 */
#ifndef KERNEL_HEAP_H
#define KERNEL_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* How often something was allocated, resized or freed so far. */
size_t heap_calls(void);

/* False: a sanitizer's heap is in the way, and nothing is counted. */
bool can_count_heap_calls(void);

#endif
