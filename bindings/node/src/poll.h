/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a descriptor in the loop of Node itself, without a thread. What can be waited on makes a poll of its
 * descriptor; lib/ starts it while somebody waits, and stops it: a poll that is started keeps the loop alive.
 */
#ifndef SHIM_POLL_H
#define SHIM_POLL_H

#include "call.h"

extern const shim_table shim_poll_table;

/* A poll of a duplicate of the descriptor: its External, or NULL after a throw. */
napi_value shim_make_poll(const shim_call *call, int fd);

#endif
