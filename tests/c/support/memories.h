/* SPDX-License-Identifier: MIT */
/*
 * The kinds of memory that tests run over: TIMES(title, MEMORIES), and in the test `options_of(_i)`. Kinds that the
 * kernel lacks fall back by themselves only if the pool's backing is AUTO, so `has_memory` asks first.
 */
#ifndef SUPPORT_MEMORIES_H
#define SUPPORT_MEMORIES_H

#include <stdbool.h>

#include <keep/pool.h>

enum {
    BACKINGS = 2,
    MEMORIES = 4
};

/* Index 0 and 1: memfd_secret and locked memory, which must lock; 2 and 3: the same, which need not. */
keep_pool_options options_of(int memory);

/* False, and a line on standard output: this kernel lacks it, the test has nothing to look at. */
bool has_memory(int memory);

#endif
