/* SPDX-License-Identifier: MIT */
/*
 * Nonce. Below 2^63 a fetch-and-add is enough: a process would have to run for centuries, or start more than 2^50
 * threads between the load and the add, to reach the end from there. Above, each step is compared first, so the counter
 * stops at its end and stays.
 */
#include "packet/nonce.h"

#include "base/cursor.h"
#include "base/banned.h"

#define FAR_FROM_END (UINT64_C(1) << 63)

void keep__nonce_write(uint64_t session_id, uint64_t counter, uint8_t out[KEEP__NONCE_LEN])
{
    keep__writer writer = keep__writer_of(out, KEEP__NONCE_LEN);

    keep__write_u32le(&writer, keep__nonce_prefix(session_id));
    keep__write_u64le(&writer, counter);
}

bool keep__nonce_take(_Atomic uint64_t *next, uint64_t count, uint64_t *out_first)
{
    uint64_t first = atomic_load_explicit(next, memory_order_relaxed);

    if (first < FAR_FROM_END) {
        *out_first = atomic_fetch_add_explicit(next, count, memory_order_relaxed);
        return true;
    }
    do {
        if (count > KEEP__COUNTER_SPENT - first)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(next, &first, first + count, memory_order_relaxed,
                                                    memory_order_relaxed));
    *out_first = first;
    return true;
}
