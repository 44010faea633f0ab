/* SPDX-License-Identifier: MIT */
/*
 * Processes among themselves: a pid namespace of their own, in which a pid can be given twice. Where the kernel does not
 * let them, a test has nothing to look at, and a line on standard output says so.
 */
#ifndef SUPPORT_WORLD_H
#define SUPPORT_WORLD_H

#include <stdbool.h>
#include <sys/types.h>

/* Runs the body as the first process of a world with a /proc of its own. */
void in_world(void (*body)(void));

/* Whether children can live in another pid namespace than this process. */
bool has_pid_namespaces(void);

/* From now on children of this process live in a pid namespace of their own, the first as its pid 1. */
bool leave_pid_namespace(void);

/* fork(), with a pid that the caller chooses; -1 where that is not allowed. */
pid_t fork_as(pid_t pid);

#endif
