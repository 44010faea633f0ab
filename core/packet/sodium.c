/* SPDX-License-Identifier: MIT */
/*
 * Sodium: the second seam of libsodium.
 *
 * For short payloads one call lays the keystream of all blocks, the first of which is the authenticator's key, over 256 or
 * 512 bytes, and another makes the tag: libsodium's stream is fast only at multiples of four blocks, and its combined call
 * makes the first block apart. Both parts, and how they are put together, are RFC 8439 §2.8.
 */
#include "packet/sodium.h"

#include <endian.h>
#include <sodium.h>
#include <string.h>

#include "base/attributes.h"
#include "base/crypto.h"
#include "base/banned.h"

#define BLOCK_LEN 64
#define COMPOSED_MAX 448 /* 512 - BLOCK_LEN */
#define PADDED(len) (((len) + 15) / 16 * 16)

_Static_assert(KEEP__CIPHER_MAX_AAD_LEN <= BLOCK_LEN, "associated data takes the place of a block");
_Static_assert(KEEP__CIPHER_KEY_LEN == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(KEEP__CIPHER_NONCE_LEN == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(KEEP__CIPHER_TAG_LEN == crypto_aead_chacha20poly1305_ietf_ABYTES, "tag");

/* A payload behind a block of its own, with room for what pads it and for the lengths. */
struct text {
    uint8_t block[BLOCK_LEN];
    uint8_t payload[COMPOSED_MAX + 16];
};

static bool is_composed(const keep__cipher_job *job)
{
    return job->len >= 1 && job->len <= COMPOSED_MAX && job->aad_len >= 1 && job->aad_len <= KEEP__CIPHER_MAX_AAD_LEN;
}

/* Block by block: of a length that it does not know the compiler makes an instruction that takes longer than all of them. */
static void zero_text(struct text *text, size_t len)
{
    for (size_t i = 0; i < len; i += BLOCK_LEN)
        keep__wipe((uint8_t *)text + i, BLOCK_LEN);
}

/* Encrypts or decrypts a job's payload; the block becomes the authenticator's key. Gives how many bytes were used. */
static size_t apply_stream(const keep__cipher_job *job, struct text *out)
{
    uint8_t *bytes = (uint8_t *)out;
    size_t len = BLOCK_LEN + job->len <= 256 ? 256 : 512;

    zero_text(out, len);
    memcpy(out->payload, job->in, job->len);
    (void)crypto_stream_chacha20_ietf_xor(bytes, bytes, len, job->nonce, job->key);
    return len;
}

/* The tag over associated data, for which the block makes room, and ciphertext, each padded with zeros, and lengths. */
static void make_tag(const keep__cipher_job *job, struct text *ciphertext, const uint8_t *key, uint8_t *out)
{
    uint64_t lens[] = { htole64(job->aad_len), htole64(job->len) };
    size_t aad_len = PADDED(job->aad_len);
    size_t len = PADDED(job->len);
    uint8_t *begin = (uint8_t *)ciphertext + BLOCK_LEN - aad_len;

    memset(ciphertext->block + BLOCK_LEN - 16, 0, 16);
    memcpy(begin, job->aad, job->aad_len);
    memset(ciphertext->payload + job->len, 0, 16);
    memcpy(ciphertext->payload + len, lens, sizeof lens);
    (void)crypto_onetimeauth_poly1305(out, begin, aad_len + len + sizeof lens, key);
}

static void seal_composed(const keep__cipher_job *job)
{
    KEEP__KEY32(key);
    struct text text;
    size_t used = apply_stream(job, &text);

    memcpy(key.bytes, text.block, sizeof key);
    memcpy(job->out, text.payload, job->len);
    make_tag(job, &text, key.bytes, job->tag);
    zero_text(&text, used);
}

static bool open_composed(const keep__cipher_job *job)
{
    uint8_t tag[KEEP__CIPHER_TAG_LEN];
    struct text sealed;
    struct text opened;
    size_t used = apply_stream(job, &opened);
    bool is_authentic;

    memcpy(sealed.payload, job->in, job->len);
    make_tag(job, &sealed, opened.block, tag);
    is_authentic = crypto_verify_16(tag, job->tag) == 0;
    KEEP_CT_RELEASE("whether the tag is right is what is asked", &is_authentic, sizeof is_authentic);
    if (is_authentic)
        memcpy(job->out, opened.payload, job->len);
    else
        keep__wipe(job->out, job->len);
    zero_text(&opened, used);
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
