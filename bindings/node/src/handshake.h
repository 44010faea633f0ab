/* SPDX-License-Identifier: MIT */
/* The native functions of Handshake. */
#ifndef SHIM_HANDSHAKE_H
#define SHIM_HANDSHAKE_H

#include "call.h"

extern const shim_table shim_handshake_table;

#endif
