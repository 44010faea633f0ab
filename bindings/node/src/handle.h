/* SPDX-License-Identifier: MIT */
/*
 * Handles of C in JavaScript: an External that points to a box. The classes of lib/ keep it in a private field, so
 * nobody else holds one.
 *
 * A box is freed by the garbage collector, or when its environment ends; its C handle by close, else with the box.
 * A job that works on a handle counts in its box: close then refuses callers at once and frees with the last job.
 */
#ifndef SHIM_HANDLE_H
#define SHIM_HANDLE_H

#include "call.h"

/*
 * A kind of handle. Its address tells the kinds apart. Of a value (`is_value`) C itself says CLOSED when it was freed, in
 * its own order of checks: a closed box still hands it out.
 */
typedef struct shim_kind {
    const char *name;
    keep_status (*free)(void **handle);
    bool is_value;
} shim_kind;

typedef struct shim_box {
    const shim_kind *kind;
    void *handle;
    uint32_t jobs;
    bool closed;    /* for callers */
    bool freed;     /* in C */
    int64_t weight; /* bytes of memory that the collector is told of */
} shim_box;

extern const shim_kind shim_pool_kind, shim_secret_kind, shim_sealed_kind;

/*
 * Puts a handle that C has just made into an External. Owns it from here on: it is freed if that fails. With a status
 * other than KEEP_OK throws that instead, and frees the handle if there is one.
 */
napi_value shim_adopt(const shim_call *call, keep_status status, const shim_kind *kind, void *handle, size_t weight);

/* The box of an argument; throws TypeError for anything that is not of the kind, the CLOSED error for a closed one. */
shim_box *shim_take_box(const shim_call *call, napi_value value, const char *name, const shim_kind *kind);

bool shim_take_secret(const shim_call *call, napi_value value, const char *name, keep_secret **out);
/* `undefined` is NULL. */
bool shim_take_optional_secret(const shim_call *call, napi_value value, const char *name, keep_secret **out);

bool shim_take_sealed(const shim_call *call, napi_value value, const char *name, keep_sealed **out);

/* `undefined` is the default pool, NULL. */
bool shim_take_pool(const shim_call *call, napi_value value, keep_pool **out);

bool shim_is_secret(const shim_call *call, napi_value value);

/* Adopts a new secret; a guarded buffer's pages weigh, a slot's are its pool's. */
napi_value shim_adopt_secret(const shim_call *call, keep_status status, keep_secret *secret);

/* close() of a class. Closing twice does nothing; an open window is BUSY, and nothing happened. */
napi_value shim_close(napi_env env, napi_callback_info info, const shim_kind *kind);

/* Marks a box whose handle C has freed in a batch. */
void shim_mark_freed(napi_env env, shim_box *box);

/* A job on the box begins, and ends: the last one frees what was closed meanwhile. */
void shim_begin_job(shim_box *box);
void shim_end_job(napi_env env, shim_box *box);

#endif
