/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says of the library's pages: their flags, and the guards around them.
 */
#include <string.h>
#include <unistd.h>

#include "keep/sealed.h"
#include "memory/guarded.h"
#include "memory/place.h"
#include "memory/pool.h"
#include "support/forked.h"
#include "support/maps.h"
#include "support/memories.h"
#include "support/pools.h"
#include "support/user.h"

/* The pages from `data` on have the flags of their backing, and no access before and behind. */
static void need_flags(const void *data, int memory, bool is_locked)
{
    struct mapping mapping;
    struct mapping before;
    struct mapping behind;

    ck_assert(mapping_at(data, &mapping));
    ck_assert_msg(mapping_has(&mapping, "lo") == is_locked, "flags %s", mapping.flags);
    ck_assert_msg(mapping_has(&mapping, "dd"), "flags %s", mapping.flags);
    ck_assert_msg(mapping_has(&mapping, memory % BACKINGS == 0 && is_locked ? "dc" : "wf"), "flags %s", mapping.flags);
    ck_assert(mapping_at((const char *)mapping.start - 1, &before));
    ck_assert(mapping_at((const char *)mapping.end, &behind));
    ck_assert_str_eq(before.access, "---p");
    ck_assert_str_eq(behind.access, "---p");
}

static void need_all_flags(int memory, bool is_locked)
{
    keep_pool_options options = options_of(memory);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    KEEP_AUTO(keep_secret) slot = new_secret(pool, 32);
    KEEP_AUTO(keep_secret) guarded = new_guarded(pool, 32, 0);
    KEEP_AUTO(keep_secret) resident = new_guarded(pool, 32, KEEP_ACQUIRE_RESIDENT);
    KEEP_AUTO(keep_sealed) sealed = NULL;
    keep__spot spot;

    assert_ok(keep_sealed_from_secret(slot, 0, &sealed));
    assert_ok(keep__place_find(slot, &spot));
    need_flags(keep__place_bytes(spot), memory, is_locked);
    assert_ok(keep__place_find(guarded, &spot));
    need_flags(keep__place_bytes(spot), memory, is_locked);
    assert_ok(keep__place_find(resident, &spot));
    need_flags(keep__place_bytes(spot), memory, is_locked);
    need_flags(pool->coffer.left.data, memory, is_locked);
    need_flags(pool->coffer.right.data, memory, is_locked);
    need_flags(pool->coffer.scratch.data, memory, is_locked);
}

/* memory T8 */
START_TEST(pages_are_locked_undumped_and_gone_in_a_child)
{
    size_t descriptors = count_descriptors();

    if (!has_memory(_i))
        return;
    need_all_flags(_i, true);
    ck_assert_uint_eq(count_descriptors(), descriptors);
}
END_TEST

static void need_flags_without_lock(void *ctx)
{
    if (become_ordinary(0))
        need_all_flags(*(int *)ctx, false);
}

/* memory T8, R34 */
START_TEST(unlocked_pages_are_undumped_and_gone_in_a_child_all_the_same)
{
    int memory = BACKINGS + _i;

    if (has_memory(_i))
        assert_returns(need_flags_without_lock, &memory);
}
END_TEST

/* memory R42 */
START_TEST(the_two_halves_of_a_key_lie_in_regions_of_their_own)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_sealed) sealed = NULL;
    struct mapping left;
    struct mapping right;

    assert_ok(keep_sealed_new(pool, "x", 1, 0, &sealed));
    ck_assert(mapping_at(pool->coffer.left.data, &left));
    ck_assert(mapping_at(pool->coffer.right.data, &right));
    ck_assert_uint_ne(left.start, right.start);
    ck_assert_uint_eq(left.end - left.start, (size_t)sysconf(_SC_PAGESIZE));
}
END_TEST

/* memory R27 */
START_TEST(a_buffers_access_follows_its_windows)
{
    keep_pool_options options = options_of(_i);
    keep_pool *pool;
    keep_secret *secret;
    const uint8_t *data;
    uint8_t *writable;
    struct mapping mapping;
    size_t len;

    if (!has_memory(_i))
        return;
    pool = new_pool(&options);
    secret = new_guarded(pool, 10, 0);
    assert_ok(keep_secret_read_begin(secret, &data, &len));
    ck_assert(mapping_at(data, &mapping));
    ck_assert_int_eq(strncmp(mapping.access, "r--", 3), 0);
    assert_ok(keep_secret_end(secret));
    ck_assert(mapping_at(data, &mapping));
    ck_assert_int_eq(strncmp(mapping.access, "---", 3), 0);
    assert_ok(keep_secret_write_begin(secret, &writable, &len));
    ck_assert(mapping_at(data, &mapping));
    ck_assert_int_eq(strncmp(mapping.access, "rw-", 3), 0);
    assert_ok(keep_secret_end(secret));
    assert_ok(keep_secret_free(&secret));
    keep_pool_free(&pool);
}
END_TEST

/* memory T17, R19: in any order, and then nothing is mapped */
START_TEST(a_pool_that_ended_leaves_nothing_mapped)
{
    keep_pool_options options = options_of(_i);
    size_t locked = locked_len();
    size_t mappings = 0;

    if (!has_memory(_i))
        return;
    for (int round = 0; round < 5; round++) {
        keep_pool *pool = new_pool(&options);
        keep_secret *slot = new_secret(pool, 32);
        keep_secret *guarded = new_guarded(pool, 5000, 0);
        keep_sealed *sealed = NULL;

        assert_ok(keep_sealed_from_secret(slot, 0, &sealed));
        if (round % 2 == 0)
            keep_pool_free(&pool);
        keep_sealed_free(&sealed);
        assert_ok(keep_secret_free(&guarded));
        assert_ok(keep_secret_free(&slot));
        keep_pool_free(&pool);
        ck_assert_uint_eq(locked_len(), locked);
        if (round == 2)
            mappings = count_mappings(); /* the heap has grown to what it needs */
    }
    ck_assert_uint_le(count_mappings(), mappings);
}
END_TEST

/* memory T18 */
START_TEST(trim_lowers_the_locked_bytes_by_what_it_reports)
{
    keep_pool_options options = options_of(_i);
    keep_pool *pool;
    uint64_t bytes = 0;
    size_t locked;

    if (!has_memory(_i))
        return;
    pool = new_pool(&options);
    assert_ok(keep_pool_reserve(pool, 32, 1));
    assert_ok(keep_pool_reserve(pool, 32, 1000));
    locked = locked_len();
    assert_ok(keep_pool_trim(pool, &bytes));
    ck_assert_uint_gt(bytes, 0);
    ck_assert_uint_eq(locked_len(), locked - bytes);
    keep_pool_free(&pool);
}
END_TEST

RUN_SUITE("pages", TIMES(pages_are_locked_undumped_and_gone_in_a_child, MEMORIES),
          TIMES(unlocked_pages_are_undumped_and_gone_in_a_child_all_the_same, BACKINGS),
          ONCE(the_two_halves_of_a_key_lie_in_regions_of_their_own),
          TIMES(a_buffers_access_follows_its_windows, BACKINGS),
          TIMES(a_pool_that_ended_leaves_nothing_mapped, BACKINGS),
          TIMES(trim_lowers_the_locked_bytes_by_what_it_reports, BACKINGS))
