/* SPDX-License-Identifier: MIT */
/*
 * Signals: handlers that let a beacon say its last word, and the stack they run on.
 */
#ifndef KEEP_TRACKER_SIGNALS_H
#define KEEP_TRACKER_SIGNALS_H

#include "keep/beacon.h"
#include "keep/error.h"
#include "keep/status.h"

/* An alternate signal stack for the calling thread, until it ends, unless it has one. NO_MEMORY SYSTEM */
keep_status keep__signals_stack(keep_error *err);

/* SEGV, BUS, ILL, FPE and ABRT make a beacon crash, then do what was done before; a later beacon takes over. SYSTEM */
keep_status keep__signals_tell(keep_beacon *beacon, keep_error *err);

/* Signals do not tell this beacon any more; if they did, the former handlers are back. */
void keep__signals_forget(const keep_beacon *beacon);

#endif
