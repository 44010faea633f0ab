/* SPDX-License-Identifier: MIT */
/*
 * Random bytes of the kernel, with a status: libsodium's own source ends the process when it cannot have any.
 */
#ifndef KEEP_BASE_RANDOM_H
#define KEEP_BASE_RANDOM_H

#include <stddef.h>

#include "keep/status.h"

/* KEEP_ERR_SYSTEM: none could be had, and the buffer is zero. */
keep_status keep__random(void *out, size_t len);

#endif
