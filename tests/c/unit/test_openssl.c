/* SPDX-License-Identifier: MIT */
/*
 * Openssl, white box: no cipher, no memory, and a library that fails in the middle.
 */
#include "base/openssl.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "support/suite.h"
#include "support/wrapped.h"

WRAP(OSSL_LIB_CTX *, OSSL_LIB_CTX_new, (void), (), NULL)
WRAP(OSSL_PROVIDER *, OSSL_PROVIDER_load, (OSSL_LIB_CTX * library, const char *name), (library, name), NULL)
WRAP(EVP_CIPHER *, EVP_CIPHER_fetch, (OSSL_LIB_CTX * library, const char *name, const char *properties),
     (library, name, properties), NULL)
WRAP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_new, (void), (), NULL)
WRAP(int, EVP_CipherInit_ex2,
     (EVP_CIPHER_CTX * context, const EVP_CIPHER *cipher, const unsigned char *key, const unsigned char *nonce,
      int seals, const OSSL_PARAM *params),
     (context, cipher, key, nonce, seals, params), 0)
WRAP(int, EVP_CipherUpdate,
     (EVP_CIPHER_CTX * context, unsigned char *out, int *out_len, const unsigned char *in, int len),
     (context, out, out_len, in, len), 0)
WRAP(int, EVP_CipherFinal_ex, (EVP_CIPHER_CTX * context, unsigned char *out, int *out_len), (context, out, out_len), 0)
WRAP(int, EVP_CIPHER_CTX_ctrl, (EVP_CIPHER_CTX * context, int what, int number, void *bytes),
     (context, what, number, bytes), 0)

static void need_working_library(void)
{
    keep__cipher_context *context = NULL;

    assert_ok(keep__openssl_cipher.make(&context));
    keep__openssl_cipher.end(context);
}

static const struct {
    const char *failing;
    keep_status st;
} lacks[] = {
    { "OSSL_LIB_CTX_new", KEEP_ERR_UNSUPPORTED }, { "OSSL_PROVIDER_load", KEEP_ERR_UNSUPPORTED },
    { "EVP_CIPHER_fetch", KEEP_ERR_UNSUPPORTED }, { "EVP_CIPHER_CTX_new", KEEP_ERR_NO_MEMORY },
    { "EVP_CipherInit_ex2", KEEP_ERR_NO_MEMORY },
};

START_TEST(what_libcrypto_lacks_is_a_status_until_it_is_there)
{
    keep__cipher_context *context = NULL;

    fail_call(lacks[_i].failing, 0, 0);
    assert_status(keep__openssl_cipher.make(&context), lacks[_i].st);
    ck_assert_ptr_null(context);
    need_working_library();
}
END_TEST

static const struct {
    const char *failing;
    int calls_before;
    bool is_sealing;
} breaks[] = {
    { "EVP_CipherInit_ex2", 0, true }, { "EVP_CipherUpdate", 0, true },    { "EVP_CipherUpdate", 1, true },
    { "EVP_CipherFinal_ex", 0, true }, { "EVP_CIPHER_CTX_ctrl", 0, true }, { "EVP_CipherInit_ex2", 0, false },
    { "EVP_CipherUpdate", 0, false },  { "EVP_CipherUpdate", 1, false },   { "EVP_CIPHER_CTX_ctrl", 0, false },
};

static const uint8_t key[32], nonce[12], aad[56];

START_TEST(a_library_that_fails_in_the_middle_is_told_from_a_wrong_tag)
{
    uint8_t bytes[50] = { 0 };
    uint8_t tag[16];
    keep__cipher_job job = { key, nonce, aad, sizeof aad, bytes, bytes, sizeof bytes, tag };
    keep__cipher_context *context = NULL;

    assert_ok(keep__openssl_cipher.make(&context));
    assert_ok(keep__openssl_cipher.seal(context, &job));
    fail_call(breaks[_i].failing, breaks[_i].calls_before, 0);
    assert_status((breaks[_i].is_sealing ? keep__openssl_cipher.seal : keep__openssl_cipher.open)(context, &job),
                  KEEP_ERR_SYSTEM);
    assert_ok(keep__openssl_cipher.seal(context, &job));
    tag[3] ^= 1;
    assert_status(keep__openssl_cipher.open(context, &job), KEEP_ERR_AUTH);
    keep__openssl_cipher.forget(context);
    keep__openssl_cipher.end(context);
}
END_TEST

START_TEST(what_is_longer_than_the_library_can_say_is_refused)
{
    uint8_t tag[16];
    keep__cipher_job job = { key, nonce, aad, sizeof aad, NULL, NULL, (size_t)INT_MAX + 1, tag };
    keep__cipher_context *context = NULL;

    assert_ok(keep__openssl_cipher.make(&context));
    assert_status(keep__openssl_cipher.seal(context, &job), KEEP_ERR_SYSTEM);
    assert_status(keep__openssl_cipher.open(context, &job), KEEP_ERR_SYSTEM);
    keep__openssl_cipher.end(context);
}
END_TEST

static void make_too(void *unused)
{
    (void)unused;
    need_working_library();
}

START_TEST(of_two_that_need_the_library_one_sets_it_up)
{
    before_call("OSSL_PROVIDER_load", make_too, NULL);
    need_working_library();
}
END_TEST

RUN_SUITE("openssl", TIMES(what_libcrypto_lacks_is_a_status_until_it_is_there, sizeof lacks / sizeof *lacks),
          TIMES(a_library_that_fails_in_the_middle_is_told_from_a_wrong_tag, sizeof breaks / sizeof *breaks),
          ONCE(what_is_longer_than_the_library_can_say_is_refused), ONCE(of_two_that_need_the_library_one_sets_it_up))
