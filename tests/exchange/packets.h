/* SPDX-License-Identifier: MIT */
/*
 * Sealed packets: what both sides of a session seal, singly and as a batch; answers to them go on where they end. Texts
 * are JSON: for either side a list of datagrams in hexadecimal.
 */
#ifndef EXCHANGE_PACKETS_H
#define EXCHANGE_PACKETS_H

#include <stdbool.h>

#include <jansson.h>

json_t *sealed_packets(void);
json_t *answering_packets(void);

bool are_sealed_packets(const json_t *sides);
bool are_answering_packets(const json_t *sides);

#endif
