/* SPDX-License-Identifier: MIT */
/*
 * An observer that is fed, without sockets: of four agents, whose limit is a second, of any user.
 */
#ifndef SUPPORT_SCENE_H
#define SUPPORT_SCENE_H

#include <stddef.h>

#include <keep/observer.h>
#include <keep/tracker.h>

#define SCENE_EVENTS 40

/* What it gave last are `count` events. */
struct scene {
    keep_tracker *tracker;
    keep_observer *observer;
    keep_event events[SCENE_EVENTS];
    size_t count;
};

void scene_begin(struct scene *scene, keep_observer_options options);
void scene_end(struct scene *scene);

#endif
