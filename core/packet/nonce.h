/* SPDX-License-Identifier: MIT */
/*
 * Nonces: the prefix of a session, and counters that no interleaving of threads uses twice. Pure.
 *
 * Formula: nonce = le32(low half of session_id XOR high half) ‖ le64(counter).
 */
#ifndef KEEP_PACKET_NONCE_H
#define KEEP_PACKET_NONCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define KEEP__NONCE_LEN 12
#define KEEP__COUNTER_SPENT UINT64_MAX /* never used as a counter */

static inline uint32_t keep__nonce_prefix(uint64_t session_id)
{
    return (uint32_t)session_id ^ (uint32_t)(session_id >> 32);
}

void keep__nonce_write(uint64_t session_id, uint64_t counter, uint8_t out[KEEP__NONCE_LEN]);

/*
 * Takes `count` consecutive counters, from `*out_first` on, and never gives one back. False: fewer are left, and none is
 * taken.
 */
bool keep__nonce_take(_Atomic uint64_t *next, uint64_t count, uint64_t *out_first);

#endif
