/* SPDX-License-Identifier: MIT */
/*
 * Messages of a handshake, changed and invented, to both roles: AUTH, no change, and the right one is read afterwards.
 */
#include "faults.h"
#include "fuzz.h"

#include <string.h>

#include <keep/handshake.h>
#include <keep/packet.h>
#include <keep/secret.h>

enum {
    SIDES = 2,
    KEYS = 4,
    LONGEST = 2048
};

static keep_secret *secret_of(int fill)
{
    uint8_t bytes[32];
    keep_secret *secret = NULL;

    memset(bytes, fill, sizeof bytes);
    (void)fuzz_works(keep_secret_from_bytes(NULL, bytes, sizeof bytes, &secret));
    return secret;
}

static keep_handshake *with_keys(uint32_t pattern, int side, keep_secret *const keys[KEYS])
{
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
    uint8_t responder[KEEP_HANDSHAKE_KEY_LEN];
    keep_handshake *handshake = NULL;

    for (int i = 0; i < KEYS; i++) {
        if (keys[i] == NULL)
            return NULL;
    }
    fuzz_needs(keep_handshake_public_key(keys[3], responder) == KEEP_OK);
    options.pattern = pattern;
    options.role = side == 0 ? KEEP_INITIATOR : KEEP_RESPONDER;
    options.static_key = keys[0];
    options.pre_shared_key = keys[1];
    options.ephemeral_key = keys[2];
    options.remote_static = pattern == KEEP_NOISE_IKPSK2 && side == 0 ? responder : NULL;
    (void)fuzz_works(keep_handshake_new(&options, &handshake));
    return handshake;
}

/* NULL if that failed. */
static keep_handshake *new_side(uint32_t pattern, int side)
{
    keep_secret *keys[KEYS] = { secret_of(1 + side), secret_of(3), secret_of(4 + side), secret_of(2) };
    keep_handshake *handshake = with_keys(pattern, side, keys);

    for (int i = 0; i < KEYS; i++)
        fuzz_needs(keep_secret_free(&keys[i]) == KEEP_OK);
    return handshake;
}

static keep_status read_message(keep_handshake *handshake, const uint8_t *bytes, size_t len)
{
    uint8_t out[LONGEST];
    size_t out_len = 0;
    keep_status st = keep_handshake_read(handshake, bytes, len, out, sizeof out, &out_len);

    fuzz_needs(out_len <= sizeof out);
    return st;
}

/* Each message: the invented one, then the right one with one byte changed, then the right one. */
static void pass(keep_handshake *writer, keep_handshake *reader, const uint8_t *bytes, size_t len)
{
    uint8_t message[LONGEST];
    size_t message_len = 0;
    size_t at;

    fuzz_needs(keep_handshake_write(writer, bytes, len, message, sizeof message, &message_len) == KEEP_OK);
    fuzz_needs(read_message(reader, bytes, len) == KEEP_ERR_AUTH);
    at = (bytes[0] | (size_t)bytes[1] << 8) % message_len;
    if (bytes[2] != 0) {
        message[at] ^= bytes[2];
        fuzz_needs(read_message(reader, message, message_len) == KEEP_ERR_AUTH);
        message[at] ^= bytes[2];
    }
    fuzz_needs(read_message(reader, message, message_len) == KEEP_OK);
}

static void shake_hands(const uint8_t *bytes, size_t len)
{
    uint32_t pattern = bytes[0] % 2 == 0 ? KEEP_NOISE_IKPSK2 : KEEP_NOISE_XXPSK3;
    int count = pattern == KEEP_NOISE_IKPSK2 ? 2 : 3;
    keep_handshake *sides[SIDES];

    for (int side = 0; side < SIDES; side++)
        sides[side] = new_side(pattern, side);
    for (int i = 0; i < count && sides[0] != NULL && sides[1] != NULL; i++)
        pass(sides[i % SIDES], sides[1 - i % SIDES], bytes, len);
    for (int side = 0; side < SIDES; side++)
        keep_handshake_free(&sides[side]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len >= 3 && len <= LONGEST - 100)
        fuzz_with_faults(shake_hands, bytes, len);
    return 0;
}
