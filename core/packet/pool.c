/* SPDX-License-Identifier: MIT */
/*
 * Pool: slots of one maximal packet each.
 *
 * One atomic word per slot: generation 34 ‖ in use 1, the lowest bit. Acquiring is one compare-and-swap; the word says
 * whose packet it is, so a stale handle changes nothing. Numbers of pools and the words are never given back to the heap,
 * only used again: a stale handle may always look. A pool's pages end with its last packet.
 *
 * When a pool was freed, whoever frees a packet looks whether it was the last: who frees the pool says so and then looks
 * at the words, who frees a packet changes its word and then looks whether that was said. So nothing is counted while the
 * pool lives, and acquiring and freeing touch no word that threads share.
 */
#include "keep/packet_pool.h"

#include <stdatomic.h>
#include <string.h>

#include "base/checked.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/lock.h"
#include "base/options.h"
#include "base/random.h"
#include "base/thread.h"
#include "base/trace.h"
#include "memory/guard.h"
#include "memory/handle.h"
#include "memory/pages.h"
#include "packet/seal.h"
#include "base/banned.h"

#define PLACE_BITS 24 /* pool 10 ‖ slot 14 */
#define SLOT_BITS 14
#define IN_USE UINT64_C(1)
#define FREED UINT64_C(1)
#define ENDED UINT64_C(2)
#define LINE 64
#define SLOTS_PER_THREAD 9 /* more words than a line has: first looks of threads lie on different lines */
#define GENERATION_MASK ((UINT64_C(1) << 34) - 1)

_Static_assert(KEEP_MAX_PACKET_SLOTS == 1 << SLOT_BITS, "slots");
_Static_assert(KEEP_MAX_PACKET_POOLS == 1 << (PLACE_BITS - SLOT_BITS), "pools");

/* A packet's buffer, with what belongs to it. The payload begins with a line, since libraries encrypt whole ones. */
struct slot {
    _Alignas(LINE) keep_packet_settings settings;
    size_t len; /* of the datagram; 0: nothing was built */
    uint8_t unused[2 * LINE - KEEP_PACKET_HEADER_LEN - sizeof(size_t) - sizeof(keep_packet_settings)];
    uint8_t datagram[KEEP_MAX_PACKET_LEN];
};

_Static_assert(SLOTS_PER_THREAD * sizeof(uint64_t) > LINE, "two threads' first words");
_Static_assert((offsetof(struct slot, datagram) + KEEP_PACKET_HEADER_LEN) % LINE == 0, "a payload and its line");
_Static_assert(sizeof(struct slot) < SIZE_MAX / 2 / KEEP_MAX_PACKET_SLOTS, "a pool's pages");
_Static_assert(sizeof(struct slot) <= 8448 - sizeof(uint64_t), "a slot and its word");

struct keep_packet_pool {
    uint32_t stamp;
    uint32_t number;
    _Atomic uint32_t capacity;
    uint32_t word_count; /* words that were ever begun */
    keep_packet_settings settings;
    keep__pages pages;
    struct slot *slots;     /* in pages */
    keep_packet_pool *next; /* of packets->unused */
    _Atomic uint64_t life;  /* how often it began ‖ ENDED ‖ FREED */
    _Atomic uint64_t peak, refused;
    uint8_t apart[LINE];                           /* who takes a slot writes no line that all read */
    _Atomic uint64_t words[KEEP_MAX_PACKET_SLOTS]; /* large, and touched only as far as the capacity reaches */
};

/* What a process knows of its pools. */
struct packets {
    keep__lock lock;
    uint32_t count;           /* guarded by lock: numbers that were ever given */
    keep_packet_pool *unused; /* guarded by lock: those without pages */
    _Atomic(keep_packet_pool *) pools[KEEP_MAX_PACKET_POOLS];
};

/* A packet that a handle stands for. */
struct spot {
    keep_packet_pool *pool;
    uint32_t slot;
    uint64_t word; /* as it is while the handle lives */
};

static KEEP__THREAD_LOCAL uint32_t last_used; /* where this thread found or freed a slot */

static void begin_packets(void *state)
{
    struct packets *packets = state;

    keep__lock_init(&packets->lock, KEEP__RANK_PACKETS);
}

static keep_status need_packets(struct packets **out)
{
    void *state = NULL;
    keep_status st = keep__guard_enter();

    if (st == KEEP_OK)
        st = keep__guard_part(KEEP__PART_PACKETS, sizeof **out, begin_packets, &state);
    *out = state;
    return st;
}

/* Of a process that has pools. */
static struct packets *packets_of_process(void)
{
    return atomic_load_explicit(&keep__guard_root()->parts[KEEP__PART_PACKETS], memory_order_acquire);
}

/* The words of slots that no pool in this shell had before. First generations are random: the fork bits wrap. */
static keep_status begin_words(keep_packet_pool *pool, uint32_t capacity)
{
    uint64_t random;
    keep_status st = keep__random(&random, sizeof random);

    for (; st == KEEP_OK && pool->word_count < capacity; pool->word_count++)
        atomic_init(&pool->words[pool->word_count], (random += 0x9E3779B97F4A7C15) << 1 & GENERATION_MASK << 1);
    return st;
}

static keep_packet_pool *pop_unused(struct packets *packets)
{
    keep_packet_pool *pool;

    keep__lock_acquire(&packets->lock);
    pool = packets->unused;
    if (pool != NULL)
        packets->unused = pool->next;
    keep__lock_release(&packets->lock);
    return pool;
}

static void push_unused(struct packets *packets, keep_packet_pool *pool)
{
    keep__lock_acquire(&packets->lock);
    pool->next = packets->unused;
    packets->unused = pool;
    keep__lock_release(&packets->lock);
}

static keep_status number_shell(struct packets *packets, keep_packet_pool *pool)
{
    keep_status st = KEEP_ERR_EXHAUSTED;

    keep__lock_acquire(&packets->lock);
    if (packets->count < KEEP_MAX_PACKET_POOLS) {
        pool->number = packets->count;
        atomic_store(&packets->pools[packets->count++], pool);
        st = KEEP_OK;
    }
    keep__lock_release(&packets->lock);
    return st;
}

/* A pool's memory without pages: used again, or new. */
static keep_status new_packet_shell(struct packets *packets, keep_packet_pool **out)
{
    keep_packet_pool *pool = pop_unused(packets);
    keep_status st;

    if (pool == NULL) {
        pool = keep__heap_new(sizeof *pool);
        if (pool == NULL)
            return keep__trace(KEEP_ERR_NO_MEMORY);
        st = number_shell(packets, pool);
        if (st != KEEP_OK) {
            keep__heap_free(pool, sizeof *pool);
            return keep__trace(st);
        }
    }
    *out = pool;
    return KEEP_OK;
}

static keep_status map_slots(keep_packet_pool *pool, uint32_t capacity)
{
    keep__pages_wish wish = { .backing = KEEP__BACKING_PLAIN };
    size_t len = 0;
    keep_status st;

    (void)keep__size_round_up(capacity * sizeof(struct slot), keep__page_size(), &len); /* fits, as asserted above */
    st = keep__pages_map(len, wish, &pool->pages);
    pool->slots = (struct slot *)(void *)pool->pages.data;
    return st;
}

static keep_status set_up_packets(keep_packet_pool *pool, const keep_packet_pool_options *options)
{
    keep_status st = begin_words(pool, options->capacity);

    if (st == KEEP_OK)
        st = map_slots(pool, options->capacity);
    if (st != KEEP_OK)
        return st;
    pool->settings = options->settings;
    pool->stamp = keep__guard_stamp();
    atomic_store(&pool->capacity, options->capacity);
    atomic_store(&pool->peak, 0);
    atomic_store(&pool->refused, 0);
    atomic_store(&pool->life, (atomic_load(&pool->life) | FREED | ENDED) + 1);
    return KEEP_OK;
}

static uint64_t count_in_use(keep_packet_pool *pool)
{
    uint32_t capacity = atomic_load(&pool->capacity);
    uint64_t in_use = 0;

    for (uint32_t i = 0; i < capacity; i++)
        in_use += atomic_load(&pool->words[i]) & IN_USE;
    return in_use;
}

/* Ends a freed pool whose last packet is gone. Who comes late finds that it ended, or another life. */
static void settle_packets(keep_packet_pool *pool)
{
    uint64_t life = atomic_load(&pool->life);

    if ((life & (FREED | ENDED)) != FREED || count_in_use(pool) != 0 ||
        !atomic_compare_exchange_strong(&pool->life, &life, life | ENDED))
        return;
    keep__wipe(pool->pages.data, pool->pages.len);
    keep__pages_unmap(&pool->pages);
    pool->slots = NULL;
    push_unused(packets_of_process(), pool);
}

static keep_status read_packet_pool_options(const keep_packet_pool_options *given, keep_packet_pool_options *out)
{
    keep_status st;

    *out = (keep_packet_pool_options)KEEP_PACKET_POOL_OPTIONS_INIT;
    st = keep__options_read(given, KEEP__SIZE_UP_TO(keep_packet_pool_options, settings), sizeof *out, out);
    if (st == KEEP_OK && (out->capacity == 0 || out->capacity > KEEP_MAX_PACKET_SLOTS))
        st = KEEP_ERR_INVALID_ARGUMENT;
    return st;
}

static keep_status check_pool(const keep_packet_pool *pool)
{
    return pool == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__guard_check(pool->stamp);
}

static void note_peak(keep_packet_pool *pool, uint64_t in_use)
{
    uint64_t peak = atomic_load(&pool->peak);

    while (peak < in_use && !atomic_compare_exchange_weak(&pool->peak, &peak, in_use))
        continue;
}

/* Takes one slot if it is free. */
static bool take(keep_packet_pool *pool, uint32_t slot, uint64_t *out_generation)
{
    uint64_t word = atomic_load_explicit(&pool->words[slot], memory_order_relaxed);
    uint64_t generation = ((word >> 1) + 1) & GENERATION_MASK;

    *out_generation = generation;
    return (word & IN_USE) == 0 &&
           atomic_compare_exchange_strong_explicit(&pool->words[slot], &word, generation << 1 | IN_USE,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* Looks at the slot this thread used last, then onward. False: every word was seen in use. */
static bool take_any(keep_packet_pool *pool, uint32_t *out_slot, uint64_t *out_generation)
{
    uint32_t capacity = atomic_load_explicit(&pool->capacity, memory_order_relaxed);
    uint32_t at;

    if (KEEP__UNLIKELY(last_used == 0))
        last_used = keep__thread_number() * SLOTS_PER_THREAD + 1;
    at = (last_used - 1) % capacity;
    for (uint32_t tried = 0; tried < capacity; tried++) {
        if (take(pool, at, out_generation)) {
            *out_slot = at;
            last_used = at + 1;
            return true;
        }
        at = at + 1 < capacity ? at + 1 : 0;
    }
    return false;
}

static keep_packet *handle_of(const keep_packet_pool *pool, uint32_t slot, uint64_t generation)
{
    keep__handle handle = {
        .generation = generation,
        .place = pool->number << SLOT_BITS | slot,
        .fork = keep__guard_fork(),
    };

    /* a handle is a value of pointer type, which nobody dereferences */
    return (keep_packet *)(uintptr_t)keep__handle_pack(handle, PLACE_BITS);
}

static keep_packet_pool *pool_of(uint32_t place)
{
    struct packets *packets = packets_of_process();

    return packets == NULL ? NULL : atomic_load_explicit(&packets->pools[place >> SLOT_BITS], memory_order_acquire);
}

/* INVALID_ARGUMENT FORKED CLOSED. */
static keep_status find(const keep_packet *packet, struct spot *out)
{
    keep__handle handle;

    if (packet == NULL)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (!keep__handle_unpack((uint64_t)(uintptr_t)packet, PLACE_BITS, &handle))
        return keep__trace(KEEP_ERR_CLOSED);
    if (KEEP__UNLIKELY(!keep__guard_knows(handle.fork)))
        return keep__trace(keep__guard_stranger(handle.fork));
    out->pool = pool_of(handle.place);
    out->slot = handle.place & (KEEP_MAX_PACKET_SLOTS - 1);
    out->word = handle.generation << 1 | IN_USE;
    if (out->pool == NULL || atomic_load_explicit(&out->pool->words[out->slot], memory_order_acquire) != out->word)
        return keep__trace(KEEP_ERR_CLOSED);
    return KEEP_OK;
}

static struct slot *slot_of(struct spot spot)
{
    return &spot.pool->slots[spot.slot];
}

keep_status keep_packet_pool_new(const keep_packet_pool_options *options, keep_packet_pool **out_pool)
{
    keep_packet_pool_options read;
    struct packets *packets;
    keep_packet_pool *pool = NULL;
    keep_status st = out_pool == NULL ? KEEP_ERR_INVALID_ARGUMENT : read_packet_pool_options(options, &read);

    if (st == KEEP_OK)
        st = need_packets(&packets);
    if (st == KEEP_OK)
        st = new_packet_shell(packets, &pool);
    if (st != KEEP_OK)
        return st;
    st = set_up_packets(pool, &read);
    if (st != KEEP_OK)
        push_unused(packets, pool);
    else
        *out_pool = pool;
    return st;
}

keep_status keep_packet_pool_acquire(keep_packet_pool *pool, keep_packet **out_packet)
{
    uint32_t slot;
    uint64_t generation;
    keep_status st = out_packet == NULL ? KEEP_ERR_INVALID_ARGUMENT : check_pool(pool);

    if (st != KEEP_OK)
        return st;
    if (!take_any(pool, &slot, &generation)) {
        atomic_fetch_add(&pool->refused, 1);
        note_peak(pool, atomic_load(&pool->capacity));
        return keep__trace(KEEP_ERR_EXHAUSTED);
    }
    pool->slots[slot].settings = pool->settings;
    pool->slots[slot].len = 0;
    *out_packet = handle_of(pool, slot, generation);
    return KEEP_OK;
}

keep_status keep_packet_set(keep_packet *packet, const keep_packet_settings *settings)
{
    struct spot spot;
    keep_status st = find(packet, &spot);

    if (st == KEEP_OK)
        slot_of(spot)->settings = settings != NULL ? *settings : spot.pool->settings;
    return st;
}

keep_status keep_packet_build(keep_packet *packet, keep_session *session, const keep_packet_request *request)
{
    struct spot spot;
    struct slot *slot;
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;

    if (packet != NULL && request != NULL)
        st = keep__seal_check(session, request);
    if (st == KEEP_OK)
        st = find(packet, &spot);
    if (st != KEEP_OK)
        return st;
    slot = slot_of(spot);
    st = keep__seal(session, request, &slot->settings, slot->datagram, sizeof slot->datagram, &slot->len);
    if (st == KEEP_ERR_PURGED && slot->datagram[0] == 0)
        slot->len = 0; /* the purge came when it was written already, and it was wiped */
    return st;
}

keep_status keep_packet_data(const keep_packet *packet, const uint8_t **out_data, size_t *out_len)
{
    struct spot spot;
    keep_status st = out_data == NULL || out_len == NULL ? KEEP_ERR_INVALID_ARGUMENT : find(packet, &spot);

    if (st == KEEP_OK && slot_of(spot)->len == 0)
        st = keep__trace(KEEP_ERR_STATE);
    if (st != KEEP_OK)
        return st;
    *out_data = slot_of(spot)->datagram;
    *out_len = slot_of(spot)->len;
    return KEEP_OK;
}

keep_status keep_packet_free(keep_packet **packet)
{
    struct spot spot;
    keep_status st;

    if (packet == NULL || *packet == NULL)
        return KEEP_OK;
    st = find(*packet, &spot);
    *packet = NULL;
    if (st != KEEP_OK)
        return st;
    if (!atomic_compare_exchange_strong(&spot.pool->words[spot.slot], &spot.word, spot.word & ~IN_USE))
        return keep__trace(KEEP_ERR_CLOSED);
    last_used = spot.slot + 1;
    if (KEEP__UNLIKELY((atomic_load(&spot.pool->life) & FREED) != 0))
        settle_packets(spot.pool);
    return KEEP_OK;
}

keep_status keep_packet_pool_stats(keep_packet_pool *pool, struct keep_packet_pool_stats *out_stats)
{
    struct keep_packet_pool_stats stats = KEEP_PACKET_POOL_STATS_INIT;
    keep_status st = keep__report_check(out_stats, KEEP__SIZE_UP_TO(struct keep_packet_pool_stats, bytes));

    if (st == KEEP_OK)
        st = check_pool(pool);
    if (st != KEEP_OK)
        return st;
    stats.capacity = atomic_load(&pool->capacity);
    stats.in_use = count_in_use(pool);
    stats.available = stats.capacity - stats.in_use;
    note_peak(pool, stats.in_use);
    stats.peak = atomic_load(&pool->peak);
    stats.refused = atomic_load(&pool->refused);
    stats.bytes = pool->pages.len + offsetof(keep_packet_pool, words) + pool->word_count * sizeof *pool->words;
    keep__report_fill(out_stats, &stats, sizeof stats);
    return KEEP_OK;
}

void keep_packet_pool_free(keep_packet_pool **pool)
{
    keep_packet_pool *freed = pool == NULL ? NULL : *pool;

    if (freed == NULL)
        return;
    *pool = NULL;
    if (keep__guard_check(freed->stamp) != KEEP_OK)
        return;
    (void)atomic_fetch_or(&freed->life, FREED);
    settle_packets(freed);
}
