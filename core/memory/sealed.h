/* SPDX-License-Identifier: MIT */
/*
 * A sealed secret from inside: for what must change its bytes to see that they are refused.
 */
#ifndef KEEP_MEMORY_SEALED_H
#define KEEP_MEMORY_SEALED_H

#include <stdint.h>

#include "keep/pool.h"
#include "keep/sealed.h"
#include "memory/cache.h"
#include "memory/layout.h"

struct keep_sealed {
    uint32_t stamp;
    keep_pool *pool; /* retained */
    keep__cached cached;
    keep__binding binding;
    uint8_t stored[]; /* binding.len + KEEP_SEALED_OVERHEAD */
};

#endif
