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

#include "base/trace.h"
#include "base/banned.h"

#define TAG_LEN 16


static _Atomic(OSSL_LIB_CTX *) private_context;

/* The private context; two threads may make one, and one of the two is kept. */
static OSSL_LIB_CTX *need_context(void)
{
    OSSL_LIB_CTX *expected = NULL;
    OSSL_LIB_CTX *made;

    if (atomic_load(&private_context) != NULL)
        return atomic_load(&private_context);
    made = OSSL_LIB_CTX_new();
    if (made == NULL)
        return NULL;
    if (OSSL_PROVIDER_load(made, "default") == NULL || !atomic_compare_exchange_strong(&private_context, &expected, made))
        OSSL_LIB_CTX_free(made);
    return atomic_load(&private_context);
}

static EVP_CIPHER_CTX *context_of(keep__openssl_aead *aead)
{
    return (EVP_CIPHER_CTX *)(void *)aead;
}

const char *keep__openssl_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

keep_status keep__openssl_aead_new(keep__openssl_aead **out_aead)
{
    OSSL_LIB_CTX *library = need_context();
    EVP_CIPHER *cipher = library == NULL ? NULL : EVP_CIPHER_fetch(library, "ChaCha20-Poly1305", NULL);
    EVP_CIPHER_CTX *context = cipher == NULL ? NULL : EVP_CIPHER_CTX_new();
    int done = context == NULL ? 0 : EVP_CipherInit_ex2(context, cipher, NULL, NULL, 1, NULL);

    EVP_CIPHER_free(cipher); /* the context holds it */
    if (library == NULL || cipher == NULL)
        return keep__trace(KEEP_ERR_UNSUPPORTED);
    if (done != 1) {
        EVP_CIPHER_CTX_free(context);
        return keep__trace(KEEP_ERR_NO_MEMORY);
    }
    *out_aead = (keep__openssl_aead *)(void *)context;
    return KEEP_OK;
}

void keep__openssl_aead_free(keep__openssl_aead *aead)
{
    EVP_CIPHER_CTX_free(context_of(aead));
}

/* Key, nonce, associated data and payload. */
static int run(EVP_CIPHER_CTX *context, const keep__openssl_job *job, int is_sealing)
{
    int written;

    if (job->len > INT_MAX || job->aad.len > INT_MAX)
        return 0;
    return EVP_CipherInit_ex2(context, NULL, job->key, job->nonce, is_sealing, NULL) == 1 &&
           EVP_CipherUpdate(context, NULL, &written, job->aad.data, (int)job->aad.len) == 1 &&
           (job->len == 0 || EVP_CipherUpdate(context, job->out, &written, job->in, (int)job->len) == 1);
}

keep_status keep__openssl_aead_seal(keep__openssl_aead *aead, const keep__openssl_job *job)
{
    EVP_CIPHER_CTX *context = context_of(aead);
    uint8_t none[TAG_LEN];
    int written;

    if (!run(context, job, 1) || EVP_CipherFinal_ex(context, none, &written) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, job->tag) != 1)
        return keep__trace(KEEP_ERR_SYSTEM);
    return KEEP_OK;
}

keep_status keep__openssl_aead_open(keep__openssl_aead *aead, const keep__openssl_job *job)
{
    EVP_CIPHER_CTX *context = context_of(aead);
    uint8_t none[TAG_LEN];
    int written;

    if (!run(context, job, 0) || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, job->tag) != 1)
        return keep__trace(KEEP_ERR_SYSTEM);
    return EVP_CipherFinal_ex(context, none, &written) == 1 ? KEEP_OK : KEEP_ERR_AUTH;
}

void keep__openssl_aead_forget(keep__openssl_aead *aead)
{
    static const uint8_t zeros[32];

    (void)EVP_CipherInit_ex2(context_of(aead), NULL, zeros, zeros, 1, NULL);
}
