/* SPDX-License-Identifier: MIT */
/*
 * Signals, white box: what goes on after a last word, and a system that refuses handlers and stacks. Which signals tell,
 * and on which stacks, is in tests/c/api/test_beacon.c.
 */
#include "tracker/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/heap.h"
#include "base/thread.h"
#include "support/forked.h"
#include "support/suite.h"
#include "support/wrapped.h"

WRAP(int, sigaltstack, (const stack_t *wanted, stack_t *before), (wanted, before), -1)
WRAP(int, sigaction, (int signal, const struct sigaction *wanted, struct sigaction *before), (signal, wanted, before),
     -1)
WRAP(void *, keep__heap_new, (size_t len), (len), NULL)
WRAP(keep_status, keep__thread_at_exit, (void (*function)(void *), void *value), (function, value), KEEP_ERR_NO_MEMORY)

static keep_beacon *new_beacon(void)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    keep_beacon *beacon = NULL;

    options.path = "@keep-test-nobody";
    assert_ok(keep_beacon_new(&options, &beacon, NULL));
    return beacon;
}

static void leave_with_signal(int signal)
{
    leave_child(signal);
}

/* The former handler gets a fault of the program again, as it gets one that was sent. */
static void fault(void *is_sent)
{
    volatile uint8_t *closed = new_pages(1);
    keep_beacon *beacon;

    (void)mprotect((void *)(uintptr_t)closed, 1, PROT_NONE);
    (void)signal(SIGSEGV, leave_with_signal);
    beacon = new_beacon();
    child_needs(keep_beacon_arm(beacon, KEEP_ARM_SIGNALS, NULL) == KEEP_OK);
    if (*(bool *)is_sent)
        (void)raise(SIGSEGV);
    else
        *closed = 1;
}

/* tracker R54 */
START_TEST(the_former_handler_is_next)
{
    bool is_sent = _i == 0;
    struct outcome outcome = run_forked(fault, &is_sent);

    ck_assert_int_eq(outcome.signal, 0);
    ck_assert_int_eq(outcome.exit_status, SIGSEGV);
}
END_TEST

static volatile sig_atomic_t handled;

static void count_signal(int unused)
{
    (void)unused;
    handled++;
}

static bool is_handled_by(int number, void (*handler)(int))
{
    struct sigaction present;

    return __real_sigaction(number, NULL, &present) == 0 && present.sa_handler == handler;
}

/* A handler that lets the program go on has its signal back for good; the others are given back in the end. */
START_TEST(a_signal_that_was_survived_is_not_told_again)
{
    keep_beacon *beacon;

    (void)signal(SIGFPE, count_signal);
    beacon = new_beacon();
    assert_ok(keep_beacon_arm(beacon, KEEP_ARM_SIGNALS, NULL));
    ck_assert(!is_handled_by(SIGFPE, count_signal));
    (void)raise(SIGFPE);
    ck_assert_int_eq(handled, 1);
    ck_assert(is_handled_by(SIGFPE, count_signal));
    keep_beacon_free(&beacon);
    ck_assert(is_handled_by(SIGFPE, count_signal));
    ck_assert(is_handled_by(SIGILL, SIG_DFL));
}
END_TEST

static const struct {
    const char *name;
    int calls_before;
    keep_status st;
} refusals[] = {
    { "sigaltstack", 0, KEEP_ERR_SYSTEM },
    { "keep__heap_new", 0, KEEP_ERR_NO_MEMORY },
    { "keep__thread_at_exit", 0, KEEP_ERR_NO_MEMORY },
    { "sigaltstack", 1, KEEP_ERR_SYSTEM },
    { "sigaction", 3, KEEP_ERR_SYSTEM },
};

START_TEST(an_arming_that_fails_is_told_and_may_be_tried_again)
{
    keep_beacon *beacon = new_beacon();
    stack_t none = { .ss_flags = SS_DISABLE };

    ck_assert_int_eq(__real_sigaltstack(&none, NULL), 0); /* a sanitizer has its own */
    fail_call(refusals[_i].name, refusals[_i].calls_before, ENOMEM);
    assert_status(keep_beacon_arm(beacon, KEEP_ARM_SIGNALS, NULL), refusals[_i].st);
    assert_ok(keep_beacon_arm(beacon, KEEP_ARM_SIGNALS, NULL));
    keep_beacon_free(&beacon);
}
END_TEST

RUN_SUITE("signals", TIMES(the_former_handler_is_next, 2), ONCE(a_signal_that_was_survived_is_not_told_again),
          TIMES(an_arming_that_fails_is_told_and_may_be_tried_again, sizeof refusals / sizeof *refusals))
