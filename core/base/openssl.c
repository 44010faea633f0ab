/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL: the seam of libcrypto. The library context is made with the first user and never freed: another thread may
 * be inside it when the process ends. In a forked child it is the parent's copy, which libcrypto allows.
 */
#include "base/openssl.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/trace.h"
#include "base/banned.h"

static OSSL_LIB_CTX *_Atomic private_context;

/* The private context; two threads may make one, and one of the two is kept. */
static OSSL_LIB_CTX *need_context(void)
{
    OSSL_LIB_CTX *expected = NULL;
    OSSL_LIB_CTX *made;
    OSSL_PROVIDER *provider;

    if (atomic_load(&private_context) != NULL)
        return atomic_load(&private_context);
    made = OSSL_LIB_CTX_new();
    if (made == NULL)
        return NULL;
    provider = OSSL_PROVIDER_load(made, "default");
    if (provider == NULL || !atomic_compare_exchange_strong(&private_context, &expected, made)) {
        (void)OSSL_PROVIDER_unload(provider);
        OSSL_LIB_CTX_free(made);
    }
    return atomic_load(&private_context);
}

static EVP_CIPHER_CTX *evp_of(keep__cipher_context *context)
{
    return (EVP_CIPHER_CTX *)(void *)context;
}

static uint32_t openssl_state(void)
{
    return 0; /* linked, so it is there: whether it has the cipher shows when a context is made */
}

static const char *openssl_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static const char *openssl_instructions(void)
{
    return "";
}

static keep_status make_openssl_context(keep__cipher_context **out_context)
{
    OSSL_LIB_CTX *library = need_context();
    EVP_CIPHER *cipher = library == NULL ? NULL : EVP_CIPHER_fetch(library, "ChaCha20-Poly1305", NULL);
    EVP_CIPHER_CTX *evp = cipher == NULL ? NULL : EVP_CIPHER_CTX_new();
    int done = evp == NULL ? 0 : EVP_CipherInit_ex2(evp, cipher, NULL, NULL, 1, NULL);
    bool has_cipher = cipher != NULL;

    EVP_CIPHER_free(cipher); /* the context holds it */
    if (!has_cipher)
        return keep__trace(KEEP_ERR_UNSUPPORTED);
    if (done != 1) {
        EVP_CIPHER_CTX_free(evp);
        return keep__trace(KEEP_ERR_NO_MEMORY);
    }
    *out_context = (keep__cipher_context *)(void *)evp;
    return KEEP_OK;
}

static void end_openssl_context(keep__cipher_context *context)
{
    EVP_CIPHER_CTX_free(evp_of(context));
}

/* Key, nonce, associated data and payload. */
static bool run_openssl(EVP_CIPHER_CTX *evp, const keep__cipher_job *job, int is_sealing)
{
    int written;

    return job->len <= INT_MAX && EVP_CipherInit_ex2(evp, NULL, job->key, job->nonce, is_sealing, NULL) == 1 &&
           EVP_CipherUpdate(evp, NULL, &written, job->aad, (int)job->aad_len) == 1 &&
           (job->len == 0 || EVP_CipherUpdate(evp, job->out, &written, job->in, (int)job->len) == 1);
}

static keep_status seal_with_openssl(keep__cipher_context *context, const keep__cipher_job *job)
{
    EVP_CIPHER_CTX *evp = evp_of(context);
    uint8_t none[KEEP__CIPHER_TAG_LEN];
    int written;

    if (!run_openssl(evp, job, 1) || EVP_CipherFinal_ex(evp, none, &written) != 1 ||
        EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_GET_TAG, KEEP__CIPHER_TAG_LEN, job->tag) != 1)
        return keep__trace(KEEP_ERR_SYSTEM);
    return KEEP_OK;
}

static keep_status open_with_openssl(keep__cipher_context *context, const keep__cipher_job *job)
{
    EVP_CIPHER_CTX *evp = evp_of(context);
    uint8_t none[KEEP__CIPHER_TAG_LEN];
    int written;

    if (!run_openssl(evp, job, 0) ||
        EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_SET_TAG, KEEP__CIPHER_TAG_LEN, job->tag) != 1)
        return keep__trace(KEEP_ERR_SYSTEM);
    return EVP_CipherFinal_ex(evp, none, &written) == 1 ? KEEP_OK : KEEP_ERR_AUTH;
}

/* The key alone: a nonce is no secret, and setting one takes three times as long. */
static void forget_in_openssl(keep__cipher_context *context)
{
    static const uint8_t zeros[KEEP__CIPHER_KEY_LEN];

    (void)EVP_CipherInit_ex2(evp_of(context), NULL, zeros, NULL, 1, NULL);
}

const keep__cipher_form keep__openssl_cipher = {
    .name = "openssl",
    .state = openssl_state,
    .make = make_openssl_context,
    .end = end_openssl_context,
    .seal = seal_with_openssl,
    .open = open_with_openssl,
    .forget = forget_in_openssl,
    .version = openssl_version,
    .instructions = openssl_instructions,
};
