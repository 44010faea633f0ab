/* SPDX-License-Identifier: MIT */
/*
 * Guarded. Invariant: a live buffer without windows is inaccessible (resident: writable, frozen: readable), or exposed.
 */
#include "memory/guarded.h"

#include "base/crypto.h"
#include "base/heap.h"
#include "base/trace.h"
#include "memory/buffer.h"
#include "memory/place.h"
#include "memory/pool.h"
#include "base/banned.h"

struct keep__guarded_group {
    keep__lock lock;
    keep__buffer *buffers[KEEP__GROUP_PLACES]; /* guarded by lock where the place is live */
};

static keep__lock *lock_of(keep__spot spot)
{
    return &atomic_load_explicit(&spot.group->guarded, memory_order_relaxed)->lock;
}

static keep__buffer **entry_of(keep__spot spot)
{
    return &atomic_load_explicit(&spot.group->guarded, memory_order_relaxed)->buffers[keep__spot_slot(spot)];
}

/* What the pages allow while the word is as it is. */
static keep__access access_for(const keep__buffer *buffer, uint64_t word)
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

/* Without windows, and with another access than the word asks for, the pages are exposed. */
static void note_exposure_locked(keep__spot spot) KEEP_HOLDS(*lock_of(spot))
{
    const keep__buffer *buffer = *entry_of(spot);
    uint64_t word = keep__spot_word(spot);

    keep__slab_set_exposed(spot, (word & KEEP__WINDOWS) == 0 && buffer->access != access_for(buffer, word));
}

/* Lets the pages allow what the word asks for. */
static keep_status follow_locked(keep__spot spot) KEEP_HOLDS(*lock_of(spot))
{
    keep__buffer *buffer = *entry_of(spot);
    keep_status st = keep__buffer_allow(buffer, access_for(buffer, keep__spot_word(spot)));

    note_exposure_locked(spot);
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

keep_status keep__guarded_claim(keep_pool *pool, size_t len, uint32_t flags, keep__spot *out)
{
    keep__buffer *buffer;
    keep_status st = keep__buffer_new(pool, len, flags, &buffer);

    if (st != KEEP_OK)
        return st;
    st = claim_place(out);
    if (st != KEEP_OK) {
        keep__buffer_free(buffer);
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
    keep__buffer *buffer = *entry_of(*spot);
    keep_status st = keep__buffer_allow(buffer, access_for(buffer, flags));

    if (st != KEEP_OK)
        return st;
    keep__lock_acquire(lock_of(*spot));
    keep__slab_hand_out(spot, len, flags);
    keep__lock_release(lock_of(*spot));
    return KEEP_OK;
}

void keep__guarded_end(keep__spot spot)
{
    keep__buffer *buffer = *entry_of(spot);
    keep_pool *pool = buffer->pool;

    *entry_of(spot) = NULL;
    atomic_fetch_sub(&pool->guarded, 1);
    atomic_fetch_sub(&pool->guarded_bytes, buffer->pages.len);
    keep__buffer_free(buffer);
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
    return keep__buffer_data(*entry_of(spot));
}

uint32_t keep__guarded_flags(keep__spot spot)
{
    return (*entry_of(spot))->flags;
}

/* Begins a window; if the kernel refuses the access, none was begun. */
static keep_status begin_locked(keep__spot spot, bool is_write, uint8_t **out_data, size_t *out_len)
    KEEP_HOLDS(*lock_of(spot))
{
    keep_status st = is_write ? keep__slab_write_begin(spot) : keep__slab_read_begin(spot);
    bool is_last;

    if (st != KEEP_OK)
        return st;
    st = follow_locked(spot);
    if (st != KEEP_OK) {
        (void)keep__slab_end(spot, &is_last);
        note_exposure_locked(spot);
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

static keep_status end_locked(keep__spot spot) KEEP_HOLDS(*lock_of(spot))
{
    bool is_last;
    keep_status st = keep__slab_end(spot, &is_last);

    if (st != KEEP_OK || !is_last)
        return st;
    keep__buffer_check(*entry_of(spot), keep__spot_len(spot));
    return follow_locked(spot);
}

keep_status keep__guarded_window_end(keep__spot spot)
{
    keep_status st;

    keep__lock_acquire(lock_of(spot));
    st = end_locked(spot);
    keep__lock_release(lock_of(spot));
    return st;
}

/* Looks at the canaries of a buffer that may be inaccessible, and leaves its pages with at least that access. */
static keep_status inspect_locked(keep__spot spot, keep__access access) KEEP_HOLDS(*lock_of(spot))
{
    keep__buffer *buffer = *entry_of(spot);
    keep_status st = keep__buffer_need(buffer, access);

    if (st == KEEP_OK)
        keep__buffer_check(buffer, keep__spot_len(spot));
    return st;
}

/* Freezes or melts: look, change the word, then the pages; if they do not follow, the word goes back. */
static keep_status turn_locked(keep__spot spot, keep_status (*transition)(keep__spot)) KEEP_HOLDS(*lock_of(spot))
{
    uint64_t before = keep__spot_word(spot);
    keep_status st = transition(spot);

    if (st != KEEP_OK)
        return st;
    st = inspect_locked(spot, KEEP__ACCESS_READ);
    if (st == KEEP_OK)
        st = follow_locked(spot);
    if (st != KEEP_OK) {
        (void)((before & KEEP__FROZEN) != 0 ? keep__slab_freeze(spot) : keep__slab_melt(spot));
        (void)follow_locked(spot);
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
        (void)inspect_locked(spot, KEEP__ACCESS_WRITE); /* it is wiped next */
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
        const keep__buffer *buffer = *entry_of(spot);

        *out = (keep__guarded_facts){ buffer->capacity, buffer->pages.backing, buffer->pages.locked };
        st = KEEP_OK;
    }
    keep__lock_release(lock_of(spot));
    return st;
}

/*
 * A window that is open stays open, and shows zeros. SYSTEM: the kernel refused to open the pages; they stay as
 * inaccessible as they are, and are marked purged.
 */
static keep_status purge_locked(keep__spot spot, uint64_t *windows) KEEP_HOLDS(*lock_of(spot))
{
    uint32_t open_windows;
    keep_status st;

    if (!keep__slab_hold(&spot, &open_windows))
        return KEEP_OK;
    *windows += open_windows;
    st = inspect_locked(spot, KEEP__ACCESS_WRITE);
    if (st == KEEP_OK)
        keep__wipe(keep__guarded_bytes(spot), keep__guarded_capacity(spot));
    (void)keep__slab_let_go(spot);
    (void)follow_locked(spot);
    return st;
}

static keep_status purge_place(keep__spot spot, uint64_t *windows)
{
    keep_status st;

    keep__lock_acquire(lock_of(spot));
    st = purge_locked(spot, windows);
    keep__lock_release(lock_of(spot));
    return st;
}

keep_status keep__guarded_purge(uint64_t *windows)
{
    keep__root *root = keep__guard_root();
    keep_status first = KEEP_OK;
    keep__group *group;

    keep__lock_acquire(&root->directory);
    group = root->guarded_groups;
    keep__lock_release(&root->directory);
    for (; group != NULL; group = group->next) {
        for (uint32_t slot = 0; slot < KEEP__GROUP_PLACES; slot++) {
            keep_status st = purge_place(keep__spot_of(group, slot, 0), windows);

            if (first == KEEP_OK)
                first = st;
        }
    }
    return first;
}
