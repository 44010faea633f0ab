/* SPDX-License-Identifier: MIT */
/*
 * A packet pool: buffers of one maximal packet each, mapped and touched at once, to build in now and send later. A pool
 * belongs to no session, and its buffers hold no key; plaintext stands in them only during a build.
 *
 * Lifetime: a pool that was freed lives until its last packet is freed. A packet is a value, a place and a generation: a
 * freed, stale or invented one is KEEP_ERR_CLOSED in every build, and the new owner untouched. Any thread may free it; two
 * may not use one packet at once.
 * Threads: locked
 * Limits: KEEP_MAX_PACKET_SLOTS packets in a pool, KEEP_MAX_PACKET_POOLS live pools.
 *
 * Every function may return KEEP_ERR_INVALID_ARGUMENT (correct the call), KEEP_ERR_FORKED (the parent's: make your own),
 * and with a packet KEEP_ERR_CLOSED (look for a lifetime bug). A purge leaves pools and packets as they are: they hold no
 * secret.
 */
#ifndef KEEP_PACKET_POOL_H
#define KEEP_PACKET_POOL_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/packet.h>
#include <keep/session.h>
#include <keep/status.h>

KEEP_BEGIN_DECLS

#define KEEP_MAX_PACKET_SLOTS 16384
#define KEEP_MAX_PACKET_POOLS 1024

typedef struct keep_packet_pool keep_packet_pool;
/* A value, not an address: nothing may be read through it. */
typedef struct keep_packet keep_packet;

/* KEEP_PACKET_POOL_OPTIONS_INIT: 64 packets, settings zero. */
typedef struct keep_packet_pool_options {
    size_t size;
    uint32_t capacity;             /* 1 to KEEP_MAX_PACKET_SLOTS */
    keep_packet_settings settings; /* what every acquired packet begins with */
} keep_packet_pool_options;

#define KEEP_DEFAULT_PACKET_SLOTS 64
#define KEEP_PACKET_POOL_OPTIONS_INIT \
    { sizeof(keep_packet_pool_options), KEEP_DEFAULT_PACKET_SLOTS, { 0, 0, 0, 0, 0 } }

/* KEEP_PACKET_POOL_STATS_INIT. */
struct keep_packet_pool_stats {
    size_t size;
    uint64_t capacity;
    uint64_t in_use, available; /* together the capacity */
    uint64_t peak;              /* the most in use that stats or a refused acquire saw: a count would slow every acquire */
    uint64_t refused;           /* acquires that found none */
    uint64_t bytes;             /* all memory of the pool */
};

#define KEEP_PACKET_POOL_STATS_INIT KEEP_SIZED(struct keep_packet_pool_stats)

/*
 * Makes a pool, with all its memory.
 *
 * options    NULL: the defaults
 * out_pool   the caller frees it with keep_packet_pool_free
 *
 * KEEP_OK             the pool is ready
 * KEEP_ERR_NO_MEMORY  memory was refused: free some, or ask for fewer packets
 * KEEP_ERR_EXHAUSTED  KEEP_MAX_PACKET_POOLS pools are alive: free one
 * KEEP_ERR_SYSTEM     the kernel failed otherwise, or gave no random bytes: report it
 * KEEP_ERR_UNSUPPORTED  the kernel lacks what keeps pages out of dumps and children
 *
 * Binding: blocks
 */
KEEP_API KEEP_MUST_USE keep_status
keep_packet_pool_new(const keep_packet_pool_options *KEEP_NULLABLE options, KEEP_OWN keep_packet_pool **out_pool);

/*
 * Acquires an empty packet with the pool's settings. Never waits.
 *
 * out_packet   the caller frees it with keep_packet_free
 *
 * KEEP_OK             the packet is the caller's
 * KEEP_ERR_EXHAUSTED  all packets are in callers' hands: free some
 */
KEEP_API KEEP_MUST_USE keep_status
keep_packet_pool_acquire(keep_packet_pool *pool, KEEP_OWN keep_packet **out_packet);

/*
 * Changes the settings of the next builds.
 *
 * settings   NULL: the pool's again
 *
 * KEEP_OK   they hold from the next build on
 */
KEEP_API KEEP_MUST_USE keep_status
keep_packet_set(keep_packet *packet, const keep_packet_settings *KEEP_NULLABLE settings);

/*
 * Seals into the packet, in place of what was built before. A refused build leaves it as it was.
 *
 * session   NULL only for a handshake frame
 *
 * KEEP_OK          keep_packet_data gives the datagram
 * KEEP_ERR_PURGED  the session's keys are gone: make a new session
 * sealing          see packet.h
 */
KEEP_API KEEP_MUST_USE keep_status
keep_packet_build(keep_packet *packet, keep_session *KEEP_NULLABLE session, const keep_packet_request *request);

/*
 * The datagram, in place, until the next build or free.
 *
 * KEEP_OK         send it
 * KEEP_ERR_STATE  nothing was built yet
 */
KEEP_API KEEP_MUST_USE keep_status
keep_packet_data(const keep_packet *packet, const uint8_t **out_data, size_t *out_len);

/*
 * Tells how full the pool is.
 *
 * out_stats   KEEP_PACKET_POOL_STATS_INIT
 *
 * KEEP_OK   the struct is filled
 */
KEEP_API KEEP_MUST_USE keep_status
keep_packet_pool_stats(keep_packet_pool *pool, struct keep_packet_pool_stats *out_stats);

/*
 * Gives the packet back to its pool and nulls the handle; a null handle is nothing to do. Not marked must-use: at the end
 * of a scope there is nothing to do about its result.
 *
 * KEEP_OK          gone
 * KEEP_ERR_CLOSED  freed before: the handle is nulled
 * KEEP_ERR_FORKED  the parent's: the handle is nulled
 */
KEEP_API keep_status keep_packet_free(keep_packet **packet);

/*
 * Frees the pool and nulls the handle; a null handle is nothing. Packets in callers' hands keep working. Cannot fail.
 *
 * Binding: blocks
 */
KEEP_API void keep_packet_pool_free(keep_packet_pool **pool);

KEEP_END_DECLS

#endif
