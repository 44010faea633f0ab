/* SPDX-License-Identifier: MIT */
/*
 * Sealed. Shared: prefix 8 ‖ counter 4 ‖ ciphertext 32 ‖ tag 16. Master: pid 4 ‖ the same, with the pid's bytes as
 * associated data and the key of that pid. AEAD nonce = prefix ‖ counter.
 */
#include "tracker/sealed.h"

#include <string.h>

#include "base/crypto.h"
#include "base/cursor.h"
#include "base/trace.h"
#include "keep/observer.h"
#include "tracker/frame.h"
#include "base/banned.h"

#define PID_LEN ((size_t)4)

size_t keep__sealed_len(uint32_t mode)
{
    if (mode == KEEP_BEAT_SHARED)
        return KEEP_BEAT_SHARED_LEN;
    return mode == KEEP_BEAT_MASTER ? KEEP_BEAT_MASTER_LEN : 0;
}

/* HKDF-SHA256 with an empty salt, for outputs of at most one block. */
static void derive_bytes(keep_bytes input, keep_bytes label, uint32_t number, uint8_t *out, size_t out_len)
{
    static const uint8_t no_salt[KEEP__HASH_LEN];
    static const uint8_t first_block = 1;
    KEEP__KEY32(extracted);
    KEEP__KEY32(expanded);
    uint8_t number_bytes[sizeof number];
    keep__writer writer = keep__writer_of(number_bytes, sizeof number_bytes);
    const keep_bytes info[] = { label, { number_bytes, sizeof number_bytes }, { &first_block, 1 } };

    keep__write_u32le(&writer, number);
    keep__hmac_sha256(no_salt, &input, 1, extracted.bytes);
    keep__hmac_sha256(extracted.bytes, info, 3, expanded.bytes);
    memcpy(out, expanded.bytes, out_len);
}

void keep__agent_key(const uint8_t *master, uint32_t pid, uint8_t out[KEEP__BEAT_KEY_LEN])
{
    static const char label[] = "varta-agent-v1"; /* its NUL belongs to it */

    derive_bytes((keep_bytes){ master, KEEP__BEAT_KEY_LEN }, (keep_bytes){ label, sizeof label }, pid, out,
                 KEEP__BEAT_KEY_LEN);
}

void keep__sealed_prefix(const uint8_t salt[KEEP__SALT_LEN], uint32_t index, uint8_t out[KEEP__PREFIX_LEN])
{
    static const char label[] = "varta-iv-prefix-v1";

    derive_bytes((keep_bytes){ salt, KEEP__SALT_LEN }, (keep_bytes){ label, sizeof label }, index, out,
                 KEEP__PREFIX_LEN);
}

void keep__sealed_seal(const keep__sealing *sealing, const uint8_t frame[KEEP_BEAT_LEN], uint8_t *out)
{
    uint8_t *nonce = out + (sealing->mode == KEEP_BEAT_MASTER ? PID_LEN : 0);
    keep__aead aead = { .key = sealing->key, .nonce = nonce, .aad = out, .aad_len = (size_t)(nonce - out) };
    keep__writer writer = keep__writer_of(out, PID_LEN + KEEP__CHACHA_NONCE_LEN);

    if (sealing->mode == KEEP_BEAT_MASTER)
        keep__write_u32le(&writer, sealing->pid);
    keep__write_bytes(&writer, sealing->prefix, sizeof sealing->prefix);
    keep__write_u32le(&writer, sealing->counter);
    keep__chacha_seal(&aead, frame, KEEP_BEAT_LEN, nonce + KEEP__CHACHA_NONCE_LEN);
}

/* Whether a frame that decodes is another pid's. */
static bool is_of_another(const uint8_t frame[KEEP_BEAT_LEN], uint32_t pid)
{
    keep__notice notice;
    keep__beat beat;

    if (keep__is_notice(frame))
        return keep__notice_decode(frame, KEEP_BEAT_LEN, &notice).kind == 0 && notice.pid != pid;
    return keep__beat_decode(frame, KEEP_BEAT_LEN, &beat).kind == 0 && beat.pid != pid;
}

keep_status keep__sealed_open(const uint8_t *key, uint32_t mode, const uint8_t *wire, size_t len,
                              uint8_t out_frame[KEEP_BEAT_LEN])
{
    KEEP__KEY32(agent);
    keep__reader reader = keep__reader_of(wire, len);
    keep__aead aead = { .key = key, .aad = wire };
    uint32_t pid = 0;
    keep_status st;

    memset(out_frame, 0, KEEP_BEAT_LEN);
    if (len == 0 || len != keep__sealed_len(mode))
        return keep__trace(KEEP_ERR_AUTH);
    if (mode == KEEP_BEAT_MASTER) {
        pid = keep__read_u32le(&reader);
        keep__agent_key(key, pid, agent.bytes);
        aead.key = agent.bytes;
        aead.aad_len = PID_LEN;
    }
    aead.nonce = keep__read_bytes(&reader, KEEP__CHACHA_NONCE_LEN);
    st = keep__chacha_open(&aead, reader.at, KEEP_BEAT_LEN, out_frame);
    if (st == KEEP_OK && mode == KEEP_BEAT_MASTER && is_of_another(out_frame, pid)) {
        keep__wipe(out_frame, KEEP_BEAT_LEN);
        st = keep__trace(KEEP_ERR_AUTH);
    }
    return st;
}
