/* SPDX-License-Identifier: MIT */
/*
 * The self-test (memory R60, T20). It must find every promise that is not kept, so here the kernel and parts of the
 * library lie, one at a time.
 */
#include "memory/selftest.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/crypto.h"
#include "keep/protect.h"
#include "keep/secret.h"
#include "memory/answers.h"
#include "memory/guard.h"
#include "memory/layout.h"
#include "memory/pages.h"
#include "memory/tier.h"
#include "support/calls.h"
#include "support/files.h"
#include "support/forked.h"
#include "support/memories.h"
#include "support/suite.h"

#define TOLD_BY_PROC (KEEP_CHECK_LOCKED | KEEP_CHECK_NOT_DUMPED | KEEP_CHECK_FORK_SAFE)
#define ALL 127U

enum lie {
    LIE_NONE,
    LIE_LOCKS,
    LIE_NO_LOCKS, /* a refusal, and no lie */
    LIE_MADVISE,
    LIE_GUARDS,
    LIE_FOREIGN,
    LIE_DIRTY,
    LIE_TAG,
    LIE_PLAINTEXT,
    LIE_REFUSAL,
    LIE_ANSWERS
};

static enum lie lie;

enum step {
    STEP_NONE,
    STEP_ENTER,
    STEP_INFO,
    STEP_LAYOUT,
    STEP_FREE
};
static enum step failing; /* the one of the test that fails */
static bool is_looking;   /* at the guarded buffer, which is made by then */

int __real_mlock2(const void *start, size_t len, unsigned flags);
int __wrap_mlock2(const void *start, size_t len, unsigned flags);
int __real_madvise(void *start, size_t len, int advice);
int __wrap_madvise(void *start, size_t len, int advice);
void *__real_mmap(void *start, size_t len, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *start, size_t len, int protection, int flags, int fd, off_t offset);
ssize_t __real_process_vm_readv(pid_t pid, const struct iovec *local, unsigned long local_count,
                                const struct iovec *remote, unsigned long remote_count, unsigned long flags);
ssize_t __wrap_process_vm_readv(pid_t pid, const struct iovec *local, unsigned long local_count,
                                const struct iovec *remote, unsigned long remote_count, unsigned long flags);
void __real_keep__tier_give(keep__tier *tier, keep__spot spot);
void __wrap_keep__tier_give(keep__tier *tier, keep__spot spot);
keep_status __real_keep__aead_open(const keep__aead *aead, const uint8_t *sealed, size_t len, uint8_t *out);
keep_status __wrap_keep__aead_open(const keep__aead *aead, const uint8_t *sealed, size_t len, uint8_t *out);

bool __real_keep__answers_hold(void);
bool __wrap_keep__answers_hold(void);
keep_status __real_keep__guard_enter(void);
keep_status __wrap_keep__guard_enter(void);
keep_status __real_keep_secret_info(const keep_secret *secret, struct keep_secret_info *out_info);
keep_status __wrap_keep_secret_info(const keep_secret *secret, struct keep_secret_info *out_info);
keep_status __real_keep__layout_guarded(uint64_t page, uint64_t len, uint32_t flags, keep__guarded_plan *out);
keep_status __wrap_keep__layout_guarded(uint64_t page, uint64_t len, uint32_t flags, keep__guarded_plan *out);
keep_status __real_keep_secret_free(keep_secret **secret);
keep_status __wrap_keep_secret_free(keep_secret **secret);

bool __wrap_keep__answers_hold(void)
{
    return lie != LIE_ANSWERS && __real_keep__answers_hold();
}

keep_status __wrap_keep__guard_enter(void)
{
    return failing == STEP_ENTER ? KEEP_ERR_SYSTEM : __real_keep__guard_enter();
}

keep_status __wrap_keep_secret_info(const keep_secret *secret, struct keep_secret_info *out_info)
{
    is_looking = true;
    return failing == STEP_INFO ? KEEP_ERR_SYSTEM : __real_keep_secret_info(secret, out_info);
}

keep_status __wrap_keep__layout_guarded(uint64_t page, uint64_t len, uint32_t flags, keep__guarded_plan *out)
{
    if (failing == STEP_LAYOUT && is_looking)
        return KEEP_ERR_SYSTEM;
    return __real_keep__layout_guarded(page, len, flags, out);
}

keep_status __wrap_keep_secret_free(keep_secret **secret)
{
    if (failing != STEP_FREE)
        return __real_keep_secret_free(secret);
    failing = STEP_NONE;
    return KEEP_ERR_SYSTEM;
}

int __wrap_mlock2(const void *start, size_t len, unsigned flags)
{
    if (lie == LIE_NO_LOCKS) {
        errno = ENOMEM;
        return -1;
    }
    return lie == LIE_LOCKS ? 0 : __real_mlock2(start, len, flags);
}

int __wrap_madvise(void *start, size_t len, int advice)
{
    return lie == LIE_MADVISE ? 0 : __real_madvise(start, len, advice);
}

void *__wrap_mmap(void *start, size_t len, int protection, int flags, int fd, off_t offset)
{
    if (lie == LIE_GUARDS && protection == PROT_NONE)
        protection = PROT_READ;
    return __real_mmap(start, len, protection, flags, fd, offset);
}

ssize_t __wrap_process_vm_readv(pid_t pid, const struct iovec *local, unsigned long local_count,
                                const struct iovec *remote, unsigned long remote_count, unsigned long flags)
{
    if (lie == LIE_FOREIGN)
        return 1;
    return __real_process_vm_readv(pid, local, local_count, remote, remote_count, flags);
}

void __wrap_keep__tier_give(keep__tier *tier, keep__spot spot)
{
    uint8_t *last = keep__spot_bytes(spot) + tier->slot_len - 1;

    if (lie == LIE_DIRTY) {
        KEEP__UNPOISON(last, 1);
        *last = 1;
    }
    __real_keep__tier_give(tier, spot);
}

keep_status __wrap_keep__aead_open(const keep__aead *aead, const uint8_t *sealed, size_t len, uint8_t *out)
{
    keep_status st = __real_keep__aead_open(aead, sealed, len, out);

    if (lie == LIE_TAG && st == KEEP_ERR_AUTH)
        return KEEP_OK;
    if (lie == LIE_PLAINTEXT)
        out[0] ^= 1;
    return lie == LIE_REFUSAL ? KEEP_ERR_AUTH : st;
}

static keep__findings findings_of(const keep_pool_options *options)
{
    keep__findings findings = { .backing = UINT32_MAX };

    assert_ok(keep__selftest_run(options, &findings));
    return findings;
}

static uint32_t all_of(uint32_t backing)
{
    return backing == KEEP_BACKING_MEMFD_SECRET ? ALL : ALL & ~(uint32_t)KEEP_CHECK_HIDDEN;
}

START_TEST(every_kind_of_memory_keeps_its_promises)
{
    keep_pool_options options = options_of(_i);
    keep__findings findings;

    if (!has_memory(_i))
        return;
    findings = findings_of(&options);
    ck_assert_uint_eq(findings.backing, options.backing);
    ck_assert_uint_eq(findings.checked, all_of(options.backing));
    ck_assert_uint_eq(findings.failed, 0);
}
END_TEST

START_TEST(defaults_keep_their_promises)
{
    keep__findings findings = findings_of(NULL);

    ck_assert_uint_eq(findings.checked, all_of(findings.backing));
    ck_assert_uint_eq(findings.failed, 0);
}
END_TEST

static const struct {
    enum lie lie;
    uint32_t backing;
    uint32_t failed;
} lies[] = {
    { LIE_LOCKS, KEEP_BACKING_LOCKED, KEEP_CHECK_LOCKED },
    { LIE_MADVISE, KEEP_BACKING_LOCKED, KEEP_CHECK_NOT_DUMPED | KEEP_CHECK_FORK_SAFE },
    { LIE_MADVISE, KEEP_BACKING_MEMFD_SECRET, KEEP_CHECK_FORK_SAFE },
    { LIE_GUARDS, KEEP_BACKING_LOCKED, KEEP_CHECK_GUARDS },
    { LIE_GUARDS, KEEP_BACKING_MEMFD_SECRET, KEEP_CHECK_GUARDS },
    { LIE_FOREIGN, KEEP_BACKING_LOCKED, 0 }, /* nobody promised */
    { LIE_FOREIGN, KEEP_BACKING_MEMFD_SECRET, KEEP_CHECK_HIDDEN },
    { LIE_DIRTY, KEEP_BACKING_LOCKED, KEEP_CHECK_WIPED },
    { LIE_TAG, KEEP_BACKING_LOCKED, KEEP_CHECK_SEALING },
    { LIE_PLAINTEXT, KEEP_BACKING_LOCKED, KEEP_CHECK_SEALING },
    { LIE_REFUSAL, KEEP_BACKING_LOCKED, KEEP_CHECK_SEALING },
    { LIE_ANSWERS, KEEP_BACKING_LOCKED, KEEP_CHECK_SEALING },
};

START_TEST(a_promise_that_is_not_kept_is_found_and_no_other)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    keep__findings findings;

    if (lies[_i].backing == KEEP_BACKING_MEMFD_SECRET && !has_memory(0))
        return;
    options.backing = lies[_i].backing;
    lie = lies[_i].lie;
    findings = findings_of(&options);
    lie = LIE_NONE;
    ck_assert_uint_eq(findings.failed, lies[_i].failed);
    ck_assert_uint_eq(findings.checked, all_of(options.backing));
}
END_TEST

START_TEST(without_the_files_of_the_kernel_less_is_checked)
{
    keep__findings findings;

    hide_files();
    findings = findings_of(NULL);
    ck_assert_uint_eq(findings.checked, all_of(findings.backing) & ~(uint32_t)TOLD_BY_PROC);
    ck_assert_uint_eq(findings.failed, 0);
}
END_TEST

START_TEST(without_pipes_and_debuggers_less_is_checked)
{
    keep__findings findings;

    if (!refuse_call(SYS_pipe2, EMFILE) || !refuse_call(SYS_process_vm_readv, EPERM))
        return;
    findings = findings_of(NULL);
    ck_assert_uint_eq(findings.checked, ALL & ~(uint32_t)(KEEP_CHECK_GUARDS | KEEP_CHECK_HIDDEN));
    ck_assert_uint_eq(findings.failed, 0);
}
END_TEST

START_TEST(unlocked_memory_is_not_called_locked)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;

    options.backing = KEEP_BACKING_LOCKED;
    options.lock_policy = KEEP_LOCK_ALLOW_UNLOCKED;
    lie = LIE_NO_LOCKS;
    ck_assert_uint_eq(findings_of(&options).failed, KEEP_CHECK_LOCKED);
}
END_TEST

START_TEST(one_slot_is_enough)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;

    options.tier_count = 1;
    options.tier_len[0] = KEEP_MIN_SLOT_LEN;
    options.tier_max_slots[0] = 1;
    ck_assert_uint_eq(findings_of(&options).failed, 0);
}
END_TEST

START_TEST(a_tier_that_has_slots_is_tested_if_there_is_no_room_for_others)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;

    options.tier_count = 2;
    options.tier_len[0] = 32;
    options.tier_len[1] = KEEP_MAX_SLOT_LEN;
    options.tier_slots[1] = 4;
    options.max_bytes = 4 * KEEP_MAX_SLOT_LEN;
    ck_assert_uint_eq(findings_of(&options).failed, 0);
}
END_TEST

START_TEST(a_pool_that_cannot_be_made_is_a_status_without_findings)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    keep__findings findings = { .backing = 77, .checked = 77, .failed = 77 };

    options.max_bytes = 1;
    assert_status(keep__selftest_run(&options, &findings), KEEP_ERR_EXHAUSTED);
    options.max_bytes = 0;
    options.tier_count = KEEP_MAX_TIERS + 1;
    assert_status(keep__selftest_run(&options, &findings), KEEP_ERR_INVALID_ARGUMENT);
    options.tier_count = 0;
    options.backing = KEEP_BACKING_LOCKED;
    lie = LIE_NO_LOCKS;
    assert_status(keep__selftest_run(&options, &findings), KEEP_ERR_LOCK_LIMIT);
    ck_assert_uint_eq(findings.backing & findings.checked & findings.failed, 77);
}
END_TEST

START_TEST(a_step_that_fails_is_a_status_without_findings)
{
    keep__findings findings = { .backing = 77, .checked = 77, .failed = 77 };

    failing = (enum step)(_i + 1);
    assert_status(keep__selftest_run(NULL, &findings), KEEP_ERR_SYSTEM);
    failing = STEP_NONE;
    ck_assert_uint_eq(findings.backing & findings.checked & findings.failed, 77);
    ck_assert_uint_eq(findings_of(NULL).failed, 0);
}
END_TEST

static size_t count_mappings(void)
{
    size_t lines = 0;
    int byte;
    FILE *file = fopen("/proc/self/maps", "r");

    ck_assert_ptr_nonnull(file);
    while ((byte = fgetc(file)) != EOF)
        lines += byte == '\n';
    ck_assert_int_eq(fclose(file), 0);
    return lines;
}

/* The lowest descriptor that is free. */
static int next_descriptor(void)
{
    int fd = dup(STDIN_FILENO);

    ck_assert_int_eq(close(fd), 0);
    return fd;
}

START_TEST(nothing_stays_behind)
{
    int descriptor = next_descriptor();
    size_t mappings;

    (void)findings_of(NULL);
    mappings = count_mappings();
    for (int i = 0; i < 50; i++)
        (void)findings_of(NULL);
    ck_assert_uint_eq(count_mappings(), mappings);
    ck_assert_int_eq(next_descriptor(), descriptor);
}
END_TEST

static void test_without_forks(void *unused)
{
    static const long calls[] = { SYS_clone, SYS_clone3, SYS_rt_sigaction, SYS_rt_sigprocmask };

    (void)unused;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (!forbid_call(calls[i]))
            return;
    }
    ck_assert_uint_eq(findings_of(NULL).failed, 0);
}

START_TEST(it_neither_forks_nor_catches_signals)
{
    assert_returns(test_without_forks, NULL);
}
END_TEST

static atomic_bool is_over;

static void *purge_until_over(void *unused)
{
    (void)unused;
    while (!atomic_load(&is_over)) {
        if (keep_purge(NULL) != KEEP_OK)
            return &is_over;
    }
    return NULL;
}

START_TEST(purges_meanwhile_disturb_nothing)
{
    pthread_t purging;
    void *failed;

    ck_assert_int_eq(pthread_create(&purging, NULL, purge_until_over, NULL), 0);
    for (int i = 0; i < 50; i++)
        ck_assert_uint_eq(findings_of(NULL).failed, 0);
    atomic_store(&is_over, true);
    ck_assert_int_eq(pthread_join(purging, &failed), 0);
    ck_assert_ptr_null(failed);
}
END_TEST

RUN_SUITE("selftest", TIMES(every_kind_of_memory_keeps_its_promises, MEMORIES), ONCE(defaults_keep_their_promises),
          TIMES(a_promise_that_is_not_kept_is_found_and_no_other, sizeof lies / sizeof *lies),
          ONCE(without_the_files_of_the_kernel_less_is_checked), ONCE(without_pipes_and_debuggers_less_is_checked),
          ONCE(unlocked_memory_is_not_called_locked), ONCE(one_slot_is_enough),
          ONCE(a_tier_that_has_slots_is_tested_if_there_is_no_room_for_others),
          ONCE(a_pool_that_cannot_be_made_is_a_status_without_findings), ONCE(nothing_stays_behind),
          ONCE(it_neither_forks_nor_catches_signals), ONCE(purges_meanwhile_disturb_nothing),
          TIMES(a_step_that_fails_is_a_status_without_findings, STEP_FREE))
