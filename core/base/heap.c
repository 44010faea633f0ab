/* SPDX-License-Identifier: MIT */
/*
 * Heap: the seam of malloc and its family.
 */
#include "base/heap.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/crypto.h"
#include "base/banned.h"
#undef malloc
#undef calloc
#undef free

#define CACHE_LINE ((size_t)128) /* two, as processors fetch them in pairs */

void *keep__heap_new(size_t len)
{
    return calloc(1, len);
}

void *keep__heap_new_line(size_t len)
{
    size_t rounded;
    void *ptr;

    if (!keep__size_round_up(len, CACHE_LINE, &rounded))
        return NULL;
    ptr = aligned_alloc(CACHE_LINE, rounded);
    if (ptr != NULL)
        memset(ptr, 0, rounded);
    return ptr;
}

void *keep__heap_new_raw(size_t len)
{
    return malloc(len);
}

void keep__heap_free(void *ptr, size_t len)
{
    if (ptr == NULL)
        return;
    keep__wipe(ptr, len);
    free(ptr);
}
