/* SPDX-License-Identifier: MIT */
/*
 * Single functions that a test lets fail, for programs linked with -Wl,--wrap=NAME. A wrapper also lets the deeds of
 * support/meanwhile.h happen first.
 */
#ifndef SUPPORT_WRAPPED_H
#define SUPPORT_WRAPPED_H

#include <stdbool.h>

#include "support/meanwhile.h"

/* WRAP(result, name, (parameters), (arguments), what a failure gives) */
#define WRAP(result, name, parameters, arguments, failure) \
    result __real_##name parameters; \
    result __wrap_##name parameters; \
    result __wrap_##name parameters \
    { \
        do_awaited(#name); \
        return fails_now(#name) ? (failure) : __real_##name arguments; \
    }

/* One call of that function fails, after so many that do not. NULL: none does. */
void fail_call(const char *name, int calls_before, int error);

/* For wrappers. Sets errno. */
bool fails_now(const char *name);

#endif
