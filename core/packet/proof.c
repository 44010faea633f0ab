/* SPDX-License-Identifier: MIT */
/*
 * Proof. Everything is compared with libsodium's combined call, which itself must give the answer of RFC 8439.
 */
#include "packet/proof.h"

#include "base/crypto.h"
#include "base/heap.h"
#include "base/trace.h"
#include "keep/packet.h"
#include "packet/frame.h"
#include "packet/sodium.h"
#include "base/banned.h"

/* The back end, and bytes that are all different from their neighbours. */
struct proof {
    const keep__cipher_form *form;
    keep__cipher_context *context;
    uint8_t key[KEEP__CIPHER_KEY_LEN];
    uint8_t nonce[KEEP__CIPHER_NONCE_LEN];
    uint8_t aad[KEEP__PACKET_AAD_LEN];
    uint8_t plaintext[KEEP_MAX_PAYLOAD_LEN];
    uint8_t expected[KEEP_MAX_PAYLOAD_LEN];
    uint8_t got[KEEP_MAX_PAYLOAD_LEN];
    uint8_t expected_tag[KEEP__CIPHER_TAG_LEN];
    uint8_t got_tag[KEEP__CIPHER_TAG_LEN];
};

static void fill_pattern(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 167 + (i >> 8));
}

static keep__cipher_job proof_job(const struct proof *proof, const uint8_t *in, uint8_t *out, uint8_t *tag, size_t len)
{
    return (keep__cipher_job){ proof->key, proof->nonce, proof->aad, sizeof proof->aad, in, out, len, tag };
}

/* RFC 8439 §2.8.2. */
static bool gives_published_answer(const struct proof *proof)
{
    static const char text[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        "sunscreen would be it.";
    static const uint8_t aad[] = { 0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7 };
    static const uint8_t nonce[] = { 0x07, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47 };
    static const uint8_t answer[] = { 0x1a, 0xe1, 0x0b, 0x59, 0x4f, 0x09, 0xe2, 0x6a,
                                      0x7e, 0x90, 0x2e, 0xcb, 0xd0, 0x60, 0x06, 0x91 };
    uint8_t key[KEEP__CIPHER_KEY_LEN];
    uint8_t out[sizeof text - 1];
    uint8_t tag[KEEP__CIPHER_TAG_LEN];
    keep__cipher_job job = { key, nonce, aad, sizeof aad, (const uint8_t *)text, out, sizeof out, tag };

    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(0x80 + i);
    return proof->form->seal(proof->context, &job) == KEEP_OK && keep__compare(tag, answer, sizeof answer) == 0;
}

/* One length: equal bytes, and back again. */
static bool proves_len(struct proof *proof, size_t len)
{
    keep__cipher_job combined = proof_job(proof, proof->plaintext, proof->expected, proof->expected_tag, len);
    keep__cipher_job sealed = proof_job(proof, proof->plaintext, proof->got, proof->got_tag, len);
    keep__cipher_job opened = proof_job(proof, proof->expected, proof->got, proof->expected_tag, len);

    keep__sodium_seal_combined(&combined);
    if (proof->form->seal(proof->context, &sealed) != KEEP_OK || keep__compare(proof->got, proof->expected, len) != 0 ||
        keep__compare(proof->got_tag, proof->expected_tag, KEEP__CIPHER_TAG_LEN) != 0)
        return false;
    return proof->form->open(proof->context, &opened) == KEEP_OK &&
           keep__compare(proof->got, proof->plaintext, len) == 0;
}

static bool refuses_flipped_tags(struct proof *proof, size_t len)
{
    keep__cipher_job sealed = proof_job(proof, proof->plaintext, proof->expected, proof->expected_tag, len);
    keep__cipher_job opened = proof_job(proof, proof->expected, proof->got, proof->expected_tag, len);

    keep__sodium_seal_combined(&sealed);
    for (size_t bit = 0; bit / 8 < KEEP__CIPHER_TAG_LEN; bit++) {
        proof->expected_tag[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (proof->form->open(proof->context, &opened) != KEEP_ERR_AUTH)
            return false;
        proof->expected_tag[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    return true;
}

static bool is_proved(struct proof *proof)
{
    static const size_t longer[] = { 1024, 1300, 1420, 2048, 4096, 8107, 8108 };
    bool is_right = gives_published_answer(proof);

    for (size_t len = 0; is_right && len <= 520; len++)
        is_right = proves_len(proof, len);
    for (size_t i = 0; is_right && i < sizeof longer / sizeof *longer; i++)
        is_right = proves_len(proof, longer[i]);
    return is_right && refuses_flipped_tags(proof, 100) && refuses_flipped_tags(proof, 1420);
}

keep_status keep__proof_run(const keep__cipher_form *form, keep__cipher_context *context, bool *out_is_right)
{
    struct proof *proof = keep__heap_new(sizeof *proof);

    if (proof == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    fill_pattern(proof->key, sizeof proof->key);
    fill_pattern(proof->nonce, sizeof proof->nonce);
    fill_pattern(proof->aad, sizeof proof->aad);
    fill_pattern(proof->plaintext, sizeof proof->plaintext);
    proof->form = form;
    proof->context = context;
    *out_is_right = is_proved(proof);
    keep__heap_free(proof, sizeof *proof);
    return KEEP_OK;
}
