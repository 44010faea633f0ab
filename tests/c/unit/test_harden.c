/* SPDX-License-Identifier: MIT */
/*
 * Hardening the process (memory R56 to R58, T19). Each test is a process of its own, so what it changes goes with it.
 */
#include "memory/harden.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/options.h"
#include "keep/protect.h"
#include "support/calls.h"
#include "support/suite.h"

#define ALL 15U
#define BY_PRCTL 14U

static uint32_t active_now(void)
{
    struct keep_harden_report report = KEEP_HARDEN_REPORT_INIT;

    assert_ok(keep_harden(0, &report));
    return report.active;
}

/* Nothing is hardened; where the tests run some of it may be. */
static void begin_unhardened(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &limit), 0);
    if (limit.rlim_max == 0)
        ck_assert_int_eq(setrlimit(RLIMIT_CORE, &(struct rlimit){ 4096, 4096 }), 0);
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
    ck_assert_uint_eq(active_now() & KEEP_HARDEN_RECOMMENDED, 0);
}

static int is_core_refused(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0;
}

static int is_dump_refused(void)
{
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

static int is_privilege_refused(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static int is_code_refused(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page == MAP_FAILED && errno == EACCES;
}

static int (*const effects[])(void) = { is_core_refused, is_dump_refused, is_privilege_refused, is_code_refused };

START_TEST(a_measure_is_taken_and_read_back)
{
    struct keep_harden_report report = KEEP_HARDEN_REPORT_INIT;
    uint32_t flag = 1U << _i;

    begin_unhardened();
    if (keep_harden(flag, &report) == KEEP_ERR_SYSTEM && flag == KEEP_HARDEN_NO_NEW_CODE) {
        ck_assert_int_eq(report.error[_i], EINVAL); /* a kernel before 6.3 */
        return;
    }
    ck_assert_uint_eq(report.requested, flag);
    ck_assert_uint_eq(report.active & flag, flag);
    ck_assert_uint_eq(report.failed, 0);
    ck_assert_int_eq(report.error[_i], 0);
    ck_assert(effects[_i]());
    ck_assert_uint_eq(active_now() & flag, flag);
}
END_TEST

START_TEST(the_recommended_measures_are_both_taken_and_may_be_taken_again)
{
    begin_unhardened();
    assert_ok(keep_harden(KEEP_HARDEN_RECOMMENDED, NULL));
    ck_assert(is_core_refused() && is_dump_refused());
    assert_ok(keep_harden(KEEP_HARDEN_RECOMMENDED, NULL));
}
END_TEST

START_TEST(no_flag_only_reports)
{
    struct keep_harden_report report = KEEP_HARDEN_REPORT_INIT;

    begin_unhardened();
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_ok(keep_harden(0, &report));
    ck_assert_uint_eq(report.requested | report.failed, 0);
    ck_assert_uint_eq(report.active & (KEEP_HARDEN_NO_NEW_PRIVS | KEEP_HARDEN_RECOMMENDED), KEEP_HARDEN_NO_NEW_PRIVS);
    ck_assert(!is_core_refused() && !is_dump_refused());
}
END_TEST

START_TEST(an_unknown_bit_is_refused_and_nothing_done)
{
    struct keep_harden_report report = KEEP_HARDEN_REPORT_INIT;

    begin_unhardened();
    report.active = 77;
    assert_status(keep_harden(KEEP_HARDEN_RECOMMENDED | 16, &report), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_harden(KEEP_HARDEN_RECOMMENDED | 1U << 31, NULL), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert(!is_core_refused() && !is_dump_refused());
    ck_assert_uint_eq(report.active, 77);
}
END_TEST

START_TEST(a_report_that_is_too_small_is_refused_and_nothing_done)
{
    struct keep_harden_report report = KEEP_HARDEN_REPORT_INIT;

    begin_unhardened();
    report.size = KEEP__SIZE_UP_TO(struct keep_harden_report, error) - 1;
    assert_status(keep_harden(KEEP_HARDEN_RECOMMENDED, &report), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert(!is_core_refused() && !is_dump_refused());
}
END_TEST

START_TEST(each_measure_is_tried_also_after_another_failed)
{
    struct keep_harden_report report = KEEP_HARDEN_REPORT_INIT;

    begin_unhardened();
    if (!refuse_call(SYS_prctl, EPERM))
        return;
    assert_status(keep_harden(ALL, &report), KEEP_ERR_SYSTEM);
    ck_assert_uint_eq(report.requested, ALL);
    ck_assert_uint_eq(report.active, KEEP_HARDEN_NO_CORE);
    ck_assert_uint_eq(report.failed, BY_PRCTL);
    for (int bit = 0; bit < 8; bit++)
        ck_assert_int_eq(report.error[bit], (BY_PRCTL >> bit & 1) != 0 ? EPERM : 0);
    ck_assert(is_core_refused());
}
END_TEST

START_TEST(a_measure_that_nobody_refused_and_that_does_not_hold_has_failed)
{
    struct keep_harden_report report = KEEP_HARDEN_REPORT_INIT;

    if (!refuse_call(SYS_prctl, 0)) /* every call succeeds and gives 0 */
        return;
    assert_status(keep_harden(KEEP_HARDEN_NO_NEW_PRIVS, &report), KEEP_ERR_SYSTEM);
    ck_assert_uint_eq(report.failed, KEEP_HARDEN_NO_NEW_PRIVS);
    ck_assert_int_eq(report.error[2], ENOTSUP);
}
END_TEST

START_TEST(limits_that_cannot_be_read_are_unknown)
{
    keep__process process;

    if (!refuse_call(SYS_prlimit64, EPERM) || !refuse_call(SYS_getrlimit, EPERM))
        return;
    keep__process_read(&process);
    ck_assert_int_eq(process.core.soft, -1);
    ck_assert_int_eq(process.memlock.hard, -1);
    ck_assert_uint_eq(keep__process_hardening(&process) & KEEP_HARDEN_NO_CORE, 0);
}
END_TEST

RUN_SUITE("harden", TIMES(a_measure_is_taken_and_read_back, 4),
          ONCE(the_recommended_measures_are_both_taken_and_may_be_taken_again), ONCE(no_flag_only_reports),
          ONCE(an_unknown_bit_is_refused_and_nothing_done),
          ONCE(a_report_that_is_too_small_is_refused_and_nothing_done),
          ONCE(each_measure_is_tried_also_after_another_failed),
          ONCE(a_measure_that_nobody_refused_and_that_does_not_hold_has_failed),
          ONCE(limits_that_cannot_be_read_are_unknown))
