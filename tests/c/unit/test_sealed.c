/* SPDX-License-Identifier: MIT */
/*
 * Sealed secrets, white box: every bit of what is stored and bound is authenticated.
 */
#include "memory/sealed.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "memory/guard.h"
#include "memory/slab.h"
#include "support/meanwhile.h"
#include "support/pools.h"
#include "support/threads.h"

void __real_keep__aead_seal(const keep__aead *aead, const uint8_t *plaintext, size_t len, uint8_t *out);
void __wrap_keep__aead_seal(const keep__aead *aead, const uint8_t *plaintext, size_t len, uint8_t *out);
keep_status __real_keep__aead_open(const keep__aead *aead, const uint8_t *sealed, size_t len, uint8_t *out);
keep_status __wrap_keep__aead_open(const keep__aead *aead, const uint8_t *sealed, size_t len, uint8_t *out);
void __real_keep__slab_publish(keep__spot spot);
void __wrap_keep__slab_publish(keep__spot spot);

void __wrap_keep__aead_seal(const keep__aead *aead, const uint8_t *plaintext, size_t len, uint8_t *out)
{
    do_awaited("seal");
    __real_keep__aead_seal(aead, plaintext, len, out);
}

keep_status __wrap_keep__aead_open(const keep__aead *aead, const uint8_t *sealed, size_t len, uint8_t *out)
{
    do_awaited("open");
    return __real_keep__aead_open(aead, sealed, len, out);
}

void __wrap_keep__slab_publish(keep__spot spot)
{
    do_awaited("publish");
    __real_keep__slab_publish(spot);
}

enum {
    LEN = 33,
    STORED_LEN = LEN + KEEP_SEALED_OVERHEAD
};

static keep_sealed *new_sealed(keep_pool *pool)
{
    keep_sealed *sealed = NULL;

    assert_ok(keep_sealed_new(pool, "thirty-three bytes of a plaintext", LEN, 5, &sealed));
    return sealed;
}

/* What was changed opens neither way; nothing stays in use, and the target is zero. */
static void need_refused(const keep_sealed *sealed, keep_secret *target)
{
    keep_secret *secret = NULL;

    assert_status(keep_sealed_open(sealed, NULL, &secret), KEEP_ERR_AUTH);
    ck_assert_ptr_null(secret);
    assert_ok(keep_secret_put(target, 0, "old", 3));
    assert_status(keep_sealed_open_into(sealed, target), KEEP_ERR_AUTH);
    ck_assert(info_of(target).len == 40 && info_of(target).windows == 0);
    ck_assert(holds(target, "") == false);
}

/* memory T11, R40 */
START_TEST(one_changed_bit_of_the_stored_bytes_is_refused)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_sealed) sealed = new_sealed(pool);
    KEEP_AUTO(keep_secret) target = new_secret(pool, 40);
    KEEP_AUTO(keep_secret) secret = NULL;
    uint8_t bytes[40];
    size_t len;

    for (int bit = 0; bit < STORED_LEN * 8; bit++) {
        sealed->stored[bit / 8] ^= (uint8_t)(1 << bit % 8);
        need_refused(sealed, target);
        assert_ok(keep_secret_reveal(target, bytes, sizeof bytes, &len));
        ck_assert(len == 40 && are_all(bytes, 0, 40));
        sealed->stored[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ck_assert_uint_eq(stats_of(pool).tiers[1].in_use, 1); /* the target alone */
    assert_ok(keep_sealed_open(sealed, NULL, &secret));
    ck_assert(holds(secret, "thirty-three bytes of a plaintext"));
}
END_TEST

/* memory T11, 4.1 */
START_TEST(a_changed_type_or_id_is_refused)
{
    KEEP_AUTO(keep_sealed) sealed = new_sealed(NULL);
    KEEP_AUTO(keep_secret) target = new_secret(NULL, 40);

    for (int bit = 0; bit < 32; bit++) {
        sealed->binding.type ^= UINT32_C(1) << bit;
        need_refused(sealed, target);
        sealed->binding.type ^= UINT32_C(1) << bit;
    }
    for (int bit = 0; bit < 64; bit++) {
        sealed->binding.id ^= UINT64_C(1) << bit;
        need_refused(sealed, target);
        sealed->binding.id ^= UINT64_C(1) << bit;
    }
    assert_ok(keep_sealed_open_into(sealed, target));
}
END_TEST

/* memory T11: a shorter plaintext of the same stored bytes is another one */
START_TEST(a_changed_length_is_refused)
{
    KEEP_AUTO(keep_sealed) sealed = new_sealed(NULL);
    KEEP_AUTO(keep_secret) target = new_secret(NULL, 40);

    for (uint64_t len = 0; len < LEN; len++) {
        sealed->binding.len = len;
        need_refused(sealed, target);
    }
    sealed->binding.len = LEN;
    assert_ok(keep_sealed_open_into(sealed, target));
}
END_TEST

START_TEST(another_epoch_is_purged)
{
    KEEP_AUTO(keep_sealed) sealed = new_sealed(NULL);
    keep_secret *secret = NULL;

    for (int bit = 0; bit < 64; bit++) {
        sealed->binding.epoch ^= UINT64_C(1) << bit;
        assert_status(keep_sealed_open(sealed, NULL, &secret), KEEP_ERR_PURGED);
        sealed->binding.epoch ^= UINT64_C(1) << bit;
    }
}
END_TEST

/* memory R41, R42: pools are compartments */
START_TEST(another_pools_key_opens_nothing)
{
    KEEP_AUTO(keep_pool) one = new_pool(NULL);
    KEEP_AUTO(keep_pool) two = new_pool(NULL);
    KEEP_AUTO(keep_sealed) sealed = new_sealed(one);
    KEEP_AUTO(keep_sealed) other = new_sealed(two);
    KEEP_AUTO(keep_secret) target = new_secret(one, 40);

    sealed->pool = two;
    need_refused(sealed, target);
    sealed->pool = one;
    assert_ok(keep_sealed_open_into(sealed, target));
}
END_TEST

static int compare_nonces(const void *a, const void *b)
{
    return memcmp(a, b, 24);
}

/* memory T11, R37 */
START_TEST(nonces_are_unique_and_ids_increase)
{
    int count = all_rounds(1000000);
    uint8_t(*nonces)[24] = malloc((size_t)count * sizeof *nonces);
    uint64_t last = 0;

    ck_assert_ptr_nonnull(nonces);
    for (int i = 0; i < count; i++) {
        keep_sealed *sealed = new_sealed(NULL);

        ck_assert_uint_eq(sealed->binding.id, last + 1);
        last = sealed->binding.id;
        memcpy(nonces[i], sealed->stored, sizeof *nonces);
        keep_sealed_free(&sealed);
    }
    qsort(nonces, (size_t)count, sizeof *nonces, compare_nonces);
    for (int i = 1; i < count; i++)
        ck_assert_int_ne(memcmp(nonces[i - 1], nonces[i], sizeof *nonces), 0);
    free(nonces);
}
END_TEST

static void begin_purge(void *unused)
{
    (void)unused;
    keep__guard_new_epoch();
}

/* memory R51: whichever of its steps the purge overlaps */
START_TEST(an_opening_that_a_purge_overlaps_is_purged)
{
    static const char *const steps[] = { "open", "publish" };
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_sealed) sealed = new_sealed(pool);
    keep_secret *secret = NULL;

    before_call(steps[_i], begin_purge, NULL);
    assert_status(keep_sealed_open(sealed, NULL, &secret), KEEP_ERR_PURGED);
    ck_assert_ptr_null(secret);
    ck_assert_uint_eq(stats_of(pool).tiers[1].in_use, 0);
}
END_TEST

START_TEST(a_seal_that_a_purge_overlaps_is_purged)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    keep_sealed *sealed = NULL;

    before_call("seal", begin_purge, NULL);
    assert_status(keep_sealed_new(pool, "x", 1, 0, &sealed), KEEP_ERR_PURGED);
    ck_assert_ptr_null(sealed);
}
END_TEST

START_TEST(a_duplicate_that_a_purge_overlaps_is_purged)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_secret) secret = secret_of(pool, "original");
    keep_secret *copy = NULL;

    before_call("publish", begin_purge, NULL);
    assert_status(keep_secret_duplicate(secret, &copy), KEEP_ERR_PURGED);
    ck_assert_ptr_null(copy);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 1);
}
END_TEST

RUN_SUITE("sealed", ONCE(one_changed_bit_of_the_stored_bytes_is_refused), ONCE(a_changed_type_or_id_is_refused),
          ONCE(a_changed_length_is_refused), ONCE(another_epoch_is_purged), ONCE(another_pools_key_opens_nothing),
          ONCE(nonces_are_unique_and_ids_increase), TIMES(an_opening_that_a_purge_overlaps_is_purged, 2),
          ONCE(a_seal_that_a_purge_overlaps_is_purged), ONCE(a_duplicate_that_a_purge_overlaps_is_purged))
