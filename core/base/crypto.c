/* SPDX-License-Identifier: MIT */
/*
 * Crypto: the seam of libsodium (a second one is packet/sodium.c).
 */
#include "base/crypto.h"

#include <sodium.h>

#include "base/trace.h"
#include "base/banned.h"

_Static_assert(KEEP__AEAD_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");
_Static_assert(KEEP__AEAD_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(KEEP__CHACHA_NONCE_LEN == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(KEEP__AEAD_TAG_LEN == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");

void keep_wipe(void *ptr, size_t len)
{
    keep__wipe(ptr, len);
}

keep_status keep__crypto_init(void)
{
    return sodium_init() < 0 ? keep__trace(KEEP_ERR_UNSUPPORTED) : KEEP_OK;
}

bool keep__equal(const void *a, const void *b, size_t len)
{
    int differs = len == crypto_verify_16_BYTES ? crypto_verify_16(a, b) : sodium_memcmp(a, b, len); /* a tag: faster */

    KEEP_CT_RELEASE("whether two secrets are equal is what is asked", &differs, sizeof differs);
    return differs == 0;
}

void keep__sha256(keep_bytes first, keep_bytes second, uint8_t out[KEEP__HASH_LEN])
{
    crypto_hash_sha256_state state;

    (void)crypto_hash_sha256_init(&state);
    (void)crypto_hash_sha256_update(&state, first.data, first.len);
    (void)crypto_hash_sha256_update(&state, second.data, second.len);
    (void)crypto_hash_sha256_final(&state, out);
    keep__wipe(&state, sizeof state);
}

void keep__hmac_sha256(const uint8_t *key, const keep_bytes *pieces, size_t count, uint8_t out[KEEP__HASH_LEN])
{
    crypto_auth_hmacsha256_state state;

    (void)crypto_auth_hmacsha256_init(&state, key, KEEP__HASH_LEN);
    for (size_t i = 0; i < count; i++)
        (void)crypto_auth_hmacsha256_update(&state, pieces[i].data, pieces[i].len);
    (void)crypto_auth_hmacsha256_final(&state, out);
    keep__wipe(&state, sizeof state);
}

void keep__hkdf_sha256(const uint8_t *salt, keep_bytes input, uint8_t *const *outputs, size_t count)
{
    KEEP__KEY32(key);
    crypto_auth_hmacsha256_state keyed; /* what the key alone does, once for all outputs */
    crypto_auth_hmacsha256_state state;

    keep__hmac_sha256(salt, &input, 1, key.bytes);
    (void)crypto_auth_hmacsha256_init(&keyed, key.bytes, KEEP__HASH_LEN);
    for (size_t i = 0; i < count; i++) {
        uint8_t number = (uint8_t)(i + 1);

        state = keyed;
        if (i != 0)
            (void)crypto_auth_hmacsha256_update(&state, outputs[i - 1], KEEP__HASH_LEN);
        (void)crypto_auth_hmacsha256_update(&state, &number, 1);
        (void)crypto_auth_hmacsha256_final(&state, outputs[i]);
    }
    keep__wipe(&state, sizeof state);
    keep__wipe(&keyed, sizeof keyed);
}

void keep__fingerprint(const uint8_t key[32], const uint8_t *bytes, size_t len, uint8_t out[KEEP__FINGERPRINT_LEN])
{
    (void)crypto_generichash(out, KEEP__FINGERPRINT_LEN, bytes, len, key, 32);
}

void keep__x25519_public(const uint8_t private_key[32], uint8_t out[32])
{
    (void)crypto_scalarmult_base(out, private_key);
}

bool keep__x25519(const uint8_t private_key[32], const uint8_t public_key[32], uint8_t out[32])
{
    bool is_good = crypto_scalarmult(out, private_key, public_key) == 0;

    KEEP_CT_RELEASE("a key of small order is refused before anybody", &is_good, sizeof is_good);
    return is_good;
}

uint64_t keep__short_hash(const uint8_t key[16], uint32_t number)
{
    uint64_t hash;
    uint8_t out[crypto_shorthash_BYTES];

    (void)crypto_shorthash(out, (const uint8_t *)&number, sizeof number, key);
    memcpy(&hash, out, sizeof hash);
    return hash;
}

int keep__compare(const void *a, const void *b, size_t len)
{
    const uint8_t *left = a;
    const uint8_t *right = b;

    for (size_t i = 0; i < len; i++) {
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}

void keep__aead_seal(const keep__aead *aead, const uint8_t *plaintext, size_t len, uint8_t *out)
{
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, plaintext, len, aead->aad, aead->aad_len, NULL,
                                                     aead->nonce, aead->key);
}

/* `out` NULL: libsodium only compares the tag. */
static bool decrypt(const keep__aead *aead, const uint8_t *sealed, size_t len, uint8_t *out)
{
    int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, len + KEEP__AEAD_TAG_LEN,
                                                            aead->aad, aead->aad_len, aead->nonce, aead->key);

    KEEP_CT_RELEASE("whether the tag is right is what is asked", &failed, sizeof failed);
    return failed == 0;
}

keep_status keep__aead_check(const keep__aead *aead, const uint8_t *sealed, size_t len)
{
    return decrypt(aead, sealed, len, NULL) ? KEEP_OK : keep__trace(KEEP_ERR_AUTH);
}

keep_status keep__aead_open(const keep__aead *aead, const uint8_t *sealed, size_t len, uint8_t *out)
{
    if (decrypt(aead, sealed, len, out))
        return KEEP_OK;
    keep__wipe(out, len);
    return keep__trace(KEEP_ERR_AUTH);
}

void keep__chacha_seal(const keep__aead *aead, const uint8_t *plaintext, size_t len, uint8_t *out)
{
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plaintext, len, aead->aad, aead->aad_len, NULL,
                                                    aead->nonce, aead->key);
}

keep_status keep__chacha_open(const keep__aead *aead, const uint8_t *sealed, size_t len, uint8_t *out)
{
    if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, sealed, len + KEEP__AEAD_TAG_LEN, aead->aad,
                                                  aead->aad_len, aead->nonce, aead->key) == 0)
        return KEEP_OK;
    keep__wipe(out, len);
    return keep__trace(KEEP_ERR_AUTH);
}
