/* SPDX-License-Identifier: MIT */
/*
 * What the sanitizers are told, in place of environment variables: signals reach the tests, a report is told from
 * everything else by its exit status.
 */

#define SEEN_BY_RUNTIME __attribute__((visibility("default")))

SEEN_BY_RUNTIME const char *__asan_default_options(void);
SEEN_BY_RUNTIME const char *__tsan_default_options(void);
SEEN_BY_RUNTIME const char *__tsan_default_suppressions(void);

const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_abort=0:allocator_may_return_null=1:exitcode=86";
}

const char *__tsan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_abort=0:allocator_may_return_null=1";
}

/* A purge wipes the bytes of windows that are open: who reads them meanwhile reads zeros, and is meant to. */
const char *__tsan_default_suppressions(void)
{
    return "race:purge_slot\n"
           "race:purge_locked\n";
}
