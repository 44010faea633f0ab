/* SPDX-License-Identifier: MIT */
/* The native functions of Observer. */
#ifndef SHIM_OBSERVER_H
#define SHIM_OBSERVER_H

#include "call.h"

extern const shim_table shim_observer_table;

#endif
