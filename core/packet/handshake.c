/* SPDX-License-Identifier: MIT */
/*
 * Handshake: Noise IKpsk2 and XXpsk3 from a table of messages and tokens.
 *
 * Only success consumes state: a message is written or read on a copy of the state, which takes the state's place at the
 * very end. All of it, keys and copy, lies in one locked slot.
 */
#include "keep/handshake.h"

#include <string.h>

#include "base/checked.h"
#include "base/crypto.h"
#include "base/cursor.h"
#include "base/heap.h"
#include "base/options.h"
#include "base/random.h"
#include "base/trace.h"
#include "keep/packet.h"
#include "memory/guard.h"
#include "memory/secret.h"
#include "packet/noise.h"
#include "packet/session.h"
#include "base/banned.h"

#define KEY_LEN KEEP_HANDSHAKE_KEY_LEN
#define TAG_LEN KEEP__NOISE_TAG_LEN
#define MESSAGES_MAX 3

_Static_assert(KEY_LEN == KEEP__NOISE_LEN, "keys");

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

struct message {
    uint8_t tokens[5];
    uint8_t overhead; /* keys and tags without the payload */
};

struct pattern {
    const char *protocol;
    uint32_t count;
    struct message messages[MESSAGES_MAX];
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

/* What messages change. */
struct state {
    keep__noise noise;
    uint8_t ephemeral[KEY_LEN];
    uint8_t remote_ephemeral[KEY_LEN];
    uint8_t remote_static[KEY_LEN];
    uint32_t next; /* message */
    bool has_ephemeral;
};

/* What lies in the locked slot. */
struct secrets {
    uint8_t static_key[KEY_LEN];
    uint8_t pre_shared_key[KEY_LEN];
    struct state state;
    struct state trial;
};

struct keep_handshake {
    uint32_t stamp;
    uint64_t epoch;
    const struct pattern *pattern;
    uint32_t role;
    bool is_spent;
    uint8_t static_public[KEY_LEN];
    keep_pool *pool; /* a handle of its own, or NULL: the default pool */
    keep__key slot;
    struct secrets *secrets; /* in slot */
};

static keep_status check_handshake_epoch(const keep_handshake *handshake)
{
    return handshake->epoch == keep__guard_epoch() ? KEEP_OK : keep__trace(KEEP_ERR_PURGED);
}

static keep_status check_handshake(const keep_handshake *handshake)
{
    keep_status st = handshake == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__guard_check(handshake->stamp);

    return st != KEEP_OK ? st : check_handshake_epoch(handshake);
}

static uint32_t state_of(const keep_handshake *handshake)
{
    uint32_t next = handshake->secrets->state.next;
    bool is_initiators = next % 2 == 0;

    if (handshake->is_spent)
        return KEEP_HANDSHAKE_SPENT;
    if (next == handshake->pattern->count)
        return KEEP_HANDSHAKE_DONE;
    return is_initiators == (handshake->role == KEEP_INITIATOR) ? KEEP_HANDSHAKE_WRITE : KEEP_HANDSHAKE_READ;
}

static const struct message *next_message(const keep_handshake *handshake)
{
    return &handshake->pattern->messages[handshake->secrets->state.next];
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

/* es and se name the initiator's key first; which of ours is meant follows from the role. */
static bool mix_token(keep_handshake *handshake, enum token token)
{
    struct secrets *secrets = handshake->secrets;
    struct state *trial = &secrets->trial;
    bool is_initiator = handshake->role == KEEP_INITIATOR;
    bool own_static = token == TOKEN_SS || token == (is_initiator ? TOKEN_SE : TOKEN_ES);
    bool remote_static = token == TOKEN_SS || token == (is_initiator ? TOKEN_ES : TOKEN_SE);

    if (token == TOKEN_PSK) {
        keep__noise_mix_key_and_hash(&trial->noise, secrets->pre_shared_key);
        return true;
    }
    return mix_product(&trial->noise, own_static ? secrets->static_key : trial->ephemeral,
                       remote_static ? trial->remote_static : trial->remote_ephemeral);
}

/* In patterns with a pre-shared key an ephemeral key goes into hash and key. */
static void mix_ephemeral(keep__noise *noise, const uint8_t *public_key)
{
    keep__noise_mix_hash(noise, public_key, KEY_LEN);
    keep__noise_mix_key(noise, public_key);
}

static size_t write_ephemeral(struct state *trial, uint8_t *out)
{
    keep__x25519_public(trial->ephemeral, out);
    mix_ephemeral(&trial->noise, out);
    return KEY_LEN;
}

/* Writes the tokens; false: a product is all zero, which `new` and `read` have made impossible. */
static bool write_tokens(keep_handshake *handshake, const struct message *message, uint8_t **at)
{
    struct state *trial = &handshake->secrets->trial;
    bool is_right = true;

    for (const uint8_t *token = message->tokens; is_right && *token != TOKEN_END; token++) {
        if (*token == TOKEN_E)
            *at += write_ephemeral(trial, *at);
        else if (*token == TOKEN_S)
            *at += keep__noise_encrypt(&trial->noise, handshake->static_public, KEY_LEN, *at);
        else
            is_right = mix_token(handshake, (enum token)*token);
    }
    return is_right;
}

static keep_status need_ephemeral(keep_handshake *handshake)
{
    struct state *state = &handshake->secrets->state;
    keep_status st;

    if (state->has_ephemeral)
        return KEEP_OK;
    st = keep__random(state->ephemeral, KEY_LEN);
    if (st == KEEP_OK)
        state->has_ephemeral = true;
    return st;
}

/* What was tried becomes what is. */
static void accept(keep_handshake *handshake)
{
    handshake->secrets->trial.next++;
    memcpy(&handshake->secrets->state, &handshake->secrets->trial, sizeof(struct state));
}

static void begin_trial(keep_handshake *handshake)
{
    memcpy(&handshake->secrets->trial, &handshake->secrets->state, sizeof(struct state));
}

static void end_trial(keep_handshake *handshake)
{
    keep__wipe(&handshake->secrets->trial, sizeof(struct state));
}

static keep_status write_message(keep_handshake *handshake, keep_bytes payload, uint8_t *out)
{
    struct state *trial = &handshake->secrets->trial;
    uint8_t *at = out;

    begin_trial(handshake);
    if (!write_tokens(handshake, next_message(handshake), &at)) {
        end_trial(handshake);
        return keep__trace(KEEP_ERR_STATE);
    }
    (void)keep__noise_encrypt(&trial->noise, payload.data, payload.len, at);
    accept(handshake);
    end_trial(handshake);
    return KEEP_OK;
}

keep_status keep_handshake_write(keep_handshake *handshake, const void *payload, size_t len, uint8_t *out, size_t cap,
                                 size_t *out_len)
{
    size_t total;
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;

    if (out_len != NULL && (payload != NULL || len == 0) && (out != NULL || cap == 0))
        st = check_handshake(handshake);
    if (st == KEEP_OK && state_of(handshake) != KEEP_HANDSHAKE_WRITE)
        st = keep__trace(KEEP_ERR_STATE);
    if (st != KEEP_OK)
        return st;
    if (!keep__size_add(len, next_message(handshake)->overhead, &total) || total > KEEP_MAX_PAYLOAD_LEN)
        return KEEP_ERR_PACKET_TOO_LARGE;
    if (total > cap) {
        *out_len = total;
        return KEEP_ERR_BUFFER_TOO_SMALL;
    }
    st = need_ephemeral(handshake);
    if (st == KEEP_OK)
        st = write_message(handshake, (keep_bytes){ payload, len }, out);
    if (st == KEEP_OK)
        st = check_handshake_epoch(handshake);
    if (st == KEEP_OK)
        *out_len = total;
    else
        keep__wipe(out, total);
    return st;
}

static void read_ephemeral(struct state *trial, const uint8_t *bytes)
{
    memcpy(trial->remote_ephemeral, bytes, KEY_LEN);
    mix_ephemeral(&trial->noise, bytes);
}

/* Reads the tokens; false: a tag is wrong, or a product is all zero. */
static bool read_tokens(keep_handshake *handshake, const struct message *message, const uint8_t **at)
{
    struct state *trial = &handshake->secrets->trial;
    bool is_right = true;

    for (const uint8_t *token = message->tokens; is_right && *token != TOKEN_END; token++) {
        if (*token == TOKEN_E) {
            read_ephemeral(trial, *at);
            *at += KEY_LEN;
        } else if (*token == TOKEN_S) {
            is_right = keep__noise_decrypt(&trial->noise, *at, KEY_LEN, trial->remote_static) == KEEP_OK;
            *at += KEY_LEN + TAG_LEN;
        } else {
            is_right = mix_token(handshake, (enum token)*token);
        }
    }
    return is_right;
}

/* A message that brings a key and needs no product of it: one with the own static key is made for the test. */
static bool is_good_ephemeral(keep_handshake *handshake, const struct message *message)
{
    KEEP__KEY32(product);
    const struct secrets *secrets = handshake->secrets;

    return message->tokens[1] != TOKEN_END ||
           keep__x25519(secrets->static_key, secrets->trial.remote_ephemeral, product.bytes);
}

static keep_status read_message(keep_handshake *handshake, const uint8_t *bytes, size_t payload_len, uint8_t *out)
{
    const struct message *message = next_message(handshake);
    keep_status st = KEEP_ERR_AUTH;

    begin_trial(handshake);
    if (read_tokens(handshake, message, &bytes) && is_good_ephemeral(handshake, message))
        st = keep__noise_decrypt(&handshake->secrets->trial.noise, bytes, payload_len, out);
    if (st == KEEP_OK)
        st = check_handshake_epoch(handshake);
    if (st == KEEP_OK)
        accept(handshake);
    else if (payload_len != 0)
        keep__wipe(out, payload_len);
    end_trial(handshake);
    return st;
}

keep_status keep_handshake_read(keep_handshake *handshake, const void *message, size_t len, uint8_t *out, size_t cap,
                                size_t *out_len)
{
    size_t payload_len;
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;

    if (out_len != NULL && (message != NULL || len == 0) && (out != NULL || cap == 0))
        st = check_handshake(handshake);
    if (st == KEEP_OK && state_of(handshake) != KEEP_HANDSHAKE_READ)
        st = keep__trace(KEEP_ERR_STATE);
    if (st != KEEP_OK)
        return st;
    if (len < next_message(handshake)->overhead || len > KEEP_MAX_PAYLOAD_LEN)
        return KEEP_ERR_AUTH;
    payload_len = len - next_message(handshake)->overhead;
    if (payload_len > cap) {
        *out_len = payload_len;
        return KEEP_ERR_BUFFER_TOO_SMALL;
    }
    st = read_message(handshake, message, payload_len, out);
    if (st == KEEP_OK)
        *out_len = payload_len;
    return st;
}

static bool is_done(const keep_handshake *handshake)
{
    return state_of(handshake) >= KEEP_HANDSHAKE_DONE;
}

/* XX tells the initiator with message 2, the responder with 3; IK the responder with 1, and proves itself to the initiator
 * with 2. */
static bool knows_remote_static(const keep_handshake *handshake)
{
    bool is_ik = handshake->pattern == &patterns[KEEP_NOISE_IKPSK2];
    uint32_t needed = handshake->role == KEEP_INITIATOR ? 2 : is_ik ? 1 : 3;

    return handshake->is_spent || handshake->secrets->state.next >= needed;
}

keep_status keep_handshake_info(const keep_handshake *handshake, struct keep_handshake_info *out_info)
{
    struct keep_handshake_info info = KEEP_HANDSHAKE_INFO_INIT;
    keep_status st = keep__report_check(out_info, sizeof info);

    if (st == KEEP_OK)
        st = check_handshake(handshake);
    if (st != KEEP_OK)
        return st;
    info.state = state_of(handshake);
    info.has_remote_static = knows_remote_static(handshake);
    info.has_hash = is_done(handshake);
    if (info.has_remote_static)
        memcpy(info.remote_static, handshake->secrets->state.remote_static, KEY_LEN);
    if (info.has_hash)
        memcpy(info.hash, handshake->secrets->state.noise.hash, KEY_LEN);
    keep__report_fill(out_info, &info, sizeof info);
    return KEEP_OK;
}

/* le64 of the first bytes of HMAC-SHA-256 under the final hash. */
static uint64_t session_id_of(const uint8_t *hash)
{
    static const char label[] = "libkeep session id v1";
    keep_bytes piece = { label, sizeof label - 1 };
    uint8_t mac[KEEP__HASH_LEN];
    keep__reader reader = keep__reader_of(mac, sizeof mac);

    keep__hmac_sha256(hash, &piece, 1, mac);
    return keep__read_u64le(&reader);
}

/* A secret per direction, for the session to copy. */
static keep_status split(const keep_handshake *handshake, keep_secret **out_first, keep_secret **out_second)
{
    uint8_t *first;
    uint8_t *second;
    keep_status st = keep__secret_new_open(handshake->pool, KEY_LEN, out_first, &first);

    if (st == KEEP_OK)
        st = keep__secret_new_open(handshake->pool, KEY_LEN, out_second, &second);
    if (st != KEEP_OK)
        return st;
    keep__noise_split(&handshake->secrets->state.noise, first, second);
    st = keep_secret_end(*out_second);
    return st != KEEP_OK ? st : keep_secret_end(*out_first);
}

static void end_secret(keep_secret **secret)
{
    if (*secret != NULL && keep_secret_free(secret) == KEEP_ERR_BUSY && keep_secret_end(*secret) == KEEP_OK)
        (void)keep_secret_free(secret);
}

static keep_status make_session(keep_handshake *handshake, const keep_session_options *options,
                                keep_session **out_session)
{
    keep_secret *first = NULL;
    keep_secret *second = NULL;
    bool is_initiator = handshake->role == KEEP_INITIATOR;
    bool has_read_last = is_initiator == (handshake->pattern->count % 2 == 0);
    keep_status st = split(handshake, &first, &second);
    keep__session_keys keys = {
        .tx_key = is_initiator ? first : second,
        .rx_key = is_initiator ? second : first,
        .session_id = session_id_of(handshake->secrets->state.noise.hash),
        .is_confirmed = has_read_last,
    };

    if (st == KEEP_OK)
        st = keep__session_make(&keys, options, out_session);
    end_secret(&first);
    end_secret(&second);
    return st;
}

/* What only the handshake needed goes; what info tells stays. */
static void spend(keep_handshake *handshake)
{
    struct secrets *secrets = handshake->secrets;

    handshake->is_spent = true;
    keep__wipe(secrets->static_key, KEY_LEN);
    keep__wipe(secrets->pre_shared_key, KEY_LEN);
    keep__wipe(secrets->state.ephemeral, KEY_LEN);
    keep__wipe(secrets->state.noise.chaining_key, KEY_LEN);
    keep__wipe(secrets->state.noise.cipher_key, KEY_LEN);
}

keep_status keep_handshake_session(keep_handshake *handshake, const keep_session_options *options,
                                   keep_session **out_session)
{
    keep_status st = out_session == NULL ? KEEP_ERR_INVALID_ARGUMENT : check_handshake(handshake);

    if (st == KEEP_OK && state_of(handshake) != KEEP_HANDSHAKE_DONE)
        st = keep__trace(KEEP_ERR_STATE);
    if (st == KEEP_OK)
        st = make_session(handshake, options, out_session);
    if (st == KEEP_OK)
        spend(handshake);
    return st;
}

static bool may_be_handshake(const keep_handshake_options *options)
{
    bool needs_remote = options->pattern == KEEP_NOISE_IKPSK2 && options->role == KEEP_INITIATOR;

    return (options->pattern == KEEP_NOISE_IKPSK2 || options->pattern == KEEP_NOISE_XXPSK3) &&
           (options->role == KEEP_INITIATOR || options->role == KEEP_RESPONDER) && options->static_key != NULL &&
           options->pre_shared_key != NULL && (options->remote_static != NULL) == needs_remote &&
           options->prologue.len <= KEEP_MAX_PROLOGUE_LEN &&
           (options->prologue.data != NULL || options->prologue.len == 0);
}

/* Copies a secret of KEY_LEN bytes. */
static keep_status copy_secret(const keep_secret *secret, uint8_t *out)
{
    size_t len;
    const uint8_t *data;
    keep_status st = keep_secret_read_begin(secret, &data, &len);
    keep_status ended;

    if (st != KEEP_OK)
        return st;
    if (len == KEY_LEN)
        memcpy(out, data, KEY_LEN);
    else
        st = KEEP_ERR_INVALID_ARGUMENT;
    ended = keep_secret_end(secret);
    return st != KEEP_OK ? st : ended;
}

static keep_status take_secrets(keep_handshake *handshake, const keep_handshake_options *options)
{
    struct secrets *secrets = handshake->secrets;
    keep_status st = copy_secret(options->static_key, secrets->static_key);

    if (st == KEEP_OK)
        st = copy_secret(options->pre_shared_key, secrets->pre_shared_key);
    if (st == KEEP_OK && options->ephemeral_key != NULL) {
        st = copy_secret(options->ephemeral_key, secrets->state.ephemeral);
        secrets->state.has_ephemeral = st == KEEP_OK;
    }
    return st;
}

/* Hash of the pattern, the prologue and, in IK, the responder's static key. */
static keep_status begin_noise(keep_handshake *handshake, const keep_handshake_options *options)
{
    KEEP__KEY32(product);
    struct secrets *secrets = handshake->secrets;
    struct state *state = &secrets->state;

    keep__x25519_public(secrets->static_key, handshake->static_public);
    keep__noise_begin(&state->noise, handshake->pattern->protocol, options->prologue);
    if (options->pattern == KEEP_NOISE_XXPSK3)
        return KEEP_OK;
    if (options->role == KEEP_RESPONDER) {
        keep__noise_mix_hash(&state->noise, handshake->static_public, KEY_LEN);
        return KEEP_OK;
    }
    memcpy(state->remote_static, options->remote_static, KEY_LEN);
    keep__noise_mix_hash(&state->noise, state->remote_static, KEY_LEN);
    return keep__x25519(secrets->static_key, state->remote_static, product.bytes) ? KEEP_OK
                                                                                   : KEEP_ERR_INVALID_ARGUMENT;
}

static keep_status hold_pool(keep_handshake *handshake, keep_pool *pool)
{
    if (pool == NULL)
        return KEEP_OK;
    handshake->pool = pool;
    return keep__secret_hold_pool(pool);
}

static keep_status set_up_handshake(keep_handshake *handshake, const keep_handshake_options *options)
{
    keep_status st = keep__guard_enter();

    if (st != KEEP_OK)
        return st;
    handshake->stamp = keep__guard_stamp();
    handshake->epoch = keep__guard_settled_epoch();
    handshake->pattern = &patterns[options->pattern];
    handshake->role = options->role;
    st = keep__key_new(options->pool, sizeof(struct secrets), &handshake->slot);
    if (st != KEEP_OK)
        return st;
    handshake->secrets = (struct secrets *)(void *)handshake->slot.bytes;
    st = take_secrets(handshake, options);
    if (st == KEEP_OK)
        st = begin_noise(handshake, options);
    if (st == KEEP_OK)
        st = hold_pool(handshake, options->pool);
    return st != KEEP_OK ? st : check_handshake_epoch(handshake);
}

static void end_handshake(keep_handshake *handshake)
{
    keep__key_free(&handshake->slot);
    keep_pool_free(&handshake->pool);
    keep__heap_free(handshake, sizeof *handshake);
}

keep_status keep_handshake_new(const keep_handshake_options *options, keep_handshake **out_handshake)
{
    keep_handshake_options read = KEEP_HANDSHAKE_OPTIONS_INIT;
    keep_handshake *handshake;
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;

    if (options != NULL && out_handshake != NULL)
        st = keep__options_read(options, sizeof read, sizeof read, &read);
    if (st == KEEP_OK && !may_be_handshake(&read))
        st = KEEP_ERR_INVALID_ARGUMENT;
    if (st != KEEP_OK)
        return st;
    handshake = keep__heap_new(sizeof *handshake);
    if (handshake == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    st = set_up_handshake(handshake, &read);
    if (st != KEEP_OK)
        end_handshake(handshake);
    else
        *out_handshake = handshake;
    return st;
}

keep_status keep_handshake_public_key(const keep_secret *static_key, uint8_t *out)
{
    KEEP__KEY32(key);
    keep_status st = out == NULL ? KEEP_ERR_INVALID_ARGUMENT : copy_secret(static_key, key.bytes);

    if (st == KEEP_OK)
        keep__x25519_public(key.bytes, out);
    return st;
}

void keep_handshake_free(keep_handshake **handshake)
{
    keep_handshake *freed = handshake == NULL ? NULL : *handshake;

    if (freed == NULL)
        return;
    *handshake = NULL;
    if (keep__guard_check(freed->stamp) == KEEP_OK)
        end_handshake(freed);
}
