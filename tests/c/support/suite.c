/* SPDX-License-Identifier: MIT */
/*
 * Suite: the runner of a test program.
 */
#include "support/suite.h"

#include <stdlib.h>

/* Of the white-box library; others have none. */
__attribute__((weak)) void keep__trace_print(void);

static void print_trace_of_failure(int status, void *unused)
{
    (void)unused;
    if (status != 0 && keep__trace_print != NULL)
        keep__trace_print();
}

static void prepare_test(void)
{
    (void)on_exit(print_trace_of_failure, NULL);
}

int run_suite(const char *name, const struct test *tests, size_t count)
{
    Suite *suite = suite_create(name);
    SRunner *runner = srunner_create(suite);
    TCase *all = tcase_create(name);
    int failed;

    tcase_set_timeout(all, 0);
    tcase_add_checked_fixture(all, prepare_test, NULL);
    for (size_t i = 0; i < count; i++)
        tcase_add_loop_test(all, tests[i].test, 0, tests[i].runs);
    suite_add_tcase(suite, all);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
