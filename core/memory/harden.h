/* SPDX-License-Identifier: MIT */
/*
 * Harden: what the process allows itself, read from the kernel. Only keep_harden changes any of it.
 */
#ifndef KEEP_MEMORY_HARDEN_H
#define KEEP_MEMORY_HARDEN_H

#include <stdint.h>

/* A resource limit in bytes; KEEP_UNLIMITED where there is none, -1 where it cannot be read. */
typedef struct keep__limit {
    int64_t soft, hard;
} keep__limit;

/* Each of the last three is -1 where it cannot be read. */
typedef struct keep__process {
    keep__limit memlock, core;
    int64_t dumpable; /* 0, 1, or 2: dumped for root only */
    int64_t no_new_privs, no_new_code;
} keep__process;

void keep__process_read(keep__process *out);

/* The KEEP_HARDEN_... that are active. */
uint32_t keep__process_hardening(const keep__process *process);

#endif
