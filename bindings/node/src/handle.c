/* SPDX-License-Identifier: MIT */
/*
 * Handles: boxes, their kinds, their end.
 */
#include "handle.h"

#include <stdlib.h>

#include "args.h"

static keep_status free_pool(void **handle)
{
    keep_pool *pool = *handle;

    keep_pool_free(&pool);
    *handle = pool;
    return KEEP_OK;
}

static keep_status free_secret(void **handle)
{
    keep_secret *secret = *handle;
    keep_status st = keep_secret_free(&secret);

    *handle = secret;
    return st;
}

static keep_status free_sealed(void **handle)
{
    keep_sealed *sealed = *handle;

    keep_sealed_free(&sealed);
    *handle = sealed;
    return KEEP_OK;
}

const shim_kind shim_pool_kind = { .name = "Pool", .free = free_pool };
const shim_kind shim_secret_kind = { .name = "Secret", .free = free_secret, .is_value = true };
const shim_kind shim_sealed_kind = { .name = "Sealed", .free = free_sealed };

static void weigh(napi_env env, int64_t change)
{
    int64_t total;

    if (change != 0)
        (void)napi_adjust_external_memory(env, change, &total);
}

void shim_mark_freed(napi_env env, shim_box *box)
{
    box->closed = true;
    box->freed = true;
    weigh(env, -box->weight);
}

/* Gives the C handle back, once; with KEEP_ERR_BUSY nothing happened. */
static keep_status release(napi_env env, shim_box *box)
{
    void *handle = box->handle;
    keep_status st;

    if (box->freed)
        return KEEP_OK;
    st = box->kind->free(&handle);
    if (st != KEEP_ERR_BUSY)
        shim_mark_freed(env, box);
    return st;
}

/* Neither a window nor a job can be open here: both hold the External. */
static void finalize(napi_env env, void *data, void *hint)
{
    shim_box *box = data;

    (void)hint;
    (void)release(env, box);
    free(box);
}

static napi_value wrap(const shim_call *call, const shim_kind *kind, void *handle, size_t weight)
{
    shim_box *box = malloc(sizeof *box);
    napi_value external = NULL;

    if (box == NULL)
        return shim_settle(call, KEEP_ERR_NO_MEMORY);
    *box = (shim_box){ .kind = kind, .handle = handle, .weight = (int64_t)weight };
    if (!shim_ok(call, napi_create_external(call->env, box, finalize, NULL, &external))) {
        free(box);
        return NULL;
    }
    weigh(call->env, box->weight);
    return external;
}

napi_value shim_adopt(const shim_call *call, keep_status status, const shim_kind *kind, void *handle, size_t weight)
{
    napi_value external = status == KEEP_OK ? wrap(call, kind, handle, weight) : shim_settle(call, status);

    if (external == NULL && handle != NULL)
        (void)kind->free(&handle);
    return external;
}

napi_value shim_adopt_secret(const shim_call *call, keep_status status, keep_secret *secret)
{
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;

    if (status == KEEP_OK)
        status = keep_secret_info(secret, &info);
    return shim_adopt(call, status, &shim_secret_kind, secret, info.kind == KEEP_KIND_GUARDED ? info.capacity : 0);
}

static shim_box *find_box(const shim_call *call, napi_value value, const shim_kind *kind)
{
    void *data = NULL;
    shim_box *box;

    if (napi_get_value_external(call->env, value, &data) != napi_ok)
        return NULL;
    box = data;
    return box != NULL && box->kind == kind ? box : NULL;
}

static shim_box *take_any_box(const shim_call *call, napi_value value, const char *name, const shim_kind *kind)
{
    shim_box *box = find_box(call, value, kind);

    if (box == NULL)
        (void)shim_refuse_type(call, name, kind->name);
    return box;
}

shim_box *shim_take_box(const shim_call *call, napi_value value, const char *name, const shim_kind *kind)
{
    shim_box *box = take_any_box(call, value, name, kind);

    if (box == NULL || !box->closed || kind->is_value)
        return box;
    (void)shim_settle(call, KEEP_ERR_CLOSED);
    return NULL;
}

bool shim_take_secret(const shim_call *call, napi_value value, const char *name, keep_secret **out)
{
    shim_box *box = shim_take_box(call, value, name, &shim_secret_kind);

    if (box != NULL)
        *out = box->handle;
    return box != NULL;
}

bool shim_take_optional_secret(const shim_call *call, napi_value value, const char *name, keep_secret **out)
{
    *out = NULL;
    return shim_is_undefined(call, value) || shim_take_secret(call, value, name, out);
}

bool shim_take_sealed(const shim_call *call, napi_value value, const char *name, keep_sealed **out)
{
    shim_box *box = shim_take_box(call, value, name, &shim_sealed_kind);

    if (box != NULL)
        *out = box->handle;
    return box != NULL;
}

bool shim_take_pool(const shim_call *call, napi_value value, keep_pool **out)
{
    shim_box *box;

    *out = NULL;
    if (shim_is_undefined(call, value))
        return true;
    box = shim_take_box(call, value, "pool", &shim_pool_kind);
    if (box != NULL)
        *out = box->handle;
    return box != NULL;
}

bool shim_is_secret(const shim_call *call, napi_value value)
{
    return find_box(call, value, &shim_secret_kind) != NULL;
}

napi_value shim_close(napi_env env, napi_callback_info info, const shim_kind *kind)
{
    shim_call call;
    shim_box *box;

    if (!shim_begin(env, info, &call) || (box = take_any_box(&call, call.args[0], "this", kind)) == NULL)
        return NULL;
    if (box->jobs > 0) {
        box->closed = true;
        return NULL;
    }
    return shim_settle(&call, release(env, box));
}

void shim_begin_job(shim_box *box)
{
    box->jobs++;
}

void shim_end_job(napi_env env, shim_box *box)
{
    box->jobs--;
    if (box->jobs == 0 && box->closed)
        (void)release(env, box);
}
