/* SPDX-License-Identifier: MIT */
/*
 * The report of facts (memory R59, T20), each held against another source.
 */
#include "keep/protect.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "memory/pages.h"
#include "support/calls.h"
#include "support/files.h"
#include "support/suite.h"
#include "support/user.h"

#define PAGE ((size_t)sysconf(_SC_PAGESIZE))

static struct keep_memory_report facts(void)
{
    struct keep_memory_report report = KEEP_MEMORY_REPORT_INIT;

    assert_ok(keep_memory_report(NULL, &report));
    return report;
}

static int64_t limit_as_reported(rlim_t limit)
{
    return limit == RLIM_INFINITY ? KEEP_UNLIMITED : (int64_t)limit;
}

START_TEST(limits_are_those_of_the_process)
{
    struct rlimit memlock;
    struct rlimit core;

    ck_assert_int_eq(getrlimit(RLIMIT_MEMLOCK, &memlock) | getrlimit(RLIMIT_CORE, &core), 0);
    ck_assert_int_eq(facts().memlock_soft, limit_as_reported(memlock.rlim_cur));
    ck_assert_int_eq(facts().memlock_hard, limit_as_reported(memlock.rlim_max));
    ck_assert_int_eq(setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, core.rlim_max }), 0);
    ck_assert_int_eq(facts().core_limit, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_CORE, &(struct rlimit){ core.rlim_max, core.rlim_max }), 0);
    ck_assert_int_eq(facts().core_limit, limit_as_reported(core.rlim_max));
}
END_TEST

START_TEST(the_machine_is_what_other_calls_say)
{
    struct sysinfo info;

    ck_assert_int_eq(sysinfo(&info), 0);
    ck_assert_int_eq(facts().page_size, (int64_t)PAGE);
    ck_assert_int_eq(facts().memfd_secret, keep__pages_has_memfd_secret());
    ck_assert_int_eq(facts().swap_bytes, (int64_t)(info.totalswap * info.mem_unit));
}
END_TEST

START_TEST(locked_bytes_follow_what_is_locked)
{
    int64_t before = facts().locked_bytes;
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert_int_ge(before, 0);
    ck_assert_int_eq(mlock2(page, PAGE, 0), 0); /* sanitizers turn mlock into nothing */
    ck_assert_int_eq(facts().locked_bytes, before + (int64_t)PAGE);
    ck_assert_int_eq(munmap(page, PAGE), 0);
    ck_assert_int_eq(facts().locked_bytes, before);
}
END_TEST

START_TEST(properties_follow_prctl)
{
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
    ck_assert_int_eq(facts().dumpable, 1);
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), 0);
    ck_assert_int_eq(facts().dumpable, 0);
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(facts().no_new_privs, 1);
    ck_assert_int_eq(facts().hardening & ~KEEP_HARDEN_NO_CORE, KEEP_HARDEN_NO_DUMP | KEEP_HARDEN_NO_NEW_PRIVS);
}
END_TEST

START_TEST(the_pattern_of_cores_is_a_file_or_a_pipe)
{
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "r");
    int first;

    ck_assert_ptr_nonnull(file);
    first = fgetc(file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(facts().core_pattern, first == '|' || first == '@');
}
END_TEST

START_TEST(advice_that_the_kernel_lacks_is_reported)
{
    ck_assert_int_eq(facts().wipe_on_fork, 1); /* Linux 4.14 */
    if (!refuse_call(SYS_madvise, EINVAL))
        return;
    ck_assert_int_eq(facts().wipe_on_fork, 0);
}
END_TEST

START_TEST(secret_memory_that_the_kernel_lacks_is_reported)
{
    if (!refuse_call(SYS_memfd_secret, ENOSYS))
        return;
    ck_assert_int_eq(facts().memfd_secret, 0);
}
END_TEST

START_TEST(an_ordinary_user_is_bound_by_the_limit)
{
    if (become_ordinary(PAGE))
        ck_assert_int_eq(facts().cap_ipc_lock, 0);
}
END_TEST

START_TEST(capabilities_in_a_user_namespace_lift_no_limit)
{
    if (!become_ordinary(PAGE) || unshare(CLONE_NEWUSER) != 0) {
        printf("skipped: no user namespaces here\n");
        return;
    }
    ck_assert_int_eq(facts().cap_ipc_lock, 0);
}
END_TEST

START_TEST(without_the_files_of_the_kernel_their_facts_are_unknown)
{
    struct keep_memory_report report;

    hide_files();
    report = facts();
    ck_assert_int_eq(report.locked_bytes, -1);
    ck_assert_int_eq(report.cap_ipc_lock, -1);
    ck_assert_int_eq(report.core_pattern, -1);
    ck_assert_int_eq(report.yama_scope, -1);
    ck_assert_int_eq(report.swap_bytes, -1);
    ck_assert_int_eq(report.page_size, (int64_t)PAGE);
    ck_assert_int_eq(report.dumpable, 1);
    ck_assert_int_eq(report.wipe_on_fork, 1);
}
END_TEST

/* What a file says, and the fact that it makes. */
static const struct {
    const char *path;
    const char *text;
    size_t fact; /* its place in the report */
    int64_t value;
} files[] = {
#define FACT(name) offsetof(struct keep_memory_report, name)
    { "/proc/sys/kernel/core_pattern", "core\n", FACT(core_pattern), KEEP_CORE_PATTERN_FILE },
    { "/proc/sys/kernel/core_pattern", "|/usr/sbin/collect %p\n", FACT(core_pattern), KEEP_CORE_PATTERN_PIPE },
    { "/proc/sys/kernel/core_pattern", "@/run/collect.socket\n", FACT(core_pattern), KEEP_CORE_PATTERN_PIPE },
    { "/proc/sys/kernel/yama/ptrace_scope", "3\n", FACT(yama_scope), 3 },
    { "/proc/sys/kernel/yama/ptrace_scope", "?\n", FACT(yama_scope), -1 },
    { "/proc/meminfo", "MemTotal: 8 kB\nSwapTotal:       4 kB\n", FACT(swap_bytes), 4096 },
    { "/proc/meminfo", "MemTotal: 8 kB\n", FACT(swap_bytes), -1 },
    { "/proc/meminfo", "SwapTotal: 18446744073709551615 kB\n", FACT(swap_bytes), -1 },
    { "/proc/thread-self/status", "Name: a\nVmLck:\t      12 kB\n", FACT(locked_bytes), 12288 },
    { "/proc/thread-self/status", "CapEff:\tffffffffffffbfff\n", FACT(cap_ipc_lock), 0 },
    { "/proc/thread-self/status", "CapEff:\tnone\n", FACT(cap_ipc_lock), -1 },
#undef FACT
};

START_TEST(a_fact_is_what_its_file_says)
{
    struct keep_memory_report report;
    int64_t value;

    replace_file(files[_i].path, files[_i].text);
    report = facts();
    memcpy(&value, (const char *)&report + files[_i].fact, sizeof value);
    ck_assert_int_eq(value, files[_i].value);
}
END_TEST

/* With CAP_IPC_LOCK: the map of the user namespace, and whether the capability counts. */
static const struct {
    const char *map;
    int64_t cap_ipc_lock;
} maps[] = {
    { "         0          0 4294967295\n", 1 },
    { NULL, 1 }, /* a kernel without user namespaces */
    { "", 0 },
    { "0 1000 1\n", 0 },
    { "0 0\n", 0 },
    { "0 0 4294967294\n", 0 },
};

START_TEST(capabilities_count_in_the_first_user_namespace_only)
{
    replace_file("/proc/thread-self/status", "CapEff:\t0000000000004000\n");
    replace_file("/proc/thread-self/uid_map", maps[_i].map);
    ck_assert_int_eq(facts().cap_ipc_lock, maps[_i].cap_ipc_lock);
}
END_TEST

START_TEST(properties_that_cannot_be_read_are_unknown)
{
    struct keep_memory_report report;

    if (!refuse_call(SYS_prctl, EPERM))
        return;
    report = facts();
    ck_assert_int_eq(report.dumpable, -1);
    ck_assert_int_eq(report.no_new_privs, -1);
    ck_assert_int_eq(report.no_new_code, -1);
}
END_TEST

START_TEST(facts_alone_test_nothing_and_make_no_pool)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    KEEP_AUTO(keep_pool) pool = NULL;
    struct keep_memory_report report = facts();

    ck_assert_uint_eq(report.backing | report.checked | report.passed | report.failed, 0);
    assert_ok(keep_pool_default(&options, &pool));
}
END_TEST

START_TEST(with_options_a_private_pool_is_tested)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    struct keep_memory_report report = KEEP_MEMORY_REPORT_INIT;
    KEEP_AUTO(keep_pool) pool = NULL;
    int64_t locked = facts().locked_bytes;

    options.backing = KEEP_BACKING_LOCKED;
    assert_ok(keep_memory_report(&options, &report));
    ck_assert_uint_eq(report.backing, KEEP_BACKING_LOCKED);
    ck_assert_uint_eq(report.checked, 127 & ~KEEP_CHECK_HIDDEN);
    ck_assert_uint_eq(report.passed, report.checked);
    ck_assert_uint_eq(report.failed, 0);
    ck_assert_int_eq(facts().locked_bytes, locked);
    assert_ok(keep_pool_default(&options, &pool));
}
END_TEST

START_TEST(a_check_that_fails_is_a_status_and_the_report_is_filled)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    struct keep_memory_report report = KEEP_MEMORY_REPORT_INIT;

    options.backing = KEEP_BACKING_LOCKED;
    if (!refuse_call(SYS_mlock, 0) || !refuse_call(SYS_mlock2, 0)) /* they succeed and lock nothing */
        return;
    assert_status(keep_memory_report(&options, &report), KEEP_ERR_SYSTEM);
    ck_assert_uint_eq(report.failed, KEEP_CHECK_LOCKED);
    ck_assert_uint_eq(report.passed, report.checked - KEEP_CHECK_LOCKED);
    ck_assert_int_eq(report.page_size, (int64_t)PAGE);
}
END_TEST

START_TEST(a_pool_that_cannot_be_made_leaves_the_facts)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    struct keep_memory_report report = KEEP_MEMORY_REPORT_INIT;

    if (!become_ordinary(0))
        return;
    assert_status(keep_memory_report(&options, &report), KEEP_ERR_LOCK_LIMIT);
    ck_assert_int_eq(report.memlock_soft, 0);
    ck_assert_int_eq(report.page_size, (int64_t)PAGE);
    ck_assert_uint_eq(report.backing | report.checked | report.passed | report.failed, 0);
}
END_TEST

START_TEST(a_pool_without_room_leaves_the_facts)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    struct keep_memory_report report = KEEP_MEMORY_REPORT_INIT;

    options.max_bytes = 1;
    assert_status(keep_memory_report(&options, &report), KEEP_ERR_EXHAUSTED);
    ck_assert_int_eq(report.page_size, (int64_t)PAGE);
    ck_assert_uint_eq(report.backing | report.checked | report.passed | report.failed, 0);
}
END_TEST

START_TEST(wrong_arguments_leave_the_report_as_it_was)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    struct keep_memory_report report = KEEP_MEMORY_REPORT_INIT;

    assert_status(keep_memory_report(NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    report.page_size = 77;
    report.size--;
    assert_status(keep_memory_report(NULL, &report), KEEP_ERR_INVALID_ARGUMENT);
    report.size++;
    options.backing = 99;
    assert_status(keep_memory_report(&options, &report), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_int_eq(report.page_size, 77);
}
END_TEST

RUN_SUITE("report", ONCE(limits_are_those_of_the_process), ONCE(the_machine_is_what_other_calls_say),
          ONCE(locked_bytes_follow_what_is_locked), ONCE(properties_follow_prctl),
          ONCE(the_pattern_of_cores_is_a_file_or_a_pipe), ONCE(advice_that_the_kernel_lacks_is_reported),
          ONCE(secret_memory_that_the_kernel_lacks_is_reported), ONCE(an_ordinary_user_is_bound_by_the_limit),
          ONCE(capabilities_in_a_user_namespace_lift_no_limit),
          ONCE(without_the_files_of_the_kernel_their_facts_are_unknown),
          TIMES(a_fact_is_what_its_file_says, sizeof files / sizeof *files),
          TIMES(capabilities_count_in_the_first_user_namespace_only, sizeof maps / sizeof *maps),
          ONCE(properties_that_cannot_be_read_are_unknown), ONCE(facts_alone_test_nothing_and_make_no_pool),
          ONCE(with_options_a_private_pool_is_tested), ONCE(a_check_that_fails_is_a_status_and_the_report_is_filled),
          ONCE(a_pool_that_cannot_be_made_leaves_the_facts), ONCE(a_pool_without_room_leaves_the_facts),
          ONCE(wrong_arguments_leave_the_report_as_it_was))
