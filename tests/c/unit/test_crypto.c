/* SPDX-License-Identifier: MIT */
/*
 * Crypto, white box: known answers of the seam, and the comparisons at every length and place.
 */
#include "base/crypto.h"

#include "base/answer.h"
#include "memory/guard.h"
#include "support/stream.h"
#include "support/suite.h"

#define LONGEST 130

int __real_sodium_init(void);
int __wrap_sodium_init(void);

static bool is_refused;

int __wrap_sodium_init(void)
{
    return is_refused ? -1 : __real_sodium_init();
}

/* draft-irtf-cfrg-xchacha-03, A.3.1 */
START_TEST(the_aead_gives_the_published_answer)
{
    static const char text[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        "sunscreen would be it.";
    static const uint8_t aad[] = { 0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7 };
    static const uint8_t first[] = { 0xbd, 0x6d, 0x17, 0x9d, 0x3e, 0x83, 0xd4, 0x3b };
    static const uint8_t tag[] = { 0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79,
                                   0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a, 0xcf, 0x49 };
    uint8_t key[KEEP__AEAD_KEY_LEN];
    uint8_t nonce[KEEP__AEAD_NONCE_LEN];
    uint8_t out[sizeof text - 1 + KEEP__AEAD_TAG_LEN];
    keep__aead aead = { key, nonce, aad, sizeof aad };

    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(0x80 + i);
    for (size_t i = 0; i < sizeof nonce; i++)
        nonce[i] = (uint8_t)(0x40 + i);
    assert_ok(keep__crypto_init());
    keep__aead_seal(&aead, (const uint8_t *)text, sizeof text - 1, out);
    assert_bytes(out, first, sizeof first);
    assert_bytes(out + sizeof text - 1, tag, sizeof tag);
}
END_TEST

/* RFC 5869, A.3; the first output goes over the salt */
START_TEST(hkdf_gives_the_published_answer)
{
    static const uint8_t first[KEEP__HASH_LEN] = { 0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f, 0x71, 0x5f, 0x80,
                                                   0x2a, 0x06, 0x3c, 0x5a, 0x31, 0xb8, 0xa1, 0x1f, 0x5c, 0x5e, 0xe1,
                                                   0x87, 0x9e, 0xc3, 0x45, 0x4e, 0x5f, 0x3c, 0x73, 0x8d, 0x2d };
    static const uint8_t second[] = { 0x9d, 0x20, 0x13, 0x95, 0xfa, 0xa4, 0xb6, 0x1a, 0x96, 0xc8 };
    uint8_t salt[KEEP__HASH_LEN] = { 0 };
    uint8_t more[KEEP__HASH_LEN];
    uint8_t input[22];
    uint8_t *const outputs[] = { salt, more };

    memset(input, 0x0b, sizeof input);
    keep__hkdf_sha256(salt, (keep_bytes){ input, sizeof input }, outputs, 2);
    assert_bytes(salt, first, sizeof first);
    assert_bytes(more, second, sizeof second);
}
END_TEST

START_TEST(a_flipped_bit_is_refused_and_leaves_zeros)
{
    static const uint8_t key[KEEP__AEAD_KEY_LEN] = { 1 };
    static const uint8_t nonce[KEEP__AEAD_NONCE_LEN] = { 2 };
    static const uint8_t plaintext[33] = { 3 };
    uint8_t sealed[sizeof plaintext + KEEP__AEAD_TAG_LEN];
    uint8_t opened[sizeof plaintext];
    keep__aead aead = { key, nonce, NULL, 0 };

    assert_ok(keep__crypto_init());
    keep__aead_seal(&aead, plaintext, sizeof plaintext, sealed);
    assert_ok(keep__aead_check(&aead, sealed, sizeof plaintext));
    assert_ok(keep__aead_open(&aead, sealed, sizeof plaintext, opened));
    assert_bytes(opened, plaintext, sizeof plaintext);
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_status(keep__aead_check(&aead, sealed, sizeof plaintext), KEEP_ERR_AUTH);
        assert_status(keep__aead_open(&aead, sealed, sizeof plaintext, opened), KEEP_ERR_AUTH);
        ck_assert(are_all(opened, 0, sizeof opened));
        sealed[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}
END_TEST

START_TEST(a_difference_is_seen_wherever_it_is)
{
    uint8_t a[LONGEST] = { 0 };
    uint8_t b[LONGEST] = { 0 };

    for (size_t len = 0; len <= LONGEST; len++) {
        ck_assert(keep__equal(a, b, len) && keep__zeros(a, len) && keep__compare(a, b, len) == 0);
        for (size_t i = 0; i < len; i++) {
            b[i] = 0x80;
            ck_assert(!keep__equal(a, b, len) && !keep__zeros(b, len));
            ck_assert_int_lt(keep__compare(a, b, len), 0);
            ck_assert_int_gt(keep__compare(b, a, len), 0);
            b[i] = 0;
        }
    }
}
END_TEST

START_TEST(a_wipe_leaves_zeros_and_touches_nothing_else)
{
    uint8_t bytes[LONGEST + 2];

    for (size_t len = 0; len <= LONGEST; len++) {
        struct stream stream = { 1 };

        stream_fill(&stream, bytes, sizeof bytes);
        bytes[0] = bytes[len + 1] = 0xEE;
        keep__wipe(bytes + 1, len);
        ck_assert(are_all(bytes + 1, 0, len));
        ck_assert_uint_eq(bytes[0], 0xEE);
        ck_assert_uint_eq(bytes[len + 1], 0xEE);
    }
}
END_TEST

static keep_status answer_nothing(keep__reader in, keep__answer answer)
{
    (void)in;
    return keep__answer_room(answer, 0);
}

START_TEST(without_libsodium_nothing_begins)
{
    static const keep__transform transform = { "nothing", answer_nothing };
    size_t len = 7;
    keep__answer answer = { .out_len = &len };
    keep_bytes in = { NULL, 0 };

    is_refused = true;
    assert_status(keep__crypto_init(), KEEP_ERR_UNSUPPORTED);
    assert_status(keep__answer_known(&transform, 1, "nothing", in, answer), KEEP_ERR_UNSUPPORTED);
    assert_status(keep__guard_enter(), KEEP_ERR_UNSUPPORTED);
    ck_assert_uint_eq(keep__guard_stamp(), 0);
    ck_assert_uint_eq(len, 7);
    is_refused = false;
    assert_ok(keep__answer_known(&transform, 1, "nothing", in, answer));
    assert_ok(keep__guard_enter());
    ck_assert_uint_eq(len, 0);
}
END_TEST

RUN_SUITE("crypto", ONCE(the_aead_gives_the_published_answer), ONCE(hkdf_gives_the_published_answer),
          ONCE(a_flipped_bit_is_refused_and_leaves_zeros), ONCE(a_difference_is_seen_wherever_it_is),
          ONCE(a_wipe_leaves_zeros_and_touches_nothing_else), ONCE(without_libsodium_nothing_begins))
