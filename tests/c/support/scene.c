/* SPDX-License-Identifier: MIT */
#include "support/scene.h"

#include <string.h>

#include "support/suite.h"

void scene_begin(struct scene *scene, keep_observer_options options)
{
    keep_tracker_options of_tracker = KEEP_TRACKER_OPTIONS_INIT;

    memset(scene, 0, sizeof *scene);
    of_tracker.capacity = 4;
    of_tracker.threshold_ns = 1000000000;
    options.any_uid = 1;
    assert_ok(keep_tracker_new(&of_tracker, &scene->tracker));
    assert_ok(keep_observer_new(&options, scene->tracker, &scene->observer, NULL));
}

void scene_end(struct scene *scene)
{
    keep_observer_free(&scene->observer);
    keep_tracker_free(&scene->tracker);
}
