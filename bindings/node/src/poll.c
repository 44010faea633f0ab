/* SPDX-License-Identifier: MIT */
/*
 * Polls: the functions behind waiting. The first argument is the poll's External.
 *
 * A poll belongs to its box and to libuv's handle; the last that lets go of it frees it. The handle is closed with the
 * box, or when the environment ends, which waits for that by the cleanup hook.
 *
 * Node-API has no header of libuv: what is used of it here is the same in all of libuv 1.
 */
#include "poll.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "handle.h"

/* --- libuv --- */

typedef struct uv_handle_s uv_handle_t;
typedef struct uv_loop_s uv_loop_t;
typedef void (*uv_close_cb)(uv_handle_t *handle);
typedef void (*uv_poll_cb)(uv_handle_t *handle, int status, int events);

enum {
    UV_POLL = 8,
    UV_READABLE = 1
};

extern unsigned uv_version(void);
extern size_t uv_handle_size(int type);
extern int uv_poll_init(uv_loop_t *loop, uv_handle_t *handle, int fd);
extern int uv_poll_start(uv_handle_t *handle, int events, uv_poll_cb callback);
extern int uv_poll_stop(uv_handle_t *handle);
extern void uv_close(uv_handle_t *handle, uv_close_cb callback);
extern void uv_handle_set_data(uv_handle_t *handle, void *data);
extern void *uv_handle_get_data(const uv_handle_t *handle);

/* --- a poll --- */

typedef struct poll {
    napi_env env;
    uv_handle_t *uv;
    int fd;
    int owners; /* the box and libuv, while they have it */
    bool closing;
    napi_ref callback; /* while it is started */
    napi_async_cleanup_hook_handle hook;
} poll;

static void let_go(poll *self)
{
    if (--self->owners == 0)
        free(self);
}

static void forget_callback(poll *self)
{
    if (self->callback != NULL)
        (void)napi_delete_reference(self->env, self->callback);
    self->callback = NULL;
}

static void closed(uv_handle_t *uv)
{
    poll *self = uv_handle_get_data(uv);

    (void)close(self->fd);
    free(uv);
    if (self->hook != NULL)
        (void)napi_remove_async_cleanup_hook(self->hook);
    let_go(self);
}

static void begin_close(poll *self)
{
    if (self->closing)
        return;
    self->closing = true;
    forget_callback(self);
    uv_close(self->uv, closed);
}

static void end_with_environment(napi_async_cleanup_hook_handle hook, void *data)
{
    (void)hook;
    begin_close(data);
}

static keep_status free_poll(void **handle)
{
    poll *self = *handle;

    begin_close(self);
    let_go(self);
    *handle = NULL;
    return KEEP_OK;
}

static const shim_kind poll_kind = { .name = "Poll", .free = free_poll };

static bool take_poll(napi_env env, napi_callback_info info, shim_call *call, poll **out)
{
    shim_box *box = shim_begin(env, info, call) ? shim_take_box(call, call->args[0], "this", &poll_kind) : NULL;

    if (box != NULL)
        *out = box->handle;
    return box != NULL;
}

/* --- making --- */

/* Gives the descriptor to libuv; false: nothing was made. */
static bool open_uv(const shim_call *call, poll *self, int fd)
{
    uv_loop_t *loop = NULL;

    self->uv = calloc(1, uv_handle_size(UV_POLL));
    self->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (self->uv != NULL && self->fd >= 0 &&
        napi_get_uv_event_loop(call->env, (struct uv_loop_s **)&loop) == napi_ok &&
        uv_poll_init(loop, self->uv, self->fd) == 0) {
        uv_handle_set_data(self->uv, self);
        return true;
    }
    if (self->fd >= 0)
        (void)close(self->fd);
    free(self->uv);
    return false;
}

napi_value shim_make_poll(const shim_call *call, int fd)
{
    poll *self;

    if (uv_version() >> 16 != 1)
        return shim_settle(call, KEEP_ERR_UNSUPPORTED);
    self = calloc(1, sizeof *self);
    if (self == NULL)
        return shim_settle(call, KEEP_ERR_NO_MEMORY);
    self->env = call->env;
    if (!open_uv(call, self, fd)) {
        free(self);
        return shim_settle(call, KEEP_ERR_SYSTEM);
    }
    self->owners = 2;
    (void)napi_add_async_cleanup_hook(call->env, end_with_environment, self, &self->hook);
    return shim_adopt(call, KEEP_OK, &poll_kind, self, 0);
}

/* --- waiting --- */

/* Calls JavaScript; what it throws nobody can catch. */
static void tell(poll *self)
{
    napi_value callback, global, result, exception;
    bool pending = false;

    if (napi_get_reference_value(self->env, self->callback, &callback) != napi_ok ||
        napi_get_global(self->env, &global) != napi_ok)
        return;
    (void)napi_make_callback(self->env, NULL, global, callback, 0, NULL, &result);
    if (napi_is_exception_pending(self->env, &pending) == napi_ok && pending &&
        napi_get_and_clear_last_exception(self->env, &exception) == napi_ok)
        (void)napi_fatal_exception(self->env, exception);
}

/* Errors are readable too: the call that follows tells them. */
static void ready(uv_handle_t *uv, int status, int events)
{
    poll *self = uv_handle_get_data(uv);
    napi_handle_scope scope;

    (void)status;
    (void)events;
    if (self->closing || napi_open_handle_scope(self->env, &scope) != napi_ok)
        return;
    tell(self);
    (void)napi_close_handle_scope(self->env, scope);
}

/* start(poll, callback): called in every turn of the loop in which the descriptor is readable */
static napi_value start(napi_env env, napi_callback_info info)
{
    shim_call call;
    poll *self;
    napi_valuetype type = napi_undefined;

    if (!take_poll(env, info, &call, &self))
        return NULL;
    (void)napi_typeof(env, call.args[1], &type);
    if (type != napi_function) {
        (void)shim_refuse_type(&call, "callback", "a function");
        return NULL;
    }
    forget_callback(self);
    if (!shim_ok(&call, napi_create_reference(env, call.args[1], 1, &self->callback)))
        return NULL;
    return shim_settle(&call, uv_poll_start(self->uv, UV_READABLE, ready) == 0 ? KEEP_OK : KEEP_ERR_SYSTEM);
}

/* stop(poll) */
static napi_value stop(napi_env env, napi_callback_info info)
{
    shim_call call;
    poll *self;

    if (!take_poll(env, info, &call, &self))
        return NULL;
    (void)uv_poll_stop(self->uv);
    forget_callback(self);
    return NULL;
}

static napi_value close_poll(napi_env env, napi_callback_info info)
{
    return shim_close(env, info, &poll_kind);
}

static const shim_method methods[] = {
    { "pollStart", "Observer.wait", start },
    { "pollStop", "Observer.wait", stop },
    { "pollClose", "Observer.wait", close_poll },
};

const shim_table shim_poll_table = { methods, SHIM_COUNT(methods), NULL, 0 };
