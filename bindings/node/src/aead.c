/* SPDX-License-Identifier: MIT */
/*
 * Back ends: what they are on this machine.
 */
#include "aead.h"

#include "args.h"
#include "report.h"

#define FIELD(key, kind, field) SHIM_FIELD(struct keep_aead_report, key, kind, field)

static const shim_field fields[] = {
    FIELD("state", SHIM_FIELD_UINT32, state),
    FIELD("contexts", SHIM_FIELD_UINT32, contexts),
    FIELD("bytes", SHIM_FIELD_UINT64, bytes),
    FIELD("autoMinLen", SHIM_FIELD_UINT32, auto_min_len),
    FIELD("autoMaxLen", SHIM_FIELD_UINT32, auto_max_len),
    FIELD("name", SHIM_FIELD_TEXT, name),
    FIELD("version", SHIM_FIELD_TEXT, version),
    FIELD("form", SHIM_FIELD_TEXT, form),
};

/* aeadReport(which) */
static napi_value report(napi_env env, napi_callback_info info)
{
    struct keep_aead_report facts = KEEP_AEAD_REPORT_INIT;
    shim_call call;
    keep_status st;
    uint32_t which;

    if (!shim_begin(env, info, &call) || !shim_take_uint32(&call, call.args[0], "which", &which))
        return NULL;
    st = keep_aead_report(which, &facts);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    return shim_freeze(&call, shim_report(&call, fields, SHIM_COUNT(fields), &facts));
}

static const shim_method methods[] = {
    { "packetAeadReport", "packet.aeadReport", report },
};

static const shim_constant constants[] = {
    { "Aead", "AUTO", KEEP_AEAD_AUTO },
    { "Aead", "SODIUM", KEEP_AEAD_SODIUM },
    { "Aead", "OPENSSL", KEEP_AEAD_OPENSSL },
    { "Aead", "IPSEC_MB", KEEP_AEAD_IPSEC_MB },
    { "AeadState", "USABLE", KEEP_AEAD_USABLE },
    { "AeadState", "NOT_BUILT", KEEP_AEAD_NOT_BUILT },
    { "AeadState", "NOT_FOUND", KEEP_AEAD_NOT_FOUND },
    { "AeadState", "TOO_OLD", KEEP_AEAD_TOO_OLD },
    { "AeadState", "SELF_TEST_FAILED", KEEP_AEAD_SELF_TEST_FAILED },
    { "AeadState", "DISABLED", KEEP_AEAD_DISABLED },
};

const shim_table shim_aead_table = { methods, SHIM_COUNT(methods), constants, SHIM_COUNT(constants) };
