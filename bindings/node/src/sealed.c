/* SPDX-License-Identifier: MIT */
/*
 * Sealed secrets: the functions behind the class Sealed. The first argument is its External, where there is one.
 */
#include "sealed.h"

#include "acquire.h"
#include "args.h"
#include "handle.h"
#include "report.h"

static bool begin(napi_env env, napi_callback_info info, shim_call *call, shim_box **out_box)
{
    return shim_begin(env, info, call) &&
           (*out_box = shim_take_box(call, call->args[0], "this", &shim_sealed_kind)) != NULL;
}

/* The stored bytes weigh. */
static napi_value adopt_sealed(const shim_call *call, keep_status status, keep_sealed *sealed)
{
    struct keep_sealed_info facts = KEEP_SEALED_INFO_INIT;

    if (status == KEEP_OK)
        status = keep_sealed_info(sealed, &facts);
    return shim_adopt(call, status, &shim_sealed_kind, sealed, facts.stored_len);
}

/* new(bytes, type, pool) */
static napi_value make(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_bytes bytes;
    keep_pool *pool;
    keep_sealed *sealed = NULL;
    keep_status st;
    uint32_t type;

    if (!shim_begin(env, info, &call) || !shim_take_uint32(&call, call.args[1], "type", &type) ||
        !shim_take_pool(&call, call.args[2], &pool) || !shim_take_bytes(&call, call.args[0], "bytes", &bytes))
        return NULL;
    st = shim_end_bytes(&bytes, keep_sealed_new(pool, bytes.data, bytes.len, type, &sealed));
    return adopt_sealed(&call, st, sealed);
}

/* take(bytes, type, pool): the source is wiped once the sealed secret exists */
static napi_value take(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_pool *pool;
    keep_sealed *sealed = NULL;
    napi_value external;
    keep_status st;
    uint32_t type;
    uint8_t *data;
    size_t len;

    if (!shim_begin(env, info, &call) || !shim_take_uint32(&call, call.args[1], "type", &type) ||
        !shim_take_pool(&call, call.args[2], &pool) || !shim_take_room(&call, call.args[0], "bytes", &data, &len))
        return NULL;
    st = keep_sealed_new(pool, data, len, type, &sealed);
    external = adopt_sealed(&call, st, sealed);
    if (external != NULL)
        keep_wipe(data, len);
    return external;
}

/* fromSecret(secret, type) */
static napi_value from_secret(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_secret *secret;
    keep_sealed *sealed = NULL;
    keep_status st;
    uint32_t type;

    if (!shim_begin(env, info, &call) || !shim_take_secret(&call, call.args[0], "secret", &secret) ||
        !shim_take_uint32(&call, call.args[1], "type", &type))
        return NULL;
    st = keep_sealed_from_secret(secret, type, &sealed);
    return adopt_sealed(&call, st, sealed);
}

static keep_status open_from(void *sealed, size_t len, const keep_acquire_options *options, keep_secret **out_secret)
{
    (void)len;
    return keep_sealed_open(sealed, options, out_secret);
}

/* open(sealed, options), openAsync(sealed, options) */
static napi_value open(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_box *box;

    return begin(env, info, &call, &box) ? shim_acquire_now(&call, box, 0, call.args[1], open_from) : NULL;
}

static napi_value open_async(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_box *box;

    return begin(env, info, &call, &box) ? shim_acquire_later(&call, box, 0, call.args[1], open_from) : NULL;
}

/* openInto(sealed, secret): the length that the secret has now */
static napi_value open_into(napi_env env, napi_callback_info info)
{
    struct keep_sealed_info facts = KEEP_SEALED_INFO_INIT;
    shim_call call;
    shim_box *box;
    keep_secret *secret;
    keep_status st;

    if (!begin(env, info, &call, &box) || !shim_take_secret(&call, call.args[1], "secret", &secret))
        return NULL;
    st = keep_sealed_open_into(box->handle, secret);
    if (st == KEEP_OK)
        st = keep_sealed_info(box->handle, &facts);
    return st == KEEP_OK ? shim_number(&call, (double)facts.len) : shim_settle(&call, st);
}

#define FIELD(key, kind, field) SHIM_FIELD(struct keep_sealed_info, key, kind, field)

static const shim_field info_fields[] = {
    FIELD("id", SHIM_FIELD_UINT64, id),
    FIELD("len", SHIM_FIELD_UINT64, len),
    FIELD("storedLen", SHIM_FIELD_UINT64, stored_len),
    FIELD("type", SHIM_FIELD_UINT32, type),
    FIELD("purged", SHIM_FIELD_FLAG, purged),
};

static napi_value tell(napi_env env, napi_callback_info info)
{
    struct keep_sealed_info facts = KEEP_SEALED_INFO_INIT;
    shim_call call;
    shim_box *box;
    keep_status st;

    if (!begin(env, info, &call, &box))
        return NULL;
    st = keep_sealed_info(box->handle, &facts);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    return shim_freeze(&call, shim_report(&call, info_fields, SHIM_COUNT(info_fields), &facts));
}

static napi_value close_sealed(napi_env env, napi_callback_info info)
{
    return shim_close(env, info, &shim_sealed_kind);
}

static const shim_method methods[] = {
    { "sealedNew", "new Sealed", make },
    { "sealedTake", "Sealed.take", take },
    { "sealedFromSecret", "Sealed.fromSecret", from_secret },
    { "sealedOpen", "Sealed.open", open },
    { "sealedOpenAsync", "Sealed.openAsync", open_async },
    { "sealedOpenInto", "Sealed.openInto", open_into },
    { "sealedInfo", "Sealed.info", tell },
    { "sealedClose", "Sealed.close", close_sealed },
};

static const shim_constant constants[] = {
    { NULL, "SEALED_OVERHEAD", KEEP_SEALED_OVERHEAD },
};

const shim_table shim_sealed_table = { methods, SHIM_COUNT(methods), constants, SHIM_COUNT(constants) };
