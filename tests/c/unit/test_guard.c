/* SPDX-License-Identifier: MIT */
/*
 * Guard: what a child of a fork has of its parent, which is nothing. Forks beside threads stand in tests/c/stress.
 */
#include "memory/guard.h"

#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keep/protect.h"
#include "keep/sealed.h"
#include "memory/pages.h"
#include "memory/place.h"
#include "memory/secret.h"
#include "support/forked.h"
#include "support/meanwhile.h"
#include "support/memories.h"
#include "support/pools.h"

void __real_keep__thread_yield(void);
void __wrap_keep__thread_yield(void);
keep_status __real_keep__pages_map(size_t len, keep__pages_wish wish, keep__pages *out);
keep_status __wrap_keep__pages_map(size_t len, keep__pages_wish wish, keep__pages *out);

static bool wipes_no_page;

void __wrap_keep__thread_yield(void)
{
    do_awaited("yield");
    __real_keep__thread_yield();
}

keep_status __wrap_keep__pages_map(size_t len, keep__pages_wish wish, keep__pages *out)
{
    do_awaited("map");
    return wipes_no_page ? KEEP_ERR_UNSUPPORTED : __real_keep__pages_map(len, wish, out);
}

/* What a parent has. */
struct parent {
    int memory;
    keep_pool *pool;
    keep_secret *slot;
    keep_secret *guarded;
    keep_secret *of_default;
    keep_sealed *sealed;
    const uint8_t *data; /* of the slot, in an open window */
};

static struct parent new_parent(int memory)
{
    keep_pool_options options = options_of(memory);
    struct parent parent = { .memory = memory, .pool = new_pool(&options) };
    size_t len;

    parent.slot = secret_of(parent.pool, "slot of the parent");
    parent.guarded = new_guarded(parent.pool, 10, KEEP_ACQUIRE_RESIDENT);
    parent.of_default = secret_of(NULL, "default of the parent");
    assert_ok(keep_sealed_new(parent.pool, "sealed", 6, 0, &parent.sealed));
    assert_ok(keep_secret_read_begin(parent.slot, &parent.data, &len));
    return parent;
}

static void end_parent(struct parent *parent)
{
    ck_assert(memcmp(parent->data, "slot of the parent", 18) == 0);
    assert_ok(keep_secret_end(parent->slot));
    ck_assert(holds(parent->slot, "slot of the parent"));
    assert_ok(keep_secret_free(&parent->slot));
    assert_ok(keep_secret_free(&parent->guarded));
    assert_ok(keep_secret_free(&parent->of_default));
    keep_sealed_free(&parent->sealed);
    keep_pool_free(&parent->pool);
}

static void need_secret_forked(keep_secret *secret)
{
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;
    keep_secret *made = NULL;
    keep_sealed *sealed = NULL;
    keep_secret *batch[2] = { secret, NULL };
    const uint8_t *data;
    uint8_t *writable;
    uint8_t byte = 0;
    size_t len;
    int equal;

    child_needs(keep_secret_duplicate(secret, &made) == KEEP_ERR_FORKED);
    child_needs(keep_secret_info(secret, &info) == KEEP_ERR_FORKED);
    child_needs(keep_secret_read_begin(secret, &data, &len) == KEEP_ERR_FORKED);
    child_needs(keep_secret_write_begin(secret, &writable, &len) == KEEP_ERR_FORKED);
    child_needs(keep_secret_end(secret) == KEEP_ERR_FORKED);
    child_needs(keep_secret_put(secret, 0, &byte, 1) == KEEP_ERR_FORKED);
    child_needs(keep_secret_get(secret, 0, &byte, 1) == KEEP_ERR_FORKED);
    child_needs(keep_secret_reveal(secret, &byte, 1, &len) == KEEP_ERR_FORKED);
    child_needs(keep_secret_randomize(secret) == KEEP_ERR_FORKED);
    child_needs(keep_secret_clear(secret) == KEEP_ERR_FORKED);
    child_needs(keep_secret_resize(secret, 1) == KEEP_ERR_FORKED);
    child_needs(keep_secret_equal(secret, secret, &equal) == KEEP_ERR_FORKED);
    child_needs(keep_secret_equal_bytes(secret, &byte, 1, &equal) == KEEP_ERR_FORKED);
    child_needs(keep_secret_freeze(secret) == KEEP_ERR_FORKED);
    child_needs(keep_secret_melt(secret) == KEEP_ERR_FORKED);
    child_needs(keep_sealed_from_secret(secret, 0, &sealed) == KEEP_ERR_FORKED);
    child_needs(keep_secret_free_batch(batch, 2) == KEEP_ERR_FORKED && batch[0] == NULL);
    child_needs(keep_secret_free(&secret) == KEEP_ERR_FORKED && secret == NULL);
    child_needs(made == NULL && sealed == NULL);
}

static void need_pool_forked(keep_pool *pool)
{
    struct keep_pool_stats stats = KEEP_POOL_STATS_INIT;
    keep_secret *secret = NULL;
    keep_sealed *sealed = NULL;
    keep__key key = { 0 };

    child_needs(keep_pool_acquire(pool, 1, NULL, &secret) == KEEP_ERR_FORKED);
    child_needs(keep_pool_acquire_batch(pool, 1, 1, &secret) == KEEP_ERR_FORKED);
    child_needs(keep_pool_reserve(pool, 1, 1) == KEEP_ERR_FORKED);
    child_needs(keep_pool_trim(pool, NULL) == KEEP_ERR_FORKED);
    child_needs(keep_pool_stats(pool, &stats) == KEEP_ERR_FORKED);
    child_needs(keep_secret_generate(pool, 1, &secret) == KEEP_ERR_FORKED);
    child_needs(keep_secret_from_bytes(pool, "x", 1, &secret) == KEEP_ERR_FORKED);
    child_needs(keep_sealed_new(pool, "x", 1, 0, &sealed) == KEEP_ERR_FORKED);
    child_needs(keep__key_new(pool, 1, &key) == KEEP_ERR_FORKED);
    child_needs(keep__secret_hold_pool(pool) == KEEP_ERR_FORKED);
    child_needs(secret == NULL && sealed == NULL && key.secret == NULL);
    keep_pool_free(&pool);
    child_needs(pool == NULL);
}

static void need_sealed_forked(keep_sealed *sealed)
{
    struct keep_sealed_info info = KEEP_SEALED_INFO_INIT;
    keep_secret *secret = NULL;

    child_needs(keep_sealed_open(sealed, NULL, &secret) == KEEP_ERR_FORKED);
    child_needs(keep_sealed_open_into(sealed, (keep_secret *)(uintptr_t)1) == KEEP_ERR_FORKED);
    child_needs(keep_sealed_info(sealed, &info) == KEEP_ERR_FORKED);
    keep_sealed_free(&sealed);
    child_needs(sealed == NULL);
}

static void need_all_forked(const struct parent *parent)
{
    need_secret_forked(parent->slot);
    need_secret_forked(parent->guarded);
    need_secret_forked(parent->of_default);
    need_pool_forked(parent->pool);
    need_sealed_forked(parent->sealed);
}

static void need_working_library(void)
{
    KEEP_AUTO(keep_secret) secret = NULL;
    KEEP_AUTO(keep_sealed) sealed = NULL;
    KEEP_AUTO(keep_pool) pool = NULL;
    struct keep_sealed_info info = KEEP_SEALED_INFO_INIT;
    struct keep_pool_stats stats = KEEP_POOL_STATS_INIT;

    child_needs(keep_secret_from_bytes(NULL, "mine", 4, &secret) == KEEP_OK);
    child_needs(keep_sealed_from_secret(secret, 0, &sealed) == KEEP_OK);
    child_needs(keep_sealed_info(sealed, &info) == KEEP_OK && info.id == 1);
    child_needs(keep_pool_new(NULL, &pool) == KEEP_OK);
    child_needs(keep_pool_stats(NULL, &stats) == KEEP_OK && stats.tiers[0].in_use == 1 && stats.purges == 0);
    child_needs(keep_purge(NULL) == KEEP_OK);
}

/* Before and after the child has made its own. */
static void use_what_was_inherited(void *ctx)
{
    need_all_forked(ctx);
    need_working_library();
    need_all_forked(ctx);
}

/* memory R55 */
START_TEST(in_a_child_every_inherited_handle_is_forked)
{
    struct parent parent;

    if (!has_memory(_i))
        return;
    parent = new_parent(_i);
    assert_returns(use_what_was_inherited, &parent);
    end_parent(&parent);
}
END_TEST

static void fork_again(void *ctx)
{
    struct parent child = new_parent(((struct parent *)ctx)->memory);

    assert_returns(use_what_was_inherited, ctx);
    assert_returns(use_what_was_inherited, &child);
    end_parent(&child);
}

/* memory R55: also of an ancestor that is not the nearest */
START_TEST(in_a_grandchild_the_handles_of_both_are_forked)
{
    struct parent parent;

    if (!has_memory(_i))
        return;
    parent = new_parent(_i);
    assert_returns(fork_again, &parent);
    end_parent(&parent);
}
END_TEST

static void look_at_parents_slot(void *ctx)
{
    const struct parent *parent = ctx;

    child_needs(are_all(parent->data, 0, 18));
}

/* memory R33: anonymous pages are wiped in the child, those of memfd_secret absent */
START_TEST(the_childs_copy_of_a_slot_is_zero_or_absent)
{
    struct parent parent;

    if (!has_memory(_i))
        return;
    parent = new_parent(_i);
    if (_i == 0)
        assert_faults(look_at_parents_slot, &parent);
    else
        assert_returns(look_at_parents_slot, &parent);
    end_parent(&parent);
}
END_TEST

static void need_unmade_library_forked(void *ctx)
{
    (void)ctx;
    child_needs(keep__guard_stamp() == 0);
    need_working_library();
    child_needs(keep__guard_stamp() == 1);
}

START_TEST(a_child_of_a_process_that_never_used_the_library_is_like_any_other)
{
    ck_assert_uint_eq(keep__guard_stamp(), 0);
    assert_returns(need_unmade_library_forked, NULL);
    ck_assert_uint_eq(keep__guard_stamp(), 0);
    assert_ok(keep__guard_enter());
    ck_assert_uint_eq(keep__guard_stamp(), 1);
    assert_ok(keep__guard_enter());
    ck_assert_uint_eq(keep__guard_stamp(), 1);
}
END_TEST

START_TEST(before_any_use_a_handle_is_closed)
{
    keep__handle handle = { .generation = 1, .place = 1, .fork = 1 };
    keep_secret *secret = (keep_secret *)(uintptr_t)keep__handle_value(handle);

    assert_status(keep_secret_clear(secret), KEEP_ERR_CLOSED);
    assert_status(keep_secret_free(&secret), KEEP_ERR_CLOSED);
}
END_TEST

static void need_fork_bits_told_apart(void *ctx)
{
    (void)ctx;
    assert_ok(keep__guard_enter());
    child_needs(keep__guard_stamp() == 2);
    child_needs(keep__guard_stranger(1) == KEEP_ERR_FORKED);
    child_needs(keep__guard_stranger(0) == KEEP_ERR_CLOSED);
    child_needs(keep__guard_stranger(3) == KEEP_ERR_CLOSED);
}

/* memory R20 */
START_TEST(the_fork_bits_of_no_ancestor_are_closed)
{
    assert_ok(keep__guard_enter());
    assert_returns(need_fork_bits_told_apart, NULL);
    for (uint32_t fork = 0; fork < 32; fork++)
        assert_status(keep__guard_stranger(fork), KEEP_ERR_CLOSED);
}
END_TEST

/* memory R55 */
START_TEST(vfork_and_posix_spawn_change_nothing)
{
    struct parent parent;
    char *const argv[] = { (char[]){ "true" }, NULL };
    pid_t child;
    int status;

    if (!has_memory(_i))
        return;
    parent = new_parent(_i);
    ck_assert_int_eq(posix_spawnp(&child, "true", NULL, NULL, argv, NULL), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    child = vfork();
    if (child == 0)
        _exit(0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    end_parent(&parent);
}
END_TEST

START_TEST(groups_are_numbered_and_used_again)
{
    keep__group *one;
    keep__group *two;
    uint32_t number;

    assert_ok(keep__guard_enter());
    assert_ok(keep__guard_new_group(&one));
    assert_ok(keep__guard_new_group(&two));
    ck_assert_ptr_eq(keep__guard_group(one->number * KEEP__GROUP_PLACES), one);
    ck_assert_uint_eq(two->number, one->number + 1);
    ck_assert_ptr_null(keep__guard_group((two->number + 1) * KEEP__GROUP_PLACES));
    number = two->number;
    keep__guard_take_back(two);
    assert_ok(keep__guard_new_group(&two));
    ck_assert_uint_eq(two->number, number);
    keep__guard_take_back(one);
    keep__guard_take_back(two);
}
END_TEST

/* memory R20: forks wrap, so a place begins anywhere */
START_TEST(a_groups_first_generations_are_random)
{
    keep__group *group;
    uint64_t first;
    int equal = 0;

    assert_ok(keep__guard_enter());
    assert_ok(keep__guard_new_group(&group));
    first = atomic_load(&group->word[0]);
    for (int i = 1; i < KEEP__GROUP_PLACES; i++) {
        uint64_t word = atomic_load(&group->word[i]);

        ck_assert_uint_eq(word & ((UINT64_C(1) << KEEP__GENERATION_SHIFT) - 1), 0);
        equal += word == first;
    }
    ck_assert_int_lt(equal, 8);
    keep__guard_take_back(group);
}
END_TEST

START_TEST(beyond_the_last_number_there_is_no_group)
{
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;
    keep_secret *secret = NULL;
    keep__group *group;

    options.flags = KEEP_ACQUIRE_GUARDED;
    assert_ok(keep__guard_enter());
    atomic_store(&keep__guard_root()->group_count, KEEP__GROUPS);
    assert_status(keep__guard_new_group(&group), KEEP_ERR_EXHAUSTED);
    assert_status(keep_pool_acquire(NULL, 1, NULL, &secret), KEEP_ERR_EXHAUSTED);
    assert_status(keep_pool_acquire(NULL, 1, &options, &secret), KEEP_ERR_EXHAUSTED);
    ck_assert_ptr_null(secret);
    ck_assert_uint_eq(stats_of(NULL).guarded, 0);
    atomic_store(&keep__guard_root()->group_count, 0);
    assert_ok(keep_pool_acquire(NULL, 1, &options, &secret));
    assert_ok(keep_secret_free(&secret));
}
END_TEST

static void fork_on(void *depth)
{
    --*(int *)depth;
    assert_ok(keep__guard_enter());
    if (*(int *)depth != 0)
        assert_returns(fork_on, depth);
    else
        assert_status(keep__guard_stranger(KEEP__FORK_MASK + 1), KEEP_ERR_CLOSED);
}

/* memory R20 */
START_TEST(where_every_number_is_an_ancestors_no_other_is)
{
    int depth = KEEP__FORK_MASK + 4;

    assert_returns(fork_on, &depth);
}
END_TEST

/* --- two at once --- */

static void enter_too(void *unused)
{
    (void)unused;
    assert_ok(keep__guard_enter());
}

static void need_unknown_stamp(void *unused)
{
    (void)unused;
    child_needs(keep__guard_stamp() == 0);
}

/* With a page that the kernel wipes, and with one that the hook of fork does. */
START_TEST(of_two_that_enter_first_one_makes_the_page)
{
    wipes_no_page = _i;
    before_call("map", enter_too, NULL);
    assert_ok(keep__guard_enter());
    ck_assert_uint_eq(keep__guard_stamp(), 1);
    assert_returns(need_unknown_stamp, NULL);
}
END_TEST

static void make_root_too(void *unused)
{
    (void)unused;
    atomic_store(&atomic_load(&keep__guard_page)->making, 0);
    assert_ok(keep__guard_enter());
}

static void enter_while_another_does(void *unused)
{
    (void)unused;
    child_needs(keep__guard_stamp() == 0);
    atomic_store(&atomic_load(&keep__guard_page)->making, 1);
    before_call("yield", make_root_too, NULL);
    child_needs(keep__guard_enter() == KEEP_OK);
    child_needs(keep__guard_stamp() == 2);
}

START_TEST(of_two_that_enter_in_a_child_one_makes_the_root)
{
    assert_ok(keep__guard_enter());
    assert_returns(enter_while_another_does, NULL);
}
END_TEST

static void *other_part;

static void begin_other_part(void *unused)
{
    (void)unused;
}

static void begin_part(void *unused)
{
    (void)unused;
    assert_ok(keep__guard_part(KEEP__PART_AEAD, 64, begin_other_part, &other_part));
}

START_TEST(of_two_that_make_a_part_one_is_kept)
{
    void *part = NULL;

    assert_ok(keep__guard_enter());
    assert_ok(keep__guard_part(KEEP__PART_AEAD, 64, begin_part, &part));
    ck_assert_ptr_eq(part, other_part);
}
END_TEST

START_TEST(an_epoch_is_settled_when_its_purge_has_ended)
{
    assert_ok(keep__guard_enter());
    ck_assert_uint_eq(keep__guard_settled_epoch(), 0);
    keep__guard_new_epoch();
    ck_assert_uint_eq(keep__guard_settled_epoch(), 1);
}
END_TEST

RUN_SUITE("guard", TIMES(in_a_child_every_inherited_handle_is_forked, BACKINGS),
          TIMES(in_a_grandchild_the_handles_of_both_are_forked, BACKINGS),
          TIMES(the_childs_copy_of_a_slot_is_zero_or_absent, BACKINGS),
          ONCE(a_child_of_a_process_that_never_used_the_library_is_like_any_other),
          ONCE(before_any_use_a_handle_is_closed), ONCE(the_fork_bits_of_no_ancestor_are_closed),
          TIMES(vfork_and_posix_spawn_change_nothing, BACKINGS), ONCE(groups_are_numbered_and_used_again),
          ONCE(a_groups_first_generations_are_random), ONCE(beyond_the_last_number_there_is_no_group),
          ONCE(where_every_number_is_an_ancestors_no_other_is), TIMES(of_two_that_enter_first_one_makes_the_page, 2),
          ONCE(of_two_that_enter_in_a_child_one_makes_the_root), ONCE(of_two_that_make_a_part_one_is_kept),
          ONCE(an_epoch_is_settled_when_its_purge_has_ended))
