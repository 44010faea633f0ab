/* SPDX-License-Identifier: MIT */
/*
 * Pages: the seam of <sys/mman.h>.
 *
 * Order of the steps: reserve guard + data + guard without access; back the data; advise; lock; touch. A failing step
 * undoes the earlier ones by unmapping the whole range. Memory of memfd_secret is locked and undumped by nature: mlock
 * gives ENOMEM on it, MADV_POPULATE_WRITE EINVAL, MADV_WIPEONFORK is refused, so it gets MADV_DONTFORK.
 */
#include "memory/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/checked.h"
#include "base/die.h"
#include "base/trace.h"
#include "base/banned.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

static int new_secret_memory(void)
{
    return (int)syscall(SYS_memfd_secret, O_CLOEXEC);
}

static bool is_lock_refusal(int error)
{
    return error == EPERM || error == ENOMEM || error == EAGAIN;
}

static keep_status status_of_mapping(int error)
{
    return error == ENOMEM ? KEEP_ERR_NO_MEMORY : KEEP_ERR_SYSTEM;
}

static uint8_t *range_start(const keep__pages *pages)
{
    return pages->data - keep__page_size();
}

static size_t range_len(const keep__pages *pages)
{
    return pages->len + 2 * keep__page_size();
}

static keep_status reserve_range(keep__pages *pages)
{
    void *start;

    if (pages->len > SIZE_MAX - 2 * keep__page_size())
        return keep__trace(KEEP_ERR_NO_MEMORY);
    start = mmap(NULL, pages->len + 2 * keep__page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return keep__trace(status_of_mapping(errno));
    pages->data = (uint8_t *)start + keep__page_size();
    return KEEP_OK;
}

static keep_status map_secret(keep__pages *pages, int fd)
{
    void *mapped;

    if (ftruncate(fd, (off_t)pages->len) != 0)
        return keep__trace(KEEP_ERR_SYSTEM);
    mapped = mmap(pages->data, pages->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
    if (mapped != MAP_FAILED)
        return KEEP_OK;
    if (errno != EAGAIN)
        return keep__trace(status_of_mapping(errno));
    pages->lock_errno = errno;
    return keep__trace(KEEP_ERR_LOCK_LIMIT);
}

static keep_status advise(const keep__pages *pages, int advice)
{
    if (madvise(pages->data, pages->len, advice) == 0)
        return KEEP_OK;
    return keep__trace(errno == ENOMEM ? KEEP_ERR_NO_MEMORY : KEEP_ERR_UNSUPPORTED);
}

static keep_status back_with_secret(keep__pages *pages, int fd)
{
    keep_status st = map_secret(pages, fd);

    (void)close(fd);
    if (st != KEEP_OK)
        return st;
    pages->backing = KEEP_BACKING_MEMFD_SECRET;
    pages->locked = true;
    return advise(pages, MADV_DONTFORK);
}

/* Where mapping secret memory was refused the kernel may have left a hole. */
static keep_status reserve_again(const keep__pages *pages)
{
    if (mmap(pages->data, pages->len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        return keep__trace(status_of_mapping(errno));
    return KEEP_OK;
}

static keep_status back_with_anonymous(keep__pages *pages)
{
    keep_status st;

    if (mprotect(pages->data, pages->len, PROT_READ | PROT_WRITE) != 0)
        return keep__trace(status_of_mapping(errno));
    st = advise(pages, MADV_DONTDUMP);
    return st != KEEP_OK ? st : advise(pages, MADV_WIPEONFORK);
}

static keep_status lock_anonymous(keep__pages *pages, uint32_t lock_policy)
{
    pages->backing = KEEP_BACKING_LOCKED;
    /* not mlock, which sanitizers turn into nothing */
    pages->locked = mlock2(pages->data, pages->len, 0) == 0;
    if (pages->locked)
        return KEEP_OK;
    pages->lock_errno = errno;
    if (!is_lock_refusal(errno))
        return keep__trace(KEEP_ERR_SYSTEM);
    return lock_policy == KEEP_LOCK_ALLOW_UNLOCKED ? KEEP_OK : keep__trace(KEEP_ERR_LOCK_LIMIT);
}

static keep_status back_with_mlock(keep__pages *pages, uint32_t lock_policy)
{
    keep_status st = back_with_anonymous(pages);

    return st != KEEP_OK ? st : lock_anonymous(pages, lock_policy);
}

/* Secret memory could not be had: the kernel has none, or no descriptor is free for it. */
static keep_status status_of_no_secret(int error)
{
    bool is_for_now = error == EMFILE || error == ENFILE || error == ENOMEM;

    return is_for_now ? KEEP_ERR_SYSTEM : KEEP_ERR_UNSUPPORTED;
}

static keep_status back_with_secret_or_mlock(keep__pages *pages, keep__pages_wish wish)
{
    int fd = new_secret_memory();
    keep_status st;

    if (fd < 0 && wish.backing == KEEP_BACKING_AUTO)
        return back_with_mlock(pages, wish.lock_policy);
    if (fd < 0)
        return keep__trace(status_of_no_secret(errno));
    st = back_with_secret(pages, fd);
    if (st != KEEP_ERR_LOCK_LIMIT || wish.lock_policy != KEEP_LOCK_ALLOW_UNLOCKED)
        return st;
    st = reserve_again(pages);
    return st != KEEP_OK ? st : back_with_mlock(pages, wish.lock_policy);
}

static keep_status back(keep__pages *pages, keep__pages_wish wish)
{
    if (wish.backing == KEEP__BACKING_PLAIN) {
        pages->backing = KEEP__BACKING_PLAIN;
        return back_with_anonymous(pages);
    }
    if (wish.backing == KEEP_BACKING_LOCKED)
        return back_with_mlock(pages, wish.lock_policy);
    return back_with_secret_or_mlock(pages, wish);
}

static void touch(const keep__pages *pages)
{
    for (size_t at = 0; at < pages->len; at += keep__page_size())
        ((volatile uint8_t *)pages->data)[at] = 0;
}

size_t keep__page_size(void)
{
    static size_t size;

    if (__atomic_load_n(&size, __ATOMIC_RELAXED) == 0)
        __atomic_store_n(&size, (size_t)sysconf(_SC_PAGESIZE), __ATOMIC_RELAXED);
    return __atomic_load_n(&size, __ATOMIC_RELAXED);
}

bool keep__pages_has_memfd_secret(void)
{
    int fd = new_secret_memory();

    if (fd < 0)
        return errno != ENOSYS && errno != EPERM && errno != EINVAL;
    (void)close(fd);
    return true;
}

keep_status keep__pages_map(size_t len, keep__pages_wish wish, keep__pages *out)
{
    keep__pages pages = { .len = len };
    keep_status st = reserve_range(&pages);

    keep__assert(len != 0 && len % keep__page_size() == 0);
    *out = (keep__pages){ 0 };
    if (st != KEEP_OK)
        return st;
    st = back(&pages, wish);
    if (st != KEEP_OK) {
        (void)munmap(range_start(&pages), range_len(&pages));
        out->lock_errno = pages.lock_errno;
        return st;
    }
    KEEP__UNPOISON(pages.data, len); /* in a child the shadow of the parent's pages may be left there */
    touch(&pages);
    *out = pages;
    return KEEP_OK;
}

void keep__pages_unmap(keep__pages *pages)
{
    if (pages->len != 0)
        (void)munmap(range_start(pages), range_len(pages));
    *pages = (keep__pages){ 0 };
}

keep_status keep__pages_protect(const keep__pages *pages, keep__access access)
{
    static const int protection[] = {
        [KEEP__ACCESS_NONE] = PROT_NONE,
        [KEEP__ACCESS_READ] = PROT_READ,
        [KEEP__ACCESS_WRITE] = PROT_READ | PROT_WRITE,
    };

    return mprotect(pages->data, pages->len, protection[access]) == 0 ? KEEP_OK : keep__trace(KEEP_ERR_SYSTEM);
}
