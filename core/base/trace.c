/* SPDX-License-Identifier: MIT */
/*
 * Trace: a ring of origins for each thread. Built into the test library alone.
 */
#include "base/trace.h"

#include <errno.h>
#include <stdio.h>

#include "base/attributes.h"
#include "base/banned.h"

#define ORIGINS 64

struct origin {
    keep_status status;
    int code;
    const char *function;
    int line;
};

static _Thread_local struct origin ring[ORIGINS];
static _Thread_local unsigned noted;

keep_status keep__trace_note(keep_status status, const char *function, int line)
{
    ring[noted++ % ORIGINS] = (struct origin){ status, errno, function, line };
    return status;
}

void keep__trace_print(void)
{
    unsigned first = noted > ORIGINS ? noted - ORIGINS : 0;

    for (unsigned i = first; i < noted; i++) {
        const struct origin *origin = &ring[i % ORIGINS];

        (void)fprintf(stderr, "origin: %s errno %d in %s:%d\n", keep_status_name(origin->status), origin->code,
                      origin->function, origin->line);
    }
    noted = 0;
}
