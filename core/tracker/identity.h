/* SPDX-License-Identifier: MIT */
/*
 * Identity: which process a pid names, from the kernel. A process descriptor pins it; the start time tells it from
 * another process of the same pid.
 */
#ifndef KEEP_TRACKER_IDENTITY_H
#define KEEP_TRACKER_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "tracker/intake.h"

/* Whether this kernel is of a version that has process descriptors; a filter may refuse them all the same. */
bool keep__identity_supported(void);

/*
 * Looks up a pid whose datagram was sent at `sent_ns` of the boot clock.
 *
 * may_pin   a descriptor may be had
 * out       generation and namespace, 0 if they cannot be read; the descriptor is the caller's
 *
 * False: the sender is gone.
 */
bool keep__identity_look(uint32_t pid, uint64_t sent_ns, bool may_pin, keep__life *out);

/* The start time of whoever has the pid now; 0: unknown. */
uint64_t keep__identity_start(uint32_t pid);

/* Whether the process of a descriptor has ended. */
bool keep__identity_ended(int32_t pidfd);

void keep__identity_release(int32_t pidfd);

/* This process's pid namespace; the largest pid; the number of descriptors that may be open; the real user. 0: unknown. */
uint64_t keep__identity_own_namespace(void);
uint32_t keep__identity_pid_max(void);
uint64_t keep__identity_max_files(void);
uint32_t keep__identity_user(void);

/* How many datagrams the kernel keeps for a Unix socket; 0: unknown. */
uint64_t keep__identity_queue_limit(void);

#endif
