/* SPDX-License-Identifier: MIT */
/*
 * The tracker: the ledger, the observer around it (observer.i), and the beacon (beacon.i). What is told and what is
 * heard are records.
 */

%keep_box(keep_tracker, tracker, Tracker, false)

%keep_enumeration(Health)
%keep_enumeration(Origin)
%keep_enumeration(Verdict)
%keep_enumeration(AdmissionFlags)
%keep_enumeration(AgentState)

%{
static const keep_field keep_tracker_options_fields[] = {
    KEEP_FIELD(keep_tracker_options, capacity),
    KEEP_FIELD(keep_tracker_options, misses),
    KEEP_FIELD(keep_tracker_options, policy),
    KEEP_FIELD(keep_tracker_options, statistics),
    KEEP_FIELD(keep_tracker_options, threshold_ns),
    KEEP_FIELD(keep_tracker_options, grace_ns),
    KEEP_FIELD(keep_tracker_options, max_gap_ns),
    { NULL },
};

static const keep_field keep_agent_settings_fields[] = {
    KEEP_FIELD(keep_agent_settings, threshold_ns),
    KEEP_FIELD(keep_agent_settings, grace_ns),
    KEEP_FIELD(keep_agent_settings, misses),
    KEEP_FIELD(keep_agent_settings, unarmed),
    { NULL },
};

static const keep_field keep_sighting_fields[] = {
    KEEP_NUMBER(keep_sighting, pid),
    KEEP_NUMBER(keep_sighting, nonce),
    KEEP_NUMBER(keep_sighting, timestamp_ns),
    KEEP_NUMBER(keep_sighting, health),
    KEEP_NUMBER(keep_sighting, payload),
    KEEP_NUMBER(keep_sighting, origin),
    KEEP_NUMBER(keep_sighting, claimed_pid),
    KEEP_NUMBER(keep_sighting, ns_inode),
    KEEP_NUMBER(keep_sighting, generation),
    KEEP_NUMBER(keep_sighting, flags),
    { NULL },
};

static const keep_field keep_admission_fields[] = {
    KEEP_MEMBER(keep_admission, verdict, &keep_members_Verdict),
    KEEP_MEMBER(keep_admission, flags, &keep_members_AdmissionFlags),
    KEEP_NUMBER(keep_admission, evicted_pid),
    { NULL },
};

static const keep_field keep_alarm_fields[] = {
    KEEP_NUMBER(keep_alarm, pid),
    KEEP_NUMBER(keep_alarm, nonce),
    KEEP_NUMBER(keep_alarm, last_ns),
    KEEP_NUMBER(keep_alarm, silence_ns),
    KEEP_NUMBER(keep_alarm, limit_ns),
    KEEP_NUMBER(keep_alarm, misses),
    KEEP_NUMBER(keep_alarm, stalled),
    KEEP_NUMBER(keep_alarm, agents),
    KEEP_MEMBER(keep_alarm, health, &keep_members_Health),
    KEEP_NUMBER(keep_alarm, payload),
    KEEP_MEMBER(keep_alarm, origin, &keep_members_Origin),
    KEEP_NUMBER(keep_alarm, claimed_pid),
    KEEP_NUMBER(keep_alarm, ns_inode),
    KEEP_NUMBER(keep_alarm, generation),
    { NULL },
};

static const keep_field keep_agent_info_fields[] = {
    KEEP_NUMBER(keep_agent_info, pid),
    KEEP_MEMBER(keep_agent_info, state, &keep_members_AgentState),
    KEEP_MEMBER(keep_agent_info, health, &keep_members_Health),
    KEEP_MEMBER(keep_agent_info, origin, &keep_members_Origin),
    KEEP_NUMBER(keep_agent_info, nonce),
    KEEP_NUMBER(keep_agent_info, last_ns),
    KEEP_NUMBER(keep_agent_info, silence_ns),
    KEEP_NUMBER(keep_agent_info, limit_ns),
    KEEP_NUMBER(keep_agent_info, grace_ns),
    KEEP_NUMBER(keep_agent_info, beats),
    KEEP_NUMBER(keep_agent_info, out_of_order),
    KEEP_NUMBER(keep_agent_info, payload),
    KEEP_NUMBER(keep_agent_info, claimed_pid),
    KEEP_NUMBER(keep_agent_info, ns_inode),
    KEEP_NUMBER(keep_agent_info, generation),
    KEEP_NUMBER(keep_agent_info, intervals),
    KEEP_NUMBER(keep_agent_info, min_ns),
    KEEP_NUMBER(keep_agent_info, max_ns),
    KEEP_NUMBER(keep_agent_info, mean_ns),
    KEEP_NUMBER(keep_agent_info, jitter_ns),
    KEEP_NUMBER(keep_agent_info, p50_ns),
    KEEP_NUMBER(keep_agent_info, p99_ns),
    KEEP_NUMBER(keep_agent_info, phi_milli),
    { NULL },
};

static const keep_field keep_tracker_stats_fields[] = {
    KEEP_FIELD(struct keep_tracker_stats, agents),
    KEEP_FIELD(struct keep_tracker_stats, stalled),
    KEEP_FIELD(struct keep_tracker_stats, beats),
    KEEP_FIELD(struct keep_tracker_stats, stalls),
    KEEP_FIELD(struct keep_tracker_stats, recoveries),
    KEEP_FIELD(struct keep_tracker_stats, evictions),
    KEEP_FIELD(struct keep_tracker_stats, capacity_exceeded),
    KEEP_FIELD(struct keep_tracker_stats, out_of_order),
    KEEP_FIELD(struct keep_tracker_stats, nonce_wraps),
    KEEP_FIELD(struct keep_tracker_stats, origin_conflicts),
    KEEP_FIELD(struct keep_tracker_stats, namespace_conflicts),
    KEEP_FIELD(struct keep_tracker_stats, recycles),
    KEEP_FIELD(struct keep_tracker_stats, goodbyes),
    KEEP_FIELD(struct keep_tracker_stats, exits),
    KEEP_FIELD(struct keep_tracker_stats, deletes),
    KEEP_FIELD(struct keep_tracker_stats, clock_regressions),
    KEEP_FIELD(struct keep_tracker_stats, outages),
    KEEP_FIELD(struct keep_tracker_stats, outage_ns),
    { NULL },
};
%}

%keep_dataclass(Sighting, keep_sighting_fields)
%keep_dataclass(Admission, keep_admission_fields)
%keep_dataclass(Alarm, keep_alarm_fields)
%keep_dataclass(Agent, keep_agent_info_fields)

%{
/* A new list of `count` structs of `size` bytes. */
static PyObject *keep_records_out(keep_record *record, const void *structs, size_t size, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    size_t i;

    for (i = 0; list != NULL && i < count; i++) {
        PyObject *object = keep_record_out(record, (const char *)structs + i * size);

        if (object == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, object);
    }
    return list;
}

/* Room for `count` of what C fills, at least one. */
#define KEEP_ROOM(type, count) PyMem_New(type, (count) > 0 ? (count) : 1)

#define KEEP_AGENTS_AT_ONCE 64
%}

/* A struct that C fills becomes a record. */
%define %keep_record_output(TYPE, INIT, RECORD, NAME)
%typemap(in, numinputs=0, noblock=1) TYPE *NAME (TYPE value = INIT) {
    $1 = &value;
}
%typemap(argout, noblock=1) TYPE *NAME {
    $result = keep_append($result, keep_record_out(&RECORD, $1));
}
%enddef

%keep_options(keep_tracker_options, KEEP_TRACKER_OPTIONS_INIT, keep_tracker_options_fields)
%keep_options(keep_agent_settings, KEEP_AGENT_SETTINGS_INIT, keep_agent_settings_fields)
%apply const keep_agent_settings *options { const keep_agent_settings *settings };
%keep_record_output(keep_agent_info, KEEP_AGENT_INFO_INIT, keep_record_Agent, out_info)
%keep_report(struct keep_tracker_stats, KEEP_TRACKER_STATS_INIT, keep_tracker_stats_fields, out_stats)
%apply uint64_t *OUTPUT { uint64_t *out_ns };
%apply uint32_t *OUTPUT { uint32_t *out_evicted_pid };

%keep_names_itself(keep_tracker_known_answer, "tracker.known_answer")

/* The structs are records and dicts. What makes arrays of them stands below. */
%ignore keep_sighting;
%ignore keep_admission;
%ignore keep_alarm;
%ignore keep_tracker_options;
%ignore keep_agent_settings;
%ignore keep_agent_info;
%ignore keep_tracker_new;
%ignore keep_tracker_record;
%ignore keep_tracker_drain;
%ignore keep_tracker_list;

/* Numbers that SWIG cannot read. */
%constant unsigned int KEEP_PID_UNKNOWN = UINT32_MAX;
%constant unsigned long long KEEP_TIME_NEVER = UINT64_MAX;

%include <keep/tracker.h>

%rename(keep_tracker_new) keep_tracker_make;
%rename(keep_tracker_record) keep_tracker_record_all;
%rename(keep_tracker_drain) keep_tracker_drain_all;
%rename(keep_tracker_list) keep_tracker_list_some;

%inline %{
static keep_status keep_tracker_make(const keep_tracker_options *options, const void *given, size_t given_len,
                                     keep_tracker **out_tracker)
{
    keep_tracker_options all = options != NULL ? *options : (keep_tracker_options)KEEP_TRACKER_OPTIONS_INIT;

    if (given != NULL && given_len != sizeof all.hash_key)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (given != NULL)
        memcpy(all.hash_key, given, sizeof all.hash_key);
    return keep_tracker_new(&all, out_tracker);
}

/* The admissions of a sequence of sightings. More than C allows are counted, and it refuses them unseen. */
static PyObject *keep_tracker_record_all(keep_tracker *tracker, PyObject *sightings, uint64_t now_ns)
{
    keep_sighting structs[KEEP_MAX_BATCH];
    keep_admission admissions[KEEP_MAX_BATCH];
    PyObject *items = PySequence_Tuple(sightings);
    size_t count = items != NULL ? (size_t)PyTuple_GET_SIZE(items) : 0;
    PyObject *result = NULL;
    bool stored = items != NULL;
    keep_status status;
    size_t i;

    for (i = 0; stored && i < count && count <= KEEP_MAX_BATCH; i++)
        stored = keep_record_in(&keep_record_Sighting, PyTuple_GET_ITEM(items, (Py_ssize_t)i), &structs[i]);
    Py_XDECREF(items);
    if (!stored)
        return NULL;
    status = keep_tracker_record(tracker, structs, count, now_ns, admissions);
    if (status == KEEP_OK)
        result = keep_records_out(&keep_record_Admission, admissions, sizeof *admissions, count);
    else
        keep_raise(status, "Tracker.record");
    return result;
}

static PyObject *keep_tracker_drain_all(keep_tracker *tracker, uint64_t now_ns, size_t most)
{
    keep_alarm *alarms = KEEP_ROOM(keep_alarm, most);
    PyObject *result = NULL;
    size_t count = 0;
    keep_status status;

    if (alarms == NULL)
        return PyErr_NoMemory();
    status = keep_tracker_drain(tracker, now_ns, alarms, most, &count);
    if (status == KEEP_OK)
        result = keep_records_out(&keep_record_Alarm, alarms, sizeof *alarms, count);
    else
        keep_raise(status, "Tracker.drain");
    PyMem_Free(alarms);
    return result;
}

/* Where to go on, and some agents; none: the end. */
static PyObject *keep_tracker_list_some(keep_tracker *tracker, uint64_t cursor)
{
    keep_agent_info infos[KEEP_AGENTS_AT_ONCE] = { KEEP_AGENT_INFO_INIT };
    size_t count = 0;
    keep_status status = keep_tracker_list(tracker, &cursor, infos, KEEP_AGENTS_AT_ONCE, &count);
    PyObject *agents;

    if (status != KEEP_OK)
        return keep_raise(status, "Tracker.list");
    agents = keep_records_out(&keep_record_Agent, infos, sizeof *infos, count);
    return agents != NULL ? Py_BuildValue("KN", (unsigned long long)cursor, agents) : NULL;
}
%}
