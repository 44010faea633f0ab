/* SPDX-License-Identifier: MIT */
/*
 * Layout: where bytes go. Pure; the formulas are published and every language checks them by known answer.
 */
#ifndef KEEP_MEMORY_LAYOUT_H
#define KEEP_MEMORY_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "keep/pool.h"
#include "keep/status.h"

#define KEEP__AAD_LEN 32
#define KEEP__CANARY_LEN 16

/*
 * Tiers of a pool, sorted, each size once.
 */
typedef struct keep__tier_plan {
    uint32_t count;
    uint32_t len[KEEP_MAX_TIERS];
    uint32_t slots[KEEP_MAX_TIERS];
    uint32_t max_slots[KEEP_MAX_TIERS];
} keep__tier_plan;

/* KEEP_ERR_INVALID_ARGUMENT: tiers that cannot be. `max_bytes` is the pool's. */
keep_status keep__layout_tiers(const keep_pool_options *options, uint64_t max_bytes, keep__tier_plan *out);

/*
 * A guarded buffer: inner = round_up(len + 16, page), the data's offset in it = inner - len (rounded down to 16 if
 * aligned), front and rear slack, mapped = inner + 2 * page.
 */
typedef struct keep__guarded_plan {
    uint64_t inner, offset, front, rear, mapped;
} keep__guarded_plan;

/* `flags` 1: aligned. KEEP_ERR_INVALID_ARGUMENT: a page, length or flag that is none. */
keep_status keep__layout_guarded(uint64_t page, uint64_t len, uint32_t flags, keep__guarded_plan *out);

/*
 * A tier's next region. left = max_slots - have_slots, no limit if max_slots is 0. A tier begins with two pages and
 * doubles up to 1 MiB, or takes what is wanted at once if that is more; then not more than is left or has room.
 */
typedef struct keep__region_need {
    uint64_t page, slot, have_bytes, have_slots, want, max_slots, room;
} keep__region_need;

typedef struct keep__region_plan {
    uint64_t bytes, slots;
} keep__region_plan;

/* KEEP_ERR_INVALID_ARGUMENT: a need that cannot be. Both 0: exhausted. */
keep_status keep__layout_region(const keep__region_need *need, keep__region_plan *out);

/* What is bound to the bytes of a sealed secret. */
typedef struct keep__binding {
    uint32_t type;
    uint64_t id, len, epoch;
} keep__binding;

/* `KSM1` ‖ type u32 ‖ id u64 ‖ length u64 ‖ epoch u64, little-endian. */
void keep__layout_aad(const keep__binding *binding, uint8_t out[KEEP__AAD_LEN]);

#endif
