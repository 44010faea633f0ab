/* SPDX-License-Identifier: MIT */
/*
 * The process as a whole: the functions behind the object `memory`.
 */
#include "protect.h"

#include "args.h"
#include "known.h"
#include "options.h"
#include "report.h"

/*
 * Gives a report; with a status other than KEEP_OK throws its error, which has the report as its property `report`.
 * Takes what shim_report made, or its NULL.
 */
static napi_value settle_report(const shim_call *call, keep_status status, napi_value report)
{
    napi_value error;

    if (shim_freeze(call, report) == NULL || status == KEEP_OK)
        return report;
    error = shim_error(call, status, 0);
    if (error != NULL && shim_set(call, error, "report", report))
        (void)napi_throw(call->env, error);
    return NULL;
}

static napi_value purge(napi_env env, napi_callback_info info)
{
    shim_call call;
    uint64_t open_windows = 0;
    keep_status st;

    if (!shim_begin(env, info, &call))
        return NULL;
    st = keep_purge(&open_windows);
    return st == KEEP_OK ? shim_bigint(&call, open_windows) : shim_settle(&call, st);
}

#define HARDEN(key, kind, field) SHIM_FIELD(struct keep_harden_report, key, kind, field)

static const shim_field harden_fields[] = {
    HARDEN("requested", SHIM_FIELD_UINT32, requested),
    HARDEN("active", SHIM_FIELD_UINT32, active),
    HARDEN("failed", SHIM_FIELD_UINT32, failed),
    { "error", SHIM_FIELD_INT32, offsetof(struct keep_harden_report, error), 8 },
};

/* harden(flags) */
static napi_value harden(napi_env env, napi_callback_info info)
{
    struct keep_harden_report report = KEEP_HARDEN_REPORT_INIT;
    shim_call call;
    keep_status st;
    uint32_t flags;

    if (!shim_begin(env, info, &call) || !shim_take_uint32(&call, call.args[0], "flags", &flags))
        return NULL;
    st = keep_harden(flags, &report);
    if (st != KEEP_OK && st != KEEP_ERR_SYSTEM)
        return shim_settle(&call, st);
    return settle_report(&call, st, shim_report(&call, harden_fields, SHIM_COUNT(harden_fields), &report));
}

#define FACT(key, kind, field) SHIM_FIELD(struct keep_memory_report, key, kind, field)

static const shim_field memory_fields[] = {
    FACT("pageSize", SHIM_FIELD_INT64, page_size),       FACT("memlockSoft", SHIM_FIELD_INT64, memlock_soft),
    FACT("memlockHard", SHIM_FIELD_INT64, memlock_hard), FACT("lockedBytes", SHIM_FIELD_INT64, locked_bytes),
    FACT("capIpcLock", SHIM_FIELD_INT64, cap_ipc_lock),  FACT("memfdSecret", SHIM_FIELD_INT64, memfd_secret),
    FACT("wipeOnFork", SHIM_FIELD_INT64, wipe_on_fork),  FACT("hardening", SHIM_FIELD_INT64, hardening),
    FACT("coreLimit", SHIM_FIELD_INT64, core_limit),     FACT("corePattern", SHIM_FIELD_INT64, core_pattern),
    FACT("dumpable", SHIM_FIELD_INT64, dumpable),        FACT("noNewPrivs", SHIM_FIELD_INT64, no_new_privs),
    FACT("noNewCode", SHIM_FIELD_INT64, no_new_code),    FACT("yamaScope", SHIM_FIELD_INT64, yama_scope),
    FACT("swapBytes", SHIM_FIELD_INT64, swap_bytes),     FACT("backing", SHIM_FIELD_UINT32, backing),
    FACT("checked", SHIM_FIELD_UINT32, checked),         FACT("passed", SHIM_FIELD_UINT32, passed),
    FACT("failed", SHIM_FIELD_UINT32, failed),
};

/* report(options) */
static napi_value report(napi_env env, napi_callback_info info)
{
    struct keep_memory_report facts = KEEP_MEMORY_REPORT_INIT;
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    shim_call call;
    keep_status st;

    if (!shim_begin(env, info, &call) ||
        !shim_take_options(&call, call.args[0], shim_pool_options, shim_pool_option_count, &options))
        return NULL;
    st = keep_memory_report(shim_is_undefined(&call, call.args[0]) ? NULL : &options, &facts);
    if (st == KEEP_ERR_INVALID_ARGUMENT)
        return shim_settle(&call, st);
    return settle_report(&call, st, shim_report(&call, memory_fields, SHIM_COUNT(memory_fields), &facts));
}

/* knownAnswer(name, bytes), knownAnswerInto(out, name, bytes) */
static napi_value known_answer(napi_env env, napi_callback_info info)
{
    return shim_known_answer(env, info, keep_memory_known_answer);
}

static napi_value known_answer_into(napi_env env, napi_callback_info info)
{
    return shim_known_answer_into(env, info, keep_memory_known_answer);
}

static const shim_method methods[] = {
    { "memoryPurge", "memory.purge", purge },
    { "memoryHarden", "memory.harden", harden },
    { "memoryReport", "memory.report", report },
    { "memoryKnownAnswer", "memory.knownAnswer", known_answer },
    { "memoryKnownAnswerInto", "memory.knownAnswerInto", known_answer_into },
};

static const shim_constant constants[] = {
    { NULL, "UNLIMITED", KEEP_UNLIMITED },
    { "Harden", "NO_CORE", KEEP_HARDEN_NO_CORE },
    { "Harden", "NO_DUMP", KEEP_HARDEN_NO_DUMP },
    { "Harden", "NO_NEW_PRIVS", KEEP_HARDEN_NO_NEW_PRIVS },
    { "Harden", "NO_NEW_CODE", KEEP_HARDEN_NO_NEW_CODE },
    { "Harden", "RECOMMENDED", KEEP_HARDEN_RECOMMENDED },
    { "Check", "LOCKED", KEEP_CHECK_LOCKED },
    { "Check", "NOT_DUMPED", KEEP_CHECK_NOT_DUMPED },
    { "Check", "FORK_SAFE", KEEP_CHECK_FORK_SAFE },
    { "Check", "GUARDS", KEEP_CHECK_GUARDS },
    { "Check", "HIDDEN", KEEP_CHECK_HIDDEN },
    { "Check", "WIPED", KEEP_CHECK_WIPED },
    { "Check", "SEALING", KEEP_CHECK_SEALING },
    { "CorePattern", "FILE", KEEP_CORE_PATTERN_FILE },
    { "CorePattern", "PIPE", KEEP_CORE_PATTERN_PIPE },
};

const shim_table shim_protect_table = { methods, SHIM_COUNT(methods), constants, SHIM_COUNT(constants) };
