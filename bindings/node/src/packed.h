/* SPDX-License-Identifier: MIT */
/* Packed batches: native functions of Session. */
#ifndef SHIM_PACKED_H
#define SHIM_PACKED_H

#include "call.h"

extern const shim_table shim_packed_table;

#endif
