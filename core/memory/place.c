/* SPDX-License-Identifier: MIT */
/*
 * Place. Invariant of slots: a free one is all zero; in a live one the bytes from its length on are zero. Somebody who
 * broke it wrote through a stale pointer or past a slot's end.
 */
#include "memory/place.h"

#include "base/crypto.h"
#include "base/die.h"
#include "base/trace.h"
#include "memory/guard.h"
#include "memory/guarded.h"
#include "memory/pool.h"
#include "memory/tier.h"
#include "base/banned.h"

static size_t slot_len_of(keep__spot spot)
{
    return atomic_load_explicit(&spot.group->slot_len, memory_order_relaxed);
}

/* Makes the slot accessible, and ends the process if its bytes from `len` on are not zero. */
KEEP__ALWAYS_INLINE void check_zero_from(keep__spot spot, size_t len)
{
    size_t capacity = slot_len_of(spot);
    uint8_t *bytes = keep__spot_bytes(spot);

    KEEP__UNPOISON(bytes, capacity);
    if (KEEP__LIKELY(keep__zeros(bytes + len, capacity - len)))
        return;
    keep__wipe(bytes, capacity);
    keep__die(KEEP__DAMAGED);
}

keep_status keep__place_find(const keep_secret *secret, keep__spot *out)
{
    keep__handle handle;

    if (KEEP__UNLIKELY(secret == NULL))
        return KEEP_ERR_INVALID_ARGUMENT;
    if (KEEP__UNLIKELY(!keep__handle_parse((uint64_t)(uintptr_t)secret, &handle)))
        return keep__trace(KEEP_ERR_CLOSED);
    if (KEEP__UNLIKELY(!keep__guard_knows(handle.fork)))
        return keep__trace(keep__guard_stranger(handle.fork));
    *out = keep__spot_of(keep__guard_group(handle.place), handle.place % KEEP__GROUP_PLACES, handle.generation);
    return KEEP__LIKELY(out->group != NULL) ? KEEP_OK : keep__trace(KEEP_ERR_CLOSED);
}

keep_secret *keep__place_handle(keep__spot spot)
{
    keep__handle handle = {
        .generation = keep__spot_generation(spot),
        .place = spot.group->number * KEEP__GROUP_PLACES + keep__spot_slot(spot),
        .fork = keep__guard_fork(),
    };

    /* a handle is a value of pointer type, which nobody dereferences */
    return (keep_secret *)(uintptr_t)keep__handle_value(handle);
}

keep_pool *keep__place_pool(keep__spot spot)
{
    if (keep__place_is_guarded(spot))
        return keep__guarded_pool(spot);
    return atomic_load_explicit(&spot.group->tier, memory_order_relaxed)->pool;
}

uint8_t *keep__place_bytes(keep__spot spot)
{
    return keep__place_is_guarded(spot) ? keep__guarded_bytes(spot) : keep__spot_bytes(spot);
}

void keep__place_check_free(keep__spot spot)
{
    check_zero_from(spot, 0);
}

keep_status keep__place_hand_out(keep__spot *spot, size_t len, uint64_t flags)
{
    if (keep__place_is_guarded(*spot))
        return keep__guarded_hand_out(spot, len, flags);
    KEEP__POISON(keep__spot_bytes(*spot) + len, slot_len_of(*spot) - len);
    keep__slab_hand_out(spot, len, flags);
    return KEEP_OK;
}

void keep__place_clear_slot(keep__spot spot)
{
    uint8_t *bytes = keep__spot_bytes(spot);

    KEEP__UNPOISON(bytes, slot_len_of(spot));
    keep__wipe(bytes, slot_len_of(spot));
    KEEP__POISON(bytes, slot_len_of(spot));
}

static void give_slot(keep__spot spot)
{
    keep__place_clear_slot(spot);
    keep__tier_give(atomic_load_explicit(&spot.group->tier, memory_order_relaxed), spot);
}

void keep__place_clear_and_give(keep__spot spot)
{
    if (keep__place_is_guarded(spot))
        keep__guarded_end(spot);
    else
        give_slot(spot);
}

keep_status keep__place_free(keep__spot spot)
{
    bool is_left = false;
    keep_status st;

    if (keep__place_is_guarded(spot))
        return keep__guarded_free(spot);
    st = keep__slab_release(spot, &is_left);
    if (st != KEEP_OK || is_left)
        return st;
    check_zero_from(spot, keep__spot_len(spot));
    give_slot(spot);
    return KEEP_OK;
}

keep_status keep__place_read_begin(keep__spot spot, const uint8_t **out_data, size_t *out_len)
{
    keep_status st;

    if (keep__place_is_guarded(spot))
        return keep__guarded_read_begin(spot, out_data, out_len);
    st = keep__slab_read_begin(spot);
    if (st != KEEP_OK)
        return st;
    *out_data = keep__spot_bytes(spot);
    *out_len = keep__spot_len(spot);
    return KEEP_OK;
}

keep_status keep__place_write_begin(keep__spot spot, uint8_t **out_data, size_t *out_len)
{
    keep_status st;

    if (keep__place_is_guarded(spot))
        return keep__guarded_write_begin(spot, out_data, out_len);
    st = keep__slab_write_begin(spot);
    if (st != KEEP_OK)
        return st;
    *out_data = keep__spot_bytes(spot);
    *out_len = keep__spot_len(spot);
    return KEEP_OK;
}

keep_status keep__place_end(keep__spot spot)
{
    bool is_last;

    return keep__place_is_guarded(spot) ? keep__guarded_window_end(spot) : keep__slab_end(spot, &is_last);
}

bool keep__place_holds(keep__spot spot, size_t len)
{
    keep__guarded_facts facts;

    if (!keep__place_is_guarded(spot))
        return len <= slot_len_of(spot);
    return keep__guarded_tell(spot, &facts) == KEEP_OK && len <= facts.capacity;
}

/* A slot's tier and region cannot change while it is live, and the word tells afterwards that it was. */
static keep_status tell_slot(keep__spot spot, struct keep_secret_info *out)
{
    const keep__tier *tier = atomic_load(&spot.group->tier);

    if (tier == NULL)
        return keep__trace(KEEP_ERR_CLOSED);
    out->kind = KEEP_KIND_SLOT;
    out->tier = tier->index;
    out->capacity = slot_len_of(spot);
    out->backing = atomic_load_explicit(&spot.group->backing, memory_order_relaxed);
    out->locked = atomic_load_explicit(&spot.group->locked, memory_order_relaxed);
    return KEEP_OK;
}

static keep_status tell_guarded(keep__spot spot, struct keep_secret_info *out)
{
    keep__guarded_facts facts;
    keep_status st = keep__guarded_tell(spot, &facts);

    if (st != KEEP_OK)
        return st;
    out->kind = KEEP_KIND_GUARDED;
    out->tier = KEEP_MAX_TIERS;
    out->capacity = facts.capacity;
    out->backing = facts.backing;
    out->locked = facts.locked;
    return KEEP_OK;
}

keep_status keep__place_tell(keep__spot spot, struct keep_secret_info *out)
{
    keep_status st = keep__place_is_guarded(spot) ? tell_guarded(spot, out) : tell_slot(spot, out);
    uint64_t word = keep__spot_word(spot);

    if (st != KEEP_OK)
        return st;
    out->len = keep__spot_len(spot);
    out->windows = keep__word_windows(word);
    out->frozen = (word & KEEP__FROZEN) != 0;
    out->exposed = (word & KEEP__EXPOSED) != 0;
    out->purged = (word & KEEP__PURGED) != 0;
    st = keep__slab_check(spot);
    return st == KEEP_ERR_PURGED ? KEEP_OK : st;
}

void keep__place_set_len(keep__spot spot, size_t len)
{
    uint8_t *bytes = keep__place_bytes(spot);
    size_t before = keep__spot_len(spot);

    if (len < before)
        keep__wipe(bytes + len, before - len);
    else if (!keep__place_is_guarded(spot))
        KEEP__UNPOISON(bytes + before, len - before);
    if (len < before && !keep__place_is_guarded(spot))
        KEEP__POISON(bytes + len, before - len);
    atomic_store_explicit(&spot.group->len[keep__spot_slot(spot)], (uint32_t)len, memory_order_relaxed);
}

keep_status keep__place_freeze(keep__spot spot)
{
    return keep__place_is_guarded(spot) ? keep__guarded_freeze(spot) : keep__slab_freeze(spot);
}

keep_status keep__place_melt(keep__spot spot)
{
    return keep__place_is_guarded(spot) ? keep__guarded_melt(spot) : keep__slab_melt(spot);
}
