/* SPDX-License-Identifier: MIT */
/* Published known answers, as each subsystem computes them. */
#ifndef SHIM_KNOWN_H
#define SHIM_KNOWN_H

#include "call.h"

/* keep_<subsystem>_known_answer */
typedef keep_status (*shim_known)(const char *name, const void *in, size_t in_len, void *out, size_t cap,
                                  size_t *out_len);

/* knownAnswer(name, bytes): a Buffer; knownAnswerInto(out, name, bytes): the length */
napi_value shim_known_answer(napi_env env, napi_callback_info info, shim_known function);
napi_value shim_known_answer_into(napi_env env, napi_callback_info info, shim_known function);

#endif
