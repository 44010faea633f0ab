/* SPDX-License-Identifier: MIT */
/* The native function that tells about back ends. */
#ifndef SHIM_AEAD_H
#define SHIM_AEAD_H

#include "call.h"

extern const shim_table shim_aead_table;

#endif
