/* SPDX-License-Identifier: MIT */
/* The native functions of PacketPool and Packet. */
#ifndef SHIM_PACKET_POOL_H
#define SHIM_PACKET_POOL_H

#include "call.h"

extern const shim_table shim_packet_pool_table;

#endif
