/* SPDX-License-Identifier: MIT */
/*
 * Ordinary memory, for what is no secret at rest. Zeroed when it comes, wiped when it goes.
 */
#ifndef KEEP_BASE_HEAP_H
#define KEEP_BASE_HEAP_H

#include <stddef.h>

/* `len` zero bytes, aligned to 16; NULL if memory was refused. Large runs are not touched. */
void *keep__heap_new(size_t len);

/* The same, aligned to a cache line, so that it shares none with another owner's. */
void *keep__heap_new_line(size_t len);

/* `len` bytes whose content is the caller's to write, aligned to 16; NULL if memory was refused. */
void *keep__heap_new_raw(size_t len);

/* Wipes the `len` bytes that were asked for and frees them; NULL is nothing. */
void keep__heap_free(void *ptr, size_t len);

#endif
