/* SPDX-License-Identifier: MIT */
/*
 * keep/sealed.h from outside.
 */
#include <keep/sealed.h>

#include <stdint.h>

#include <keep/protect.h>

#include "support/memories.h"
#include "support/pools.h"

static keep_sealed *seal_text(keep_pool *pool, const char *text)
{
    keep_sealed *sealed = NULL;

    assert_ok(keep_sealed_new(pool, text, strlen(text), 7, &sealed));
    return sealed;
}

static keep_secret *open_sealed(const keep_sealed *sealed)
{
    keep_secret *secret = NULL;

    assert_ok(keep_sealed_open(sealed, NULL, &secret));
    return secret;
}

static struct keep_sealed_info sealed_info_of(const keep_sealed *sealed)
{
    struct keep_sealed_info info = KEEP_SEALED_INFO_INIT;

    assert_ok(keep_sealed_info(sealed, &info));
    return info;
}

/* memory R39 */
START_TEST(what_was_sealed_is_what_opens_frozen)
{
    static const size_t lens[] = { 0, 1, 31, 32, 33, 1024, 1025, 65535 };
    keep_pool_options options = options_of(_i);
    KEEP_AUTO(keep_pool) pool = NULL;
    static uint8_t bytes[65535];

    if (!has_memory(_i))
        return;
    pool = new_pool(&options);
    memset(bytes, 0xA5, sizeof bytes);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        KEEP_AUTO(keep_sealed) sealed = NULL;
        KEEP_AUTO(keep_secret) secret = NULL;
        int equal = 0;

        assert_ok(keep_sealed_new(pool, bytes, lens[i], 1, &sealed));
        secret = open_sealed(sealed);
        ck_assert_uint_eq(info_of(secret).len, lens[i]);
        ck_assert_uint_eq(info_of(secret).frozen, 1);
        assert_ok(keep_secret_equal_bytes(secret, bytes, lens[i], &equal));
        ck_assert_int_eq(equal, 1);
    }
}
END_TEST

START_TEST(a_secret_is_sealed_and_stays_as_it_was)
{
    KEEP_AUTO(keep_secret) secret = secret_of(NULL, "both");
    KEEP_AUTO(keep_sealed) sealed = NULL;
    KEEP_AUTO(keep_secret) opened = NULL;
    uint8_t *data;
    size_t len;

    assert_ok(keep_secret_write_begin(secret, &data, &len));
    assert_status(keep_sealed_from_secret(secret, 3, &sealed), KEEP_ERR_BUSY);
    ck_assert_ptr_null(sealed);
    assert_ok(keep_secret_end(secret));
    assert_ok(keep_sealed_from_secret(secret, 3, &sealed));
    ck_assert_uint_eq(info_of(secret).windows, 0);
    opened = open_sealed(sealed);
    ck_assert(holds(opened, "both"));
    ck_assert(holds(secret, "both"));
}
END_TEST

/* memory R37 */
START_TEST(info_tells_id_type_and_lengths)
{
    KEEP_AUTO(keep_sealed) one = seal_text(NULL, "first");
    KEEP_AUTO(keep_sealed) two = seal_text(NULL, "second");
    struct keep_sealed_info info = sealed_info_of(one);

    ck_assert_uint_eq(info.id, 1);
    ck_assert_uint_eq(info.type, 7);
    ck_assert_uint_eq(info.len, 5);
    ck_assert_uint_eq(info.stored_len, 45);
    ck_assert_uint_eq(info.purged, 0);
    ck_assert_uint_eq(sealed_info_of(two).id, 2);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    KEEP_AUTO(keep_sealed) sealed = seal_text(NULL, "x");
    KEEP_AUTO(keep_secret) target = new_secret(NULL, 1);
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;
    struct keep_sealed_info info = KEEP_SEALED_INFO_INIT;
    keep_sealed *made = NULL;
    keep_secret *secret = NULL;
    uint8_t byte = 0;

    assert_status(keep_sealed_new(NULL, NULL, 1, 0, &made), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_sealed_new(NULL, &byte, 1, 0, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_sealed_new(NULL, &byte, KEEP_MAX_SECRET_LEN + 1, 0, &made), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_sealed_new(NULL, &byte, SIZE_MAX, 0, &made), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_sealed_from_secret(NULL, 0, &made), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_sealed_from_secret(target, 0, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_sealed_open(NULL, NULL, &secret), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_sealed_open(sealed, NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.flags = 32;
    assert_status(keep_sealed_open(sealed, &options, &secret), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_sealed_open_into(sealed, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_sealed_open_into(NULL, target), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_sealed_info(NULL, &info), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_sealed_info(sealed, NULL), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert(made == NULL && secret == NULL);
}
END_TEST

/* memory R39 */
START_TEST(opening_into_a_secret_sets_its_length_and_wipes_the_rest)
{
    KEEP_AUTO(keep_sealed) sealed = seal_text(NULL, "short");
    KEEP_AUTO(keep_secret) secret = _i == 0 ? new_secret(NULL, 20) : new_guarded(NULL, 20, 0);
    char out[20];
    size_t len;

    assert_ok(keep_secret_put(secret, 0, "01234567890123456789", 20));
    assert_ok(keep_sealed_open_into(sealed, secret));
    ck_assert(holds(secret, "short"));
    assert_ok(keep_secret_resize(secret, 20));
    assert_ok(keep_secret_reveal(secret, out, sizeof out, &len));
    assert_bytes(out, "short\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    assert_ok(keep_secret_resize(secret, 0));
    assert_ok(keep_sealed_open_into(sealed, secret));
    ck_assert(holds(secret, "short"));
}
END_TEST

START_TEST(opening_into_a_secret_needs_a_writable_one_with_room)
{
    KEEP_AUTO(keep_sealed) sealed = seal_text(NULL, "123456789012345678901234567890123");
    KEEP_AUTO(keep_secret) small = new_secret(NULL, 1);
    KEEP_AUTO(keep_secret) secret = new_secret(NULL, 64);
    keep_secret *freed = new_secret(NULL, 64);
    keep_secret *copy = freed;
    const uint8_t *data;
    size_t len;

    assert_status(keep_sealed_open_into(sealed, small), KEEP_ERR_INVALID_ARGUMENT);
    assert_ok(keep_secret_freeze(secret));
    assert_status(keep_sealed_open_into(sealed, secret), KEEP_ERR_STATE);
    assert_ok(keep_secret_melt(secret));
    assert_ok(keep_secret_read_begin(secret, &data, &len));
    assert_status(keep_sealed_open_into(sealed, secret), KEEP_ERR_BUSY);
    assert_ok(keep_secret_end(secret));
    assert_ok(keep_secret_free(&freed));
    assert_status(keep_sealed_open_into(sealed, copy), KEEP_ERR_CLOSED);
}
END_TEST

/* memory R41 */
START_TEST(a_sealed_secret_keeps_its_freed_pool_alive)
{
    keep_pool *pool = new_pool(NULL);
    KEEP_AUTO(keep_sealed) sealed = seal_text(pool, "alive");
    KEEP_AUTO(keep_secret) secret = NULL;

    keep_pool_free(&pool);
    secret = open_sealed(sealed);
    ck_assert(holds(secret, "alive"));
}
END_TEST

/* memory R42 */
START_TEST(sealing_works_when_the_pool_is_exhausted)
{
    keep_pool_options options = one_tier(32, 1);
    KEEP_AUTO(keep_pool) pool = new_pool(&options);
    KEEP_AUTO(keep_secret) only = secret_of(pool, "only");
    KEEP_AUTO(keep_sealed) sealed = NULL;
    keep_acquire_options fallback = KEEP_ACQUIRE_OPTIONS_INIT;
    keep_secret *opened = NULL;

    assert_ok(keep_sealed_from_secret(only, 0, &sealed));
    assert_status(keep_sealed_open(sealed, NULL, &opened), KEEP_ERR_EXHAUSTED);
    fallback.flags = KEEP_ACQUIRE_FALLBACK;
    assert_ok(keep_sealed_open(sealed, &fallback, &opened));
    ck_assert(holds(opened, "only"));
    ck_assert_uint_eq(info_of(opened).kind, KEEP_KIND_GUARDED);
    assert_ok(keep_secret_free(&opened));
    assert_ok(keep_sealed_open_into(sealed, only));
}
END_TEST

START_TEST(a_guarded_buffer_is_opened_into_if_asked_for)
{
    KEEP_AUTO(keep_sealed) sealed = seal_text(NULL, "apart");
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) secret = NULL;

    options.flags = KEEP_ACQUIRE_GUARDED;
    assert_ok(keep_sealed_open(sealed, &options, &secret));
    ck_assert_uint_eq(info_of(secret).kind, KEEP_KIND_GUARDED);
    ck_assert_uint_eq(info_of(secret).frozen, 1);
    ck_assert(holds(secret, "apart"));
}
END_TEST

#define FULL_32 "exactly thirty-two bytes of text"

static keep_pool *new_caching_pool(uint32_t entries, uint32_t max_slots)
{
    keep_pool_options options = one_tier(32, max_slots);

    options.hot_cache = entries;
    return new_pool(&options);
}

static void open_and_free(const keep_sealed *sealed, const char *text)
{
    keep_secret *secret = open_sealed(sealed);

    ck_assert(holds(secret, text));
    ck_assert_uint_eq(info_of(secret).frozen, 1);
    assert_ok(keep_secret_free(&secret));
}

/* memory R45, R46, R47 */
START_TEST(a_second_open_is_a_hit_that_differs_in_nothing)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(2, 0);
    KEEP_AUTO(keep_sealed) sealed = seal_text(pool, FULL_32);

    open_and_free(sealed, FULL_32);
    ck_assert_uint_eq(stats_of(pool).cache_misses, 1);
    ck_assert_uint_eq(stats_of(pool).cache_entries, 1);
    ck_assert_uint_eq(stats_of(pool).tiers[0].cached, 1);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 0);
    open_and_free(sealed, FULL_32);
    ck_assert_uint_eq(stats_of(pool).cache_hits, 1);
    ck_assert_uint_eq(stats_of(pool).cache_entries, 1);
}
END_TEST

/* memory R45 */
START_TEST(only_an_exact_fit_is_cached)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(2, 0);
    KEEP_AUTO(keep_sealed) sealed = seal_text(pool, "short");

    open_and_free(sealed, "short");
    ck_assert_uint_eq(stats_of(pool).cache_entries, 0);
    ck_assert_uint_eq(stats_of(pool).cache_misses, 0);
}
END_TEST

/* memory R46 */
START_TEST(a_guarded_buffer_is_not_cached)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(4, 0);
    KEEP_AUTO(keep_sealed) sealed = seal_text(pool, FULL_32);
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) secret = NULL;

    options.flags = KEEP_ACQUIRE_GUARDED;
    assert_ok(keep_sealed_open(sealed, &options, &secret));
    ck_assert_uint_eq(stats_of(pool).cache_entries, 0);
}
END_TEST

START_TEST(a_full_cache_wipes_its_least_recently_used_entry)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(2, 0);
    KEEP_AUTO(keep_sealed) one = seal_text(pool, FULL_32);
    KEEP_AUTO(keep_sealed) two = seal_text(pool, FULL_32);
    KEEP_AUTO(keep_sealed) three = seal_text(pool, FULL_32);

    open_and_free(one, FULL_32);
    open_and_free(two, FULL_32);
    open_and_free(one, FULL_32); /* a hit: two is the older one */
    open_and_free(three, FULL_32);
    ck_assert_uint_eq(stats_of(pool).cache_evictions, 1);
    open_and_free(one, FULL_32);
    ck_assert_uint_eq(stats_of(pool).cache_hits, 2);
    open_and_free(two, FULL_32);
    ck_assert_uint_eq(stats_of(pool).cache_hits, 2);
}
END_TEST

/* memory R47 */
START_TEST(without_a_free_slot_a_hit_takes_the_entry_itself)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(2, 2);
    KEEP_AUTO(keep_sealed) sealed = seal_text(pool, FULL_32);
    KEEP_AUTO(keep_secret) other = NULL;
    KEEP_AUTO(keep_secret) opened = NULL;

    open_and_free(sealed, FULL_32);
    other = new_secret(pool, 32);
    opened = open_sealed(sealed);
    ck_assert(holds(opened, FULL_32));
    ck_assert_uint_eq(stats_of(pool).cache_hits, 1);
    ck_assert_uint_eq(stats_of(pool).cache_entries, 0);
}
END_TEST

/* memory R9 */
START_TEST(the_cache_gives_way_to_an_acquire)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(2, 2);
    KEEP_AUTO(keep_sealed) sealed = seal_text(pool, FULL_32);
    KEEP_AUTO(keep_secret) one = NULL;
    KEEP_AUTO(keep_secret) two = NULL;

    open_and_free(sealed, FULL_32);
    one = new_secret(pool, 32);
    two = new_secret(pool, 32);
    ck_assert(holds(two, "\0\0\0\0") == false);
    ck_assert_uint_eq(stats_of(pool).cache_entries, 0);
    ck_assert_uint_eq(stats_of(pool).cache_evictions, 1);
}
END_TEST

/* memory R9: the order is free slot, cache, growth */
START_TEST(the_cache_gives_way_before_the_pool_grows)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(1, 0);
    KEEP_AUTO(keep_sealed) sealed = seal_text(pool, FULL_32);
    keep_secret *secrets[256];

    open_and_free(sealed, FULL_32);
    ck_assert_uint_eq(stats_of(pool).tiers[0].slots, 256);
    assert_ok(keep_pool_acquire_batch(pool, 32, 256, secrets));
    ck_assert_uint_eq(stats_of(pool).tiers[0].slots, 256);
    ck_assert_uint_eq(stats_of(pool).cache_evictions, 1);
    assert_ok(keep_secret_free_batch(secrets, 256));
}
END_TEST

/* memory R48 */
START_TEST(freeing_a_sealed_secret_forgets_its_entry)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(2, 0);
    keep_sealed *sealed = seal_text(pool, FULL_32);

    open_and_free(sealed, FULL_32);
    keep_sealed_free(&sealed);
    ck_assert_ptr_null(sealed);
    ck_assert_uint_eq(stats_of(pool).cache_entries, 0);
    ck_assert_uint_eq(stats_of(pool).tiers[0].cached, 0);
}
END_TEST

START_TEST(opening_into_a_secret_is_never_cached)
{
    KEEP_AUTO(keep_pool) pool = new_caching_pool(2, 0);
    KEEP_AUTO(keep_sealed) sealed = seal_text(pool, FULL_32);
    KEEP_AUTO(keep_secret) secret = new_secret(pool, 32);

    assert_ok(keep_sealed_open_into(sealed, secret));
    ck_assert_uint_eq(stats_of(pool).cache_entries, 0);
    ck_assert_uint_eq(stats_of(pool).cache_misses, 0);
}
END_TEST

START_TEST(freeing_nothing_is_fine)
{
    keep_sealed *none = NULL;

    keep_sealed_free(&none);
    keep_sealed_free(NULL);
}
END_TEST

RUN_SUITE("sealed", TIMES(what_was_sealed_is_what_opens_frozen, BACKINGS), ONCE(a_secret_is_sealed_and_stays_as_it_was),
          ONCE(info_tells_id_type_and_lengths), ONCE(bad_arguments_are_refused),
          TIMES(opening_into_a_secret_sets_its_length_and_wipes_the_rest, 2),
          ONCE(opening_into_a_secret_needs_a_writable_one_with_room), ONCE(a_sealed_secret_keeps_its_freed_pool_alive),
          ONCE(sealing_works_when_the_pool_is_exhausted), ONCE(a_guarded_buffer_is_opened_into_if_asked_for),
          ONCE(a_second_open_is_a_hit_that_differs_in_nothing), ONCE(only_an_exact_fit_is_cached),
          ONCE(a_guarded_buffer_is_not_cached), ONCE(a_full_cache_wipes_its_least_recently_used_entry),
          ONCE(without_a_free_slot_a_hit_takes_the_entry_itself), ONCE(the_cache_gives_way_to_an_acquire),
          ONCE(the_cache_gives_way_before_the_pool_grows), ONCE(freeing_a_sealed_secret_forgets_its_entry),
          ONCE(opening_into_a_secret_is_never_cached), ONCE(freeing_nothing_is_fine))
