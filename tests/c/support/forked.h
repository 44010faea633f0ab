/* SPDX-License-Identifier: MIT */
/*
 * Bodies that may die, or that change their process for good: each runs in a child, and the test looks at what is left.
 */
#ifndef SUPPORT_FORKED_H
#define SUPPORT_FORKED_H

#include <stdbool.h>
#include <stddef.h>

typedef void (*forked_body)(void *ctx);

/* How a child ended. */
struct outcome {
    int signal;      /* 0: it left by itself */
    int exit_status; /* if it left by itself */
    char said[1024]; /* on standard error, cut */
};

/* Runs the body in a child, which leaves with 0 if the body returns. */
struct outcome run_forked(forked_body body, void *ctx);

/* Leaves a child at once. */
void leave_child(int status) __attribute__((noreturn));

/* Leaves the child with a failure and the line of it, unless the condition is true. */
#define child_needs(condition) child_needs_at((condition), #condition, __LINE__)
void child_needs_at(bool condition, const char *text, int line);

/* Notes a handle of the parent, which its free leaves alone in the child, where valgrind finds it. Eight at most. */
void child_leaves(void *handle);

/* The body returns. */
void assert_returns(forked_body body, void *ctx);

/* The body meets a guard page or pages without access. */
void assert_faults(forked_body body, void *ctx);

/*
 * The library notices damage and ends the process with its one line. Under AddressSanitizer the stray access of the
 * body is found where it happens.
 */
void assert_damage_is_found(forked_body body, void *ctx);

/* Whether stray accesses are found where they happen in this build. */
bool finds_stray_accesses(void);

#endif
