/* SPDX-License-Identifier: MIT */
/*
 * An IK handshake, both sides, up to its end, beside the bare products of curve points that it cannot do without: four
 * each, and two public keys each, of which the caller gives only the private ones. Beside ten products, too, as if he gave
 * both.
 */
#include <keep/keep.h>

#include <sodium.h>
#include <stdint.h>

#include "bench.h"

enum {
    LONGEST = 256
};

static const uint8_t scalar[crypto_scalarmult_SCALARBYTES] = { 1 };

struct parties {
    keep_secret *initiator, *responder, *shared;
    uint8_t responder_public[KEEP_HANDSHAKE_KEY_LEN];
};

static keep_handshake *new_side(const struct parties *parties, uint32_t role)
{
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
    keep_handshake *side = NULL;

    options.pattern = KEEP_NOISE_IKPSK2;
    options.role = role;
    options.static_key = role == KEEP_INITIATOR ? parties->initiator : parties->responder;
    options.remote_static = role == KEEP_INITIATOR ? parties->responder_public : NULL;
    options.pre_shared_key = parties->shared;
    BENCH_CHECK(keep_handshake_new(&options, &side) == KEEP_OK);
    return side;
}

static void say(keep_handshake *writer, keep_handshake *reader)
{
    uint8_t message[LONGEST], payload[LONGEST];
    size_t message_len, payload_len;

    BENCH_CHECK(keep_handshake_write(writer, NULL, 0, message, sizeof message, &message_len) == KEEP_OK);
    BENCH_CHECK(keep_handshake_read(reader, message, message_len, payload, sizeof payload, &payload_len) == KEEP_OK);
}

static void shake_hands(void *state, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        keep_handshake *initiator = new_side(state, KEEP_INITIATOR);
        keep_handshake *responder = new_side(state, KEEP_RESPONDER);

        say(initiator, responder);
        say(responder, initiator);
        keep_handshake_free(&initiator);
        keep_handshake_free(&responder);
    }
}

static void multiply(const struct parties *parties, size_t count)
{
    uint8_t product[crypto_scalarmult_BYTES];

    for (size_t i = 0; i < count; i++)
        BENCH_CHECK(crypto_scalarmult(product, scalar, parties->responder_public) == 0);
}

static void make_products_and_keys(void *state, size_t count)
{
    uint8_t public_key[crypto_scalarmult_BYTES];

    for (size_t i = 0; i < count; i++) {
        multiply(state, 8);
        for (size_t key = 0; key < 4; key++)
            BENCH_CHECK(crypto_scalarmult_base(public_key, scalar) == 0);
    }
}

static void make_ten_products(void *state, size_t count)
{
    for (size_t i = 0; i < count; i++)
        multiply(state, 10);
}

int main(void)
{
    struct parties parties = { 0 };

    BENCH_CHECK(keep_secret_generate(NULL, KEEP_HANDSHAKE_KEY_LEN, &parties.initiator) == KEEP_OK);
    BENCH_CHECK(keep_secret_generate(NULL, KEEP_HANDSHAKE_KEY_LEN, &parties.responder) == KEEP_OK);
    BENCH_CHECK(keep_secret_generate(NULL, KEEP_HANDSHAKE_KEY_LEN, &parties.shared) == KEEP_OK);
    BENCH_CHECK(keep_handshake_public_key(parties.responder, parties.responder_public) == KEEP_OK);
    bench_run("handshake", shake_hands, &parties);
    bench_run("floor.handshake", make_products_and_keys, &parties);
    bench_run("ten_products", make_ten_products, &parties);
    BENCH_CHECK(keep_secret_free(&parties.initiator) == KEEP_OK);
    BENCH_CHECK(keep_secret_free(&parties.responder) == KEEP_OK);
    BENCH_CHECK(keep_secret_free(&parties.shared) == KEEP_OK);
    return 0;
}
