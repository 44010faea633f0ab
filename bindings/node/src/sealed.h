/* SPDX-License-Identifier: MIT */
/* The native functions of Sealed. */
#ifndef SHIM_SEALED_H
#define SHIM_SEALED_H

#include "call.h"

extern const shim_table shim_sealed_table;

#endif
