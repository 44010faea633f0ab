/* SPDX-License-Identifier: MIT */
/*
 * Pools: the functions behind the class Pool. The first argument is the pool's External, where there is one.
 */
#include "pool.h"

#include <stdlib.h>

#include "acquire.h"
#include "args.h"
#include "handle.h"
#include "options.h"
#include "report.h"

static bool begin(napi_env env, napi_callback_info info, shim_call *call, shim_box **out_box)
{
    return shim_begin(env, info, call) &&
           (*out_box = shim_take_box(call, call->args[0], "this", &shim_pool_kind)) != NULL;
}

/* What the pool has locked weighs: its slots are reached through it alone. */
static napi_value adopt_pool(const shim_call *call, keep_status status, keep_pool *pool)
{
    struct keep_pool_stats stats = KEEP_POOL_STATS_INIT;

    if (status == KEEP_OK)
        status = keep_pool_stats(pool, &stats);
    return shim_adopt(call, status, &shim_pool_kind, pool, stats.locked_bytes);
}

static napi_value make(napi_env env, napi_callback_info info,
                       keep_status (*function)(const keep_pool_options *, keep_pool **))
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    shim_call call;
    keep_pool *pool = NULL;
    keep_status st;

    if (!shim_begin(env, info, &call) ||
        !shim_take_options(&call, call.args[0], shim_pool_options, shim_pool_option_count, &options))
        return NULL;
    st = function(shim_is_undefined(&call, call.args[0]) ? NULL : &options, &pool);
    return adopt_pool(&call, st, pool);
}

/* new(options) */
static napi_value make_new(napi_env env, napi_callback_info info)
{
    return make(env, info, keep_pool_new);
}

/* default(options) */
static napi_value make_default(napi_env env, napi_callback_info info)
{
    return make(env, info, keep_pool_default);
}

static keep_status acquire_from(void *pool, size_t len, const keep_acquire_options *options, keep_secret **out_secret)
{
    return keep_pool_acquire(pool, len, options, out_secret);
}

/* acquire(pool, len, options), acquireAsync(pool, len, options) */
static napi_value acquire(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_box *box;
    size_t len;

    if (!begin(env, info, &call, &box) || !shim_take_size(&call, call.args[1], "len", &len))
        return NULL;
    return shim_acquire_now(&call, box, len, call.args[2], acquire_from);
}

static napi_value acquire_async(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_box *box;
    size_t len;

    if (!begin(env, info, &call, &box) || !shim_take_size(&call, call.args[1], "len", &len))
        return NULL;
    return shim_acquire_later(&call, box, len, call.args[2], acquire_from);
}

/* Adopts all; if one fails the others are freed with the array, or here. */
static napi_value adopt_all(const shim_call *call, keep_secret **secrets, size_t count)
{
    napi_value array = NULL, external;
    size_t i;

    if (!shim_ok(call, napi_create_array_with_length(call->env, count, &array)))
        array = NULL;
    for (i = 0; array != NULL && i < count; i++) {
        external = shim_adopt_secret(call, KEEP_OK, secrets[i]);
        secrets[i] = NULL;
        if (external == NULL || !shim_ok(call, napi_set_element(call->env, array, (uint32_t)i, external)))
            array = NULL;
    }
    if (array == NULL)
        (void)keep_secret_free_batch(secrets, count);
    return array;
}

/* acquireMany(pool, len, count) */
static napi_value acquire_many(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_box *box;
    keep_secret **secrets;
    napi_value array;
    keep_status st;
    size_t len, count;

    if (!begin(env, info, &call, &box) || !shim_take_size(&call, call.args[1], "len", &len) ||
        !shim_take_size(&call, call.args[2], "count", &count))
        return NULL;
    secrets = calloc(KEEP_MAX_BATCH, sizeof *secrets); /* C refuses a larger count */
    if (secrets == NULL)
        return shim_settle(&call, KEEP_ERR_NO_MEMORY);
    st = keep_pool_acquire_batch(box->handle, len, count, secrets);
    array = st == KEEP_OK ? adopt_all(&call, secrets, count) : shim_settle(&call, st);
    free(secrets);
    return array;
}

/* reserve(pool, len, count) */
static napi_value reserve(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_box *box;
    size_t len, count;

    if (!begin(env, info, &call, &box) || !shim_take_size(&call, call.args[1], "len", &len) ||
        !shim_take_size(&call, call.args[2], "count", &count))
        return NULL;
    return shim_settle(&call, keep_pool_reserve(box->handle, len, count));
}

static napi_value trim(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_box *box;
    uint64_t bytes = 0;
    keep_status st;

    if (!begin(env, info, &call, &box))
        return NULL;
    st = keep_pool_trim(box->handle, &bytes);
    return st == KEEP_OK ? shim_bigint(&call, bytes) : shim_settle(&call, st);
}

#define TIER(key, field) SHIM_FIELD(keep_tier_stats, key, SHIM_FIELD_UINT64, field)
#define FIELD(key, kind, field) SHIM_FIELD(struct keep_pool_stats, key, kind, field)
#define COUNT(key, field) FIELD(key, SHIM_FIELD_UINT64, field)

static const shim_field tier_fields[] = {
    TIER("slotLen", slot_len), TIER("slots", slots),     TIER("inUse", in_use),
    TIER("cached", cached),    TIER("waiting", waiting), TIER("regions", regions),
};

static const shim_field stats_fields[] = {
    FIELD("backing", SHIM_FIELD_UINT32, backing),
    FIELD("lastLockErrno", SHIM_FIELD_INT32, last_lock_errno),
    COUNT("lockedBytes", locked_bytes),
    COUNT("unlockedBytes", unlocked_bytes),
    COUNT("metadataBytes", metadata_bytes),
    COUNT("guardedBytes", guarded_bytes),
    COUNT("guarded", guarded),
    COUNT("growths", growths),
    COUNT("waits", waits),
    COUNT("timeouts", timeouts),
    COUNT("fallbacks", fallbacks),
    COUNT("lockFailures", lock_failures),
    COUNT("resplits", resplits),
    COUNT("purges", purges),
    COUNT("cacheEntries", cache_entries),
    COUNT("cacheHits", cache_hits),
    COUNT("cacheMisses", cache_misses),
    COUNT("cacheEvictions", cache_evictions),
};

static napi_value report_tiers(const shim_call *call, const struct keep_pool_stats *stats)
{
    napi_value array = NULL, tier;
    uint32_t i;

    if (!shim_ok(call, napi_create_array_with_length(call->env, stats->tier_count, &array)))
        return NULL;
    for (i = 0; i < stats->tier_count; i++) {
        tier = shim_freeze(call, shim_report(call, tier_fields, SHIM_COUNT(tier_fields), &stats->tiers[i]));
        if (tier == NULL || !shim_ok(call, napi_set_element(call->env, array, i, tier)))
            return NULL;
    }
    return shim_freeze(call, array);
}

static napi_value tell_stats(napi_env env, napi_callback_info info)
{
    struct keep_pool_stats stats = KEEP_POOL_STATS_INIT;
    shim_call call;
    shim_box *box;
    napi_value report;
    keep_status st;

    if (!begin(env, info, &call, &box))
        return NULL;
    st = keep_pool_stats(box->handle, &stats);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    report = shim_report(&call, stats_fields, SHIM_COUNT(stats_fields), &stats);
    if (report == NULL || !shim_set(&call, report, "tiers", report_tiers(&call, &stats)))
        return NULL;
    return shim_freeze(&call, report);
}

static napi_value close_pool(napi_env env, napi_callback_info info)
{
    return shim_close(env, info, &shim_pool_kind);
}

static const shim_method methods[] = {
    { "poolNew", "new Pool", make_new },
    { "poolDefault", "Pool.default", make_default },
    { "poolAcquire", "Pool.acquire", acquire },
    { "poolAcquireAsync", "Pool.acquireAsync", acquire_async },
    { "poolAcquireMany", "Pool.acquireMany", acquire_many },
    { "poolReserve", "Pool.reserve", reserve },
    { "poolTrim", "Pool.trim", trim },
    { "poolStats", "Pool.stats", tell_stats },
    { "poolClose", "Pool.close", close_pool },
};

static const shim_constant constants[] = {
    { NULL, "MAX_TIERS", KEEP_MAX_TIERS },
    { NULL, "MIN_SLOT_LEN", KEEP_MIN_SLOT_LEN },
    { NULL, "MAX_SLOT_LEN", KEEP_MAX_SLOT_LEN },
    { NULL, "MAX_BATCH", KEEP_MAX_BATCH },
    { NULL, "MAX_HOT_CACHE", KEEP_MAX_HOT_CACHE },
    { NULL, "MAX_POOL_BYTES", KEEP_MAX_POOL_BYTES },
    { NULL, "WAIT_FOREVER", KEEP_WAIT_FOREVER },
    { "Backing", "AUTO", KEEP_BACKING_AUTO },
    { "Backing", "MEMFD_SECRET", KEEP_BACKING_MEMFD_SECRET },
    { "Backing", "LOCKED", KEEP_BACKING_LOCKED },
    { "LockPolicy", "REQUIRE", KEEP_LOCK_REQUIRE },
    { "LockPolicy", "ALLOW_UNLOCKED", KEEP_LOCK_ALLOW_UNLOCKED },
    { "Acquire", "FALLBACK", KEEP_ACQUIRE_FALLBACK },
    { "Acquire", "GUARDED", KEEP_ACQUIRE_GUARDED },
    { "Acquire", "ALIGN16", KEEP_ACQUIRE_ALIGN16 },
    { "Acquire", "RESIDENT", KEEP_ACQUIRE_RESIDENT },
};

const shim_table shim_pool_table = { methods, SHIM_COUNT(methods), constants, SHIM_COUNT(constants) };
