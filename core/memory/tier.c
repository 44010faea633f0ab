/* SPDX-License-Identifier: MIT */
/*
 * Tier. Invariants: `slots` and `bytes` are the sums over regions; every group of a region stands in the newest table.
 * A searcher may look at an old table: so groups of trimmed regions stay with their tier until it ends, and whatever
 * is free in them is a slot of this tier.
 */
#include "memory/tier.h"

#include "base/checked.h"
#include "base/crypto.h"
#include "base/die.h"
#include "base/heap.h"
#include "base/trace.h"
#include "memory/place.h"
#include "memory/pool.h"
#include "base/banned.h"

struct keep__region {
    keep__region *next;
    keep__pages pages;
    uint64_t slots;
    keep__group *groups; /* linked by next */
    bool is_taken;       /* all its slots are claimed by keep__tier_take_whole */
};

static uint64_t groups_for(uint64_t slots)
{
    return (slots + KEEP__GROUP_PLACES - 1) / KEEP__GROUP_PLACES;
}

static void publish_table(keep__tier *tier, keep__table *table)
{
    if (table == tier->tables)
        return;
    table->older = tier->tables;
    tier->tables = table;
    atomic_store(&tier->table, table);
}

bool keep__tier_take(keep__tier *tier, keep__spot *out)
{
    const keep__table *table = atomic_load_explicit(&tier->table, memory_order_acquire);

    return table != NULL && keep__table_take(table, tier->index, out);
}

void keep__tier_attend(keep__tier *tier)
{
    uint64_t attention = atomic_load(&tier->attention);

    if ((attention & ~KEEP__CLOSING) != 0)
        keep__line_serve(tier);
    if ((attention & KEEP__CLOSING) != 0)
        keep__pool_settle(tier->pool);
}

void keep__tier_give(keep__tier *tier, keep__spot spot)
{
    keep__slab_give(spot);
    if (KEEP__UNLIKELY(atomic_load(&tier->attention) != 0))
        keep__tier_attend(tier);
}

void keep__tier_init(keep__tier *tier, keep_pool *pool, uint32_t index)
{
    tier->pool = pool;
    tier->index = index;
    keep__lock_init(&tier->growth, KEEP__RANK_GROWTH);
    keep__line_init(&tier->line);
}

void keep__tier_begin(keep__tier *tier, uint32_t slot_len, uint32_t max_slots)
{
    keep__assert(tier->regions == NULL && atomic_load(&tier->attention) == 0);
    tier->slot_len = slot_len;
    tier->max_slots = max_slots;
}

/* Takes the plan's bytes out of what the pool may still grow. EXHAUSTED. */
static keep_status plan_locked(keep__tier *tier, uint64_t want, keep__region_plan *out) KEEP_HOLDS(tier->growth)
{
    keep_pool *pool = tier->pool;
    uint64_t used = atomic_load(&pool->slab_bytes);
    keep__region_need need = {
        .page = keep__page_size(),
        .slot = tier->slot_len,
        .have_bytes = atomic_load(&tier->bytes),
        .have_slots = atomic_load(&tier->slots),
        .want = want,
        .max_slots = tier->max_slots,
    };
    keep_status st;

    do {
        need.room = pool->max_bytes - used;
        st = keep__layout_region(&need, out);
        if (st != KEEP_OK)
            return st;
        if (out->slots == 0)
            return keep__trace(KEEP_ERR_EXHAUSTED);
    } while (!atomic_compare_exchange_weak(&pool->slab_bytes, &used, used + out->bytes));
    return KEEP_OK;
}

static void spare_groups_locked(keep__tier *tier, keep__group *groups) KEEP_HOLDS(tier->growth)
{
    while (groups != NULL) {
        keep__group *next = groups->next;

        groups->next = tier->spare;
        tier->spare = groups;
        groups = next;
    }
}

static keep_status new_group_locked(keep__tier *tier, keep__group **out_group) KEEP_HOLDS(tier->growth)
{
    if (tier->spare == NULL)
        return keep__guard_new_group(out_group);
    *out_group = tier->spare;
    tier->spare = tier->spare->next;
    return KEEP_OK;
}

/* Groups for a region's slots, empty and linked. */
static keep_status new_groups_locked(keep__tier *tier, uint64_t count, keep__group **out_groups)
    KEEP_HOLDS(tier->growth)
{
    keep__group *groups = NULL;

    for (uint64_t i = 0; i < count; i++) {
        keep__group *group;
        keep_status st = new_group_locked(tier, &group);

        if (st != KEEP_OK) {
            spare_groups_locked(tier, groups);
            return st;
        }
        group->next = groups;
        groups = group;
    }
    *out_groups = groups;
    return KEEP_OK;
}

static void place_group(keep__tier *tier, const keep__pages *pages, keep__group *group, uint8_t *base)
{
    atomic_store(&group->base, base);
    atomic_store(&group->slot_len, tier->slot_len);
    atomic_store(&group->backing, pages->backing);
    atomic_store(&group->locked, pages->locked);
    atomic_store(&group->tier, tier);
}

static void publish_locked(keep__tier *tier, keep__region *region, keep__table *table) KEEP_HOLDS(tier->growth)
{
    uint64_t left = region->slots;
    uint8_t *base = region->pages.data;

    publish_table(tier, table);
    KEEP__POISON(base, region->pages.len);
    for (keep__group *group = region->groups; group != NULL; group = group->next) {
        uint32_t slots = (uint32_t)keep__size_min(left, KEEP__GROUP_PLACES);

        place_group(tier, &region->pages, group, base);
        keep__slab_fill(group, slots);
        keep__table_enter(table, group);
        base += (size_t)slots * tier->slot_len;
        left -= slots;
    }
    region->next = tier->regions;
    tier->regions = region;
    atomic_fetch_add(&tier->bytes, region->pages.len);
    atomic_fetch_add(&tier->slots, region->slots);
    atomic_fetch_add(&tier->region_count, 1);
    atomic_fetch_add(&tier->pool->growths, 1);
}

static keep_status build_locked(keep__tier *tier, keep__region_plan plan) KEEP_HOLDS(tier->growth)
{
    keep__region *region = keep__heap_new(sizeof *region);
    keep__table *table = keep__table_with_room(tier->tables, groups_for(plan.slots));
    keep_status st = region == NULL || table == NULL ? keep__trace(KEEP_ERR_NO_MEMORY) : KEEP_OK;

    if (st == KEEP_OK)
        st = new_groups_locked(tier, groups_for(plan.slots), &region->groups);
    if (st == KEEP_OK)
        st = keep__pool_map(tier->pool, plan.bytes, &region->pages);
    if (st == KEEP_OK) {
        region->slots = plan.slots;
        publish_locked(tier, region, table);
        return KEEP_OK;
    }
    if (region != NULL)
        spare_groups_locked(tier, region->groups);
    keep__heap_free(region, sizeof *region);
    if (table != tier->tables)
        keep__table_free(table);
    return st;
}

static keep_status grow_locked(keep__tier *tier, uint64_t want) KEEP_HOLDS(tier->growth)
{
    keep__region_plan plan;
    keep_status st = plan_locked(tier, want, &plan);

    if (st != KEEP_OK)
        return st;
    st = build_locked(tier, plan);
    if (st != KEEP_OK)
        atomic_fetch_sub(&tier->pool->slab_bytes, plan.bytes);
    return st;
}

static uint64_t count_free_locked(keep__tier *tier) KEEP_HOLDS(tier->growth)
{
    return tier->tables == NULL ? 0 : keep__table_count_free(tier->tables);
}

keep_status keep__tier_grow(keep__tier *tier, uint64_t want, bool unless_free)
{
    keep_status st = KEEP_OK;

    keep__lock_acquire(&tier->growth);
    if (!unless_free || count_free_locked(tier) == 0)
        st = grow_locked(tier, want);
    keep__lock_release(&tier->growth);
    keep__tier_attend(tier);
    return st;
}

keep_status keep__tier_reserve(keep__tier *tier, uint64_t count)
{
    keep_status st = KEEP_OK;
    uint64_t free;

    keep__lock_acquire(&tier->growth);
    free = count_free_locked(tier);
    if (free < count)
        st = grow_locked(tier, count - free);
    keep__lock_release(&tier->growth);
    keep__tier_attend(tier);
    return st;
}

/* Claims all slots of a list of groups, or none. */
static bool take_groups(keep__group *groups)
{
    for (keep__group *group = groups; group != NULL; group = group->next) {
        uint64_t bits = keep__slab_take_all(group);

        if (bits == group->all)
            continue;
        keep__slab_put_back(group, bits);
        for (keep__group *taken = groups; taken != group; taken = taken->next)
            keep__slab_put_back(taken, taken->all);
        return false;
    }
    return true;
}

static void end_region_locked(keep__tier *tier, keep__region *region) KEEP_HOLDS(tier->growth)
{
    KEEP__UNPOISON(region->pages.data, region->pages.len);
    keep__pool_unmap(tier->pool, &region->pages);
    spare_groups_locked(tier, region->groups);
    keep__heap_free(region, sizeof *region);
}

static uint64_t trim_locked(keep__tier *tier) KEEP_HOLDS(tier->growth)
{
    keep__region **link = &tier->regions;
    uint64_t bytes = 0;

    while (*link != NULL && (*link)->next != NULL) {
        keep__region *region = *link;

        if (!take_groups(region->groups)) {
            link = &region->next;
            continue;
        }
        *link = region->next;
        keep__table_leave(tier->tables, &region->pages);
        bytes += region->pages.len;
        atomic_fetch_sub(&tier->slots, region->slots);
        atomic_fetch_sub(&tier->region_count, 1);
        end_region_locked(tier, region);
    }
    atomic_fetch_sub(&tier->bytes, bytes);
    atomic_fetch_sub(&tier->pool->slab_bytes, bytes);
    return bytes;
}

uint64_t keep__tier_trim(keep__tier *tier)
{
    uint64_t bytes;

    keep__lock_acquire(&tier->growth);
    bytes = trim_locked(tier);
    keep__lock_release(&tier->growth);
    keep__tier_attend(tier);
    return bytes;
}

uint64_t keep__tier_count_free(keep__tier *tier)
{
    uint64_t free;

    keep__lock_acquire(&tier->growth);
    free = count_free_locked(tier);
    keep__lock_release(&tier->growth);
    return free;
}

uint64_t keep__tier_metadata(keep__tier *tier)
{
    uint64_t bytes = 0;

    keep__lock_acquire(&tier->growth);
    for (const keep__table *table = tier->tables; table != NULL; table = table->older)
        bytes += keep__table_bytes(table);
    for (const keep__region *region = tier->regions; region != NULL; region = region->next)
        bytes += sizeof *region + groups_for(region->slots) * sizeof(keep__group);
    for (const keep__group *group = tier->spare; group != NULL; group = group->next)
        bytes += sizeof *group;
    keep__lock_release(&tier->growth);
    return bytes;
}

keep__pages keep__tier_pages(keep__tier *tier, const uint8_t *bytes)
{
    keep__pages pages = { 0 };

    keep__lock_acquire(&tier->growth);
    for (const keep__region *region = tier->regions; region != NULL; region = region->next) {
        if (keep__pages_hold(&region->pages, bytes))
            pages = region->pages;
    }
    keep__lock_release(&tier->growth);
    return pages;
}

static void put_back_locked(keep__tier *tier) KEEP_HOLDS(tier->growth)
{
    for (keep__region *region = tier->regions; region != NULL; region = region->next) {
        for (keep__group *group = region->groups; region->is_taken && group != NULL; group = group->next)
            keep__slab_put_back(group, group->all);
        region->is_taken = false;
    }
}

static bool take_whole_locked(keep__tier *tier) KEEP_HOLDS(tier->growth)
{
    for (keep__region *region = tier->regions; region != NULL; region = region->next) {
        region->is_taken = take_groups(region->groups);
        if (!region->is_taken) {
            put_back_locked(tier);
            return false;
        }
    }
    return true;
}

bool keep__tier_take_whole(keep__tier *tier)
{
    bool is_taken;

    keep__lock_acquire(&tier->growth);
    is_taken = take_whole_locked(tier);
    keep__lock_release(&tier->growth);
    return is_taken;
}

void keep__tier_put_back_whole(keep__tier *tier)
{
    keep__lock_acquire(&tier->growth);
    put_back_locked(tier);
    keep__lock_release(&tier->growth);
}

void keep__tier_end(keep__tier *tier)
{
    keep__lock_acquire(&tier->growth);
    while (tier->regions != NULL) {
        keep__region *region = tier->regions;

        tier->regions = region->next;
        end_region_locked(tier, region);
    }
    keep__guard_take_back(tier->spare);
    tier->spare = NULL;
    atomic_store(&tier->attention, 0);
    atomic_store(&tier->bytes, 0);
    atomic_store(&tier->slots, 0);
    atomic_store(&tier->region_count, 0);
    atomic_store(&tier->table, NULL);
    while (tier->tables != NULL) {
        keep__table *table = tier->tables;

        tier->tables = table->older;
        keep__table_free(table);
    }
    keep__lock_release(&tier->growth);
}

/* Wipes a live slot under hold; if its owner left meanwhile, the slot is freed in his place. */
static uint32_t purge_slot(keep__spot spot)
{
    uint32_t windows;

    if (!keep__slab_hold(&spot, &windows))
        return 0;
    keep__wipe(keep__spot_bytes(spot), keep__spot_len(spot));
    if (keep__slab_let_go(spot)) {
        keep__place_clear_slot(spot);
        keep__slab_give(spot);
    }
    return windows;
}

/* Under the lock no region comes or goes, so nobody is missed. */
static uint64_t purge_regions_locked(keep__tier *tier) KEEP_HOLDS(tier->growth)
{
    uint64_t windows = 0;

    for (const keep__region *region = tier->regions; region != NULL; region = region->next) {
        for (keep__group *group = region->groups; group != NULL; group = group->next) {
            for (uint32_t slot = 0; slot < KEEP__GROUP_PLACES; slot++)
                windows += purge_slot(keep__spot_of(group, slot, 0));
        }
    }
    return windows;
}

uint64_t keep__tier_purge(keep__tier *tier)
{
    uint64_t windows;

    keep__lock_acquire(&tier->growth);
    windows = purge_regions_locked(tier);
    keep__lock_release(&tier->growth);
    keep__tier_attend(tier);
    return windows;
}
