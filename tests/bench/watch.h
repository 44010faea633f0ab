/* SPDX-License-Identifier: MIT */
/*
 * Measuring observers: one that listens on a path of its own, reports every beat and limits nobody.
 */
#ifndef KEEP_TESTS_WATCH_H
#define KEEP_TESTS_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include <keep/observer.h>
#include <keep/tracker.h>

#define WATCH_EVENTS 4096

struct watch {
    keep_tracker *tracker;
    keep_observer *observer;
    char folder[64], path[80];
    keep_event events[WATCH_EVENTS]; /* of the last poll */
    size_t count;
};

void watch_open(struct watch *watch, uint32_t capacity, uint32_t limit_ms);
void watch_close(struct watch *watch);

/* Waits for something, then polls. */
void watch_poll(struct watch *watch);

#endif
