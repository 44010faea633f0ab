/* SPDX-License-Identifier: MIT */
/*
 * Acquiring secrets: the options, and the job that waits.
 *
 * A long wait is made of waits of SLICE_MS, between which the job gives its thread back: other work of the process gets
 * its turn, and an environment that ends does not wait for a slot that never comes. Only the last call may fall back.
 */
#include "acquire.h"

#include <stdlib.h>
#include <time.h>

#include "job.h"
#include "options.h"

enum {
    SLICE_MS = 250
};

#define FLAG(key, bit) SHIM_FLAG(keep_acquire_options, key, bit, flags)

/* The first row is for jobs only: nothing blocks the JavaScript thread. */
static const shim_option acquire_options[] = {
    SHIM_OPTION(keep_acquire_options, "timeoutMs", SHIM_OPTION_UINT32, timeout_ms),
    FLAG("fallback", KEEP_ACQUIRE_FALLBACK),
    FLAG("guarded", KEEP_ACQUIRE_GUARDED),
    FLAG("align16", KEEP_ACQUIRE_ALIGN16),
    FLAG("resident", KEEP_ACQUIRE_RESIDENT),
};

typedef struct acquire_job {
    shim_job job;
    shim_acquire acquire;
    size_t len;
    keep_acquire_options options;
    uint64_t deadline_ms;
    keep_secret *secret;
} acquire_job;

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What is left of the wait: at least a millisecond, for a call that does not wait would not say TIMEOUT. */
static uint32_t time_left(const acquire_job *self)
{
    uint32_t timeout_ms = self->options.timeout_ms;
    uint64_t now = now_ms();

    if (timeout_ms == 0 || timeout_ms == KEEP_WAIT_FOREVER)
        return timeout_ms;
    return now < self->deadline_ms ? (uint32_t)(self->deadline_ms - now) : 1;
}

/* Waits a slice; false if there is nothing to wait for, so that the last call is due. */
static bool wait_slice(acquire_job *self)
{
    keep_acquire_options options = self->options;
    shim_job *job = &self->job;

    options.timeout_ms = SLICE_MS;
    options.flags &= ~(uint32_t)KEEP_ACQUIRE_FALLBACK;
    job->status = self->acquire(job->box->handle, self->len, &options, &self->secret);
    job->again = job->status == KEEP_ERR_TIMEOUT;
    return job->again || job->status == KEEP_OK;
}

static void run(shim_job *job)
{
    acquire_job *self = (acquire_job *)job;
    keep_acquire_options options = self->options;

    job->status = KEEP_ERR_TIMEOUT;
    if (atomic_load(&job->instance->stopping))
        return;
    options.timeout_ms = time_left(self);
    if (options.timeout_ms > SLICE_MS) {
        if (wait_slice(self))
            return;
        options.timeout_ms = 0;
    }
    job->status = self->acquire(job->box->handle, self->len, &options, &self->secret);
}

static napi_value give_secret(const shim_call *call, shim_job *job)
{
    return shim_adopt_secret(call, job->status, ((acquire_job *)job)->secret);
}

static const shim_job_kind acquire_kind = { .run = run, .result = give_secret };

napi_value shim_acquire_now(const shim_call *call, shim_box *box, size_t len, napi_value options, shim_acquire acquire)
{
    keep_acquire_options taken = KEEP_ACQUIRE_OPTIONS_INIT;
    keep_secret *secret = NULL;
    keep_status st;

    if (!shim_take_options(call, options, &acquire_options[1], SHIM_COUNT(acquire_options) - 1, &taken))
        return NULL;
    st = acquire(box->handle, len, &taken, &secret);
    return shim_adopt_secret(call, st, secret);
}

napi_value shim_acquire_later(const shim_call *call, shim_box *box, size_t len, napi_value options,
                              shim_acquire acquire)
{
    keep_acquire_options taken = KEEP_ACQUIRE_OPTIONS_INIT;
    acquire_job *self;

    if (!shim_take_options(call, options, acquire_options, SHIM_COUNT(acquire_options), &taken))
        return NULL;
    self = malloc(sizeof *self);
    if (self == NULL)
        return shim_settle(call, KEEP_ERR_NO_MEMORY);
    *self = (acquire_job){
        .job.kind = &acquire_kind,
        .acquire = acquire,
        .len = len,
        .options = taken,
        .deadline_ms = now_ms() + taken.timeout_ms,
    };
    return shim_start_job(call, call->args[0], box, &self->job);
}
