/* SPDX-License-Identifier: MIT */
/* The native functions of Beacon. */
#ifndef SHIM_BEACON_H
#define SHIM_BEACON_H

#include "call.h"

extern const shim_table shim_beacon_table;

#endif
