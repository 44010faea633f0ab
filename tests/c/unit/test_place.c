/* SPDX-License-Identifier: MIT */
/*
 * Place: slots, whose stray writes are found when they are freed or handed out.
 */
#include "memory/place.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory/guard.h"
#include "memory/pool.h"
#include "support/forked.h"
#include "support/memories.h"
#include "support/pools.h"

/* A pool of one slot, and the slot's bytes as an earlier owner remembers them. */
struct stale {
    int memory;
    uint8_t *shared; /* a page that parent and child share */
    keep_pool *pool;
    keep_secret *secret;
    uint8_t *data;
};

/* Puts a shared page in the place of the slot's page, so that the parent sees what becomes of it. */
static void share_page(struct stale *stale)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *start = (uint8_t *)((uintptr_t)stale->data & ~(page - 1));

    child_needs(mremap(stale->shared, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, start) == start);
}

static void begin_stale(struct stale *stale)
{
    keep_pool_options options = options_of(stale->memory);
    size_t len;

    options.tier_count = 1;
    options.tier_len[0] = 64;
    options.tier_max_slots[0] = 1;
    stale->pool = new_pool(&options);
    stale->secret = new_secret(stale->pool, 20);
    child_needs(keep_secret_write_begin(stale->secret, &stale->data, &len) == KEEP_OK);
    share_page(stale);
    memset(stale->data, 0x5A, len);
    child_needs(keep_secret_end(stale->secret) == KEEP_OK);
}

static void write_into_freed_slot(void *ctx)
{
    struct stale *stale = ctx;

    begin_stale(stale);
    child_needs(keep_secret_free(&stale->secret) == KEEP_OK);
    child_needs(finds_stray_accesses() || are_all(stale->data, 0, 64));
    stale->data[5] = 0x5A;
    (void)!keep_pool_acquire(stale->pool, 1, NULL, &stale->secret);
}

static void write_past_length(void *ctx)
{
    struct stale *stale = ctx;

    begin_stale(stale);
    stale->data[20] = 0x5A;
    (void)keep_secret_free(&stale->secret);
}

static void write_last_byte_of_slot(void *ctx)
{
    struct stale *stale = ctx;

    begin_stale(stale);
    stale->data[63] = 0x5A;
    (void)keep_secret_free(&stale->secret);
}

/* memory T10 */
START_TEST(stray_writes_into_slots_are_found_and_wiped)
{
    static const forked_body bodies[] = { write_into_freed_slot, write_past_length, write_last_byte_of_slot };
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct stale stale = { .memory = _i };

    if (!has_memory(_i))
        return;
    stale.shared = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(stale.shared, MAP_FAILED);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        memset(stale.shared, 0, page);
        assert_damage_is_found(bodies[i], &stale);
        ck_assert(finds_stray_accesses() || are_all(stale.shared, 0, page));
    }
    munmap(stale.shared, page);
}
END_TEST

/* memory R21 */
START_TEST(the_whole_capacity_is_wiped_when_a_slot_is_freed)
{
    keep_pool_options options = options_of(_i);
    keep_pool *pool;
    keep_secret *secret;
    keep__spot spot;
    uint8_t *bytes;

    if (!has_memory(_i))
        return;
    pool = new_pool(&options);
    secret = new_secret(pool, 1024);
    assert_ok(keep_secret_randomize(secret));
    assert_ok(keep__place_find(secret, &spot));
    bytes = keep__place_bytes(spot);
    assert_ok(keep_secret_free(&secret));
    ck_assert(keep__slab_take(spot.group, &spot) && keep__place_bytes(spot) == bytes);
    keep__place_check_free(spot); /* also makes the bytes accessible */
    ck_assert(are_all(bytes, 0, 1024));
    keep__place_clear_and_give(spot);
    keep_pool_free(&pool);
}
END_TEST

START_TEST(a_claimed_place_that_is_given_up_is_wiped)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    const keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;
    keep__spot spot;

    assert_ok(keep__pool_claim(pool, 32, &options, &spot));
    memset(keep__place_bytes(spot), 0xEE, 32);
    keep__place_clear_and_give(spot);
    assert_ok(keep__pool_claim(pool, 32, &options, &spot));
    ck_assert(are_all(keep__place_bytes(spot), 0, 32));
    keep__place_clear_and_give(spot);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
}
END_TEST

START_TEST(a_handle_names_its_place)
{
    KEEP_AUTO(keep_secret) slot = new_secret(NULL, 1);
    KEEP_AUTO(keep_secret) guarded = new_guarded(NULL, 1, 0);
    keep__spot spot;

    assert_ok(keep__place_find(slot, &spot));
    ck_assert_ptr_eq(keep__place_handle(spot), slot);
    ck_assert(!keep__place_is_guarded(spot));
    assert_ok(keep__place_find(guarded, &spot));
    ck_assert_ptr_eq(keep__place_handle(spot), guarded);
    ck_assert(keep__place_is_guarded(spot));
}
END_TEST

START_TEST(a_place_beyond_all_groups_is_closed)
{
    KEEP_AUTO(keep_secret) secret = new_secret(NULL, 1);
    keep__handle handle = { .place = KEEP__PLACE_MASK, .fork = keep__guard_fork() };
    keep__spot spot;

    assert_status(keep__place_find((keep_secret *)(uintptr_t)keep__handle_value(handle), &spot), KEEP_ERR_CLOSED);
    assert_status(keep__place_find(NULL, &spot), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep__place_find((keep_secret *)(uintptr_t)1, &spot), KEEP_ERR_CLOSED);
}
END_TEST

START_TEST(a_place_holds_what_fits_into_its_capacity)
{
    KEEP_AUTO(keep_secret) slot = new_secret(NULL, 5);
    KEEP_AUTO(keep_secret) guarded = new_guarded(NULL, 5, 0);
    keep__spot spot;

    assert_ok(keep__place_find(slot, &spot));
    ck_assert(keep__place_holds(spot, 32) && !keep__place_holds(spot, 33));
    assert_ok(keep__place_find(guarded, &spot));
    ck_assert(keep__place_holds(spot, 5) && !keep__place_holds(spot, 6));
}
END_TEST

START_TEST(a_place_whose_secret_is_gone_holds_nothing_and_tells_nothing)
{
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;
    keep_pool *pool = new_pool(NULL);
    keep_secret *slot = new_secret(pool, 5);
    keep_secret *guarded = new_guarded(pool, 5, 0);
    keep__spot spots[2];

    assert_ok(keep__place_find(slot, &spots[0]));
    assert_ok(keep__place_find(guarded, &spots[1]));
    assert_ok(keep_secret_free(&slot));
    assert_ok(keep_secret_free(&guarded));
    ck_assert(!keep__place_holds(spots[1], 1));
    keep_pool_free(&pool);
    for (int i = 0; i < 2; i++)
        assert_status(keep__place_tell(spots[i], &info), KEEP_ERR_CLOSED);
}
END_TEST

RUN_SUITE("place", TIMES(stray_writes_into_slots_are_found_and_wiped, BACKINGS),
          TIMES(the_whole_capacity_is_wiped_when_a_slot_is_freed, BACKINGS),
          ONCE(a_claimed_place_that_is_given_up_is_wiped), ONCE(a_handle_names_its_place),
          ONCE(a_place_beyond_all_groups_is_closed), ONCE(a_place_holds_what_fits_into_its_capacity),
          ONCE(a_place_whose_secret_is_gone_holds_nothing_and_tells_nothing))
