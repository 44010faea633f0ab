/* SPDX-License-Identifier: MIT */
/*
 * Memory in constant time: what is compared, joined and sealed, and the key itself, is undefined to valgrind.
 */
#include <string.h>
#include <valgrind/memcheck.h>

#include "base/crypto.h"
#include "keep/sealed.h"
#include "memory/coffer.h"
#include "memory/pool.h"
#include "support/pools.h"

enum {
    LEN = 32
};

static void hide(const void *bytes, size_t len)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, len);
}

/* What the caller is told is told. */
static void show(const void *bytes, size_t len)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(bytes, len);
}

static keep_secret *hidden_secret(keep_pool *pool, const char *text)
{
    keep_secret *secret = secret_of(pool, text);
    uint8_t *data;
    size_t len;

    assert_ok(keep_secret_write_begin(secret, &data, &len));
    hide(data, len);
    assert_ok(keep_secret_end(secret));
    return secret;
}

static void show_secret(keep_secret *secret)
{
    const uint8_t *data;
    size_t len;

    assert_ok(keep_secret_read_begin(secret, &data, &len));
    show(data, len);
    assert_ok(keep_secret_end(secret));
}

static void end_hidden(keep_secret **secret)
{
    show_secret(*secret);
    assert_ok(keep_secret_free(secret));
}

/* memory R25, T22 */
START_TEST(comparing_does_not_depend_on_the_bytes)
{
    static const char *const others[] = { "exactly thirty-two bytes of text", "exactly thirty-two bytes of tex_",
                                          "_xactly thirty-two bytes of text", "shorter" };
    keep_secret *secret = hidden_secret(NULL, others[0]);

    for (int i = 0; i < 4; i++) {
        keep_secret *other = hidden_secret(NULL, others[i]);
        int equal = 9;

        assert_ok(keep_secret_equal(secret, other, &equal));
        show(&equal, sizeof equal);
        ck_assert_int_eq(equal, i == 0);
        assert_ok(keep_secret_equal_bytes(secret, others[i], strlen(others[i]), &equal));
        show(&equal, sizeof equal);
        ck_assert_int_eq(equal, i == 0);
        end_hidden(&other);
    }
    end_hidden(&secret);
}
END_TEST

START_TEST(looking_for_zeros_does_not_depend_on_the_bytes)
{
    uint8_t bytes[LEN + 5] = { 0 };
    bool are_zero;

    for (size_t i = 0; i <= sizeof bytes; i++) {
        memset(bytes, 0, sizeof bytes);
        if (i < sizeof bytes)
            bytes[i] = 1;
        hide(bytes, sizeof bytes);
        are_zero = keep__zeros(bytes, sizeof bytes);
        show(&are_zero, sizeof are_zero);
        ck_assert_int_eq(are_zero, i == sizeof bytes);
    }
}
END_TEST

/* memory T22 */
START_TEST(joining_the_halves_does_not_depend_on_them)
{
    uint8_t left[LEN] = { 1 };
    uint8_t right[LEN] = { 2 };
    uint8_t key[LEN];

    hide(left, LEN);
    hide(right, LEN);
    keep__coffer_xor(left, right, key);
    show(key, LEN);
    ck_assert_uint_eq(key[0], 3);
}
END_TEST

/* Sealing, opening and copying, of bytes and under a key that nobody may look at. */
START_TEST(sealing_and_opening_do_not_depend_on_bytes_or_key)
{
    KEEP_AUTO(keep_pool) pool = new_pool(NULL);
    KEEP_AUTO(keep_sealed) sealed = NULL;
    keep_secret *secret = hidden_secret(pool, "exactly thirty-two bytes of text");
    keep_secret *copy = NULL;
    keep_secret *opened = NULL;

    assert_ok(keep_sealed_new(pool, "makes the key", 13, 0, &sealed));
    keep_sealed_free(&sealed);
    hide(pool->coffer.left.data, LEN);
    hide(pool->coffer.right.data, LEN);
    assert_ok(keep_secret_duplicate(secret, &copy));
    end_hidden(&copy);
    assert_ok(keep_sealed_from_secret(secret, 0, &sealed));
    assert_ok(keep_sealed_open(sealed, NULL, &opened));
    show_secret(opened);
    ck_assert(holds(opened, "exactly thirty-two bytes of text"));
    assert_ok(keep_secret_free(&opened));
    assert_ok(keep_sealed_open_into(sealed, secret));
    end_hidden(&secret);
}
END_TEST

RUN_SUITE("ct", ONCE(comparing_does_not_depend_on_the_bytes), ONCE(looking_for_zeros_does_not_depend_on_the_bytes),
          ONCE(joining_the_halves_does_not_depend_on_them), ONCE(sealing_and_opening_do_not_depend_on_bytes_or_key))
