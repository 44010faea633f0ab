/* SPDX-License-Identifier: MIT */
/*
 * Jobs: work on a thread of Node's pool that settles a promise. A job holds the External of the handle it works on, so
 * neither the collector nor close() can free the handle under it.
 *
 * A job's own struct begins with a shim_job. Its kind says what it does.
 */
#ifndef SHIM_JOB_H
#define SHIM_JOB_H

#include "call.h"
#include "handle.h"

typedef struct shim_job shim_job;

typedef struct shim_job_kind {
    /* On a thread of the pool: sets `status`, and `again` if it only gave the thread back for a while. */
    void (*run)(shim_job *job);
    /* On the JavaScript thread, if `status` is KEEP_OK: the promise's value, or NULL after a throw. */
    napi_value (*result)(const shim_call *call, shim_job *job);
} shim_job_kind;

struct shim_job {
    const shim_job_kind *kind;
    const char *op;
    shim_box *box;
    shim_instance *instance;
    keep_status status;
    bool again;
    napi_async_work work;
    napi_deferred deferred;
    napi_ref hold;
};

/*
 * Starts a job on the handle of `box`, whose External is `external`. The job's memory, from malloc, is the job's own
 * from here on. Gives the promise, or NULL after a throw.
 */
napi_value shim_start_job(const shim_call *call, napi_value external, shim_box *box, shim_job *job);

/* Jobs that wait give up as soon as they can: the environment ends. */
napi_value shim_stop(napi_env env, napi_callback_info info);

#endif
