/* SPDX-License-Identifier: MIT */
/*
 * Answers: whether this build computes what is published.
 */
#ifndef KEEP_MEMORY_ANSWERS_H
#define KEEP_MEMORY_ANSWERS_H

#include <stdbool.h>

/* One answer of each transform. */
bool keep__answers_hold(void);

#endif
