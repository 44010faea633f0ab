/* SPDX-License-Identifier: MIT */
/*
 * Handshakes: the functions behind the class Handshake. The first argument is its External, where there is one.
 */
#include "handshake.h"

#include "args.h"
#include "report.h"
#include "session.h"

static keep_status free_handshake(void **handle)
{
    keep_handshake *handshake = *handle;

    keep_handshake_free(&handshake);
    *handle = handshake;
    return KEEP_OK;
}

static const shim_kind handshake_kind = { .name = "Handshake", .free = free_handshake };

static bool begin(napi_env env, napi_callback_info info, shim_call *call, keep_handshake **out)
{
    shim_box *box = shim_begin(env, info, call) ? shim_take_box(call, call->args[0], "this", &handshake_kind) : NULL;

    if (box != NULL)
        *out = box->handle;
    return box != NULL;
}

/* A public key; `undefined` is NULL. C cannot see its length. */
static bool take_remote_static(const shim_call *call, napi_value value, const uint8_t **out)
{
    uint8_t *key;
    size_t len;

    *out = NULL;
    if (shim_is_undefined(call, value))
        return true;
    if (!shim_take_room(call, value, "remoteStatic", &key, &len))
        return false;
    *out = key;
    if (len == KEEP_HANDSHAKE_KEY_LEN)
        return true;
    (void)shim_settle(call, KEEP_ERR_INVALID_ARGUMENT);
    return false;
}

/* new(pattern, role, staticKey, preSharedKey, ephemeralKey, remoteStatic, pool, prologue) */
static napi_value make(napi_env env, napi_callback_info info)
{
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
    shim_call call;
    shim_bytes prologue;
    keep_secret *static_key, *pre_shared_key, *ephemeral_key;
    keep_handshake *handshake = NULL;
    keep_status st;

    if (!shim_begin(env, info, &call) || !shim_take_uint32(&call, call.args[0], "pattern", &options.pattern) ||
        !shim_take_uint32(&call, call.args[1], "role", &options.role) ||
        !shim_take_secret(&call, call.args[2], "staticKey", &static_key) ||
        !shim_take_secret(&call, call.args[3], "preSharedKey", &pre_shared_key) ||
        !shim_take_optional_secret(&call, call.args[4], "ephemeralKey", &ephemeral_key) ||
        !take_remote_static(&call, call.args[5], &options.remote_static) ||
        !shim_take_pool(&call, call.args[6], &options.pool) ||
        !shim_take_bytes(&call, call.args[7], "prologue", &prologue))
        return NULL;
    options.static_key = static_key;
    options.pre_shared_key = pre_shared_key;
    options.ephemeral_key = ephemeral_key;
    options.prologue = (keep_bytes){ prologue.data, prologue.len };
    st = shim_end_bytes(&prologue, keep_handshake_new(&options, &handshake));
    return shim_adopt(&call, st, &handshake_kind, handshake, 0);
}

/* keep_handshake_write or keep_handshake_read */
typedef keep_status (*step)(keep_handshake *handshake, const void *in, size_t len, uint8_t *out, size_t cap,
                            size_t *out_len);

/* Takes a step into a new buffer: C tells its length first, unless nothing is to be put into it. */
static napi_value step_new(napi_env env, napi_callback_info info, const char *name, step take)
{
    shim_call call;
    shim_bytes in;
    keep_handshake *handshake;
    napi_value buffer;
    keep_status st;
    uint8_t *out;
    size_t len = 0;

    if (!begin(env, info, &call, &handshake) || !shim_take_bytes(&call, call.args[1], name, &in))
        return NULL;
    st = take(handshake, in.data, in.len, NULL, 0, &len);
    buffer = shim_buffer(&call, st == KEEP_ERR_BUFFER_TOO_SMALL ? len : 0, &out);
    if (buffer != NULL && st == KEEP_ERR_BUFFER_TOO_SMALL)
        st = take(handshake, in.data, in.len, out, len, &len);
    st = shim_end_bytes(&in, st);
    return st == KEEP_OK || buffer == NULL ? buffer : shim_settle(&call, st);
}

/* The length of what the step put into `out`, which must be apart from the input. */
static napi_value step_into(napi_env env, napi_callback_info info, const char *name, step take)
{
    shim_call call;
    shim_bytes in;
    keep_handshake *handshake;
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;
    uint8_t *out;
    size_t room, len = 0;

    if (!begin(env, info, &call, &handshake) || !shim_take_room(&call, call.args[1], "out", &out, &room) ||
        !shim_take_bytes(&call, call.args[2], name, &in))
        return NULL;
    if (!shim_overlap(out, room, in.data, in.len))
        st = take(handshake, in.data, in.len, out, room, &len);
    return shim_settle_len(&call, shim_end_bytes(&in, st), len);
}

/* write(handshake, payload), writeInto(handshake, out, payload) */
static napi_value write_new(napi_env env, napi_callback_info info)
{
    return step_new(env, info, "payload", keep_handshake_write);
}

static napi_value write_into(napi_env env, napi_callback_info info)
{
    return step_into(env, info, "payload", keep_handshake_write);
}

/* read(handshake, message), readInto(handshake, out, message) */
static napi_value read_new(napi_env env, napi_callback_info info)
{
    return step_new(env, info, "message", keep_handshake_read);
}

static napi_value read_into(napi_env env, napi_callback_info info)
{
    return step_into(env, info, "message", keep_handshake_read);
}

#define BYTES(key, field) \
    { \
        key, SHIM_FIELD_BYTES, offsetof(struct keep_handshake_info, field), KEEP_HANDSHAKE_KEY_LEN \
    }

static const shim_field info_fields[] = {
    SHIM_FIELD(struct keep_handshake_info, "state", SHIM_FIELD_UINT32, state),
    BYTES("remoteStatic", remote_static),
    BYTES("hash", hash),
};

static napi_value tell(napi_env env, napi_callback_info info)
{
    struct keep_handshake_info facts = KEEP_HANDSHAKE_INFO_INIT;
    shim_call call;
    keep_handshake *handshake;
    napi_value report;
    keep_status st;

    if (!begin(env, info, &call, &handshake))
        return NULL;
    st = keep_handshake_info(handshake, &facts);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    report = shim_report(&call, info_fields, SHIM_COUNT(info_fields), &facts);
    if ((!facts.has_remote_static && !shim_set_null(&call, report, "remoteStatic")) ||
        (!facts.has_hash && !shim_set_null(&call, report, "hash")))
        return NULL;
    return shim_freeze(&call, report);
}

/* session(handshake, maxFailedOpens, window, aead, pool) */
static napi_value take_session(napi_env env, napi_callback_info info)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    shim_call call;
    keep_handshake *handshake;
    keep_session *session = NULL;
    keep_status st;

    if (!begin(env, info, &call, &handshake) || !shim_take_session_options(&call, &call.args[1], &options))
        return NULL;
    st = keep_handshake_session(handshake, &options, &session);
    return shim_adopt(&call, st, &shim_session_kind, session, 0);
}

/* publicKey(staticKey) */
static napi_value public_key(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_secret *static_key;
    napi_value buffer;
    keep_status st;
    uint8_t *out;

    if (!shim_begin(env, info, &call) || !shim_take_secret(&call, call.args[0], "staticKey", &static_key) ||
        (buffer = shim_buffer(&call, KEEP_HANDSHAKE_KEY_LEN, &out)) == NULL)
        return NULL;
    st = keep_handshake_public_key(static_key, out);
    return st == KEEP_OK ? buffer : shim_settle(&call, st);
}

static napi_value close_handshake(napi_env env, napi_callback_info info)
{
    return shim_close(env, info, &handshake_kind);
}

static const shim_method methods[] = {
    { "handshakeNew", "new Handshake", make },
    { "handshakeWrite", "Handshake.write", write_new },
    { "handshakeWriteInto", "Handshake.writeInto", write_into },
    { "handshakeRead", "Handshake.read", read_new },
    { "handshakeReadInto", "Handshake.readInto", read_into },
    { "handshakeInfo", "Handshake.info", tell },
    { "handshakeSession", "Handshake.session", take_session },
    { "handshakePublicKey", "Handshake.publicKey", public_key },
    { "handshakeClose", "Handshake.close", close_handshake },
};

static const shim_constant constants[] = {
    { NULL, "HANDSHAKE_KEY_LEN", KEEP_HANDSHAKE_KEY_LEN },
    { NULL, "MAX_PROLOGUE_LEN", KEEP_MAX_PROLOGUE_LEN },
    { "Noise", "IKPSK2", KEEP_NOISE_IKPSK2 },
    { "Noise", "XXPSK3", KEEP_NOISE_XXPSK3 },
    { "Role", "INITIATOR", KEEP_INITIATOR },
    { "Role", "RESPONDER", KEEP_RESPONDER },
    { "HandshakeState", "WRITE", KEEP_HANDSHAKE_WRITE },
    { "HandshakeState", "READ", KEEP_HANDSHAKE_READ },
    { "HandshakeState", "DONE", KEEP_HANDSHAKE_DONE },
    { "HandshakeState", "SPENT", KEEP_HANDSHAKE_SPENT },
};

const shim_table shim_handshake_table = { methods, SHIM_COUNT(methods), constants, SHIM_COUNT(constants) };
