/* SPDX-License-Identifier: MIT */
/*
 * An observer: its decisions are the intake's; here are its sockets, descriptors, keys and clock.
 */
#ifndef KEEP_TRACKER_OBSERVER_H
#define KEEP_TRACKER_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/observer.h"
#include "tracker/intake.h"
#include "tracker/keys.h"
#include "tracker/listener.h"
#include "tracker/tracker.h"
#include "tracker/watch.h"

struct keep_observer {
    uint32_t stamp; /* of the process; see memory/guard.h */
    keep_tracker *tracker;
    keep__intake intake;
    keep__keys keys;
    keep__watch watch;
    keep__listener listeners[KEEP_MAX_LISTENERS];
    uint32_t listener_count, turn; /* whose turn it is to be received from first */
    uint32_t pidfd_count, max_pidfds;
    uint32_t uids[KEEP_MAX_ALLOWED_UIDS];
    uint64_t pid_max_read_ns; /* when the kernel's was read; 0: never */
    keep__batch *batch;       /* NULL until the first listener */
    size_t len;               /* of this block, the lives included */
};

/* INVALID_ARGUMENT FORKED */
keep_status keep__observer_check(const keep_observer *observer);

/* The observer's clock now; 0: it fails. */
uint64_t keep__observer_clock(const keep_observer *observer);

/* Closes the process descriptors that nobody needs any more. */
void keep__observer_settle(keep_observer *observer);

/* Opens what is sealed and decides; `sent_ns` of the clock since 1970. Only one that was received is looked up. */
void keep__observer_take(keep_observer *observer, const keep_datagram *datagram, bool was_received, uint64_t sent_ns);

/* Counts what the system refused, and tells of it; while events wait the call is made again anyway. */
void keep__observer_fail(keep_observer *observer, int code);

/* Takes from the listeners until they are empty, the budget is spent, or events wait. Gives events to `out`. */
size_t keep__observer_receive(keep_observer *observer, keep_event *out, size_t cap);

/* Takes the ends of processes, until there are none or events wait. */
size_t keep__observer_reap(keep_observer *observer, keep_event *out, size_t cap);

/* Tells of an outage and of who is due, as far as there is room. `may_look`: at /proc, for who has no descriptor. */
size_t keep__observer_drain(keep_observer *observer, bool may_look, keep_event *out, size_t cap);

#endif
