/* SPDX-License-Identifier: MIT */
/*
 * The pure formulas: every answer keeps its bounds.
 */
#include "fuzz.h"

#include <string.h>

#include "base/cursor.h"
#include "memory/layout.h"

static void look_at_region(keep__reader in)
{
    keep__region_plan plan = { 1, 1 };
    keep__region_need need;

    need.page = keep__read_u64le(&in);
    need.slot = keep__read_u64le(&in);
    need.have_bytes = keep__read_u64le(&in);
    need.have_slots = keep__read_u64le(&in);
    need.want = keep__read_u64le(&in);
    need.max_slots = keep__read_u64le(&in);
    need.room = keep__read_u64le(&in);
    if (keep__layout_region(&need, &plan) != KEEP_OK || (plan.bytes == 0 && plan.slots == 0))
        return;
    fuzz_needs(plan.bytes % need.page == 0 && plan.bytes <= need.room);
    fuzz_needs(plan.slots >= need.want && plan.slots <= plan.bytes / need.slot);
    fuzz_needs(need.max_slots == 0 || plan.slots <= need.max_slots - need.have_slots);
}

static void look_at_guarded(keep__reader in)
{
    keep__guarded_plan plan;
    uint64_t page = keep__read_u64le(&in);
    uint64_t len = keep__read_u64le(&in);
    uint32_t flags = keep__read_u32le(&in);

    if (keep__layout_guarded(page, len, flags, &plan) != KEEP_OK)
        return;
    fuzz_needs(plan.inner % page == 0 && plan.front >= 16 && plan.rear < 16);
    fuzz_needs(plan.front + len + plan.rear == plan.inner && plan.mapped == plan.inner + 2 * page);
    fuzz_needs(flags == 0 ? plan.rear == 0 : plan.offset % 16 == 0);
}

/* Tiers as options give them. */
static void look_at_tiers(const uint8_t *bytes, size_t len)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    uint64_t max_bytes = UINT64_C(1) << (len % 31);
    keep__tier_plan plan;
    uint64_t sum = 0;

    memcpy((uint8_t *)&options + sizeof(size_t), bytes,
           len < sizeof options - sizeof(size_t) ? len : sizeof options - sizeof(size_t));
    if (keep__layout_tiers(&options, max_bytes, &plan) != KEEP_OK)
        return;
    fuzz_needs(plan.count >= 1 && plan.count <= KEEP_MAX_TIERS);
    for (uint32_t i = 0; i < plan.count; i++) {
        fuzz_needs(plan.len[i] % 16 == 0 && plan.len[i] >= 16 && plan.len[i] <= 16384);
        fuzz_needs(i == 0 || plan.len[i] > plan.len[i - 1]);
        fuzz_needs(plan.max_slots[i] == 0 || plan.slots[i] <= plan.max_slots[i]);
        sum += (uint64_t)plan.slots[i] * plan.len[i];
    }
    fuzz_needs(sum <= max_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    look_at_region(keep__reader_of(bytes, len));
    look_at_guarded(keep__reader_of(bytes, len));
    look_at_tiers(bytes, len);
    return 0;
}
