/* SPDX-License-Identifier: MIT */
/*
 * Probe: asks the kernel to read a byte, so that a byte that cannot be read is an answer and no signal. Each way is first
 * tried on an ordinary byte: where that cannot be read either, nothing is known.
 */
#ifndef KEEP_MEMORY_PROBE_H
#define KEEP_MEMORY_PROBE_H

#include <stdint.h>

typedef enum keep__probed {
    KEEP__PROBED_UNKNOWN,
    KEEP__PROBED_READABLE,
    KEEP__PROBED_UNREADABLE
} keep__probed;

/* As a system call of this process reads it: write(2) into a pipe. */
keep__probed keep__probe_write(const uint8_t *byte);

/* As a debugger reads it: process_vm_readv(2). */
keep__probed keep__probe_foreign(const uint8_t *byte);

#endif
