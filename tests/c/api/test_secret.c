/* SPDX-License-Identifier: MIT */
/*
 * keep/secret.h from outside: slots (index 0 of a test's runs) and guarded buffers (index 1) behave alike.
 */
#include <keep/secret.h>

#include <stdint.h>

#include <keep/beacon.h>
#include <keep/handshake.h>
#include <keep/sealed.h>
#include <keep/session.h>

#include "support/forked.h"
#include "support/memories.h"
#include "support/pools.h"
#include "support/stream.h"

enum {
    KINDS = 2
};

static keep_secret *new_of_kind(int kind, size_t len)
{
    return kind == 0 ? new_secret(NULL, len) : new_guarded(NULL, len, 0);
}

static keep_secret *of_kind_with(int kind, const char *text)
{
    keep_secret *secret = new_of_kind(kind, strlen(text));

    assert_ok(keep_secret_put(secret, 0, text, strlen(text)));
    return secret;
}

START_TEST(a_new_secret_is_zero_and_exactly_as_long_as_asked)
{
    static const size_t lens[] = { 0, 1, 31, 32, 33, 1024, 1025, 4095, 4096, 4097 };

    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        KEEP_AUTO(keep_secret) secret = new_of_kind(_i, lens[i]);
        const uint8_t *data = NULL;
        size_t len = 1;

        assert_ok(keep_secret_read_begin(secret, &data, &len));
        ck_assert_ptr_nonnull(data);
        ck_assert_uint_eq(len, lens[i]);
        ck_assert(are_all(data, 0, len));
        assert_ok(keep_secret_end(secret));
    }
}
END_TEST

START_TEST(what_was_put_is_what_is_got)
{
    KEEP_AUTO(keep_secret) secret = new_of_kind(_i, 10);
    char out[4] = "";

    assert_ok(keep_secret_put(secret, 3, "abc", 3));
    assert_ok(keep_secret_get(secret, 2, out, 4));
    assert_bytes(out, "\0abc", 4);
    assert_ok(keep_secret_put(secret, 10, NULL, 0));
    assert_ok(keep_secret_get(secret, 10, NULL, 0));
}
END_TEST

/* memory R3 */
START_TEST(offsets_and_lengths_beyond_the_secret_are_refused)
{
    static const struct {
        size_t offset, len;
    } cases[] = { { 0, 11 }, { 1, 10 }, { 10, 1 }, { 11, 0 }, { SIZE_MAX, 1 }, { SIZE_MAX, 2 }, { 1, SIZE_MAX } };
    KEEP_AUTO(keep_secret) secret = new_of_kind(_i, 10);
    uint8_t bytes[16] = { 0 };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_status(keep_secret_put(secret, cases[i].offset, bytes, cases[i].len), KEEP_ERR_INVALID_ARGUMENT);
        assert_status(keep_secret_get(secret, cases[i].offset, bytes, cases[i].len), KEEP_ERR_INVALID_ARGUMENT);
    }
}
END_TEST

START_TEST(null_pointers_are_refused)
{
    KEEP_AUTO(keep_secret) secret = new_of_kind(_i, 4);
    keep_secret *other = NULL;
    const uint8_t *data;
    uint8_t *writable;
    uint8_t byte = 0;
    size_t len;
    int equal;

    assert_status(keep_secret_generate(NULL, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_from_bytes(NULL, NULL, 1, &other), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_from_bytes(NULL, &byte, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_duplicate(secret, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_duplicate(NULL, &other), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_read_begin(secret, NULL, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_read_begin(secret, &data, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_read_begin(NULL, &data, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_write_begin(secret, NULL, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_write_begin(secret, &writable, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_end(NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_put(secret, 0, NULL, 1), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_get(secret, 0, NULL, 1), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_reveal(secret, NULL, 4, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_reveal(secret, &byte, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_randomize(NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_clear(NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_resize(NULL, 1), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_equal(secret, NULL, &equal), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_equal(secret, secret, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_equal_bytes(secret, NULL, 1, &equal), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_equal_bytes(secret, &byte, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_freeze(NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_melt(NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_info(secret, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_free_batch(NULL, 1), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_free_batch(&other, 0), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_free_batch(&other, KEEP_MAX_BATCH + 1), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_null(other);
    ck_assert_uint_eq(info_of(secret).windows, 0);
}
END_TEST

START_TEST(reveal_tells_how_much_room_it_needs)
{
    KEEP_AUTO(keep_secret) secret = of_kind_with(_i, "secret");
    char out[8] = "unknown";
    size_t len = 0;

    assert_status(keep_secret_reveal(secret, NULL, 0, &len), KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(len, 6);
    assert_status(keep_secret_reveal(secret, out, 5, &len), KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert_str_eq(out, "unknown");
    assert_ok(keep_secret_reveal(secret, out, 6, &len));
    assert_bytes(out, "secretn", 7);
}
END_TEST

START_TEST(a_generated_secret_is_random_and_can_be_drawn_anew)
{
    KEEP_AUTO(keep_secret) one = NULL;
    KEEP_AUTO(keep_secret) two = NULL;
    int equal = 1;

    assert_ok(keep_secret_generate(NULL, _i == 0 ? 32 : 5000, &one));
    assert_ok(keep_secret_duplicate(one, &two));
    assert_ok(keep_secret_equal(one, two, &equal));
    ck_assert_int_eq(equal, 1);
    assert_ok(keep_secret_randomize(one));
    assert_ok(keep_secret_equal(one, two, &equal));
    ck_assert_int_eq(equal, 0);
}
END_TEST

START_TEST(a_duplicate_is_of_the_same_kind_and_not_frozen)
{
    KEEP_AUTO(keep_secret) secret = of_kind_with(_i, "original");
    KEEP_AUTO(keep_secret) copy = NULL;
    struct keep_secret_info info;

    assert_ok(keep_secret_freeze(secret));
    assert_ok(keep_secret_duplicate(secret, &copy));
    info = info_of(copy);
    ck_assert_uint_eq(info.kind, (unsigned)_i);
    ck_assert_uint_eq(info.frozen, 0);
    ck_assert(holds(copy, "original"));
    assert_ok(keep_secret_clear(copy));
    ck_assert(holds(secret, "original"));
}
END_TEST

/* memory R22 */
START_TEST(windows_exclude_each_other_at_once)
{
    KEEP_AUTO(keep_secret) secret = of_kind_with(_i, "data");
    keep_secret *other = NULL;
    const uint8_t *data;
    uint8_t *writable;
    char out[4];
    size_t len;
    int equal;

    assert_ok(keep_secret_write_begin(secret, &writable, &len));
    assert_status(keep_secret_write_begin(secret, &writable, &len), KEEP_ERR_BUSY);
    assert_status(keep_secret_read_begin(secret, &data, &len), KEEP_ERR_BUSY);
    assert_status(keep_secret_put(secret, 0, "x", 1), KEEP_ERR_BUSY);
    assert_status(keep_secret_get(secret, 0, out, 1), KEEP_ERR_BUSY);
    assert_status(keep_secret_reveal(secret, out, 4, &len), KEEP_ERR_BUSY);
    assert_status(keep_secret_reveal(secret, out, 3, &len), KEEP_ERR_BUSY);
    assert_status(keep_secret_duplicate(secret, &other), KEEP_ERR_BUSY);
    assert_status(keep_secret_randomize(secret), KEEP_ERR_BUSY);
    assert_status(keep_secret_clear(secret), KEEP_ERR_BUSY);
    assert_status(keep_secret_resize(secret, 1), KEEP_ERR_BUSY);
    assert_status(keep_secret_equal(secret, secret, &equal), KEEP_ERR_BUSY);
    assert_status(keep_secret_equal_bytes(secret, "data", 4, &equal), KEEP_ERR_BUSY);
    assert_status(keep_secret_freeze(secret), KEEP_ERR_BUSY);
    assert_status(keep_secret_melt(secret), KEEP_ERR_BUSY);
    other = secret;
    assert_status(keep_secret_free(&other), KEEP_ERR_BUSY);
    ck_assert_ptr_eq(other, secret);
    ck_assert_uint_eq(info_of(secret).windows, 1);
    assert_ok(keep_secret_end(secret));
    assert_status(keep_secret_end(secret), KEEP_ERR_STATE);
    ck_assert(holds(secret, "data"));
}
END_TEST

START_TEST(readers_see_the_same_bytes_together)
{
    KEEP_AUTO(keep_secret) secret = of_kind_with(_i, "data");
    const uint8_t *one;
    const uint8_t *two;
    uint8_t *writable;
    char out[4];
    size_t len;
    int equal = 0;

    assert_ok(keep_secret_read_begin(secret, &one, &len));
    assert_ok(keep_secret_read_begin(secret, &two, &len));
    ck_assert_ptr_eq(one, two);
    ck_assert_uint_eq(info_of(secret).windows, 2);
    assert_ok(keep_secret_get(secret, 0, out, 4));
    assert_ok(keep_secret_equal(secret, secret, &equal));
    ck_assert_int_eq(equal, 1);
    assert_status(keep_secret_write_begin(secret, &writable, &len), KEEP_ERR_BUSY);
    assert_status(keep_secret_put(secret, 0, "x", 1), KEEP_ERR_BUSY);
    assert_ok(keep_secret_end(secret));
    assert_bytes(one, "data", 4);
    assert_ok(keep_secret_end(secret));
    assert_ok(keep_secret_write_begin(secret, &writable, &len));
    assert_ok(keep_secret_end(secret));
}
END_TEST

START_TEST(a_65536th_read_window_is_busy)
{
    KEEP_AUTO(keep_secret) secret = new_of_kind(_i, 1);
    const uint8_t *data;
    size_t len;

    for (int i = 0; i < 65535; i++)
        assert_ok(keep_secret_read_begin(secret, &data, &len));
    assert_status(keep_secret_read_begin(secret, &data, &len), KEEP_ERR_BUSY);
    for (int i = 0; i < 65535; i++)
        assert_ok(keep_secret_end(secret));
}
END_TEST

/* memory R23 */
START_TEST(a_frozen_secret_is_read_only_until_it_is_melted)
{
    KEEP_AUTO(keep_secret) secret = of_kind_with(_i, "fixed");
    uint8_t *writable;
    size_t len;

    assert_ok(keep_secret_freeze(secret));
    assert_ok(keep_secret_freeze(secret));
    ck_assert_uint_eq(info_of(secret).frozen, 1);
    assert_status(keep_secret_write_begin(secret, &writable, &len), KEEP_ERR_STATE);
    assert_status(keep_secret_put(secret, 0, "x", 1), KEEP_ERR_STATE);
    assert_status(keep_secret_put(secret, 9, "x", 1), KEEP_ERR_STATE); /* memory R1: before the length */
    assert_status(keep_secret_randomize(secret), KEEP_ERR_STATE);
    assert_status(keep_secret_clear(secret), KEEP_ERR_STATE);
    assert_status(keep_secret_resize(secret, 1), KEEP_ERR_STATE);
    ck_assert(holds(secret, "fixed"));
    assert_ok(keep_secret_melt(secret));
    assert_ok(keep_secret_melt(secret));
    assert_ok(keep_secret_put(secret, 0, "m", 1));
    ck_assert(holds(secret, "mixed"));
}
END_TEST

/* memory R24 */
START_TEST(resize_keeps_wipes_and_zeroes)
{
    KEEP_AUTO(keep_secret) secret = of_kind_with(_i, "0123456789");
    char out[10];
    size_t len;

    assert_ok(keep_secret_resize(secret, 4));
    ck_assert(holds(secret, "0123"));
    assert_ok(keep_secret_resize(secret, 10));
    assert_ok(keep_secret_reveal(secret, out, sizeof out, &len));
    assert_bytes(out, "0123\0\0\0\0\0\0", 10);
    assert_status(keep_secret_resize(secret, info_of(secret).capacity + 1), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_secret_resize(secret, SIZE_MAX), KEEP_ERR_INVALID_ARGUMENT);
    assert_ok(keep_secret_resize(secret, info_of(secret).capacity));
    assert_ok(keep_secret_resize(secret, 0));
    ck_assert(holds(secret, ""));
}
END_TEST

/* memory R25 */
START_TEST(equal_compares_bytes_and_lengths)
{
    KEEP_AUTO(keep_secret) one = of_kind_with(_i, "aaaa");
    KEEP_AUTO(keep_secret) two = of_kind_with(_i, "aaab");
    KEEP_AUTO(keep_secret) three = of_kind_with(_i, "aaa");
    KEEP_AUTO(keep_secret) empty = new_of_kind(_i, 0);
    int equal;

    assert_ok(keep_secret_equal(one, two, &equal));
    ck_assert_int_eq(equal, 0);
    assert_ok(keep_secret_equal(one, three, &equal));
    ck_assert_int_eq(equal, 0);
    assert_ok(keep_secret_equal(one, one, &equal));
    ck_assert_int_eq(equal, 1);
    assert_ok(keep_secret_equal(empty, empty, &equal));
    ck_assert_int_eq(equal, 1);
    ck_assert(holds(empty, ""));
    ck_assert(!holds(one, "aaa"));
}
END_TEST

/* memory R1: CLOSED of either comes before BUSY */
START_TEST(comparing_with_a_freed_secret_is_closed_even_under_a_write_window)
{
    KEEP_AUTO(keep_secret) secret = new_of_kind(_i, 4);
    keep_secret *freed = new_of_kind(_i, 4);
    keep_secret *copy = freed;
    uint8_t *data;
    size_t len;
    int equal = 7;

    assert_ok(keep_secret_free(&freed));
    assert_ok(keep_secret_write_begin(secret, &data, &len));
    assert_status(keep_secret_equal(secret, copy, &equal), KEEP_ERR_CLOSED);
    assert_status(keep_secret_equal(copy, secret, &equal), KEEP_ERR_CLOSED);
    ck_assert_int_eq(equal, 7);
    assert_ok(keep_secret_end(secret));
}
END_TEST

/* A secret of the pool's one slot, or one guarded buffer. */
static keep_secret *new_owner(keep_pool *pool, bool is_guarded)
{
    return is_guarded ? new_guarded(pool, 5, 0) : new_secret(pool, 5);
}

/* memory T2 */
START_TEST(a_copy_of_a_freed_handle_is_closed_and_harms_nobody)
{
    bool is_guarded = _i / BACKINGS == 1;
    keep_pool_options options = options_of(_i % BACKINGS);
    KEEP_AUTO(keep_pool) pool = NULL;
    KEEP_AUTO(keep_secret) owner = NULL;
    keep_secret *secret;
    keep_secret *copy;
    keep_secret *again;

    if (!has_memory(_i % BACKINGS))
        return;
    options.tier_count = 1;
    options.tier_len[0] = 32;
    options.tier_max_slots[0] = 1;
    pool = new_pool(&options);
    secret = copy = again = new_owner(pool, is_guarded);
    assert_ok(keep_secret_free(&secret));
    ck_assert_ptr_null(secret);
    assert_status(keep_secret_free(&copy), KEEP_ERR_CLOSED);
    ck_assert_ptr_null(copy);
    owner = new_owner(pool, is_guarded);
    assert_ok(keep_secret_put(owner, 0, "owner", 5));
    copy = again;
    assert_status(keep_secret_clear(again), KEEP_ERR_CLOSED);
    assert_status(keep_secret_free(&copy), KEEP_ERR_CLOSED);
    ck_assert(holds(owner, "owner"));
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, is_guarded ? 0 : 1);
    ck_assert_uint_eq(stats_of(pool).guarded, is_guarded ? 1 : 0);
    if (!is_guarded)
        assert_status(keep_pool_acquire(pool, 5, NULL, &secret), KEEP_ERR_EXHAUSTED); /* the slot has one owner */
}
END_TEST

/* Every function on one value; what it may give is CLOSED or INVALID_ARGUMENT. */
static void use_everywhere(keep_secret *value, keep_secret *real, const keep_sealed *sealed)
{
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;
    keep_secret *made = NULL;
    keep_sealed *made_sealed = NULL;
    keep_secret *batch[1] = { value };
    const uint8_t *data;
    uint8_t *writable;
    uint8_t byte = 0;
    size_t len;
    int equal;
    const keep_status statuses[] = {
        keep_secret_duplicate(value, &made),
        keep_secret_info(value, &info),
        keep_secret_read_begin(value, &data, &len),
        keep_secret_write_begin(value, &writable, &len),
        keep_secret_end(value),
        keep_secret_put(value, 0, &byte, 1),
        keep_secret_get(value, 0, &byte, 1),
        keep_secret_reveal(value, &byte, 1, &len),
        keep_secret_randomize(value),
        keep_secret_clear(value),
        keep_secret_resize(value, 1),
        keep_secret_equal(value, real, &equal),
        keep_secret_equal(real, value, &equal),
        keep_secret_equal_bytes(value, &byte, 1, &equal),
        keep_secret_freeze(value),
        keep_secret_melt(value),
        keep_sealed_from_secret(value, 0, &made_sealed),
        keep_sealed_open_into(sealed, value),
        keep_secret_free_batch(batch, 1),
        keep_secret_free(&value),
    };

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        bool is_refused = statuses[i] == KEEP_ERR_CLOSED || statuses[i] == KEEP_ERR_INVALID_ARGUMENT;

        if (!is_refused)
            ck_abort_msg("function %zu gave %s", i, keep_status_name(statuses[i]));
    }
    if (made != NULL || made_sealed != NULL)
        ck_abort_msg("a secret was made of no secret");
}

/* The same of the functions of other subsystems that take a key. */
static void use_as_key(keep_secret *value)
{
    keep_session_options session_options = KEEP_SESSION_OPTIONS_INIT;
    uint8_t public_key[KEEP_HANDSHAKE_KEY_LEN];
    keep_session *session = NULL;
    keep_secret *made = NULL;

    session_options.session_id = 1;
    session_options.tx_key = value;
    assert_status(keep_session_new(&session_options, &session), KEEP_ERR_CLOSED);
    session_options.tx_key = NULL;
    session_options.rx_key = value;
    assert_status(keep_session_new(&session_options, &session), KEEP_ERR_CLOSED);
    assert_status(keep_handshake_public_key(value, public_key), KEEP_ERR_CLOSED);
    assert_status(keep_beacon_agent_key(value, 1, &made), KEEP_ERR_CLOSED);
    ck_assert(session == NULL && made == NULL);
}

/* memory T3 */
START_TEST(invented_and_bit_flipped_handles_are_refused_everywhere)
{
    struct stream stream = stream_begin();
    KEEP_AUTO(keep_secret) real = of_kind_with(_i, "real");
    KEEP_AUTO(keep_sealed) sealed = NULL;
    uint64_t fork_bits = 0x1F;

    assert_ok(keep_sealed_from_secret(real, 0, &sealed));
    for (int i = 0; i < 100000; i++) {
        uint64_t value = stream_next(&stream);

        if (i % 2 == 0)
            value = (uint64_t)(uintptr_t)real ^ UINT64_C(1) << (5 + stream_below(&stream, 59));
        /* the fork bits stay: an ancestor's would be FORKED, which is another test's */
        value = (value & ~fork_bits) | ((uint64_t)(uintptr_t)real & fork_bits);
        if (value == (uint64_t)(uintptr_t)real || value == 0)
            continue;
        use_everywhere((keep_secret *)(uintptr_t)value, real, sealed);
        use_as_key((keep_secret *)(uintptr_t)value);
    }
    ck_assert(holds(real, "real"));
    ck_assert_uint_eq(info_of(real).windows, 0);
}
END_TEST

START_TEST(freeing_nothing_is_fine)
{
    keep_secret *none = NULL;

    assert_ok(keep_secret_free(&none));
    assert_ok(keep_secret_free(NULL));
    assert_ok(keep_secret_free_batch(&none, 1));
}
END_TEST

/* memory R14 */
START_TEST(a_batch_is_freed_but_for_the_busy_ones)
{
    keep_secret *secrets[4] = { new_of_kind(_i, 1), new_of_kind(_i, 1), NULL, new_of_kind(_i, 1) };
    const uint8_t *data;
    size_t len;

    assert_ok(keep_secret_read_begin(secrets[1], &data, &len));
    assert_status(keep_secret_free_batch(secrets, 4), KEEP_ERR_BUSY);
    ck_assert(secrets[0] == NULL && secrets[1] != NULL && secrets[3] == NULL);
    assert_ok(keep_secret_end(secrets[1]));
    assert_ok(keep_secret_free_batch(secrets, 4));
    ck_assert_ptr_null(secrets[1]);
}
END_TEST

/* memory R20 */
START_TEST(a_handle_is_no_address)
{
    KEEP_AUTO(keep_secret) secret = new_of_kind(_i, 1);

    ck_assert_uint_eq((uint64_t)(uintptr_t)secret >> 63, 1);
}
END_TEST

static volatile char seen; /* a value that nobody uses is not even read under valgrind */

static void read_through_handle(void *secret)
{
    seen = *(volatile char *)secret;
}

START_TEST(reading_through_a_handle_faults)
{
    KEEP_AUTO(keep_secret) secret = new_of_kind(_i, 1);

    assert_faults(read_through_handle, secret);
}
END_TEST

RUN_SUITE("secret", TIMES(a_new_secret_is_zero_and_exactly_as_long_as_asked, KINDS),
          TIMES(what_was_put_is_what_is_got, KINDS), TIMES(offsets_and_lengths_beyond_the_secret_are_refused, KINDS),
          TIMES(null_pointers_are_refused, KINDS), TIMES(reveal_tells_how_much_room_it_needs, KINDS),
          TIMES(a_generated_secret_is_random_and_can_be_drawn_anew, KINDS),
          TIMES(a_duplicate_is_of_the_same_kind_and_not_frozen, KINDS),
          TIMES(windows_exclude_each_other_at_once, KINDS), TIMES(readers_see_the_same_bytes_together, KINDS),
          TIMES(a_65536th_read_window_is_busy, KINDS), TIMES(a_frozen_secret_is_read_only_until_it_is_melted, KINDS),
          TIMES(resize_keeps_wipes_and_zeroes, KINDS), TIMES(equal_compares_bytes_and_lengths, KINDS),
          TIMES(comparing_with_a_freed_secret_is_closed_even_under_a_write_window, KINDS),
          TIMES(a_copy_of_a_freed_handle_is_closed_and_harms_nobody, KINDS * BACKINGS),
          TIMES(invented_and_bit_flipped_handles_are_refused_everywhere, KINDS), ONCE(freeing_nothing_is_fine),
          TIMES(a_batch_is_freed_but_for_the_busy_ones, KINDS), TIMES(a_handle_is_no_address, KINDS),
          TIMES(reading_through_a_handle_faults, KINDS))
