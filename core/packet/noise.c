/* SPDX-License-Identifier: MIT */
/*
 * Noise: HKDF with SHA-256, ChaChaPoly with the nonce le32(0) ‖ le64(n).
 */
#include "packet/noise.h"

#include <string.h>

#include "base/crypto.h"
#include "packet/nonce.h"
#include "packet/sodium.h"
#include "base/banned.h"

_Static_assert(KEEP__NOISE_LEN == KEEP__HASH_LEN, "a hash is a chaining key");
_Static_assert(KEEP__NOISE_LEN == KEEP__CIPHER_KEY_LEN, "and a cipher's key");

void keep__noise_begin(keep__noise *noise, const char *protocol, keep_bytes prologue)
{
    /* both names are longer than a hash, so they are hashed */
    keep__sha256((keep_bytes){ protocol, strlen(protocol) }, (keep_bytes){ NULL, 0 }, noise->hash);
    memcpy(noise->chaining_key, noise->hash, KEEP__NOISE_LEN);
    noise->nonce = 0;
    keep__noise_mix_hash(noise, prologue.data, prologue.len);
}

void keep__noise_mix_hash(keep__noise *noise, const uint8_t *bytes, size_t len)
{
    keep__sha256((keep_bytes){ noise->hash, KEEP__HASH_LEN }, (keep_bytes){ bytes, len }, noise->hash);
}

void keep__noise_mix_key(keep__noise *noise, const uint8_t bytes[KEEP__NOISE_LEN])
{
    uint8_t *const outputs[] = { noise->chaining_key, noise->cipher_key };

    keep__hkdf_sha256(noise->chaining_key, (keep_bytes){ bytes, KEEP__NOISE_LEN }, outputs, 2);
    noise->nonce = 0;
}

void keep__noise_mix_key_and_hash(keep__noise *noise, const uint8_t bytes[KEEP__NOISE_LEN])
{
    KEEP__KEY32(for_hash);
    uint8_t *const outputs[] = { noise->chaining_key, for_hash.bytes, noise->cipher_key };

    keep__hkdf_sha256(noise->chaining_key, (keep_bytes){ bytes, KEEP__NOISE_LEN }, outputs, 3);
    keep__noise_mix_hash(noise, for_hash.bytes, KEEP__NOISE_LEN);
    noise->nonce = 0;
}

static keep__cipher_job noise_job(keep__noise *noise, uint8_t nonce[KEEP__NONCE_LEN])
{
    keep__nonce_write(0, noise->nonce++, nonce);
    return (keep__cipher_job){
        .key = noise->cipher_key,
        .nonce = nonce,
        .aad = noise->hash,
        .aad_len = KEEP__HASH_LEN,
    };
}

size_t keep__noise_encrypt(keep__noise *noise, const uint8_t *plaintext, size_t len, uint8_t *out)
{
    uint8_t nonce[KEEP__NONCE_LEN];
    keep__cipher_job job = noise_job(noise, nonce);

    job.in = plaintext;
    job.out = out;
    job.len = len;
    job.tag = out + len;
    keep__sodium_seal_combined(&job);
    keep__noise_mix_hash(noise, out, len + KEEP__NOISE_TAG_LEN);
    return len + KEEP__NOISE_TAG_LEN;
}

keep_status keep__noise_decrypt(keep__noise *noise, const uint8_t *ciphertext, size_t len, uint8_t *out)
{
    uint8_t nonce[KEEP__NONCE_LEN];
    uint8_t tag[KEEP__NOISE_TAG_LEN];
    keep__cipher_job job = noise_job(noise, nonce);

    memcpy(tag, ciphertext + len, sizeof tag);
    job.in = ciphertext;
    job.out = out;
    job.len = len;
    job.tag = tag;
    if (!keep__sodium_open_combined(&job))
        return KEEP_ERR_AUTH;
    keep__noise_mix_hash(noise, ciphertext, len + KEEP__NOISE_TAG_LEN);
    return KEEP_OK;
}

void keep__noise_split(const keep__noise *noise, uint8_t first[KEEP__NOISE_LEN], uint8_t second[KEEP__NOISE_LEN])
{
    uint8_t *const outputs[] = { first, second };

    keep__hkdf_sha256(noise->chaining_key, (keep_bytes){ NULL, 0 }, outputs, 2);
}
