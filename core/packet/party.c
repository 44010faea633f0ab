/* SPDX-License-Identifier: MIT */
/*
 * Party: the two patterns as tables of messages and tokens.
 */
#include "packet/party.h"

#include <string.h>

#include "base/crypto.h"
#include "base/trace.h"
#include "keep/handshake.h"
#include "base/banned.h"

#define MESSAGES_MAX 3

_Static_assert(KEEP_HANDSHAKE_KEY_LEN == KEEP__NOISE_LEN, "keys");

/* Tokens of a message, of the side that writes it. */
enum token {
    TOKEN_END,
    TOKEN_E,
    TOKEN_S,
    TOKEN_EE,
    TOKEN_ES,
    TOKEN_SE,
    TOKEN_SS,
    TOKEN_PSK
};

struct noise_message {
    enum token tokens[5];
    uint8_t overhead; /* keys and tags without the payload */
};

struct pattern {
    const char *protocol;
    uint32_t count;
    struct noise_message messages[MESSAGES_MAX];
};

static const struct pattern patterns[] = {
    [KEEP_NOISE_IKPSK2] = { "Noise_IKpsk2_25519_ChaChaPoly_SHA256",
                            2,
                            { { { TOKEN_E, TOKEN_ES, TOKEN_S, TOKEN_SS }, 96 },
                              { { TOKEN_E, TOKEN_EE, TOKEN_SE, TOKEN_PSK }, 48 } } },
    [KEEP_NOISE_XXPSK3] = { "Noise_XXpsk3_25519_ChaChaPoly_SHA256",
                            3,
                            { { { TOKEN_E }, 48 },
                              { { TOKEN_E, TOKEN_EE, TOKEN_S, TOKEN_ES }, 96 },
                              { { TOKEN_S, TOKEN_SE, TOKEN_PSK }, 64 } } },
};

static const struct noise_message *next_message(const keep__party *party)
{
    return &patterns[party->pattern].messages[party->secrets->state.next];
}

/* The product of a private and a public key goes into the key. False: it is all zero. */
static bool mix_product(keep__noise *noise, const uint8_t *private_key, const uint8_t *public_key)
{
    KEEP__KEY32(product);

    if (!keep__x25519(private_key, public_key, product.bytes))
        return false;
    keep__noise_mix_key(noise, product.bytes);
    return true;
}

/* Only IK has ss. es and se name the initiator's key first; which of ours is meant follows from the role. */
static bool mix_token(keep__party *party, enum token token)
{
    keep__party_secrets *secrets = party->secrets;
    keep__party_state *trial = &secrets->trial;
    bool is_initiator = party->role == KEEP_INITIATOR;
    bool own_static = token == TOKEN_SS || token == (is_initiator ? TOKEN_SE : TOKEN_ES);
    bool remote_static = token == TOKEN_SS || token == (is_initiator ? TOKEN_ES : TOKEN_SE);

    if (token == TOKEN_PSK) {
        keep__noise_mix_key_and_hash(&trial->noise, secrets->pre_shared_key);
        return true;
    }
    if (token == TOKEN_SS && is_initiator) {
        keep__noise_mix_key(&trial->noise, secrets->static_product);
        return true;
    }
    return mix_product(&trial->noise, own_static ? secrets->static_key : trial->ephemeral,
                       remote_static ? trial->remote_static : trial->remote_ephemeral);
}

/* In patterns with a pre-shared key an ephemeral key goes into hash and key. */
static void mix_ephemeral(keep__noise *noise, const uint8_t *public_key)
{
    keep__noise_mix_hash(noise, public_key, KEEP__NOISE_LEN);
    keep__noise_mix_key(noise, public_key);
}

static size_t write_ephemeral(keep__party_state *trial, uint8_t *out)
{
    keep__x25519_public(trial->ephemeral, out);
    mix_ephemeral(&trial->noise, out);
    return KEEP__NOISE_LEN;
}

/* Writes the tokens; false: a product is all zero, which `new` and `read` have made impossible. */
static bool write_tokens(keep__party *party, const struct noise_message *message, uint8_t **at)
{
    keep__party_state *trial = &party->secrets->trial;
    bool is_right = true;

    for (const enum token *token = message->tokens; is_right && *token != TOKEN_END; token++) {
        if (*token == TOKEN_E)
            *at += write_ephemeral(trial, *at);
        else if (*token == TOKEN_S)
            *at += keep__noise_encrypt(&trial->noise, party->static_public, KEEP__NOISE_LEN, *at);
        else
            is_right = mix_token(party, *token);
    }
    return is_right;
}

static void read_ephemeral(keep__party_state *trial, const uint8_t *bytes)
{
    memcpy(trial->remote_ephemeral, bytes, KEEP__NOISE_LEN);
    mix_ephemeral(&trial->noise, bytes);
}

/* Reads the tokens; false: a tag is wrong, or a product is all zero. */
static bool read_tokens(keep__party *party, const struct noise_message *message, const uint8_t **at)
{
    keep__party_state *trial = &party->secrets->trial;
    bool is_right = true;

    for (const enum token *token = message->tokens; is_right && *token != TOKEN_END; token++) {
        if (*token == TOKEN_E) {
            read_ephemeral(trial, *at);
            *at += KEEP__NOISE_LEN;
        } else if (*token == TOKEN_S) {
            is_right = keep__noise_decrypt(&trial->noise, *at, KEEP__NOISE_LEN, trial->remote_static) == KEEP_OK;
            *at += KEEP__NOISE_LEN + KEEP__NOISE_TAG_LEN;
        } else {
            is_right = mix_token(party, *token);
        }
    }
    return is_right;
}

/* A message that brings a key and needs no product of it: one with the own static key is made for the test. */
static bool is_good_ephemeral(keep__party *party, const struct noise_message *message)
{
    KEEP__KEY32(product);
    const keep__party_secrets *secrets = party->secrets;

    return message->tokens[1] != TOKEN_END ||
           keep__x25519(secrets->static_key, secrets->trial.remote_ephemeral, product.bytes);
}

static void begin_trial(keep__party *party)
{
    memcpy(&party->secrets->trial, &party->secrets->state, sizeof party->secrets->trial);
}

keep_status keep__party_begin(keep__party *party, keep_bytes prologue, const uint8_t *remote_static)
{
    keep__party_secrets *secrets = party->secrets;
    keep__noise *noise = &secrets->state.noise;

    keep__x25519_public(secrets->static_key, party->static_public);
    keep__noise_begin(noise, patterns[party->pattern].protocol, prologue);
    if (party->pattern == KEEP_NOISE_XXPSK3)
        return KEEP_OK;
    /* both know the responder's key beforehand */
    if (party->role == KEEP_RESPONDER) {
        keep__noise_mix_hash(noise, party->static_public, KEEP__NOISE_LEN);
        return KEEP_OK;
    }
    memcpy(secrets->state.remote_static, remote_static, KEEP__NOISE_LEN);
    keep__noise_mix_hash(noise, secrets->state.remote_static, KEEP__NOISE_LEN);
    if (!keep__x25519(secrets->static_key, secrets->state.remote_static, secrets->static_product))
        return KEEP_ERR_INVALID_ARGUMENT;
    return KEEP_OK;
}

uint32_t keep__party_messages(const keep__party *party)
{
    return patterns[party->pattern].count;
}

bool keep__party_writes(const keep__party *party)
{
    bool is_initiators = party->secrets->state.next % 2 == 0;

    return is_initiators == (party->role == KEEP_INITIATOR);
}

size_t keep__party_overhead(const keep__party *party)
{
    return next_message(party)->overhead;
}

keep_status keep__party_write(keep__party *party, keep_bytes payload, uint8_t *out)
{
    uint8_t *at = out;

    begin_trial(party);
    if (!write_tokens(party, next_message(party), &at))
        return keep__trace(KEEP_ERR_STATE);
    (void)keep__noise_encrypt(&party->secrets->trial.noise, payload.data, payload.len, at);
    return KEEP_OK;
}

keep_status keep__party_read(keep__party *party, const uint8_t *message, size_t len, uint8_t *out)
{
    const struct noise_message *next = next_message(party);

    begin_trial(party);
    if (!read_tokens(party, next, &message) || !is_good_ephemeral(party, next))
        return KEEP_ERR_AUTH;
    return keep__noise_decrypt(&party->secrets->trial.noise, message, len, out);
}

void keep__party_settle(keep__party *party, bool is_accepted)
{
    keep__party_secrets *secrets = party->secrets;

    secrets->trial.next++;
    if (is_accepted)
        memcpy(&secrets->state, &secrets->trial, sizeof secrets->state);
    keep__wipe(&secrets->trial, sizeof secrets->trial);
}
