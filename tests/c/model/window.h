/* SPDX-License-Identifier: MIT */
/*
 * A replay window against a set: bytes are counters, near the edges that matter.
 */
#ifndef MODEL_WINDOW_H
#define MODEL_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/* Commits the counters; NULL, or what the window did otherwise than the set. */
const char *model_window(const uint8_t *bytes, size_t len);

#endif
