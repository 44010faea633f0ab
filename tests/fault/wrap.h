/* SPDX-License-Identifier: MIT */
/*
 * What the wrappers of wrapped.sym share: sweep.c has those of memory, wrap_sockets.c those of sockets and signals.
 */
#ifndef FAULT_WRAP_H
#define FAULT_WRAP_H

#include <stdbool.h>

enum {
    VARIANTS = 3
};

/* Whether this call fails. Sets errno. */
bool is_to_fail(const char *symbol, const int errors[VARIANTS]);

#endif
