/* SPDX-License-Identifier: MIT */
/*
 * Jobs: queued, run, settled.
 *
 * Node waits for every job, also when a worker is terminated or the process exits. So a job that waits long comes back
 * in between (`again`), and is not queued again once JavaScript cannot run any more.
 */
#include "job.h"

#include <stdlib.h>

static void execute(napi_env env, void *data)
{
    shim_job *job = data;

    (void)env;
    job->again = false;
    job->kind->run(job);
}

/* False while the environment is torn down; a call without effect that needs a living one tells. */
static bool is_running(napi_env env)
{
    napi_value value;

    return napi_get_undefined(env, &value) == napi_ok && napi_coerce_to_bool(env, value, &value) == napi_ok;
}

/* The exception that is pending, taken back; NULL if there is none. */
static napi_value catch_exception(napi_env env)
{
    napi_value exception = NULL;
    bool pending = false;

    if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
        (void)napi_get_and_clear_last_exception(env, &exception);
    return exception;
}

/* Where JavaScript cannot run any more the promise stays as it is: nobody waits for it. */
static void settle(const shim_call *call, shim_job *job)
{
    napi_value value = job->status == KEEP_OK ? job->kind->result(call, job) : NULL;

    if (value != NULL) {
        (void)napi_resolve_deferred(call->env, job->deferred, value);
        return;
    }
    value = job->status != KEEP_OK ? shim_error(call, job->status, 0) : NULL;
    if (value == NULL)
        value = catch_exception(call->env);
    if (value != NULL)
        (void)napi_reject_deferred(call->env, job->deferred, value);
}

static void end_job(napi_env env, shim_job *job)
{
    shim_end_job(env, job->box);
    (void)napi_delete_reference(env, job->hold);
    free(job);
}

static bool queue(const shim_call *call, shim_job *job, napi_async_complete_callback done)
{
    napi_value name;

    if (!shim_ok(call, napi_create_string_utf8(call->env, job->op, NAPI_AUTO_LENGTH, &name)) ||
        !shim_ok(call, napi_create_async_work(call->env, NULL, name, execute, done, job, &job->work)))
        return false;
    if (shim_ok(call, napi_queue_async_work(call->env, job->work)))
        return true;
    (void)napi_delete_async_work(call->env, job->work);
    return false;
}

static void complete(napi_env env, napi_status status, void *data)
{
    shim_job *job = data;
    const shim_call call = { .env = env, .op = job->op };

    (void)napi_delete_async_work(env, job->work);
    if (status == napi_ok && job->again && is_running(env) && queue(&call, job, complete))
        return;
    settle(&call, job);
    end_job(env, job);
}

napi_value shim_start_job(const shim_call *call, napi_value external, shim_box *box, shim_job *job)
{
    napi_value promise = NULL;

    job->op = call->op;
    job->box = box;
    if (!shim_ok(call, napi_get_instance_data(call->env, (void **)&job->instance)) ||
        !shim_ok(call, napi_create_reference(call->env, external, 1, &job->hold))) {
        free(job);
        return NULL;
    }
    shim_begin_job(box);
    if (shim_ok(call, napi_create_promise(call->env, &job->deferred, &promise)) && queue(call, job, complete))
        return promise;
    end_job(call->env, job);
    return NULL;
}

napi_value shim_stop(napi_env env, napi_callback_info info)
{
    shim_instance *instance = NULL;

    (void)info;
    if (napi_get_instance_data(env, (void **)&instance) == napi_ok)
        atomic_store(&instance->stopping, true);
    return NULL;
}
