/* SPDX-License-Identifier: MIT */
/*
 * Calls of the system that fail when it was chosen so. The wrappers of wrapped.sym ask here: wrap.c has those of memory,
 * wrap_sockets.c those of sockets and signals. In one thread: those of an engine or a sanitizer go their way.
 */
#ifndef FAULT_WRAP_H
#define FAULT_WRAP_H

#include <stdbool.h>

enum {
    VARIANTS = 3
};

/* What the calls since faults_begin were, and what all of them have left behind. */
extern struct fault_counts {
    unsigned calls, failed;
    const char *last; /* the symbol that failed last */
    long blocks;      /* alive */
    long mapped;      /* bytes */
} fault_counts;

/* The errno that a call fails with, one of those it may give; 0: it does not. */
typedef int (*fault_choice)(const char *symbol, const int errors[VARIANTS]);

void faults_begin(fault_choice choice);
void faults_end(void);

/* For wrappers: whether this call fails. Sets errno. */
bool is_to_fail(const char *symbol, const int errors[VARIANTS]);

#endif
