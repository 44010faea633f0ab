/* SPDX-License-Identifier: MIT */
/*
 * Openssl, white box: no cipher, no memory, and a library that fails in the middle.
 */
#include "base/openssl.h"

#include <openssl/evp.h>
#include <openssl/provider.h>

#include "support/suite.h"

EVP_CIPHER *__wrap_EVP_CIPHER_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties);
EVP_CIPHER *__real_EVP_CIPHER_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties);
EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void);
EVP_CIPHER_CTX *__real_EVP_CIPHER_CTX_new(void);
int __wrap_EVP_CipherFinal_ex(EVP_CIPHER_CTX *context, unsigned char *out, int *out_len);
int __real_EVP_CipherFinal_ex(EVP_CIPHER_CTX *context, unsigned char *out, int *out_len);
int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *out_len, const unsigned char *in, int len);
int __real_EVP_CipherUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *out_len, const unsigned char *in, int len);
OSSL_PROVIDER *__wrap_OSSL_PROVIDER_load(OSSL_LIB_CTX *library, const char *name);
OSSL_PROVIDER *__real_OSSL_PROVIDER_load(OSSL_LIB_CTX *library, const char *name);

static bool has_cipher = true;
static bool has_memory = true;
static bool has_provider = true;
static bool can_update = true;
static bool can_finish = true;

EVP_CIPHER *__wrap_EVP_CIPHER_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties)
{
    return has_cipher ? __real_EVP_CIPHER_fetch(library, name, properties) : NULL;
}

EVP_CIPHER_CTX *__wrap_EVP_CIPHER_CTX_new(void)
{
    return has_memory ? __real_EVP_CIPHER_CTX_new() : NULL;
}

int __wrap_EVP_CipherFinal_ex(EVP_CIPHER_CTX *context, unsigned char *out, int *out_len)
{
    return can_finish ? __real_EVP_CipherFinal_ex(context, out, out_len) : 0;
}

int __wrap_EVP_CipherUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *out_len, const unsigned char *in, int len)
{
    return can_update ? __real_EVP_CipherUpdate(context, out, out_len, in, len) : 0;
}

OSSL_PROVIDER *__wrap_OSSL_PROVIDER_load(OSSL_LIB_CTX *library, const char *name)
{
    return has_provider ? __real_OSSL_PROVIDER_load(library, name) : NULL;
}

START_TEST(what_libcrypto_lacks_is_unsupported)
{
    keep__cipher_context *context = NULL;

    has_cipher = false;
    assert_status(keep__openssl_cipher.make(&context), KEEP_ERR_UNSUPPORTED);
    has_cipher = true;
    has_memory = false;
    assert_status(keep__openssl_cipher.make(&context), KEEP_ERR_NO_MEMORY);
    ck_assert_ptr_null(context);
    has_memory = true;
    assert_ok(keep__openssl_cipher.make(&context));
    keep__openssl_cipher.end(context);
}
END_TEST

START_TEST(without_its_provider_it_is_unsupported)
{
    keep__cipher_context *context = NULL;

    has_provider = false;
    assert_status(keep__openssl_cipher.make(&context), KEEP_ERR_UNSUPPORTED);
    has_provider = true;
    assert_ok(keep__openssl_cipher.make(&context));
    keep__openssl_cipher.end(context);
}
END_TEST

START_TEST(a_library_that_fails_in_the_middle_is_told_from_a_wrong_tag)
{
    static const uint8_t key[32], nonce[12], aad[56];
    uint8_t bytes[50] = { 0 };
    uint8_t tag[16];
    keep__cipher_job job = { key, nonce, aad, sizeof aad, bytes, bytes, sizeof bytes, tag };
    keep__cipher_context *context = NULL;

    assert_ok(keep__openssl_cipher.make(&context));
    can_update = false;
    assert_status(keep__openssl_cipher.seal(context, &job), KEEP_ERR_SYSTEM);
    assert_status(keep__openssl_cipher.open(context, &job), KEEP_ERR_SYSTEM);
    can_update = true;
    can_finish = false;
    assert_status(keep__openssl_cipher.seal(context, &job), KEEP_ERR_SYSTEM);
    can_finish = true;
    assert_ok(keep__openssl_cipher.seal(context, &job));
    tag[3] ^= 1;
    assert_status(keep__openssl_cipher.open(context, &job), KEEP_ERR_AUTH);
    keep__openssl_cipher.forget(context);
    keep__openssl_cipher.end(context);
}
END_TEST

RUN_SUITE("openssl", ONCE(what_libcrypto_lacks_is_unsupported), ONCE(without_its_provider_it_is_unsupported),
          ONCE(a_library_that_fails_in_the_middle_is_told_from_a_wrong_tag))
