/* SPDX-License-Identifier: MIT */
/*
 * Windows: a function of JavaScript gets a copy of a secret's bytes, in memory of its own, and only while it runs. The
 * slot itself cannot be lent: not every host lets JavaScript see memory that is not its own.
 */
#ifndef SHIM_WINDOW_H
#define SHIM_WINDOW_H

#include "call.h"

/* secretRead(secret, fn): calls fn(copy) under a read window, wipes the copy, gives what fn gave. */
napi_value shim_secret_read(napi_env env, napi_callback_info info);

/* secretWrite(secret, fn): the same under the write window; the copy goes back into the secret unless fn throws. */
napi_value shim_secret_write(napi_env env, napi_callback_info info);

#endif
