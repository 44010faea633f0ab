/* SPDX-License-Identifier: MIT */
/*
 * Sessions: the functions behind the class Session that neither seal nor open, and how others take one.
 */
#ifndef SHIM_SESSION_H
#define SHIM_SESSION_H

#include "handle.h"

extern const shim_table shim_session_table;
extern const shim_kind shim_session_kind;

bool shim_take_session(const shim_call *call, napi_value value, const char *name, keep_session **out);

/* Begins a call whose first argument is a session. */
bool shim_begin_session(napi_env env, napi_callback_info info, shim_call *call, keep_session **out);

/* Takes maxFailedOpens, window, aead, pool: what every way to a session lets choose. */
bool shim_take_session_options(const shim_call *call, const napi_value *values, keep_session_options *out);

#endif
