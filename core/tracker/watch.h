/* SPDX-License-Identifier: MIT */
/*
 * Watch: the one descriptor of an observer, an epoll set with its listeners, process descriptors and a timer.
 */
#ifndef KEEP_TRACKER_WATCH_H
#define KEEP_TRACKER_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/error.h"
#include "keep/status.h"

#define KEEP__WATCH_TAGS 64

typedef struct keep__watch {
    int set, timer;
    uint64_t armed_ns; /* when the timer goes off; 0: not at all */
} keep__watch;

/* KEEP_ERR_SYSTEM. `clock` is KEEP_CLOCK_... */
keep_status keep__watch_open(uint32_t clock, keep__watch *out, keep_error *err);

/* Watches a descriptor until it is closed; `tag` names it. False: it cannot be. */
bool keep__watch_add(keep__watch *watch, int fd, uint64_t tag);

/*
 * Makes the set readable at `at_ns` of its clock or somewhat before, when the timer was set to an earlier time that is
 * still to come: then one call comes for nothing, and all others spare a system call. At once if `at_ns` has passed;
 * UINT64_MAX: no later than that. 0, or errno: the timer stays as it was.
 */
int keep__watch_arm(keep__watch *watch, uint64_t now_ns, uint64_t at_ns);

/* The tags of descriptors that are readable now; the timer has none. *out_errno is 0, or why they cannot be known. */
size_t keep__watch_ready(keep__watch *watch, uint64_t tags[KEEP__WATCH_TAGS], int *out_errno);

void keep__watch_close(keep__watch *watch);

#endif
