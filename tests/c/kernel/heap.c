/* SPDX-License-Identifier: MIT */
/*
 * Heap: a program's own malloc takes the place of the C library's for every library it is linked with, those that are
 * loaded later too. Only programs that ask for the count have it.
 */
#include "heap.h"

#include <errno.h>
#include <stdatomic.h>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#define HAS_OTHER_HEAP 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_OTHER_HEAP 1
#endif

static atomic_size_t calls;

size_t heap_calls(void)
{
    return atomic_load(&calls);
}

#ifdef HAS_OTHER_HEAP

bool can_count_heap_calls(void)
{
    return false;
}

#else

#define SEEN_BY_ALL __attribute__((visibility("default")))

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t count, size_t len);
void *__libc_realloc(void *block, size_t len);
void *__libc_memalign(size_t alignment, size_t len);
void __libc_free(void *block);

SEEN_BY_ALL void *malloc(size_t len);
SEEN_BY_ALL void *calloc(size_t count, size_t len);
SEEN_BY_ALL void *realloc(void *block, size_t len);
SEEN_BY_ALL void *memalign(size_t alignment, size_t len);
SEEN_BY_ALL void *aligned_alloc(size_t alignment, size_t len);
SEEN_BY_ALL int posix_memalign(void **out, size_t alignment, size_t len);
SEEN_BY_ALL void free(void *block);

bool can_count_heap_calls(void)
{
    return true;
}

void *malloc(size_t len)
{
    atomic_fetch_add(&calls, 1);
    return __libc_malloc(len);
}

void *calloc(size_t count, size_t len)
{
    atomic_fetch_add(&calls, 1);
    return __libc_calloc(count, len);
}

void *realloc(void *block, size_t len)
{
    atomic_fetch_add(&calls, 1);
    return __libc_realloc(block, len);
}

void *memalign(size_t alignment, size_t len)
{
    atomic_fetch_add(&calls, 1);
    return __libc_memalign(alignment, len);
}

void *aligned_alloc(size_t alignment, size_t len)
{
    return memalign(alignment, len);
}

int posix_memalign(void **out, size_t alignment, size_t len)
{
    void *block = memalign(alignment, len);

    if (block == NULL)
        return ENOMEM;
    *out = block;
    return 0;
}

void free(void *block)
{
    atomic_fetch_add(&calls, 1);
    __libc_free(block);
}

#endif
