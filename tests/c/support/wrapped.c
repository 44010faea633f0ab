/* SPDX-License-Identifier: MIT */
/*
 * Wrapped: the call that fails.
 */
#include "support/wrapped.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static struct {
    const char *name;
    int calls_before;
    int error;
} failing;

void fail_call(const char *name, int calls_before, int error)
{
    failing.name = name;
    failing.calls_before = calls_before;
    failing.error = error;
}

bool fails_now(const char *name)
{
    if (failing.name == NULL || strcmp(failing.name, name) != 0 || failing.calls_before-- > 0)
        return false;
    failing.name = NULL;
    errno = failing.error;
    return true;
}
