/* SPDX-License-Identifier: MIT */
/*
 * The report and its self-test with every call below them failing (memory T7): a fact may get lost, a check may not.
 */
#include <keep/protect.h>

#include "support/memories.h"
#include "support/suite.h"
#include "sweep.h"

static const keep_status listed[] = { KEEP_OK, KEEP_ERR_LOCK_LIMIT, KEEP_ERR_NO_MEMORY, KEEP_ERR_UNSUPPORTED,
                                      KEEP_ERR_SYSTEM };

static keep_status report_on(void *options)
{
    struct keep_memory_report report = KEEP_MEMORY_REPORT_INIT;
    keep_status st = keep_memory_report(options, &report);

    body_needs(report.page_size > 0);
    body_needs(report.checked == (report.passed | report.failed));
    body_needs(st == KEEP_OK || report.passed == 0 || report.failed != 0);
    return st;
}

START_TEST(facts_survive_every_failing_call)
{
    sweep(report_on, NULL, listed, 1);
}
END_TEST

START_TEST(the_self_test_survives_every_failing_call)
{
    keep_pool_options options = options_of(_i);

    if (has_memory(_i))
        sweep(report_on, &options, listed, sizeof listed / sizeof *listed);
}
END_TEST

RUN_SUITE("report", ONCE(facts_survive_every_failing_call), TIMES(the_self_test_survives_every_failing_call, MEMORIES))
