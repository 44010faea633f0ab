/* SPDX-License-Identifier: MIT */
/* The native functions of Secret. */
#ifndef SHIM_SECRET_H
#define SHIM_SECRET_H

#include "call.h"

extern const shim_table shim_secret_table;

#endif
