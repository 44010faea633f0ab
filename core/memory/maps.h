/* SPDX-License-Identifier: MIT */
/*
 * Maps: what the kernel says of pages, in /proc.
 */
#ifndef KEEP_MEMORY_MAPS_H
#define KEEP_MEMORY_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/pages.h"

/*
 * Which of KEEP_CHECK_LOCKED, _NOT_DUMPED and _FORK_SAFE hold for all bytes of all the pages. False: the kernel does
 * not tell.
 */
bool keep__maps_ask(const keep__pages *pages, size_t count, uint32_t *out_holding);

#endif
