/* SPDX-License-Identifier: MIT */
/*
 * Calls on a stack of their own, for looking at what they leave there.
 */
#ifndef SUPPORT_APART_H
#define SUPPORT_APART_H

enum {
    STACK_LEN = 256 << 10
};

/* Runs the call to its end, and gives its stack, which the caller unmaps. */
void *on_own_stack(void (*call)(void *ctx), void *ctx);

#endif
