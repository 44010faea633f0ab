/* SPDX-License-Identifier: MIT */
/*
 * Packet pools: the functions behind the classes PacketPool and Packet. The first argument is the External, where there is
 * one.
 */
#include "packet_pool.h"

#include "report.h"
#include "request.h"
#include "session.h"

static keep_status free_pool(void **handle)
{
    keep_packet_pool *pool = *handle;

    keep_packet_pool_free(&pool);
    *handle = pool;
    return KEEP_OK;
}

static keep_status free_packet(void **handle)
{
    keep_packet *packet = *handle;
    keep_status st = keep_packet_free(&packet);

    *handle = packet;
    return st;
}

static const shim_kind pool_kind = { .name = "PacketPool", .free = free_pool };
static const shim_kind packet_kind = { .name = "Packet", .free = free_packet, .is_value = true };

static bool begin_pool(napi_env env, napi_callback_info info, shim_call *call, keep_packet_pool **out)
{
    shim_box *box = shim_begin(env, info, call) ? shim_take_box(call, call->args[0], "this", &pool_kind) : NULL;

    if (box != NULL)
        *out = box->handle;
    return box != NULL;
}

static bool begin_packet(napi_env env, napi_callback_info info, shim_call *call, keep_packet **out)
{
    shim_box *box = shim_begin(env, info, call) ? shim_take_box(call, call->args[0], "this", &packet_kind) : NULL;

    if (box != NULL)
        *out = box->handle;
    return box != NULL;
}

/* new(capacity, settings); all its memory weighs */
static napi_value make(napi_env env, napi_callback_info info)
{
    keep_packet_pool_options options = KEEP_PACKET_POOL_OPTIONS_INIT;
    struct keep_packet_pool_stats stats = KEEP_PACKET_POOL_STATS_INIT;
    const keep_packet_settings *settings;
    keep_packet_pool *pool = NULL;
    shim_call call;
    keep_status st;

    if (!shim_begin(env, info, &call) || !shim_take_uint32(&call, call.args[0], "capacity", &options.capacity) ||
        !shim_take_settings(&call, call.args[1], &options.settings, &settings))
        return NULL;
    st = keep_packet_pool_new(&options, &pool);
    if (st == KEEP_OK)
        st = keep_packet_pool_stats(pool, &stats);
    return shim_adopt(&call, st, &pool_kind, pool, stats.bytes);
}

static napi_value acquire(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_packet_pool *pool;
    keep_packet *packet = NULL;
    keep_status st;

    if (!begin_pool(env, info, &call, &pool))
        return NULL;
    st = keep_packet_pool_acquire(pool, &packet);
    return shim_adopt(&call, st, &packet_kind, packet, 0);
}

#define COUNT(key, field) SHIM_FIELD(struct keep_packet_pool_stats, key, SHIM_FIELD_UINT64, field)

static const shim_field stats_fields[] = {
    COUNT("capacity", capacity), COUNT("inUse", in_use),    COUNT("available", available),
    COUNT("peak", peak),         COUNT("refused", refused), COUNT("bytes", bytes),
};

static napi_value tell_stats(napi_env env, napi_callback_info info)
{
    struct keep_packet_pool_stats stats = KEEP_PACKET_POOL_STATS_INIT;
    shim_call call;
    keep_packet_pool *pool;
    keep_status st;

    if (!begin_pool(env, info, &call, &pool))
        return NULL;
    st = keep_packet_pool_stats(pool, &stats);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    return shim_freeze(&call, shim_report(&call, stats_fields, SHIM_COUNT(stats_fields), &stats));
}

static napi_value close_pool(napi_env env, napi_callback_info info)
{
    return shim_close(env, info, &pool_kind);
}

/* set(packet, settings) */
static napi_value set(napi_env env, napi_callback_info info)
{
    keep_packet_settings settings;
    const keep_packet_settings *given;
    shim_call call;
    keep_packet *packet;

    if (!begin_packet(env, info, &call, &packet) || !shim_take_settings(&call, call.args[1], &settings, &given))
        return NULL;
    return shim_settle(&call, keep_packet_set(packet, given));
}

/* build(packet, session, request); `undefined` is no session */
static napi_value build(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_request request;
    keep_packet *packet;
    keep_session *session = NULL;
    keep_status st;

    if (!begin_packet(env, info, &call, &packet) ||
        (!shim_is_undefined(&call, call.args[1]) && !shim_take_session(&call, call.args[1], "session", &session)) ||
        !shim_take_request(&call, &call.args[2], &request))
        return NULL;
    st = keep_packet_build(packet, session, &request.packet);
    return shim_settle(&call, shim_end_request(&request, st));
}

static napi_value copy_data(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_packet *packet;
    const uint8_t *data = NULL;
    napi_value buffer = NULL;
    keep_status st;
    size_t len = 0;

    if (!begin_packet(env, info, &call, &packet))
        return NULL;
    st = keep_packet_data(packet, &data, &len);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    (void)shim_ok(&call, napi_create_buffer_copy(env, len, data, NULL, &buffer));
    return buffer;
}

static napi_value close_packet(napi_env env, napi_callback_info info)
{
    return shim_close(env, info, &packet_kind);
}

static const shim_method methods[] = {
    { "packetPoolNew", "new PacketPool", make },
    { "packetPoolAcquire", "PacketPool.acquire", acquire },
    { "packetPoolStats", "PacketPool.stats", tell_stats },
    { "packetPoolClose", "PacketPool.close", close_pool },
    { "packetSet", "Packet.set", set },
    { "packetBuild", "Packet.build", build },
    { "packetData", "Packet.data", copy_data },
    { "packetClose", "Packet.close", close_packet },
};

static const shim_constant constants[] = {
    { NULL, "MAX_PACKET_SLOTS", KEEP_MAX_PACKET_SLOTS },
    { NULL, "MAX_PACKET_POOLS", KEEP_MAX_PACKET_POOLS },
    { NULL, "DEFAULT_PACKET_SLOTS", KEEP_DEFAULT_PACKET_SLOTS },
};

const shim_table shim_packet_pool_table = { methods, SHIM_COUNT(methods), constants, SHIM_COUNT(constants) };
