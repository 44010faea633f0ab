/* SPDX-License-Identifier: MIT */
/*
 * The bare calls that seal a packet's payload, one of each library that libkeep can use: the least that a packet costs.
 * Names end with the length of the event; four bytes before it are sealed with it.
 */
#include <keep/packet.h>

#include <openssl/evp.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#if __has_include(<intel-ipsec-mb.h>)
#include <intel-ipsec-mb.h>
#define HAS_IPSEC 1
#else
#define HAS_IPSEC 0
#endif

#define AAD_LEN 56
#define BLOCK_LEN 64
#define COMPOSED_MAX 448 /* up to here libsodium's parts take less time than its combined call */

static const uint8_t key[32], nonce[12], aad[AAD_LEN];
static uint8_t data[KEEP_MAX_PACKET_LEN], text[BLOCK_LEN + COMPOSED_MAX + 16];

struct bare {
    size_t len; /* of the payload */
    EVP_CIPHER_CTX *evp;
    void *manager;
};

/*
 * One call lays the stream over a block and the payload behind it, one makes the tag over associated data, which takes the
 * place of the block, ciphertext and lengths; both are wiped.
 */
static void compose(const struct bare *bare)
{
    uint8_t *payload = text + BLOCK_LEN;
    uint8_t tag_key[32];
    size_t stream_len = BLOCK_LEN + bare->len <= 256 ? 256 : 512;
    size_t padded = (bare->len + 15) / 16 * 16;
    uint64_t lens[] = { sizeof aad, bare->len };

    for (size_t i = 0; i < stream_len; i += BLOCK_LEN)
        memset(text + i, 0, BLOCK_LEN);
    memcpy(payload, data, bare->len);
    (void)crypto_stream_chacha20_ietf_xor(text, text, stream_len, nonce, key);
    memcpy(tag_key, text, sizeof tag_key);
    memcpy(data, payload, bare->len);
    memset(text, 0, BLOCK_LEN);
    memcpy(text, aad, sizeof aad);
    memset(payload + bare->len, 0, 16);
    memcpy(payload + padded, lens, sizeof lens);
    (void)crypto_onetimeauth_poly1305(data + bare->len, text, BLOCK_LEN + padded + sizeof lens, tag_key);
    sodium_memzero(text, stream_len);
    sodium_memzero(tag_key, sizeof tag_key);
}

static void seal_with_sodium(void *state, size_t count)
{
    const struct bare *bare = state;

    for (size_t i = 0; i < count; i++) {
        if (bare->len <= COMPOSED_MAX)
            compose(bare);
        else
            (void)crypto_aead_chacha20poly1305_ietf_encrypt_detached(data, data + bare->len, NULL, data, bare->len, aad,
                                                                     sizeof aad, NULL, nonce, key);
    }
}

static void seal_with_openssl(void *state, size_t count)
{
    const struct bare *bare = state;
    int written;

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(EVP_CipherInit_ex2(bare->evp, NULL, key, nonce, 1, NULL) == 1);
        BENCH_CHECK(EVP_CipherUpdate(bare->evp, NULL, &written, aad, sizeof aad) == 1);
        BENCH_CHECK(EVP_CipherUpdate(bare->evp, data, &written, data, (int)bare->len) == 1);
        BENCH_CHECK(EVP_CipherFinal_ex(bare->evp, data, &written) == 1);
        BENCH_CHECK(EVP_CIPHER_CTX_ctrl(bare->evp, EVP_CTRL_AEAD_GET_TAG, 16, data + bare->len) == 1);
    }
}

#if HAS_IPSEC
static void *new_manager(void)
{
    IMB_MGR *manager = alloc_mb_mgr(0);

    BENCH_CHECK(manager != NULL);
    init_mb_mgr_auto(manager, NULL);
    return manager;
}

static void seal_with_ipsec(void *state, size_t count)
{
    const struct bare *bare = state;
    IMB_MGR *manager = bare->manager;

    for (size_t i = 0; i < count; i++) {
        IMB_JOB *job = IMB_GET_NEXT_JOB(manager);

        job->enc_keys = job->dec_keys = key;
        job->key_len_in_bytes = sizeof key;
        job->iv = nonce;
        job->iv_len_in_bytes = sizeof nonce;
        job->u.CHACHA20_POLY1305.aad = aad;
        job->u.CHACHA20_POLY1305.aad_len_in_bytes = sizeof aad;
        job->src = job->dst = data;
        job->msg_len_to_cipher_in_bytes = job->msg_len_to_hash_in_bytes = bare->len;
        job->cipher_start_src_offset_in_bytes = job->hash_start_src_offset_in_bytes = 0;
        job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
        job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
        job->cipher_direction = IMB_DIR_ENCRYPT;
        job->chain_order = IMB_ORDER_CIPHER_HASH;
        job->auth_tag_output = data + bare->len;
        job->auth_tag_output_len_in_bytes = 16;
        BENCH_CHECK(IMB_SUBMIT_JOB(manager)->status == IMB_STATUS_COMPLETED);
    }
}
#endif

static void measure(const char *library, bench_body body, struct bare *bare, size_t event_len)
{
    char name[64];

    bare->len = 4 + event_len;
    (void)snprintf(name, sizeof name, "%s.bare_%zu", library, event_len);
    bench_run(name, body, bare);
}

int main(void)
{
    static const size_t lens[] = { 64, 1024, 4096, 8104 };
    struct bare bare = { .evp = EVP_CIPHER_CTX_new() };

    BENCH_CHECK(sodium_init() >= 0 && bare.evp != NULL);
    BENCH_CHECK(EVP_CipherInit_ex2(bare.evp, EVP_chacha20_poly1305(), NULL, NULL, 1, NULL) == 1);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        measure("sodium", seal_with_sodium, &bare, lens[i]);
        measure("openssl", seal_with_openssl, &bare, lens[i]);
    }
#if HAS_IPSEC
    bare.manager = new_manager();
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
        measure("ipsec-mb", seal_with_ipsec, &bare, lens[i]);
    free_mb_mgr(bare.manager);
#endif
    EVP_CIPHER_CTX_free(bare.evp);
    return 0;
}
