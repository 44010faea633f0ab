/* SPDX-License-Identifier: MIT */
/* Sealing: native functions of Session, and of `packet` where there is no session. */
#ifndef SHIM_SEAL_H
#define SHIM_SEAL_H

#include "call.h"

extern const shim_table shim_seal_table;

#endif
