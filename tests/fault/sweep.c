/* SPDX-License-Identifier: MIT */
/*
 * Sweep: the loops. One thread.
 */
#include "sweep.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "support/forked.h"
#include "support/maps.h"
#include "support/pattern.h"
#include "wrap.h"

enum {
    MAX_RUNS = 1000
};

/* Which call fails next. */
static struct {
    bool is_persistent;
    unsigned at;      /* the call that fails, from 1 */
    unsigned variant; /* which of its errors it gives */
    const char *only; /* the symbol that fails */
    int only_error;
} state;

static int choose_place(const char *symbol, const int errors[VARIANTS])
{
    bool is_chosen = fault_counts.calls == state.at || (state.is_persistent && fault_counts.calls > state.at);

    (void)symbol;
    return is_chosen ? errors[state.variant] : 0;
}

static int choose_symbol(const char *symbol, const int errors[VARIANTS])
{
    (void)errors;
    return strcmp(state.only, symbol) == 0 ? state.only_error : 0;
}

void fail_calls_of(const char *symbol, int error)
{
    state.only = symbol;
    state.only_error = error;
    if (symbol != NULL)
        faults_begin(choose_symbol);
    else
        faults_end();
}

unsigned failed_calls(void)
{
    return fault_counts.failed;
}

/* What a process must have as much of after a run as before. */
struct belongings {
    long blocks, mapped;
    size_t descriptors, locked;
};

static struct belongings belongings_now(void)
{
    return (struct belongings){ fault_counts.blocks, fault_counts.mapped, count_descriptors(), locked_len() };
}

/* What the run was, for the message of a failure. */
static const char *describe(void)
{
    static char text[128];

    snprintf(text, sizeof text, "call %u (%s) failing %s, error %u", state.at, fault_counts.last,
             state.is_persistent ? "for ever" : "once", state.variant);
    return text;
}

void body_needs_at(bool condition, const char *text, int line)
{
    if (condition)
        return;
    faults_end();
    ck_abort_msg("line %d, %s: not so: %s", line, describe(), text);
}

static keep_status run_armed(sweep_body body, void *ctx)
{
    keep_status st;

    faults_begin(choose_place);
    st = body(ctx);
    faults_end();
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
    bool is_listed = st == KEEP_OK && fault_counts.failed == 0;

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
        unsigned failed = fault_counts.failed;

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
    bool is_over = fault_counts.failed == 0;

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
