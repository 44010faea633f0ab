/* SPDX-License-Identifier: MIT */
/*
 * Handshake: turns, room and purges around what packet/party does; and the session in the end. Only success consumes
 * state, and all secrets of it lie in one locked slot.
 */
#include "keep/handshake.h"

#include <string.h>

#include "base/attributes.h"
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
#include "packet/party.h"
#include "packet/session.h"
#include "base/banned.h"

struct keep_handshake {
    uint32_t stamp;
    uint64_t epoch;
    bool is_spent;
    keep_pool *pool; /* a handle of its own, or NULL: the default pool */
    keep__key slot;  /* holds party.secrets */
    keep__party party;
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
    if (handshake->is_spent)
        return KEEP_HANDSHAKE_SPENT;
    if (handshake->party.secrets->state.next == keep__party_messages(&handshake->party))
        return KEEP_HANDSHAKE_DONE;
    return keep__party_writes(&handshake->party) ? KEEP_HANDSHAKE_WRITE : KEEP_HANDSHAKE_READ;
}

/* Whether it is this side's turn to write or to read, by a call with such buffers. */
static keep_status check_turn(const keep_handshake *handshake, uint32_t turn, keep_bytes in, keep_bytes out)
{
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;

    if ((in.data != NULL || in.len == 0) && (out.data != NULL || out.len == 0))
        st = check_handshake(handshake);
    if (st == KEEP_OK && state_of(handshake) != turn)
        st = keep__trace(KEEP_ERR_STATE);
    return st;
}

static keep_status need_ephemeral(keep_handshake *handshake)
{
    keep__party_state *state = &handshake->party.secrets->state;
    keep_status st;

    if (state->has_ephemeral)
        return KEEP_OK;
    st = keep__random(state->ephemeral, sizeof state->ephemeral);
    if (st == KEEP_OK)
        state->has_ephemeral = true;
    return st;
}

/* The end of a message: what a purge overlapped is not accepted. */
static keep_status settle_message(keep_handshake *handshake, keep_status st, uint8_t *out, size_t len)
{
    if (st == KEEP_OK)
        st = check_handshake_epoch(handshake);
    keep__party_settle(&handshake->party, st == KEEP_OK);
    if (st != KEEP_OK)
        keep__wipe(out, len);
    return st;
}

keep_status keep_handshake_write(keep_handshake *handshake, const void *payload, size_t len, uint8_t *out, size_t cap,
                                 size_t *out_len)
{
    keep_bytes in = { payload, len };
    size_t total;
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;

    if (out_len != NULL)
        st = check_turn(handshake, KEEP_HANDSHAKE_WRITE, in, (keep_bytes){ out, cap });
    if (st != KEEP_OK)
        return st;
    if (!keep__size_add(len, keep__party_overhead(&handshake->party), &total) || total > KEEP_MAX_PAYLOAD_LEN)
        return KEEP_ERR_PACKET_TOO_LARGE;
    if (total > cap) {
        *out_len = total;
        return KEEP_ERR_BUFFER_TOO_SMALL;
    }
    st = need_ephemeral(handshake);
    if (st == KEEP_OK)
        st = settle_message(handshake, keep__party_write(&handshake->party, in, out), out, total);
    if (st == KEEP_OK)
        *out_len = total;
    return st;
}

keep_status keep_handshake_read(keep_handshake *handshake, const void *message, size_t len, uint8_t *out, size_t cap,
                                size_t *out_len)
{
    size_t payload_len;
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;

    if (out_len != NULL)
        st = check_turn(handshake, KEEP_HANDSHAKE_READ, (keep_bytes){ message, len }, (keep_bytes){ out, cap });
    if (st != KEEP_OK)
        return st;
    if (len < keep__party_overhead(&handshake->party) || len > KEEP_MAX_PAYLOAD_LEN)
        return KEEP_ERR_AUTH;
    payload_len = len - keep__party_overhead(&handshake->party);
    if (payload_len > cap) {
        *out_len = payload_len;
        return KEEP_ERR_BUFFER_TOO_SMALL;
    }
    st = keep__party_read(&handshake->party, message, payload_len, out);
    st = settle_message(handshake, st, out, payload_len);
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
    bool is_ik = handshake->party.pattern == KEEP_NOISE_IKPSK2;
    uint32_t needed = handshake->party.role == KEEP_INITIATOR ? 2 : is_ik ? 1 : 3;

    return handshake->is_spent || handshake->party.secrets->state.next >= needed;
}

keep_status keep_handshake_info(const keep_handshake *handshake, struct keep_handshake_info *out_info)
{
    struct keep_handshake_info info = KEEP_HANDSHAKE_INFO_INIT;
    keep_status st = keep__report_check(out_info, KEEP__SIZE_UP_TO(struct keep_handshake_info, hash));

    if (st == KEEP_OK)
        st = check_handshake(handshake);
    if (st != KEEP_OK)
        return st;
    info.state = state_of(handshake);
    info.has_remote_static = knows_remote_static(handshake);
    info.has_hash = is_done(handshake);
    if (info.has_remote_static)
        memcpy(info.remote_static, handshake->party.secrets->state.remote_static, KEEP_HANDSHAKE_KEY_LEN);
    if (info.has_hash)
        memcpy(info.hash, handshake->party.secrets->state.noise.hash, KEEP_HANDSHAKE_KEY_LEN);
    keep__report_fill(out_info, &info, sizeof info);
    return KEEP_OK;
}

/* le64 of the first bytes of HMAC-SHA-256 under the final hash. */
static uint64_t session_id_of(const uint8_t *hash)
{
    static const char label[] = "libkeep session id v1";
    keep_bytes piece = { label, sizeof label - 1 };
    uint8_t mac[KEEP__HASH_LEN];
    keep__reader reader;

    keep__hmac_sha256(hash, &piece, 1, mac);
    KEEP_CT_RELEASE("the id stands in every header", mac, sizeof(uint64_t));
    reader = keep__reader_of(mac, sizeof mac);
    return keep__read_u64le(&reader);
}

/* A key per direction, for the session to copy. */
static keep_status split(const keep_handshake *handshake, keep__key *out_first, keep__key *out_second)
{
    keep_status st = keep__key_new(handshake->pool, KEEP_HANDSHAKE_KEY_LEN, out_first);

    if (st == KEEP_OK)
        st = keep__key_new(handshake->pool, KEEP_HANDSHAKE_KEY_LEN, out_second);
    if (st == KEEP_OK)
        keep__noise_split(&handshake->party.secrets->state.noise, out_first->bytes, out_second->bytes);
    return st;
}

static keep_status make_session(keep_handshake *handshake, const keep_session_options *options,
                                keep_session **out_session)
{
    keep__key first = { 0 };
    keep__key second = { 0 };
    bool is_initiator = handshake->party.role == KEEP_INITIATOR;
    bool has_read_last = is_initiator == (keep__party_messages(&handshake->party) % 2 == 0);
    keep_status st = split(handshake, &first, &second);
    keep__session_keys keys = {
        .tx_key = is_initiator ? first.secret : second.secret,
        .rx_key = is_initiator ? second.secret : first.secret,
        .session_id = session_id_of(handshake->party.secrets->state.noise.hash),
        .is_confirmed = has_read_last,
    };

    if (st == KEEP_OK)
        st = keep__session_make(&keys, options, out_session);
    keep__key_free(&first);
    keep__key_free(&second);
    return st;
}

/* What only the handshake needed goes; what info tells stays. */
static void spend(keep_handshake *handshake)
{
    keep__party_secrets *secrets = handshake->party.secrets;

    handshake->is_spent = true;
    keep__wipe(secrets->static_key, KEEP_HANDSHAKE_KEY_LEN);
    keep__wipe(secrets->pre_shared_key, KEEP_HANDSHAKE_KEY_LEN);
    keep__wipe(secrets->static_product, KEEP_HANDSHAKE_KEY_LEN);
    keep__wipe(secrets->state.ephemeral, KEEP_HANDSHAKE_KEY_LEN);
    keep__wipe(secrets->state.noise.chaining_key, KEEP_HANDSHAKE_KEY_LEN);
    keep__wipe(secrets->state.noise.cipher_key, KEEP_HANDSHAKE_KEY_LEN);
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

/* Copies a secret of KEEP_HANDSHAKE_KEY_LEN bytes. */
static keep_status copy_secret(const keep_secret *secret, uint8_t *out)
{
    size_t len;
    const uint8_t *data;
    keep_status st = keep_secret_read_begin(secret, &data, &len);
    keep_status ended;

    if (st != KEEP_OK)
        return st;
    if (len == KEEP_HANDSHAKE_KEY_LEN)
        memcpy(out, data, KEEP_HANDSHAKE_KEY_LEN);
    else
        st = KEEP_ERR_INVALID_ARGUMENT;
    ended = keep_secret_end(secret);
    return st != KEEP_OK ? st : ended;
}

static keep_status take_secrets(keep_handshake *handshake, const keep_handshake_options *options)
{
    keep__party_secrets *secrets = handshake->party.secrets;
    keep_status st = copy_secret(options->static_key, secrets->static_key);

    if (st == KEEP_OK)
        st = copy_secret(options->pre_shared_key, secrets->pre_shared_key);
    if (st == KEEP_OK && options->ephemeral_key != NULL) {
        st = copy_secret(options->ephemeral_key, secrets->state.ephemeral);
        secrets->state.has_ephemeral = st == KEEP_OK;
    }
    return st;
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
    handshake->party.pattern = options->pattern;
    handshake->party.role = options->role;
    st = keep__key_new(options->pool, sizeof(keep__party_secrets), &handshake->slot);
    if (st != KEEP_OK)
        return st;
    handshake->party.secrets = (keep__party_secrets *)(void *)handshake->slot.bytes;
    st = take_secrets(handshake, options);
    if (st == KEEP_OK)
        st = keep__party_begin(&handshake->party, options->prologue, options->remote_static);
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
        st = keep__options_read(options, KEEP__SIZE_UP_TO(keep_handshake_options, pool), sizeof read, &read);
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
