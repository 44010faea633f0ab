/* SPDX-License-Identifier: MIT */
/* The native functions of `memory`: what protects the process as a whole. */
#ifndef SHIM_PROTECT_H
#define SHIM_PROTECT_H

#include "call.h"

extern const shim_table shim_protect_table;

#endif
