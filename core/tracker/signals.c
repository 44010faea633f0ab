/* SPDX-License-Identifier: MIT */
/*
 * Signals: the seam of sigaction and sigaltstack. The handler tells the beacon, puts the former disposition back, and
 * sends the signal to its thread again, if it was not the processor that raised it: a faulting instruction is run once
 * more by itself. So whatever was there before, a core file or another handler, sees what it would have seen.
 */
#include "tracker/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/heap.h"
#include "base/thread.h"
#include "base/banned.h"

#define STACK_LEN ((size_t)65536)

static const int told[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
#define TOLD (sizeof told / sizeof *told)

static keep_beacon *_Atomic teller;
static struct sigaction former[TOLD];
static _Atomic uint32_t installed; /* a bit per signal whose former disposition is kept */

static keep_status fail_signals(keep_error *err, keep_status status, const char *sentence)
{
    const keep__origin origin = { .layer = KEEP_LAYER_ERRNO, .code = errno };

    return keep__error_fill(err, status, &origin, sentence);
}

/* Puts a former disposition back. False: that was done before. */
static bool restore_signal(size_t i)
{
    uint32_t bit = UINT32_C(1) << i;

    if ((atomic_fetch_and_explicit(&installed, ~bit, memory_order_acq_rel) & bit) == 0)
        return false;
    return sigaction(told[i], &former[i], NULL) == 0;
}

static void tell_signal(int signal, siginfo_t *info, void *context)
{
    keep_beacon *beacon = atomic_load_explicit(&teller, memory_order_acquire);

    (void)context;
    keep_beacon_crash(beacon, (uint32_t)signal);
    for (size_t i = 0; i < TOLD; i++) {
        if (told[i] == signal)
            (void)restore_signal(i);
    }
    if (info->si_code <= 0)
        (void)syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signal);
}

static keep_status install_signals(keep_error *err)
{
    struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };

    action.sa_sigaction = tell_signal;
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < TOLD; i++) {
        uint32_t bit = UINT32_C(1) << i;

        if ((atomic_load_explicit(&installed, memory_order_acquire) & bit) != 0)
            continue;
        if (sigaction(told[i], &action, &former[i]) != 0)
            return fail_signals(err, KEEP_ERR_SYSTEM, "a signal cannot be handled");
        (void)atomic_fetch_or_explicit(&installed, bit, memory_order_acq_rel);
    }
    return KEEP_OK;
}

keep_status keep__signals_tell(keep_beacon *beacon, keep_error *err)
{
    keep_beacon *before = atomic_exchange_explicit(&teller, beacon, memory_order_acq_rel);
    keep_status st = install_signals(err);

    if (st != KEEP_OK)
        atomic_store_explicit(&teller, before, memory_order_release);
    return st;
}

void keep__signals_forget(const keep_beacon *beacon)
{
    keep_beacon *expected = (keep_beacon *)(uintptr_t)beacon; /* to be compared only */

    if (!atomic_compare_exchange_strong(&teller, &expected, NULL))
        return;
    for (size_t i = 0; i < TOLD; i++)
        (void)restore_signal(i);
}

static void end_stack(void *stack)
{
    const stack_t none = { .ss_flags = SS_DISABLE };

    (void)sigaltstack(&none, NULL);
    keep__heap_free(stack, STACK_LEN);
}

keep_status keep__signals_stack(keep_error *err)
{
    stack_t stack = { .ss_size = STACK_LEN };
    stack_t present;

    if (sigaltstack(NULL, &present) != 0)
        return fail_signals(err, KEEP_ERR_SYSTEM, "the signal stack cannot be looked at");
    if ((present.ss_flags & SS_DISABLE) == 0)
        return KEEP_OK;
    stack.ss_sp = keep__heap_new(STACK_LEN);
    if (stack.ss_sp == NULL)
        return fail_signals(err, KEEP_ERR_NO_MEMORY, "memory for a signal stack was refused");
    if (sigaltstack(&stack, NULL) != 0) {
        keep_status st = fail_signals(err, KEEP_ERR_SYSTEM, "the signal stack cannot be set");

        keep__heap_free(stack.ss_sp, STACK_LEN);
        return st;
    }
    if (keep__thread_at_exit(end_stack, stack.ss_sp) != KEEP_OK) {
        end_stack(stack.ss_sp);
        return fail_signals(err, KEEP_ERR_NO_MEMORY, "the end of a signal stack cannot be awaited");
    }
    return KEEP_OK;
}
