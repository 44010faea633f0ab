/* SPDX-License-Identifier: MIT */
/* The native functions of Pool. */
#ifndef SHIM_POOL_H
#define SHIM_POOL_H

#include "call.h"

extern const shim_table shim_pool_table;

#endif
