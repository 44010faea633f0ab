/* SPDX-License-Identifier: MIT */
/* Opening: native functions of Session, and of `packet` where there is no session. */
#ifndef SHIM_OPEN_H
#define SHIM_OPEN_H

#include "call.h"

extern const shim_table shim_open_table;

/* Takes a table for pairs: where an event begins, and its length. */
bool shim_take_spans(const shim_call *call, napi_value value, keep_packet_open_out *out);

/* Throws the status of an open; without room with what is needed: `values` are bytes and events. Always NULL. */
napi_value shim_settle_opening(const shim_call *call, keep_status status, const keep_packet_open_out *out);

#endif
