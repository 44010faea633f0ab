/* SPDX-License-Identifier: MIT */
/* What a keep_error says, as properties of a KeepError. */
#ifndef SHIM_DETAIL_H
#define SHIM_DETAIL_H

#include "call.h"

/* Throws the KeepError of a status with what C said of it; `undefined` for KEEP_OK. Always NULL. */
napi_value shim_settle_detail(const shim_call *call, keep_status status, const keep_error *detail);

/* Throws the KeepError of `detail->status`; it has `report` as its property, if that is not NULL. Always NULL. */
napi_value shim_throw_detail(const shim_call *call, const keep_error *detail, napi_value report);

#endif
