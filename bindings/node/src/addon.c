/* SPDX-License-Identifier: MIT */
/*
 * The addon: one per environment. It exports the native functions of each noun's table, flat, and the constants; the
 * classes are made of them in lib/.
 */
#include <stdlib.h>

#include "aead.h"
#include "beacon.h"
#include "handshake.h"
#include "job.h"
#include "observer.h"
#include "open.h"
#include "packed.h"
#include "packet_pool.h"
#include "poll.h"
#include "pool.h"
#include "protect.h"
#include "report.h"
#include "seal.h"
#include "sealed.h"
#include "secret.h"
#include "session.h"
#include "tracker.h"

/* Of an integer that a number holds. */
enum {
    MAX_SAFE_BITS = 53
};

/* setErrorClass(class): what shim_settle makes its errors of */
static napi_value set_error_class(napi_env env, napi_callback_info info)
{
    shim_instance *instance = NULL;
    shim_call call;

    if (shim_begin(env, info, &call) && shim_ok(&call, napi_get_instance_data(env, (void **)&instance)))
        (void)shim_ok(&call, napi_create_reference(env, call.args[0], 1, &instance->error_class));
    return NULL;
}

static napi_value tell_version(napi_env env, napi_callback_info info)
{
    shim_call call;

    return shim_begin(env, info, &call) ? shim_number(&call, keep_version_number()) : NULL;
}

static const shim_method methods[] = {
    { "setErrorClass", "", set_error_class },
    { "stop", "", shim_stop },
    { "versionNumber", "version", tell_version },
};

static const shim_constant constants[] = {
    { NULL, "VERSION_MAJOR", KEEP_VERSION_MAJOR }, { NULL, "VERSION_MINOR", KEEP_VERSION_MINOR },
    { NULL, "VERSION_PATCH", KEEP_VERSION_PATCH }, { NULL, "VERSION_NUMBER", KEEP_VERSION_NUMBER },
    { "Layer", "NONE", KEEP_LAYER_NONE },          { "Layer", "ERRNO", KEEP_LAYER_ERRNO },
    { "Layer", "TSS2", KEEP_LAYER_TSS2 },          { "Layer", "SQLITE", KEEP_LAYER_SQLITE },
    { "Layer", "CRYPTO", KEEP_LAYER_CRYPTO },      { "Layer", "LOADER", KEEP_LAYER_LOADER },
};

static const shim_table addon_table = { methods, SHIM_COUNT(methods), constants, SHIM_COUNT(constants) };

static const shim_table *const tables[] = {
    &addon_table,        &shim_pool_table,        &shim_secret_table,    &shim_sealed_table,
    &shim_protect_table, &shim_session_table,     &shim_seal_table,      &shim_open_table,
    &shim_packed_table,  &shim_packet_pool_table, &shim_handshake_table, &shim_aead_table,
    &shim_tracker_table, &shim_observer_table, &shim_beacon_table, &shim_poll_table,
};

static bool export_methods(const shim_call *call, napi_value exports, const shim_table *table)
{
    napi_property_descriptor property;
    size_t i;

    for (i = 0; i < table->method_count; i++) {
        const shim_method *method = &table->methods[i];

        property = (napi_property_descriptor){
            .utf8name = method->name,
            .method = method->function,
            .attributes = napi_enumerable,
            .data = (void *)(uintptr_t)method,
        };
        if (!shim_ok(call, napi_define_properties(call->env, exports, 1, &property)))
            return false;
    }
    return true;
}

/* The object that a constant belongs to; its group is made when it is first asked for. */
static napi_value find_group(const shim_call *call, napi_value object, const char *group)
{
    napi_value found = NULL;
    bool exists = false;

    if (group == NULL)
        return object;
    if (!shim_ok(call, napi_has_named_property(call->env, object, group, &exists)))
        return NULL;
    if (exists)
        return shim_ok(call, napi_get_named_property(call->env, object, group, &found)) ? found : NULL;
    if (!shim_ok(call, napi_create_object(call->env, &found)) || !shim_set(call, object, group, found))
        return NULL;
    return found;
}

static bool export_constants(const shim_call *call, napi_value object, const shim_table *table)
{
    napi_value group, value;
    size_t i;

    for (i = 0; i < table->constant_count; i++) {
        const shim_constant *constant = &table->constants[i];

        value = constant->value >> MAX_SAFE_BITS == 0 ? shim_number(call, (double)constant->value)
                                                      : shim_bigint(call, (uint64_t)constant->value);
        group = find_group(call, object, constant->group);
        if (group == NULL || !shim_set(call, group, constant->name, value))
            return false;
    }
    return true;
}

static void free_instance(napi_env env, void *data, void *hint)
{
    shim_instance *instance = data;

    (void)env;
    (void)hint;
    free(instance->scratch);
    free(instance);
}

static bool make_instance(const shim_call *call)
{
    shim_instance *instance = calloc(1, sizeof *instance);

    if (instance == NULL)
        return shim_ok(call, napi_generic_failure);
    if (shim_ok(call, napi_set_instance_data(call->env, instance, free_instance, NULL)))
        return true;
    free(instance);
    return false;
}

NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports);

/* What Node calls when it loads the addon into an environment. */
napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
    const shim_call call = { .env = env, .op = "" };
    napi_value all = NULL;
    size_t i;

    if (!make_instance(&call) || !shim_ok(&call, napi_create_object(env, &all)))
        return NULL;
    for (i = 0; i < SHIM_COUNT(tables); i++)
        if (!export_methods(&call, exports, tables[i]) || !export_constants(&call, all, tables[i]))
            return NULL;
    return shim_set(&call, exports, "constants", all) ? exports : NULL;
}
