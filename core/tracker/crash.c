/* SPDX-License-Identifier: MIT */
/*
 * Crash: a beacon's last word. Everything it needs is made when it is armed: what runs then takes no lock, allocates
 * nothing and touches nothing that a beat changes, so it may interrupt one in any thread.
 */
#include "tracker/beacon.h"

#include <errno.h>
#include <string.h>

#include "base/trace.h"
#include "memory/guard.h"
#include "tracker/frame.h"
#include "tracker/signals.h"
#include "base/banned.h"

static _Atomic uint64_t last_timestamp; /* of all last words of this process */

uint64_t keep__crash_timestamp(_Atomic uint64_t *last, uint64_t now_ns)
{
    uint64_t before = atomic_load_explicit(last, memory_order_relaxed);
    uint64_t next;

    do {
        next = now_ns > before ? now_ns : before + 1;
    } while (!atomic_compare_exchange_weak_explicit(last, &before, next, memory_order_relaxed, memory_order_relaxed));
    return next;
}

uint32_t keep__crash_counter(_Atomic uint32_t *counter)
{
    uint32_t taken = atomic_load_explicit(counter, memory_order_relaxed);

    while (taken != UINT32_MAX && !atomic_compare_exchange_weak_explicit(counter, &taken, taken + 1,
                                                                         memory_order_relaxed, memory_order_relaxed))
        continue;
    return taken;
}

void keep_beacon_crash(keep_beacon *beacon, uint32_t payload)
{
    keep__beat beat = { .nonce = KEEP__NONCE_TERMINAL, .payload = payload, .health = KEEP_HEALTH_CRITICAL };
    uint8_t frame[KEEP_BEAT_LEN];
    uint8_t wire[KEEP_BEAT_MASTER_LEN];
    int kept = errno;
    uint32_t counter = 0;
    size_t len;

    if (beacon == NULL || keep__guard_check(beacon->stamp) != KEEP_OK || keep__beacon_check_key(beacon) != KEEP_OK ||
        atomic_load_explicit(&beacon->last_word.is_armed, memory_order_acquire) == 0)
        return;
    beat.pid = beacon->pid;
    beat.timestamp_ns = keep__crash_timestamp(&last_timestamp, keep__beacon_clock(beacon));
    if (beacon->options.mode != KEEP_BEAT_PLAIN)
        counter = keep__crash_counter(&beacon->last_word.counter);
    if (counter != UINT32_MAX && keep__beat_encode(&beat, frame) == KEEP_OK) {
        len = keep__beacon_wrap(beacon, beacon->last_word.prefix, counter, frame, wire);
        if (keep__beacon_check_key(beacon) == KEEP_OK)
            (void)keep__connection_send(beacon->last_word.fd, wire, len);
    }
    errno = kept;
}

static keep_status open_last_word(keep_beacon *beacon, keep_error *err)
{
    keep__connection connection;
    keep_status st = keep__connection_open(&beacon->peer, beacon->options.mode != KEEP_BEAT_PLAIN, &connection, err);

    if (st != KEEP_OK)
        return st;
    beacon->last_word.fd = connection.fd;
    memcpy(beacon->last_word.prefix, connection.sealer.prefix, sizeof connection.sealer.prefix);
    atomic_store_explicit(&beacon->last_word.is_armed, 1, memory_order_release);
    return KEEP_OK;
}

keep_status keep_beacon_arm(keep_beacon *beacon, uint32_t flags, keep_error *err)
{
    keep_status st = keep__beacon_check(beacon);

    if (st != KEEP_OK)
        return st;
    if ((flags & ~(uint32_t)KEEP_ARM_SIGNALS) != 0)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (beacon->peer.len == 0)
        return KEEP_ERR_STATE;
    st = keep__beacon_check_key(beacon);
    if (st == KEEP_OK)
        st = keep__signals_stack(err);
    if (st == KEEP_OK && beacon->last_word.fd == KEEP__NO_SOCKET)
        st = open_last_word(beacon, err);
    if (st == KEEP_OK && (flags & KEEP_ARM_SIGNALS) != 0)
        st = keep__signals_tell(beacon, err);
    return st;
}

void keep__beacon_disarm(keep_beacon *beacon)
{
    keep__connection connection = { .fd = beacon->last_word.fd };

    keep__signals_forget(beacon);
    atomic_store_explicit(&beacon->last_word.is_armed, 0, memory_order_release);
    beacon->last_word.fd = KEEP__NO_SOCKET;
    keep__connection_close(&connection);
}
