/* SPDX-License-Identifier: MIT */
/*
 * Layout: the formulas of layout.h. Bounds of the inputs keep every sum far below 2^64; they are checked first.
 */
#include "memory/layout.h"

#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"
#include "base/die.h"
#include "base/banned.h"

#define MIB UINT64_C(1048576)

static const keep__tier_plan default_tiers = { .count = 4, .len = { 32, 64, 256, 1024 } };

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t round_up_to(uint64_t size, uint64_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static uint64_t round_down_to(uint64_t size, uint64_t unit)
{
    return size / unit * unit;
}

static bool is_page(uint64_t page)
{
    return page >= 4096 && page <= 65536 && (page & (page - 1)) == 0;
}

static bool is_slot_len(uint64_t len)
{
    return len % 16 == 0 && len >= KEEP_MIN_SLOT_LEN && len <= KEEP_MAX_SLOT_LEN;
}

static bool may_be_tier(const keep_pool_options *options, uint32_t i)
{
    uint32_t max_slots = options->tier_max_slots[i];
    uint32_t slots = options->tier_slots[i];

    return is_slot_len(options->tier_len[i]) && slots <= KEEP_MAX_SECRETS && max_slots <= KEEP_MAX_SECRETS &&
           (max_slots == 0 || slots <= max_slots);
}

/* Puts one tier where it belongs. False: the size is there with other counts. */
static bool insert_tier(keep__tier_plan *plan, uint32_t len, uint32_t slots, uint32_t max_slots)
{
    uint32_t at = 0;

    while (at < plan->count && plan->len[at] < len)
        at++;
    if (at < plan->count && plan->len[at] == len)
        return plan->slots[at] == slots && plan->max_slots[at] == max_slots;
    for (uint32_t i = plan->count; i > at; i--) {
        plan->len[i] = plan->len[i - 1];
        plan->slots[i] = plan->slots[i - 1];
        plan->max_slots[i] = plan->max_slots[i - 1];
    }
    plan->len[at] = len;
    plan->slots[at] = slots;
    plan->max_slots[at] = max_slots;
    plan->count++;
    return true;
}

static uint64_t initial_bytes(const keep__tier_plan *plan)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < plan->count; i++)
        sum += (uint64_t)plan->slots[i] * plan->len[i];
    return sum;
}

keep_status keep__layout_tiers(const keep_pool_options *options, uint64_t max_bytes, keep__tier_plan *out)
{
    keep__tier_plan plan = { 0 };

    if (options->tier_count > KEEP_MAX_TIERS)
        return KEEP_ERR_INVALID_ARGUMENT;
    for (uint32_t i = 0; i < options->tier_count; i++) {
        if (!may_be_tier(options, i) ||
            !insert_tier(&plan, options->tier_len[i], options->tier_slots[i], options->tier_max_slots[i]))
            return KEEP_ERR_INVALID_ARGUMENT;
    }
    if (plan.count == 0)
        plan = default_tiers;
    if (initial_bytes(&plan) > max_bytes)
        return KEEP_ERR_INVALID_ARGUMENT;
    *out = plan;
    return KEEP_OK;
}

keep_status keep__layout_guarded(uint64_t page, uint64_t len, uint32_t flags, keep__guarded_plan *out)
{
    keep__guarded_plan plan;

    if (!is_page(page) || len > KEEP_MAX_SECRET_LEN || flags > 1)
        return KEEP_ERR_INVALID_ARGUMENT;
    plan.inner = round_up_to(len + KEEP__CANARY_LEN, page);
    plan.offset = plan.inner - len;
    if (flags == 1)
        plan.offset = round_down_to(plan.offset, 16);
    plan.front = plan.offset;
    plan.rear = plan.inner - plan.offset - len;
    plan.mapped = plan.inner + 2 * page;
    keep__assert(plan.front >= KEEP__CANARY_LEN && plan.rear < KEEP__CANARY_LEN);
    *out = plan;
    return KEEP_OK;
}

static bool may_be_need(const keep__region_need *need)
{
    return is_page(need->page) && is_slot_len(need->slot) && need->want >= 1 && need->want <= KEEP_MAX_SECRETS &&
           need->have_bytes <= KEEP_MAX_POOL_BYTES && need->room <= KEEP_MAX_POOL_BYTES &&
           (need->max_slots == 0 || need->have_slots <= need->max_slots);
}

/* round_up(slots * len, page), or all there can be where that does not fit. */
static uint64_t pages_for(uint64_t slots, uint64_t len, uint64_t page)
{
    if (slots > KEEP_MAX_POOL_BYTES / len)
        return KEEP_MAX_POOL_BYTES;
    return round_up_to(slots * len, page);
}

keep_status keep__layout_region(const keep__region_need *need, keep__region_plan *out)
{
    uint64_t left = UINT64_MAX;
    uint64_t bytes;
    uint64_t slots;

    if (!may_be_need(need))
        return KEEP_ERR_INVALID_ARGUMENT;
    *out = (keep__region_plan){ 0, 0 };
    if (need->max_slots != 0)
        left = need->max_slots - need->have_slots;
    if (left < need->want)
        return KEEP_OK;
    bytes = round_up_to(least(most(need->have_bytes, 2 * need->page), MIB), need->page);
    bytes = most(bytes, round_up_to(need->want * need->slot, need->page));
    bytes = least(bytes, pages_for(left, need->slot, need->page));
    bytes = least(bytes, round_down_to(need->room, need->page));
    slots = least(bytes / need->slot, left);
    if (slots >= need->want)
        *out = (keep__region_plan){ bytes, slots };
    return KEEP_OK;
}

void keep__layout_aad(const keep__binding *binding, uint8_t out[KEEP__AAD_LEN])
{
    keep__writer writer = keep__writer_of(out, KEEP__AAD_LEN);

    keep__write_bytes(&writer, "KSM1", 4);
    keep__write_u32le(&writer, binding->type);
    keep__write_u64le(&writer, binding->id);
    keep__write_u64le(&writer, binding->len);
    keep__write_u64le(&writer, binding->epoch);
    keep__assert(!writer.failed && writer.left == 0);
}
