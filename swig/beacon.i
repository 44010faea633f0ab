/* SPDX-License-Identifier: MIT */
/*
 * The beacon. A call that could not send raises, and the exception has the outcome as its report.
 */

%keep_box(keep_beacon, beacon, Beacon, false)

%keep_enumeration(OutcomeKind)
%keep_enumeration(OutcomeAction)

%{
static const keep_field keep_beacon_options_fields[] = {
    KEEP_NUMBER(keep_beacon_options, port),
    KEEP_NUMBER(keep_beacon_options, mode),
    KEEP_FIELD(keep_beacon_options, fork_refresh),
    KEEP_FIELD(keep_beacon_options, agent_pid),
    KEEP_FIELD(keep_beacon_options, reconnect_after),
    KEEP_FIELD(keep_beacon_options, start_nonce),
    { NULL },
};

static const keep_field keep_outcome_fields[] = {
    KEEP_MEMBER(keep_outcome, kind, &keep_members_OutcomeKind),
    KEEP_MEMBER(keep_outcome, action, &keep_members_OutcomeAction),
    KEEP_NUMBER(keep_outcome, error),
    KEEP_NUMBER(keep_outcome, dropped),
    KEEP_NUMBER(keep_outcome, nonce),
    { NULL },
};
%}

%keep_dataclass(Outcome, keep_outcome_fields)

%{
/* Sets the exception of a call that sends; one that failed has filled the outcome. */
static void keep_raise_unsent(keep_status status, const char *symbol, const keep_outcome *outcome)
{
    keep_error error = KEEP_ERROR_INIT;
    PyObject *type, *value, *trace, *report;

    if (status != KEEP_ERR_SYSTEM) {
        keep_raise(status, symbol);
        return;
    }
    error.status = status;
    error.layer = KEEP_LAYER_ERRNO;
    error.code = outcome->error;
    report = keep_record_out(&keep_record_Outcome, outcome);
    if (report == NULL)
        return;
    keep_raise_told(status, symbol, &error);
    PyErr_Fetch(&type, &value, &trace);
    if (PyObject_SetAttrString(value, "report", report) == 0) {
        PyErr_Restore(type, value, trace);
    } else {
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(trace);
    }
    Py_DECREF(report);
}
%}

/* A call that sends; its argument OUTCOME is filled also if it fails. */
%define %keep_sends(FUNCTION, OUTCOME)
%typemap(out, noblock=1) keep_status FUNCTION {
    if ($1 != KEEP_OK) {
        keep_raise_unsent($1, "$symname", $1 == KEEP_ERR_SYSTEM ? &value##OUTCOME : NULL);
        SWIG_fail;
    }
    $result = SWIG_Py_Void();
}
%enddef

%keep_sends(keep_beacon_beat, 4)
%keep_sends(keep_beacon_register, 3)
%keep_sends(keep_beacon_goodbye, 2)

%keep_options(keep_beacon_options, KEEP_BEACON_OPTIONS_INIT, keep_beacon_options_fields)
%keep_optional(keep_secret, secret, key)
%keep_record_output(keep_outcome, { 0 }, keep_record_Outcome, out_outcome)
%apply const char *address { const char *host };

/* Room for the longest frame; how long this one is the caller knows. */
%typemap(in, numinputs=0, noblock=1) uint8_t *out_frame (uint8_t frame[KEEP_BEAT_MASTER_LEN] = { 0 }) {
    $1 = frame;
}
%typemap(argout, noblock=1) uint8_t *out_frame {
    $result = keep_append($result, PyBytes_FromStringAndSize((const char *)$1, KEEP_BEAT_MASTER_LEN));
}

%ignore keep_beacon_options;
%ignore keep_outcome;
%ignore keep_beacon_new;

%include <keep/beacon.h>

/* The constructor's options hold a handle and texts: these are arguments of their own. */
%rename(keep_beacon_new) keep_beacon_make;
%keep_tells(keep_beacon_make, 6)

%inline %{
static keep_status keep_beacon_make(const char *path, const char *host, keep_secret *key,
                                    const keep_beacon_options *options, keep_beacon **out_beacon, keep_error *err)
{
    keep_beacon_options all = options != NULL ? *options : (keep_beacon_options)KEEP_BEACON_OPTIONS_INIT;

    all.path = path;
    all.host = host;
    all.key = key;
    return keep_beacon_new(&all, out_beacon, err);
}
%}
