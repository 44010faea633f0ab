/* SPDX-License-Identifier: MIT */
/*
 * Guarded. Invariants: a live buffer without windows is inaccessible (resident: writable, frozen: readable), or exposed;
 * the slack holds the canary, repeated from inner offset 0; the bytes between length and capacity are zero.
 */
#include "memory/guarded.h"

#include <string.h>

#include "base/crypto.h"
#include "base/die.h"
#include "base/heap.h"
#include "base/random.h"
#include "base/trace.h"
#include "memory/layout.h"
#include "memory/pages.h"
#include "memory/place.h"
#include "memory/pool.h"
#include "base/banned.h"

struct buffer {
    keep__pages pages;
    keep_pool *pool; /* retained */
    size_t capacity;
    size_t offset; /* of the data in the pages */
    uint32_t flags;
    uint8_t canary[KEEP__CANARY_LEN];
};

struct keep__guarded_group {
    keep__lock lock;
    struct buffer *buffers[KEEP__GROUP_PLACES]; /* guarded by lock where the place is live */
};

static keep__lock *lock_of(keep__spot spot)
{
    return &atomic_load_explicit(&spot.group->guarded, memory_order_relaxed)->lock;
}

static struct buffer **entry_of(keep__spot spot)
{
    return &atomic_load_explicit(&spot.group->guarded, memory_order_relaxed)->buffers[keep__spot_slot(spot)];
}

static uint8_t *data_of(const struct buffer *buffer)
{
    return buffer->pages.data + buffer->offset;
}

/* How a run of the pages, `from` at a multiple of 16, differs from the repeated canary: 0 if not at all. */
static uint64_t differing_bits(const struct buffer *buffer, size_t from, size_t to)
{
    const uint8_t *bytes = buffer->pages.data;
    uint64_t differs = 0;
    uint64_t seen[2];
    uint64_t canary[2];

    memcpy(canary, buffer->canary, sizeof canary);
    for (; from + sizeof seen <= to; from += sizeof seen) {
        memcpy(seen, bytes + from, sizeof seen);
        differs |= (seen[0] ^ canary[0]) | (seen[1] ^ canary[1]);
    }
    for (; from < to; from++)
        differs |= bytes[from] ^ buffer->canary[from % KEEP__CANARY_LEN];
    return differs;
}

/* The slack is [0, offset) and [offset + capacity, end): byte i of the pages holds canary[i mod 16]. */
static bool is_intact(const struct buffer *buffer)
{
    uint64_t differs = differing_bits(buffer, 0, buffer->offset);
    size_t rear = buffer->offset + buffer->capacity;

    for (size_t i = rear; i < buffer->pages.len; i++)
        differs |= buffer->pages.data[i] ^ buffer->canary[i % KEEP__CANARY_LEN];
    return differs == 0;
}

static void write_canary(const struct buffer *buffer)
{
    for (size_t i = 0; i < buffer->offset; i++)
        buffer->pages.data[i] = buffer->canary[i % KEEP__CANARY_LEN];
    for (size_t i = buffer->offset + buffer->capacity; i < buffer->pages.len; i++)
        buffer->pages.data[i] = buffer->canary[i % KEEP__CANARY_LEN];
}

/* Under AddressSanitizer and valgrind nobody but this file may touch the slack. */
static void poison_slack(const struct buffer *buffer)
{
    size_t end = buffer->offset + buffer->capacity;

    KEEP__POISON(buffer->pages.data, buffer->offset);
    KEEP__POISON(buffer->pages.data + end, buffer->pages.len - end);
}

/* Ends the process if the slack or the bytes from `len` on were written to. The pages are readable. */
static void check_intact(const struct buffer *buffer, size_t len)
{
    KEEP__UNPOISON(buffer->pages.data, buffer->pages.len);
    if (KEEP__LIKELY(is_intact(buffer) && keep__zeros(data_of(buffer) + len, buffer->capacity - len))) {
        poison_slack(buffer);
        return;
    }
    if (keep__pages_protect(&buffer->pages, KEEP__ACCESS_WRITE) == KEEP_OK)
        keep__wipe(buffer->pages.data, buffer->pages.len);
    keep__die(KEEP__DAMAGED);
}

/* What the pages allow while the word is as it is. */
static keep__access access_for(const struct buffer *buffer, uint64_t word)
{
    if ((word & KEEP__WRITER) != 0)
        return KEEP__ACCESS_WRITE;
    if ((word & KEEP__READERS) != 0)
        return (buffer->flags & KEEP_ACQUIRE_RESIDENT) != 0 && (word & KEEP__FROZEN) == 0 ? KEEP__ACCESS_WRITE
                                                                                          : KEEP__ACCESS_READ;
    if ((buffer->flags & KEEP_ACQUIRE_RESIDENT) == 0)
        return KEEP__ACCESS_NONE;
    return (word & KEEP__FROZEN) != 0 ? KEEP__ACCESS_READ : KEEP__ACCESS_WRITE;
}

/* Changes protection from what the word `before` asks for to what the word asks for now. */
static keep_status follow_locked(keep__spot spot, uint64_t before)
    KEEP_HOLDS(*lock_of(spot))
{
    const struct buffer *buffer = *entry_of(spot);
    uint64_t word = keep__spot_word(spot);
    keep__access access = access_for(buffer, word);
    keep_status st;

    if (access == access_for(buffer, before) && (word & KEEP__EXPOSED) == 0)
        return KEEP_OK;
    st = keep__pages_protect(&buffer->pages, access);
    keep__slab_set_exposed(spot, st != KEEP_OK && (word & KEEP__WINDOWS) == 0);
    return st;
}

static bool take_place_locked(keep__root *root, keep__spot *out) KEEP_HOLDS(root->directory)
{
    keep__group *group = root->guarded_groups;

    while (group != NULL && !keep__slab_take(group, out))
        group = group->next;
    return group != NULL;
}

static keep_status add_group(keep__spot *out)
{
    struct keep__guarded_group *guarded = keep__heap_new(sizeof *guarded);
    keep__root *root = keep__guard_root();
    keep__group *group;
    keep_status st = guarded == NULL ? keep__trace(KEEP_ERR_NO_MEMORY) : keep__guard_new_group(&group);

    if (st != KEEP_OK) {
        keep__heap_free(guarded, sizeof *guarded);
        return st;
    }
    keep__lock_init(&guarded->lock, KEEP__RANK_BUFFER);
    atomic_store(&group->guarded, guarded);
    keep__slab_fill(group, KEEP__GROUP_PLACES);
    (void)keep__slab_take(group, out);
    keep__lock_acquire(&root->directory);
    group->next = root->guarded_groups;
    root->guarded_groups = group;
    keep__lock_release(&root->directory);
    return KEEP_OK;
}

static keep_status claim_place(keep__spot *out)
{
    keep__root *root = keep__guard_root();
    bool is_found;

    keep__lock_acquire(&root->directory);
    is_found = take_place_locked(root, out);
    keep__lock_release(&root->directory);
    return is_found ? KEEP_OK : add_group(out);
}

static keep_status map_buffer(keep_pool *pool, size_t len, uint32_t flags, struct buffer *buffer)
{
    keep__guarded_plan plan;
    keep_status st =
        keep__layout_guarded(keep__page_size(), len, (flags & KEEP_ACQUIRE_ALIGN16) != 0 ? 1 : 0, &plan);

    if (st == KEEP_OK)
        st = keep__random(buffer->canary, sizeof buffer->canary);
    if (st == KEEP_OK)
        st = keep__pool_map(pool, plan.inner, &buffer->pages);
    if (st != KEEP_OK)
        return st;
    buffer->pool = pool;
    buffer->capacity = len;
    buffer->offset = plan.offset;
    buffer->flags = flags & (KEEP_ACQUIRE_ALIGN16 | KEEP_ACQUIRE_RESIDENT);
    write_canary(buffer);
    poison_slack(buffer);
    return KEEP_OK;
}

keep_status keep__guarded_claim(keep_pool *pool, size_t len, uint32_t flags, keep__spot *out)
{
    struct buffer *buffer = keep__heap_new(sizeof *buffer);
    keep_status st = buffer == NULL ? keep__trace(KEEP_ERR_NO_MEMORY) : map_buffer(pool, len, flags, buffer);

    if (st == KEEP_OK)
        st = claim_place(out);
    if (st != KEEP_OK) {
        if (buffer != NULL && buffer->pages.len != 0)
            keep__pool_unmap(pool, &buffer->pages);
        keep__heap_free(buffer, sizeof *buffer);
        return st;
    }
    *entry_of(*out) = buffer;
    keep__pool_retain(pool);
    atomic_fetch_add(&pool->guarded, 1);
    atomic_fetch_add(&pool->guarded_bytes, buffer->pages.len);
    return KEEP_OK;
}

keep_status keep__guarded_hand_out(keep__spot *spot, size_t len, uint64_t flags)
{
    const struct buffer *buffer = *entry_of(*spot);
    keep_status st = keep__pages_protect(&buffer->pages, access_for(buffer, flags));

    if (st != KEEP_OK)
        return st;
    keep__lock_acquire(lock_of(*spot));
    keep__slab_hand_out(spot, len, flags);
    keep__lock_release(lock_of(*spot));
    return KEEP_OK;
}

void keep__guarded_end(keep__spot spot)
{
    struct buffer *buffer = *entry_of(spot);
    keep_pool *pool = buffer->pool;

    *entry_of(spot) = NULL;
    KEEP__UNPOISON(buffer->pages.data, buffer->pages.len);
    /* if the kernel refuses access, unmapping zeroes the pages instead */
    if (keep__pages_protect(&buffer->pages, KEEP__ACCESS_WRITE) == KEEP_OK)
        keep__wipe(buffer->pages.data, buffer->pages.len);
    atomic_fetch_sub(&pool->guarded, 1);
    atomic_fetch_sub(&pool->guarded_bytes, buffer->pages.len);
    keep__pool_unmap(pool, &buffer->pages);
    keep__heap_free(buffer, sizeof *buffer);
    keep__slab_give(spot);
    keep__pool_release(pool);
}

keep_pool *keep__guarded_pool(keep__spot spot)
{
    return (*entry_of(spot))->pool;
}

size_t keep__guarded_capacity(keep__spot spot)
{
    return (*entry_of(spot))->capacity;
}

uint8_t *keep__guarded_bytes(keep__spot spot)
{
    return data_of(*entry_of(spot));
}

uint32_t keep__guarded_flags(keep__spot spot)
{
    return (*entry_of(spot))->flags;
}

/* Begins a window; if the kernel refuses the access, none was begun. */
static keep_status begin_locked(keep__spot spot, bool is_write, uint8_t **out_data, size_t *out_len)
    KEEP_HOLDS(*lock_of(spot))
{
    uint64_t before = keep__spot_word(spot);
    keep_status st = is_write ? keep__slab_write_begin(spot) : keep__slab_read_begin(spot);
    bool is_last;

    if (st != KEEP_OK)
        return st;
    st = follow_locked(spot, before);
    if (st != KEEP_OK) {
        (void)keep__slab_end(spot, &is_last);
        return st;
    }
    *out_data = keep__guarded_bytes(spot);
    *out_len = keep__spot_len(spot);
    return KEEP_OK;
}

static keep_status begin(keep__spot spot, bool is_write, uint8_t **out_data, size_t *out_len)
{
    keep_status st;

    keep__lock_acquire(lock_of(spot));
    st = begin_locked(spot, is_write, out_data, out_len);
    keep__lock_release(lock_of(spot));
    return st;
}

keep_status keep__guarded_read_begin(keep__spot spot, const uint8_t **out_data, size_t *out_len)
{
    uint8_t *data;
    keep_status st = begin(spot, false, &data, out_len);

    if (st == KEEP_OK)
        *out_data = data;
    return st;
}

keep_status keep__guarded_write_begin(keep__spot spot, uint8_t **out_data, size_t *out_len)
{
    return begin(spot, true, out_data, out_len);
}

static keep_status end_locked(keep__spot spot)
    KEEP_HOLDS(*lock_of(spot))
{
    uint64_t before = keep__spot_word(spot);
    bool is_last;
    keep_status st = keep__slab_end(spot, &is_last);

    if (st != KEEP_OK || !is_last)
        return st;
    check_intact(*entry_of(spot), keep__spot_len(spot));
    return follow_locked(spot, before);
}

keep_status keep__guarded_window_end(keep__spot spot)
{
    keep_status st;

    keep__lock_acquire(lock_of(spot));
    st = end_locked(spot);
    keep__lock_release(lock_of(spot));
    return st;
}

/* Looks at the canaries of a buffer that may be inaccessible, and leaves its pages with that access. */
static keep_status inspect_locked(keep__spot spot, keep__access access)
    KEEP_HOLDS(*lock_of(spot))
{
    const struct buffer *buffer = *entry_of(spot);
    keep_status st = keep__pages_protect(&buffer->pages, access);

    if (st == KEEP_OK)
        check_intact(buffer, keep__spot_len(spot));
    return st;
}

/* Freezes or melts: check, change the word, then the pages. */
static keep_status turn_locked(keep__spot spot, keep_status (*transition)(keep__spot))
    KEEP_HOLDS(*lock_of(spot))
{
    uint64_t before = keep__spot_word(spot);
    keep_status st = transition(spot);

    if (st != KEEP_OK)
        return st;
    st = inspect_locked(spot, KEEP__ACCESS_READ);
    if (st == KEEP_OK)
        st = keep__pages_protect(&(*entry_of(spot))->pages, access_for(*entry_of(spot), keep__spot_word(spot)));
    if (st != KEEP_OK) {
        (void)((before & KEEP__FROZEN) != 0 ? keep__slab_freeze(spot) : keep__slab_melt(spot));
        (void)keep__pages_protect(&(*entry_of(spot))->pages, access_for(*entry_of(spot), before));
    }
    return st;
}

static keep_status turn(keep__spot spot, keep_status (*transition)(keep__spot))
{
    keep_status st;

    keep__lock_acquire(lock_of(spot));
    st = turn_locked(spot, transition);
    keep__lock_release(lock_of(spot));
    return st;
}

keep_status keep__guarded_freeze(keep__spot spot)
{
    return turn(spot, keep__slab_freeze);
}

keep_status keep__guarded_melt(keep__spot spot)
{
    return turn(spot, keep__slab_melt);
}

keep_status keep__guarded_free(keep__spot spot)
{
    bool is_left;
    keep_status st;

    keep__lock_acquire(lock_of(spot));
    st = keep__slab_release(spot, &is_left);
    if (st == KEEP_OK)
        (void)inspect_locked(spot, KEEP__ACCESS_READ);
    keep__lock_release(lock_of(spot));
    if (st == KEEP_OK)
        keep__guarded_end(spot);
    return st;
}

keep_status keep__guarded_tell(keep__spot spot, keep__guarded_facts *out)
{
    keep_status st;

    keep__lock_acquire(lock_of(spot));
    st = keep__slab_check(spot);
    if (st == KEEP_OK || st == KEEP_ERR_PURGED) {
        const struct buffer *buffer = *entry_of(spot);

        *out = (keep__guarded_facts){ buffer->capacity, buffer->pages.backing, buffer->pages.locked };
        st = KEEP_OK;
    }
    keep__lock_release(lock_of(spot));
    return st;
}

/* A window that is open stays open, and shows zeros. */
static uint32_t purge_locked(keep__spot spot)
    KEEP_HOLDS(*lock_of(spot))
{
    const struct buffer *buffer;
    uint32_t windows;

    if (!keep__slab_hold(&spot, &windows))
        return 0;
    buffer = *entry_of(spot);
    if (inspect_locked(spot, KEEP__ACCESS_WRITE) == KEEP_OK)
        keep__wipe(data_of(buffer), buffer->capacity);
    (void)keep__slab_let_go(spot);
    if (keep__pages_protect(&buffer->pages, access_for(buffer, keep__spot_word(spot))) != KEEP_OK)
        keep__slab_set_exposed(spot, true);
    return windows;
}

static uint32_t purge_place(keep__spot spot)
{
    uint32_t windows;

    keep__lock_acquire(lock_of(spot));
    windows = purge_locked(spot);
    keep__lock_release(lock_of(spot));
    return windows;
}

static uint64_t purge_group(keep__group *group)
{
    uint64_t windows = 0;

    for (uint32_t slot = 0; slot < KEEP__GROUP_PLACES; slot++)
        windows += purge_place(keep__spot_of(group, slot, 0));
    return windows;
}

uint64_t keep__guarded_purge(void)
{
    keep__root *root = keep__guard_root();
    uint64_t windows = 0;
    keep__group *group;

    keep__lock_acquire(&root->directory);
    group = root->guarded_groups;
    keep__lock_release(&root->directory);
    for (; group != NULL; group = group->next)
        windows += purge_group(group);
    return windows;
}
