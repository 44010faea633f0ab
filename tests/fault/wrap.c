/* SPDX-License-Identifier: MIT */
/*
 * Wrap: whether a call fails, what calls have left behind, and the wrappers of memory.
 */
#include "wrap.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>

struct fault_counts fault_counts;

static _Thread_local fault_choice choice; /* NULL: nothing is counted, and nothing fails */

void faults_begin(fault_choice chosen)
{
    fault_counts.calls = 0;
    fault_counts.failed = 0;
    fault_counts.last = "none";
    choice = chosen;
}

void faults_end(void)
{
    choice = NULL;
}

bool is_to_fail(const char *symbol, const int errors[VARIANTS])
{
    int error;

    if (choice == NULL)
        return false;
    fault_counts.calls++;
    error = choice(symbol, errors);
    if (error == 0)
        return false;
    fault_counts.failed++;
    fault_counts.last = symbol;
    errno = error;
    return true;
}

static const int no_memory[VARIANTS] = { ENOMEM, ENOMEM, ENOMEM };

void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__real_aligned_alloc(size_t alignment, size_t len);
void *__wrap_aligned_alloc(size_t alignment, size_t len);
void __real_free(void *ptr);
void __wrap_free(void *ptr);
void *__real_mmap(void *start, size_t len, int access, int flags, int fd, off_t offset);
void *__wrap_mmap(void *start, size_t len, int access, int flags, int fd, off_t offset);
int __real_munmap(void *start, size_t len);
int __wrap_munmap(void *start, size_t len);
int __real_mprotect(void *start, size_t len, int access);
int __wrap_mprotect(void *start, size_t len, int access);
int __real_madvise(void *start, size_t len, int advice);
int __wrap_madvise(void *start, size_t len, int advice);
int __real_mlock2(const void *start, size_t len, unsigned flags);
int __wrap_mlock2(const void *start, size_t len, unsigned flags);
int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);
int __real_close(int fd);
int __wrap_close(int fd);
ssize_t __real_getrandom(void *out, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

static void *counted(void *block)
{
    fault_counts.blocks += choice != NULL && block != NULL;
    return block;
}

void *__wrap_malloc(size_t len)
{
    return is_to_fail("malloc", no_memory) ? NULL : counted(__real_malloc(len));
}

void *__wrap_calloc(size_t count, size_t len)
{
    return is_to_fail("calloc", no_memory) ? NULL : counted(__real_calloc(count, len));
}

void *__wrap_aligned_alloc(size_t alignment, size_t len)
{
    return is_to_fail("aligned_alloc", no_memory) ? NULL : counted(__real_aligned_alloc(alignment, len));
}

void __wrap_free(void *ptr)
{
    fault_counts.blocks -= choice != NULL && ptr != NULL;
    __real_free(ptr);
}

void *__wrap_mmap(void *start, size_t len, int access, int flags, int fd, off_t offset)
{
    static const int errors[VARIANTS] = { ENOMEM, EAGAIN, EPERM };
    void *mapped;

    if (is_to_fail("mmap", errors))
        return MAP_FAILED;
    mapped = __real_mmap(start, len, access, flags, fd, offset);
    if (choice != NULL && mapped != MAP_FAILED && (flags & MAP_FIXED) == 0)
        fault_counts.mapped += (long)len;
    return mapped;
}

int __wrap_munmap(void *start, size_t len)
{
    if (choice != NULL)
        fault_counts.mapped -= (long)len;
    return __real_munmap(start, len);
}

int __wrap_mprotect(void *start, size_t len, int access)
{
    static const int errors[VARIANTS] = { ENOMEM, EACCES, EINVAL };

    return is_to_fail("mprotect", errors) ? -1 : __real_mprotect(start, len, access);
}

int __wrap_madvise(void *start, size_t len, int advice)
{
    static const int errors[VARIANTS] = { ENOMEM, EINVAL, EAGAIN };

    return is_to_fail("madvise", errors) ? -1 : __real_madvise(start, len, advice);
}

int __wrap_mlock2(const void *start, size_t len, unsigned flags)
{
    static const int errors[VARIANTS] = { ENOMEM, EPERM, EINVAL };

    return is_to_fail("mlock2", errors) ? -1 : __real_mlock2(start, len, flags);
}

int __wrap_ftruncate(int fd, off_t len)
{
    static const int errors[VARIANTS] = { EINVAL, ENOMEM, EPERM };

    return is_to_fail("ftruncate", errors) ? -1 : __real_ftruncate(fd, len);
}

int __wrap_close(int fd)
{
    return __real_close(fd);
}

ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags)
{
    static const int errors[VARIANTS] = { ENOSYS, EAGAIN, EIO };

    return is_to_fail("getrandom", errors) ? -1 : __real_getrandom(out, len, flags);
}

long __wrap_syscall(long number, ...)
{
    static const int errors[VARIANTS] = { ENOSYS, EMFILE, ENOMEM };
    va_list list;
    long args[3];

    va_start(list, number);
    for (int i = 0; i < 3; i++)
        args[i] = va_arg(list, long); /* what was not passed is not looked at */
    va_end(list);
    return is_to_fail("syscall", errors) ? -1 : __real_syscall(number, args[0], args[1], args[2]);
}
