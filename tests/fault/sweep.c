/* SPDX-License-Identifier: MIT */
/*
 * Sweep: the wrappers of wrapped.sym, what they count, and the loops. One thread.
 */
#include "sweep.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

#include <check.h>

#include "support/forked.h"
#include "support/maps.h"
#include "support/pattern.h"
#include "wrap.h"

enum {
    MAX_RUNS = 1000
};

/* Which call fails next, and what the calls have left behind. */
static struct {
    bool is_armed;
    bool is_persistent;
    unsigned at;           /* the call that fails, from 1 */
    unsigned variant;      /* which of its errors it gives */
    const char *only;      /* the symbol that fails; NULL: any */
    int only_error;
    unsigned calls, failed;
    const char *last;      /* the symbol that failed last */
    long blocks;           /* alive */
    long mapped;           /* bytes */
} state;

bool is_to_fail(const char *symbol, const int errors[VARIANTS])
{
    bool is_chosen;

    if (!state.is_armed)
        return false;
    state.calls++;
    if (state.only != NULL)
        is_chosen = strcmp(state.only, symbol) == 0;
    else
        is_chosen = state.calls == state.at || (state.is_persistent && state.calls > state.at);
    if (!is_chosen)
        return false;
    state.failed++;
    state.last = symbol;
    errno = state.only != NULL ? state.only_error : errors[state.variant];
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
    state.blocks += state.is_armed && block != NULL;
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
    state.blocks -= state.is_armed && ptr != NULL;
    __real_free(ptr);
}

void *__wrap_mmap(void *start, size_t len, int access, int flags, int fd, off_t offset)
{
    static const int errors[VARIANTS] = { ENOMEM, EAGAIN, EPERM };
    void *mapped;

    if (is_to_fail("mmap", errors))
        return MAP_FAILED;
    mapped = __real_mmap(start, len, access, flags, fd, offset);
    if (state.is_armed && mapped != MAP_FAILED && (flags & MAP_FIXED) == 0)
        state.mapped += (long)len;
    return mapped;
}

int __wrap_munmap(void *start, size_t len)
{
    if (state.is_armed)
        state.mapped -= (long)len;
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

void fail_calls_of(const char *symbol, int error)
{
    state.only = symbol;
    state.only_error = error;
    state.is_armed = symbol != NULL;
    if (symbol != NULL)
        state.failed = 0;
}

unsigned failed_calls(void)
{
    return state.failed;
}

/* What a process must have as much of after a run as before. */
struct belongings {
    long blocks, mapped;
    size_t descriptors, locked;
};

static struct belongings belongings_now(void)
{
    return (struct belongings){ state.blocks, state.mapped, count_descriptors(), locked_len() };
}

/* What the run was, for the message of a failure. */
static const char *describe(void)
{
    static char text[128];

    snprintf(text, sizeof text, "call %u (%s) failing %s, error %u", state.at, state.last,
             state.is_persistent ? "for ever" : "once", state.variant);
    return text;
}

void body_needs_at(bool condition, const char *text, int line)
{
    if (condition)
        return;
    state.is_armed = false;
    ck_abort_msg("line %d, %s: not so: %s", line, describe(), text);
}

static keep_status run_armed(sweep_body body, void *ctx)
{
    keep_status st;

    state.calls = 0;
    state.failed = 0;
    state.last = "none";
    state.is_armed = true;
    st = body(ctx);
    state.is_armed = false;
    return st;
}

/* Counts, but lets nothing fail. */
static keep_status run_counted(sweep_body body, void *ctx)
{
    unsigned at = state.at;
    keep_status st;

    state.at = MAX_RUNS + 1;
    st = run_armed(body, ctx);
    state.at = at;
    return st;
}

static void need_listed(keep_status st, const keep_status *listed, size_t count)
{
    bool is_listed = st == KEEP_OK && state.failed == 0;

    for (size_t i = 0; i < count; i++)
        is_listed = is_listed || st == listed[i];
    ck_assert_msg(is_listed, "%s: %s", describe(), keep_status_name(st));
}

static void need_no_pattern(void)
{
    if (can_search_process())
        ck_assert_msg(count_pattern_in_process(false) == 0, "%s: the pattern is left", describe());
}

static void need_nothing_left(struct belongings before, struct belongings after)
{
    ck_assert_msg(after.blocks == before.blocks, "%s: %ld blocks are left", describe(), after.blocks - before.blocks);
    ck_assert_msg(after.mapped == before.mapped, "%s: %ld mapped", describe(), after.mapped - before.mapped);
    ck_assert_msg(after.descriptors == before.descriptors, "%s: a descriptor is left", describe());
    ck_assert_msg(after.locked == before.locked, "%s: locked bytes are left", describe());
}

/* All runs of one kind. What the library keeps for later is there after a first round: in the second nothing grows. */
static void sweep_round(sweep_body body, void *ctx, const keep_status *listed, size_t count, bool is_measured)
{
    for (state.at = 1;; state.at++) {
        struct belongings before = belongings_now();
        keep_status st = run_armed(body, ctx);
        unsigned failed = state.failed;

        need_listed(st, listed, count);
        if (!is_measured)
            need_no_pattern(); /* a search takes a thousand times as long as a run */
        st = run_counted(body, ctx);
        ck_assert_msg(st == KEEP_OK, "%s: afterwards %s", describe(), keep_status_name(st));
        if (is_measured)
            need_nothing_left(before, belongings_now());
        if (failed == 0)
            return;
        ck_assert_uint_lt(state.at, MAX_RUNS);
    }
}

void sweep(sweep_body body, void *ctx, const keep_status *listed, size_t count)
{
    for (int is_measured = 0; is_measured < 2; is_measured++) {
        for (state.variant = 0; state.variant < VARIANTS; state.variant++) {
            state.is_persistent = false;
            sweep_round(body, ctx, listed, count, is_measured);
            state.is_persistent = true;
            sweep_round(body, ctx, listed, count, is_measured);
        }
    }
}

/* A run in a child. */
struct first_use {
    sweep_body body;
    void *ctx;
    const keep_status *listed;
    size_t count;
};

enum {
    NOTHING_FAILED = 7
};

static void use_first(void *ctx)
{
    const struct first_use *use = ctx;
    keep_status st = run_armed(use->body, use->ctx);
    bool is_over = state.failed == 0;

    need_listed(st, use->listed, use->count);
    child_needs(run_counted(use->body, use->ctx) == KEEP_OK);
    if (is_over)
        leave_child(NOTHING_FAILED);
}

static void sweep_first_round(struct first_use *use)
{
    struct outcome outcome = { 0 };

    for (state.at = 1; outcome.exit_status != NOTHING_FAILED; state.at++) {
        outcome = run_forked(use_first, use);
        ck_assert_msg(outcome.signal == 0 && (outcome.exit_status == 0 || outcome.exit_status == NOTHING_FAILED),
                      "call %u: signal %d, %s", state.at, outcome.signal, outcome.said);
        ck_assert_uint_lt(state.at, MAX_RUNS);
    }
}

void sweep_first_use(sweep_body body, void *ctx, const keep_status *listed, size_t count)
{
    struct first_use use = { body, ctx, listed, count };

    for (state.variant = 0; state.variant < VARIANTS; state.variant++) {
        state.is_persistent = false;
        sweep_first_round(&use);
        state.is_persistent = true;
        sweep_first_round(&use);
    }
}
