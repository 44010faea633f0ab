/* SPDX-License-Identifier: MIT */
/*
 * Buffer, white box: what the pages allow when the kernel refuses. What canaries find is in test_guarded.c.
 */
#include "memory/buffer.h"

#include "memory/pool.h"
#include <keep/protect.h>

#include "support/forked.h"
#include "support/pools.h"

keep_status __real_keep__pages_protect(const keep__pages *pages, keep__access access);
keep_status __wrap_keep__pages_protect(const keep__pages *pages, keep__access access);

static bool refuses;
static int calls;

keep_status __wrap_keep__pages_protect(const keep__pages *pages, keep__access access)
{
    calls++;
    return refuses ? KEEP_ERR_SYSTEM : __real_keep__pages_protect(pages, access);
}

static keep__buffer *new_buffer(keep_pool *pool)
{
    keep__buffer *buffer = NULL;

    assert_ok(keep__buffer_new(pool, 100, 0, &buffer));
    return buffer;
}

START_TEST(the_kernel_is_asked_only_for_a_change)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    keep__buffer *buffer = new_buffer(pool);

    assert_ok(keep__buffer_allow(buffer, KEEP__ACCESS_WRITE));
    assert_ok(keep__buffer_need(buffer, KEEP__ACCESS_READ));
    ck_assert_int_eq(calls, 0);
    assert_ok(keep__buffer_allow(buffer, KEEP__ACCESS_NONE));
    assert_ok(keep__buffer_need(buffer, KEEP__ACCESS_READ));
    ck_assert_int_eq(calls, 2);
    keep__buffer_free(buffer);
}
END_TEST

START_TEST(a_refused_change_leaves_what_was_allowed)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    keep__buffer *buffer = new_buffer(pool);

    refuses = true;
    assert_status(keep__buffer_allow(buffer, KEEP__ACCESS_NONE), KEEP_ERR_SYSTEM);
    ck_assert_int_eq(buffer->access, KEEP__ACCESS_WRITE);
    keep__buffer_data(buffer)[0] = 1;
    refuses = false;
    keep__buffer_free(buffer);
}
END_TEST

/* memory R29 */
START_TEST(a_window_that_cannot_close_leaves_the_secret_exposed_until_one_can)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_secret) secret = new_guarded(pool, 100, 0);
    const uint8_t *data;
    size_t len;

    assert_ok(keep_secret_read_begin(secret, &data, &len));
    refuses = true;
    assert_status(keep_secret_end(secret), KEEP_ERR_SYSTEM);
    ck_assert_uint_eq(info_of(secret).exposed, 1);
    ck_assert_uint_eq(info_of(secret).windows, 0);
    refuses = false;
    assert_ok(keep_secret_freeze(secret));
    ck_assert_uint_eq(info_of(secret).exposed, 0);
}
END_TEST

/* memory R29 */
START_TEST(a_window_that_cannot_open_is_not_open)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_secret) secret = new_guarded(pool, 100, 0);
    uint8_t *data;
    size_t len;

    refuses = true;
    assert_status(keep_secret_write_begin(secret, &data, &len), KEEP_ERR_SYSTEM);
    assert_status(keep_secret_end(secret), KEEP_ERR_STATE);
    assert_status(keep_secret_melt(secret), KEEP_ERR_SYSTEM);
    ck_assert_uint_eq(info_of(secret).exposed, 0);
    refuses = false;
    assert_ok(keep_secret_write_begin(secret, &data, &len));
    assert_ok(keep_secret_end(secret));
}
END_TEST

/* memory R49 */
START_TEST(a_purge_that_cannot_open_a_buffer_says_so_and_marks_it)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_secret) secret = new_guarded(pool, 100, 0);
    uint64_t windows = 9;

    refuses = true;
    assert_status(keep_purge(&windows), KEEP_ERR_SYSTEM);
    refuses = false;
    ck_assert_uint_eq(windows, 0);
    ck_assert_uint_eq(info_of(secret).purged, 1);
}
END_TEST

START_TEST(what_is_longer_than_any_secret_is_no_buffer)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    keep__buffer *buffer = NULL;

    assert_status(keep__buffer_new(pool, KEEP_MAX_SECRET_LEN + 1, 0, &buffer), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_null(buffer);
}
END_TEST

/* A stray write by somebody whom the pages' access does not bind: the kernel, or a debugger. */
static void damage_what_is_readable(void *is_refused)
{
    keep_pool *pool = new_pool(NULL);
    keep__buffer *buffer = new_buffer(pool);

    child_needs(keep__buffer_allow(buffer, KEEP__ACCESS_READ) == KEEP_OK);
    child_needs(__real_keep__pages_protect(&buffer->pages, KEEP__ACCESS_WRITE) == KEEP_OK);
    keep__buffer_data(buffer)[50] ^= 1;
    child_needs(__real_keep__pages_protect(&buffer->pages, KEEP__ACCESS_READ) == KEEP_OK);
    refuses = *(bool *)is_refused;
    keep__buffer_check(buffer, 0);
}

START_TEST(damage_in_pages_that_may_only_be_read_is_found)
{
    bool is_refused = _i;

    assert_damage_is_found(damage_what_is_readable, &is_refused);
}
END_TEST

RUN_SUITE("buffer", ONCE(the_kernel_is_asked_only_for_a_change), ONCE(a_refused_change_leaves_what_was_allowed),
          ONCE(a_window_that_cannot_close_leaves_the_secret_exposed_until_one_can),
          ONCE(a_window_that_cannot_open_is_not_open), ONCE(a_purge_that_cannot_open_a_buffer_says_so_and_marks_it),
          ONCE(what_is_longer_than_any_secret_is_no_buffer), TIMES(damage_in_pages_that_may_only_be_read_is_found, 2))
