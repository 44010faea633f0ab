/* SPDX-License-Identifier: MIT */
/*
 * Slab: the transitions of a place. Each but the first two is one rule, tried by compare-and-swap until nobody else
 * changed the word in between; the order of its checks is the order of the statuses.
 */
#include "memory/slab.h"

#include "base/die.h"
#include "base/banned.h"

/* What a transition refuses and does. */
struct rule {
    uint64_t purged; /* flags that give PURGED */
    uint64_t state;  /* flags that give STATE */
    uint64_t busy;   /* bits that give BUSY */
    uint64_t add;    /* to the readers */
    uint64_t set;
    uint64_t clear;
};

static bool is_current(uint64_t word, keep__spot spot)
{
    return (word & KEEP__LIVE) != 0 && (word ^ spot.at) >> KEEP__GENERATION_SHIFT == 0;
}

KEEP__ALWAYS_INLINE keep_status judge(uint64_t word, keep__spot spot, struct rule rule)
{
    if (!is_current(word, spot))
        return KEEP_ERR_CLOSED;
    if ((word & rule.purged) != 0)
        return KEEP_ERR_PURGED;
    if ((word & rule.state) != 0)
        return KEEP_ERR_STATE;
    if ((word & rule.busy) != 0 || (rule.add != 0 && (word & KEEP__READERS) == KEEP__READERS))
        return KEEP_ERR_BUSY;
    return KEEP_OK;
}

KEEP__ALWAYS_INLINE bool swap(keep__spot spot, uint64_t *word, uint64_t next)
{
    return atomic_compare_exchange_weak_explicit(&spot.group->word[keep__spot_slot(spot)], word, next,
                                                 memory_order_acq_rel, memory_order_acquire);
}

KEEP__ALWAYS_INLINE keep_status change(keep__spot spot, struct rule rule)
{
    uint64_t word = keep__spot_word(spot);
    keep_status st;

    do {
        st = judge(word, spot, rule);
        if (st != KEEP_OK)
            return st;
    } while (!swap(spot, &word, ((word + rule.add) | rule.set) & ~rule.clear));
    return KEEP_OK;
}

void keep__slab_fill(keep__group *group, uint32_t count)
{
    group->all = count == KEEP__GROUP_PLACES ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    atomic_store_explicit(&group->free, group->all, memory_order_release);
    keep__assert(keep__slab_sane(group));
}

bool keep__slab_take(keep__group *group, keep__spot *out)
{
    uint64_t free = atomic_load(&group->free); /* ordered after a waiter's listing: no slot is overlooked */

    while (free != 0) {
        uint64_t bit = free & (~free + 1);
        uint64_t before = atomic_fetch_and_explicit(&group->free, ~bit, memory_order_acquire);

        if ((before & bit) != 0) {
            *out = keep__spot_of(group, (uint32_t)__builtin_ctzll(bit), 0);
            return true;
        }
        free = before;
    }
    return false;
}

uint64_t keep__slab_take_all(keep__group *group)
{
    return atomic_exchange_explicit(&group->free, 0, memory_order_acquire);
}

void keep__slab_put_back(keep__group *group, uint64_t bits)
{
    (void)atomic_fetch_or_explicit(&group->free, bits, memory_order_seq_cst);
}

void keep__slab_give(keep__spot spot)
{
    keep__slab_put_back(spot.group, UINT64_C(1) << keep__spot_slot(spot));
}

void keep__slab_hand_out(keep__spot *spot, size_t len, uint64_t flags)
{
    uint32_t slot = keep__spot_slot(*spot);
    _Atomic uint64_t *word = &spot->group->word[slot];
    uint64_t before = atomic_load_explicit(word, memory_order_relaxed);
    uint64_t generation = (before >> KEEP__GENERATION_SHIFT) + 1;

    *spot = keep__spot_of(spot->group, slot, generation);
    atomic_store_explicit(&spot->group->len[slot], (uint32_t)len, memory_order_relaxed);
    atomic_store_explicit(word, generation << KEEP__GENERATION_SHIFT | KEEP__LIVE | flags, memory_order_release);
}

void keep__slab_publish(keep__spot spot)
{
    (void)atomic_fetch_or_explicit(&spot.group->word[keep__spot_slot(spot)], 0, memory_order_seq_cst);
}

keep_status keep__slab_check_closed(keep__spot spot)
{
    return judge(keep__spot_word(spot), spot, (struct rule){ 0 });
}

keep_status keep__slab_check(keep__spot spot)
{
    return judge(keep__spot_word(spot), spot, (struct rule){ .purged = KEEP__PURGED });
}

keep_status keep__slab_check_writable(keep__spot spot)
{
    return judge(keep__spot_word(spot), spot, (struct rule){ .purged = KEEP__PURGED, .state = KEEP__FROZEN });
}

keep_status keep__slab_read_begin(keep__spot spot)
{
    return change(spot, (struct rule){ .purged = KEEP__PURGED, .busy = KEEP__WRITER, .add = 1 });
}

keep_status keep__slab_write_begin(keep__spot spot)
{
    return change(spot, (struct rule){
                            .purged = KEEP__PURGED,
                            .state = KEEP__FROZEN,
                            .busy = KEEP__WINDOWS,
                            .set = KEEP__WRITER,
                        });
}

keep_status keep__slab_end(keep__spot spot, bool *out_last)
{
    uint64_t word = keep__spot_word(spot);
    uint64_t next;

    do {
        if (!is_current(word, spot))
            return KEEP_ERR_CLOSED;
        if ((word & KEEP__WINDOWS) == 0)
            return KEEP_ERR_STATE;
        next = (word & KEEP__WRITER) != 0 ? word & ~KEEP__WRITER : word - 1;
    } while (!swap(spot, &word, next));
    *out_last = (next & KEEP__WINDOWS) == 0;
    return KEEP_OK;
}

keep_status keep__slab_freeze(keep__spot spot)
{
    return change(spot, (struct rule){ .purged = KEEP__PURGED, .busy = KEEP__WINDOWS, .set = KEEP__FROZEN });
}

keep_status keep__slab_melt(keep__spot spot)
{
    return change(spot, (struct rule){ .purged = KEEP__PURGED, .busy = KEEP__WINDOWS, .clear = KEEP__FROZEN });
}

keep_status keep__slab_release(keep__spot spot, bool *out_left)
{
    uint64_t word = keep__spot_word(spot);
    uint64_t generation = keep__spot_generation(spot) << KEEP__GENERATION_SHIFT;
    keep_status st;

    do {
        st = judge(word, spot, (struct rule){ .busy = KEEP__WINDOWS });
        if (st != KEEP_OK)
            return st;
        *out_left = (word & KEEP__HELD) != 0;
    } while (!swap(spot, &word, *out_left ? generation | KEEP__HELD | KEEP__LEFT : generation));
    return KEEP_OK;
}

bool keep__slab_hold(keep__spot *spot, uint32_t *out_windows)
{
    uint64_t word = atomic_load(&spot->group->word[keep__spot_slot(*spot)]); /* ordered after the new epoch */

    do {
        if ((word & KEEP__LIVE) == 0)
            return false;
    } while (!swap(*spot, &word, word | KEEP__PURGED | KEEP__HELD));
    *spot = keep__spot_of(spot->group, keep__spot_slot(*spot), word >> KEEP__GENERATION_SHIFT);
    *out_windows = keep__word_windows(word);
    return true;
}

bool keep__slab_let_go(keep__spot spot)
{
    uint64_t held = KEEP__HELD | KEEP__LEFT;
    uint64_t before = atomic_fetch_and_explicit(&spot.group->word[keep__spot_slot(spot)], ~held, memory_order_acq_rel);

    return (before & KEEP__LEFT) != 0;
}

void keep__slab_set_exposed(keep__spot spot, bool exposed)
{
    _Atomic uint64_t *word = &spot.group->word[keep__spot_slot(spot)];

    if (exposed)
        (void)atomic_fetch_or_explicit(word, KEEP__EXPOSED, memory_order_relaxed);
    else
        (void)atomic_fetch_and_explicit(word, ~KEEP__EXPOSED, memory_order_relaxed);
}
