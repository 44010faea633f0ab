/* SPDX-License-Identifier: MIT */
/* The native functions of Tracker, and what observers and beacons have in common with it. */
#ifndef SHIM_TRACKER_H
#define SHIM_TRACKER_H

#include "handle.h"

extern const shim_table shim_tracker_table;
extern const shim_kind shim_tracker_kind;

/* The settings of an agent; `undefined` leaves `out` as it is. */
bool shim_take_agent_settings(const shim_call *call, napi_value value, keep_agent_settings *out);

#endif
