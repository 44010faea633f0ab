/* SPDX-License-Identifier: MIT */
/*
 * The fault sweep: a body runs with its 1st, 2nd, ... wrapped call failing until a run has no failure; once each call
 * alone fails, once all later ones do too; and with each error that the call may give.
 *
 * After every run: the status is a listed one; no heap block, descriptor, mapping or locked byte is left; the body works
 * without failures; the pattern of support/pattern.h stands nowhere.
 */
#ifndef FAULT_SWEEP_H
#define FAULT_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include <keep/status.h>

/* Makes its calls, gives back what it got, and returns the first failure. */
typedef keep_status (*sweep_body)(void *ctx);

/* `listed` holds KEEP_OK only if the specification lets the failure of a call be lost. */
void sweep(sweep_body body, void *ctx, const keep_status *listed, size_t count);

/* The same, each run in a process that has not used the library yet. */
void sweep_first_use(sweep_body body, void *ctx, const keep_status *listed, size_t count);

/* An assertion of a body. Check's own take memory, which may be failing. */
#define body_needs(condition) body_needs_at((condition), #condition, __LINE__)
void body_needs_at(bool condition, const char *text, int line);

/* Lets every call of one wrapped symbol fail with an errno, until it is called with NULL. */
void fail_calls_of(const char *symbol, int error);

/* How often calls of that symbol failed since. */
unsigned failed_calls(void);

#endif
