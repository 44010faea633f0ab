/* SPDX-License-Identifier: MIT */
/*
 * Sodium: the second seam of libsodium.
 *
 * For short payloads the keystream of all blocks, the first of which is the authenticator's key, is made by one call of
 * 256 or 512 bytes, and the tag by another: libsodium's stream is fast only at multiples of four blocks, and its combined
 * call makes the first block apart. Both parts, and how they are put together, are RFC 8439 §2.8.
 */
#include "packet/sodium.h"

#include <sodium.h>
#include <string.h>

#include "base/attributes.h"
#include "base/crypto.h"
#include "base/cursor.h"
#include "base/die.h"
#include "base/banned.h"

#define BLOCK_LEN 64
#define COMPOSED_MAX 448 /* 512 - BLOCK_LEN */
#define PADDED(len) (((len) + 15) / 16 * 16)
#define MAC_INPUT_MAX (KEEP__CIPHER_MAX_AAD_LEN + COMPOSED_MAX + 16)

_Static_assert(KEEP__CIPHER_KEY_LEN == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(KEEP__CIPHER_NONCE_LEN == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(KEEP__CIPHER_TAG_LEN == crypto_aead_chacha20poly1305_ietf_ABYTES, "tag");

struct stream {
    uint8_t bytes[BLOCK_LEN + COMPOSED_MAX];
    size_t len;
};

static bool is_composed(const keep__cipher_job *job)
{
    return job->len >= 1 && job->len <= COMPOSED_MAX && job->aad_len >= 1 && job->aad_len <= KEEP__CIPHER_MAX_AAD_LEN;
}

static void make_stream(const keep__cipher_job *job, struct stream *out)
{
    out->len = BLOCK_LEN + job->len <= 256 ? 256 : 512;
    (void)crypto_stream_chacha20_ietf(out->bytes, out->len, job->nonce, job->key);
}

static void xor_stream(const keep__cipher_job *job, const struct stream *stream)
{
    for (size_t i = 0; i < job->len; i++)
        job->out[i] = job->in[i] ^ stream->bytes[BLOCK_LEN + i];
}

/* The tag over padded associated data, padded ciphertext and both lengths. */
static void make_tag(const keep__cipher_job *job, const uint8_t *ciphertext, const struct stream *stream, uint8_t *out)
{
    uint8_t input[MAC_INPUT_MAX];
    size_t ciphertext_at = PADDED(job->aad_len);
    size_t lens_at = ciphertext_at + PADDED(job->len);
    keep__writer lens = keep__writer_of(input + lens_at, 16);

    memset(input + ciphertext_at - 16, 0, 16);
    memset(input + lens_at - 16, 0, 16);
    memcpy(input, job->aad, job->aad_len);
    memcpy(input + ciphertext_at, ciphertext, job->len);
    keep__write_u64le(&lens, job->aad_len);
    keep__write_u64le(&lens, job->len);
    (void)crypto_onetimeauth_poly1305(out, input, lens_at + 16, stream->bytes);
}

static void seal_composed(const keep__cipher_job *job)
{
    struct stream stream;

    make_stream(job, &stream);
    xor_stream(job, &stream);
    make_tag(job, job->out, &stream, job->tag);
    keep__wipe(stream.bytes, stream.len);
}

static bool open_composed(const keep__cipher_job *job)
{
    uint8_t tag[KEEP__CIPHER_TAG_LEN];
    struct stream stream;
    bool is_authentic;

    make_stream(job, &stream);
    make_tag(job, job->in, &stream, tag);
    is_authentic = crypto_verify_16(tag, job->tag) == 0;
    KEEP_CT_RELEASE("whether the tag is right is what is asked", &is_authentic, sizeof is_authentic);
    if (is_authentic)
        xor_stream(job, &stream);
    else
        keep__wipe(job->out, job->len);
    keep__wipe(stream.bytes, stream.len);
    return is_authentic;
}

void keep__sodium_seal_combined(const keep__cipher_job *job)
{
    (void)crypto_aead_chacha20poly1305_ietf_encrypt_detached(job->out, job->tag, NULL, job->in, job->len, job->aad,
                                                             job->aad_len, NULL, job->nonce, job->key);
}

void keep__sodium_seal(const keep__cipher_job *job)
{
    if (is_composed(job))
        seal_composed(job);
    else
        keep__sodium_seal_combined(job);
}

bool keep__sodium_open_combined(const keep__cipher_job *job)
{
    int failed = crypto_aead_chacha20poly1305_ietf_decrypt_detached(job->out, NULL, job->in, job->len, job->tag,
                                                                    job->aad, job->aad_len, job->nonce, job->key);

    KEEP_CT_RELEASE("whether the tag is right is what is asked", &failed, sizeof failed);
    if (failed != 0)
        keep__wipe(job->out, job->len);
    return failed == 0;
}

bool keep__sodium_open(const keep__cipher_job *job)
{
    return is_composed(job) ? open_composed(job) : keep__sodium_open_combined(job);
}

static uint32_t sodium_state(void)
{
    return 0; /* KEEP_AEAD_USABLE */
}

static keep_status make_no_context(keep__cipher_context **out_context)
{
    *out_context = NULL;
    return KEEP_OK;
}

static void end_no_context(keep__cipher_context *context)
{
    (void)context;
}

static keep_status seal_with_sodium(keep__cipher_context *context, const keep__cipher_job *job)
{
    (void)context;
    keep__sodium_seal(job);
    return KEEP_OK;
}

static keep_status open_with_sodium(keep__cipher_context *context, const keep__cipher_job *job)
{
    (void)context;
    return keep__sodium_open(job) ? KEEP_OK : KEEP_ERR_AUTH;
}

static const char *sodium_instructions(void)
{
    return "";
}

const keep__cipher_form keep__sodium_cipher = {
    .name = "sodium",
    .state = sodium_state,
    .make = make_no_context,
    .end = end_no_context,
    .seal = seal_with_sodium,
    .open = open_with_sodium,
    .forget = end_no_context,
    .version = sodium_version_string,
    .instructions = sodium_instructions,
};
