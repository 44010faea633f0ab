/* SPDX-License-Identifier: MIT */
/*
 * Acquiring, as pools and sealed secrets offer it: at once, or waiting in a job.
 */
#ifndef SHIM_ACQUIRE_H
#define SHIM_ACQUIRE_H

#include "handle.h"

/* What to acquire from: keep_pool_acquire, which needs `len`, or keep_sealed_open. */
typedef keep_status (*shim_acquire)(void *handle, size_t len, const keep_acquire_options *options,
                                    keep_secret **out_secret);

/* Acquires at once, with the flags of the `options` object; gives the External of the secret. */
napi_value shim_acquire_now(const shim_call *call, shim_box *box, size_t len, napi_value options, shim_acquire acquire);

/* Acquires in a job, for at most `timeoutMs` of the `options` object; gives a promise of the External. */
napi_value shim_acquire_later(const shim_call *call, shim_box *box, size_t len, napi_value options,
                              shim_acquire acquire);

#endif
