/* SPDX-License-Identifier: MIT */
/*
 * Secrets: the functions behind the class Secret. The first argument is the secret's External, where there is one.
 */
#include "secret.h"

#include <stdlib.h>

#include "args.h"
#include "handle.h"
#include "report.h"
#include "window.h"

static bool begin(napi_env env, napi_callback_info info, shim_call *call, keep_secret **out_secret)
{
    return shim_begin(env, info, call) && shim_take_secret(call, call->args[0], "this", out_secret);
}

/* generate(len, pool) */
static napi_value generate(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_pool *pool;
    keep_secret *secret = NULL;
    keep_status st;
    size_t len;

    if (!shim_begin(env, info, &call) || !shim_take_size(&call, call.args[0], "len", &len) ||
        !shim_take_pool(&call, call.args[1], &pool))
        return NULL;
    st = keep_secret_generate(pool, len, &secret);
    return shim_adopt_secret(&call, st, secret);
}

/* fromBytes(bytes, pool) */
static napi_value from_bytes(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_bytes bytes;
    keep_pool *pool;
    keep_secret *secret = NULL;
    keep_status st;

    if (!shim_begin(env, info, &call) || !shim_take_pool(&call, call.args[1], &pool) ||
        !shim_take_bytes(&call, call.args[0], "bytes", &bytes))
        return NULL;
    st = shim_end_bytes(&bytes, keep_secret_from_bytes(pool, bytes.data, bytes.len, &secret));
    return shim_adopt_secret(&call, st, secret);
}

/* takeBytes(bytes, pool): the source is wiped once the secret exists */
static napi_value take_bytes(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_pool *pool;
    keep_secret *secret = NULL;
    napi_value external;
    keep_status st;
    uint8_t *data;
    size_t len;

    if (!shim_begin(env, info, &call) || !shim_take_pool(&call, call.args[1], &pool) ||
        !shim_take_room(&call, call.args[0], "bytes", &data, &len))
        return NULL;
    st = keep_secret_from_bytes(pool, data, len, &secret);
    external = shim_adopt_secret(&call, st, secret);
    if (external != NULL)
        keep_wipe(data, len);
    return external;
}

static napi_value duplicate(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_secret *secret, *twin = NULL;
    keep_status st;

    if (!begin(env, info, &call, &secret))
        return NULL;
    st = keep_secret_duplicate(secret, &twin);
    return shim_adopt_secret(&call, st, twin);
}

/* length(secret): one field of info, without an object */
static napi_value length(napi_env env, napi_callback_info info)
{
    struct keep_secret_info facts = KEEP_SECRET_INFO_INIT;
    shim_call call;
    keep_secret *secret;
    keep_status st;

    if (!begin(env, info, &call, &secret))
        return NULL;
    st = keep_secret_info(secret, &facts);
    return st == KEEP_OK ? shim_number(&call, (double)facts.len) : shim_settle(&call, st);
}

#define FIELD(key, kind, field) SHIM_FIELD(struct keep_secret_info, key, kind, field)

static const shim_field info_fields[] = {
    FIELD("len", SHIM_FIELD_UINT64, len),         FIELD("capacity", SHIM_FIELD_UINT64, capacity),
    FIELD("kind", SHIM_FIELD_UINT32, kind),       FIELD("tier", SHIM_FIELD_UINT32, tier),
    FIELD("backing", SHIM_FIELD_UINT32, backing), FIELD("windows", SHIM_FIELD_UINT32, windows),
    FIELD("frozen", SHIM_FIELD_FLAG, frozen),     FIELD("locked", SHIM_FIELD_FLAG, locked),
    FIELD("exposed", SHIM_FIELD_FLAG, exposed),   FIELD("purged", SHIM_FIELD_FLAG, purged),
};

static napi_value tell(napi_env env, napi_callback_info info)
{
    struct keep_secret_info facts = KEEP_SECRET_INFO_INIT;
    shim_call call;
    keep_secret *secret;
    keep_status st;

    if (!begin(env, info, &call, &secret))
        return NULL;
    st = keep_secret_info(secret, &facts);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    return shim_freeze(&call, shim_report(&call, info_fields, SHIM_COUNT(info_fields), &facts));
}

/* put(secret, offset, bytes) */
static napi_value put(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_bytes bytes;
    keep_secret *secret;
    size_t offset;

    if (!begin(env, info, &call, &secret) || !shim_take_size(&call, call.args[1], "offset", &offset) ||
        !shim_take_bytes(&call, call.args[2], "bytes", &bytes))
        return NULL;
    return shim_settle(&call, shim_end_bytes(&bytes, keep_secret_put(secret, offset, bytes.data, bytes.len)));
}

/* get(secret, offset, len) */
static napi_value get(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_secret *secret;
    napi_value buffer;
    keep_status st;
    size_t offset, len;
    uint8_t *data;

    if (!begin(env, info, &call, &secret) || !shim_take_size(&call, call.args[1], "offset", &offset) ||
        !shim_take_size(&call, call.args[2], "len", &len))
        return NULL;
    if (len > KEEP_MAX_SECRET_LEN) /* C's first check, made before a buffer of that length is */
        return shim_settle(&call, KEEP_ERR_INVALID_ARGUMENT);
    if ((buffer = shim_buffer(&call, len, &data)) == NULL)
        return NULL;
    st = keep_secret_get(secret, offset, data, len);
    return st == KEEP_OK ? buffer : shim_settle(&call, st);
}

/* getInto(secret, out, offset): fills `out` */
static napi_value get_into(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_secret *secret;
    keep_status st;
    size_t offset, len;
    uint8_t *data;

    if (!begin(env, info, &call, &secret) || !shim_take_room(&call, call.args[1], "out", &data, &len) ||
        !shim_take_size(&call, call.args[2], "offset", &offset))
        return NULL;
    st = keep_secret_get(secret, offset, data, len);
    return st == KEEP_OK ? shim_number(&call, (double)len) : shim_settle(&call, st);
}

static napi_value reveal(napi_env env, napi_callback_info info)
{
    struct keep_secret_info facts = KEEP_SECRET_INFO_INIT;
    shim_call call;
    keep_secret *secret;
    napi_value buffer = NULL;
    keep_status st;
    uint8_t *data;
    size_t len;

    if (!begin(env, info, &call, &secret))
        return NULL;
    st = keep_secret_info(secret, &facts);
    if (st == KEEP_OK && (buffer = shim_buffer(&call, facts.len, &data)) == NULL)
        return NULL;
    if (st == KEEP_OK)
        st = keep_secret_reveal(secret, data, facts.len, &len);
    return st == KEEP_OK ? buffer : shim_settle(&call, st);
}

/* revealInto(secret, out) */
static napi_value reveal_into(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_secret *secret;
    keep_status st;
    uint8_t *data;
    size_t room, len = 0;

    if (!begin(env, info, &call, &secret) || !shim_take_room(&call, call.args[1], "out", &data, &room))
        return NULL;
    st = keep_secret_reveal(secret, data, room, &len);
    return shim_settle_len(&call, st, len);
}

static napi_value change(napi_env env, napi_callback_info info, keep_status (*function)(keep_secret *))
{
    shim_call call;
    keep_secret *secret;

    return begin(env, info, &call, &secret) ? shim_settle(&call, function(secret)) : NULL;
}

static napi_value randomize(napi_env env, napi_callback_info info)
{
    return change(env, info, keep_secret_randomize);
}

static napi_value clear(napi_env env, napi_callback_info info)
{
    return change(env, info, keep_secret_clear);
}

static napi_value freeze(napi_env env, napi_callback_info info)
{
    return change(env, info, keep_secret_freeze);
}

static napi_value melt(napi_env env, napi_callback_info info)
{
    return change(env, info, keep_secret_melt);
}

/* resize(secret, len) */
static napi_value resize(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_secret *secret;
    size_t len;

    if (!begin(env, info, &call, &secret) || !shim_take_size(&call, call.args[1], "len", &len))
        return NULL;
    return shim_settle(&call, keep_secret_resize(secret, len));
}

/* equal(secret, other) */
static napi_value equal(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_secret *secret, *other;
    keep_status st;
    int is_equal = 0;

    if (!begin(env, info, &call, &secret) || !shim_take_secret(&call, call.args[1], "other", &other))
        return NULL;
    st = keep_secret_equal(secret, other, &is_equal);
    return st == KEEP_OK ? shim_boolean(&call, is_equal) : shim_settle(&call, st);
}

/* equalBytes(secret, bytes) */
static napi_value equal_bytes(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_bytes bytes;
    keep_secret *secret;
    keep_status st;
    int is_equal = 0;

    if (!begin(env, info, &call, &secret) || !shim_take_bytes(&call, call.args[1], "bytes", &bytes))
        return NULL;
    st = shim_end_bytes(&bytes, keep_secret_equal_bytes(secret, bytes.data, bytes.len, &is_equal));
    return st == KEEP_OK ? shim_boolean(&call, is_equal) : shim_settle(&call, st);
}

static napi_value close_one(napi_env env, napi_callback_info info)
{
    return shim_close(env, info, &shim_secret_kind);
}

/* The boxes of an array of secrets, from malloc; NULL after a throw. */
static shim_box **take_boxes(const shim_call *call, napi_value list, uint32_t *out_count)
{
    shim_box **boxes;
    napi_value element;
    uint32_t i;

    if (napi_get_array_length(call->env, list, out_count) != napi_ok) {
        (void)shim_refuse_type(call, "secrets", "an array of Secret");
        return NULL;
    }
    boxes = calloc(*out_count + 1, sizeof *boxes);
    for (i = 0; boxes != NULL && i < *out_count; i++)
        if (!shim_ok(call, napi_get_element(call->env, list, i, &element)) ||
            (boxes[i] = shim_take_box(call, element, "secrets", &shim_secret_kind)) == NULL) {
            free(boxes);
            return NULL;
        }
    if (boxes == NULL)
        (void)shim_settle(call, KEEP_ERR_NO_MEMORY);
    return boxes;
}

/* Frees what the boxes hold: closed ones, and the second of two equal ones, are passed over. */
static keep_status free_boxes(napi_env env, shim_box **boxes, uint32_t count)
{
    keep_secret **secrets = calloc((size_t)count + 1, sizeof *secrets);
    keep_status st;
    uint32_t i;

    if (secrets == NULL)
        return KEEP_ERR_NO_MEMORY;
    for (i = 0; i < count; i++) {
        secrets[i] = boxes[i]->closed ? NULL : boxes[i]->handle;
        boxes[i]->closed = true;
    }
    st = keep_secret_free_batch(secrets, count);
    for (i = 0; i < count; i++) {
        if (secrets[i] != NULL)
            boxes[i]->closed = false;
        else if (!boxes[i]->freed)
            shim_mark_freed(env, boxes[i]);
    }
    free(secrets);
    return st;
}

/* closeMany(secrets) */
static napi_value close_many(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_box **boxes;
    uint32_t count;
    keep_status st;

    if (!shim_begin(env, info, &call) || (boxes = take_boxes(&call, call.args[0], &count)) == NULL)
        return NULL;
    st = free_boxes(env, boxes, count);
    free(boxes);
    return shim_settle(&call, st);
}

static const shim_method methods[] = {
    { "secretGenerate", "Secret.generate", generate },
    { "secretFromBytes", "Secret.fromBytes", from_bytes },
    { "secretTakeBytes", "Secret.takeBytes", take_bytes },
    { "secretDuplicate", "Secret.duplicate", duplicate },
    { "secretLength", "Secret.length", length },
    { "secretInfo", "Secret.info", tell },
    { "secretPut", "Secret.put", put },
    { "secretGet", "Secret.get", get },
    { "secretGetInto", "Secret.getInto", get_into },
    { "secretReveal", "Secret.reveal", reveal },
    { "secretRevealInto", "Secret.revealInto", reveal_into },
    { "secretRead", "Secret.read", shim_secret_read },
    { "secretWrite", "Secret.write", shim_secret_write },
    { "secretRandomize", "Secret.randomize", randomize },
    { "secretClear", "Secret.clear", clear },
    { "secretResize", "Secret.resize", resize },
    { "secretEqual", "Secret.equal", equal },
    { "secretEqualBytes", "Secret.equalBytes", equal_bytes },
    { "secretFreeze", "Secret.freeze", freeze },
    { "secretMelt", "Secret.melt", melt },
    { "secretClose", "Secret.close", close_one },
    { "secretCloseMany", "Secret.closeMany", close_many },
};

static const shim_constant constants[] = {
    { NULL, "MAX_SECRET_LEN", KEEP_MAX_SECRET_LEN },
    { NULL, "MAX_SECRETS", KEEP_MAX_SECRETS },
    { "Kind", "SLOT", KEEP_KIND_SLOT },
    { "Kind", "GUARDED", KEEP_KIND_GUARDED },
};

const shim_table shim_secret_table = { methods, SHIM_COUNT(methods), constants, SHIM_COUNT(constants) };
