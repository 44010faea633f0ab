/* SPDX-License-Identifier: MIT */
/*
 * Reports: what one datagram, or one end of a process, gives cause to tell; and the queue of those that found no room
 * yet. Pure. The events of one report differ in their kind alone, so that a queue of a whole batch stays small.
 */
#ifndef KEEP_TRACKER_REPORTS_H
#define KEEP_TRACKER_REPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/observer.h"

#define KEEP__REPORT_EVENTS 8
#define KEEP__REPORTS (KEEP_MAX_BATCH + 64)

typedef struct keep__report {
    keep_event event;     /* what its events have in common */
    uint32_t evicted_pid; /* of the event that tells of somebody else */
    uint8_t kinds[KEEP__REPORT_EVENTS];
    uint8_t count, given;
} keep__report;

typedef struct keep__reports {
    uint32_t first, count;
    keep__report queue[KEEP__REPORTS];
} keep__reports;

/* One more event of a report. */
void keep__report_say(keep__report *report, unsigned kind);

/* Queues a report, if it has events. There is room for a batch after the queue was empty. */
void keep__reports_add(keep__reports *reports, const keep__report *report);

/* A report of one event. */
void keep__reports_say(keep__reports *reports, const keep_event *event);

/* Gives events, oldest first, and says how many; the rest waits. */
size_t keep__reports_give(keep__reports *reports, keep_event *out, size_t cap);

#endif
