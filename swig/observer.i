/* SPDX-License-Identifier: MIT */
/*
 * The observer. What waits is Python's: select and asyncio wait on the descriptor, the calls below never block.
 */

%keep_box(keep_observer, observer, Observer, false)

%keep_enumeration(EventKind)

%{
static const keep_field keep_observer_options_fields[] = {
    KEEP_FIELD(keep_observer_options, any_uid),
    KEEP_FIELD(keep_observer_options, require_pid_match),
    KEEP_FIELD(keep_observer_options, accept_notify),
    KEEP_FIELD(keep_observer_options, own_namespace_only),
    KEEP_FIELD(keep_observer_options, report_beats),
    KEEP_FIELD(keep_observer_options, clock),
    KEEP_FIELD(keep_observer_options, pid_max),
    KEEP_FIELD(keep_observer_options, per_pid_rate),
    KEEP_FIELD(keep_observer_options, global_rate),
    KEEP_FIELD(keep_observer_options, global_burst),
    KEEP_FIELD(keep_observer_options, budget),
    KEEP_FIELD(keep_observer_options, max_pidfds),
    KEEP_FIELD(keep_observer_options, max_series),
    KEEP_FIELD(keep_observer_options, own_ns_inode),
    KEEP_FIELD(keep_observer_options, session_gap_ns),
    KEEP_FIELD(keep_observer_options, min_threshold_ns),
    KEEP_FIELD(keep_observer_options, max_threshold_ns),
    { NULL },
};

static const keep_field keep_listen_options_fields[] = {
    KEEP_FIELD(keep_listen_options, mode),
    KEEP_NUMBER(keep_listen_options, port),
    KEEP_FIELD(keep_listen_options, sealed),
    KEEP_FIELD(keep_listen_options, attested),
    KEEP_FIELD(keep_listen_options, allow_plain),
    KEEP_FIELD(keep_listen_options, allow_any_address),
    { NULL },
};

/* A datagram, and the object that holds its bytes. */
typedef struct keep_fed {
    PyObject *data;
    uint64_t ns_inode, generation;
    uint32_t kernel_pid, uid, source, marks;
} keep_fed;

static const keep_field keep_fed_fields[] = {
    KEEP_NUMBER(keep_fed, source), KEEP_OBJECT(keep_fed, data),         KEEP_NUMBER(keep_fed, kernel_pid),
    KEEP_NUMBER(keep_fed, uid),    KEEP_NUMBER(keep_fed, ns_inode),     KEEP_NUMBER(keep_fed, generation),
    KEEP_NUMBER(keep_fed, marks),  { NULL },
};

static const keep_field keep_event_fields[] = {
    KEEP_MEMBER(keep_event, kind, &keep_members_EventKind),
    KEEP_NUMBER(keep_event, detail),
    KEEP_NUMBER(keep_event, at_ns),
    KEEP_NUMBER(keep_event, pid),
    KEEP_NUMBER(keep_event, nonce),
    KEEP_NUMBER(keep_event, last_ns),
    KEEP_NUMBER(keep_event, silence_ns),
    KEEP_NUMBER(keep_event, stalled),
    KEEP_NUMBER(keep_event, agents),
    KEEP_MEMBER(keep_event, health, &keep_members_Health),
    KEEP_NUMBER(keep_event, payload),
    KEEP_MEMBER(keep_event, origin, &keep_members_Origin),
    KEEP_NUMBER(keep_event, claimed_pid),
    KEEP_NUMBER(keep_event, uid),
    KEEP_NUMBER(keep_event, ns_inode),
    KEEP_NUMBER(keep_event, generation),
    { NULL },
};

static const keep_field keep_observer_stats_fields[] = {
    KEEP_FIELD(struct keep_observer_stats, datagrams),
    KEEP_FIELD(struct keep_observer_stats, bad_length),
    KEEP_FIELD(struct keep_observer_stats, uid_refused),
    KEEP_FIELD(struct keep_observer_stats, no_credentials),
    KEEP_FIELD(struct keep_observer_stats, decode_errors),
    KEEP_FIELD(struct keep_observer_stats, auth_failures),
    KEEP_FIELD(struct keep_observer_stats, pid_above_max),
    KEEP_FIELD(struct keep_observer_stats, limited_pid),
    KEEP_FIELD(struct keep_observer_stats, limited_global),
    KEEP_FIELD(struct keep_observer_stats, posthumous),
    KEEP_FIELD(struct keep_observer_stats, after_goodbye),
    KEEP_FIELD(struct keep_observer_stats, notify_unattested),
    KEEP_FIELD(struct keep_observer_stats, notice_refused),
    KEEP_FIELD(struct keep_observer_stats, decrypt_failures),
    KEEP_FIELD(struct keep_observer_stats, replay_refused),
    KEEP_FIELD(struct keep_observer_stats, senders_evicted),
    KEEP_FIELD(struct keep_observer_stats, foreign_namespace),
    KEEP_FIELD(struct keep_observer_stats, pidfd_unavailable),
    KEEP_FIELD(struct keep_observer_stats, io_errors),
    { NULL },
};
%}

%keep_dataclass(Datagram, keep_fed_fields)
%keep_dataclass(Event, keep_event_fields)

%{
/* Datagrams whose bytes are borrowed while C reads them. */
typedef struct keep_feed {
    size_t count;
    size_t held;
    Py_buffer *views;
    keep_datagram *datagrams;
} keep_feed;

static void keep_feed_end(keep_feed *feed)
{
    while (feed->held > 0)
        PyBuffer_Release(&feed->views[--feed->held]);
    PyMem_Free(feed->views);
    PyMem_Free(feed->datagrams);
}

/* Appends one. False with an exception. */
static bool keep_feed_add(keep_feed *feed, PyObject *item)
{
    keep_fed fed = { 0 };
    Py_buffer *view = &feed->views[feed->held];
    bool held = keep_record_in(&keep_record_Datagram, item, &fed) && PyObject_GetBuffer(fed.data, view, PyBUF_SIMPLE) == 0;

    Py_XDECREF(fed.data);
    if (!held)
        return false;
    feed->datagrams[feed->held++] = (keep_datagram){
        .data = { view->buf, (size_t)view->len },
        .ns_inode = fed.ns_inode,
        .generation = fed.generation,
        .kernel_pid = fed.kernel_pid,
        .uid = fed.uid,
        .source = fed.source,
        .marks = fed.marks,
    };
    return true;
}

/* More than C allows are counted, and it refuses them unseen. False with an exception; to be ended in any case. */
static bool keep_feed_begin(keep_feed *feed, PyObject *sequence)
{
    PyObject *items = PySequence_Tuple(sequence);
    bool stored = items != NULL;

    feed->count = stored ? (size_t)PyTuple_GET_SIZE(items) : 0;
    feed->views = KEEP_ROOM(Py_buffer, feed->count);
    feed->datagrams = KEEP_ROOM(keep_datagram, feed->count);
    if (stored && (feed->views == NULL || feed->datagrams == NULL)) {
        PyErr_NoMemory();
        stored = false;
    }
    while (stored && feed->held < feed->count && feed->count <= KEEP_MAX_BATCH)
        stored = keep_feed_add(feed, PyTuple_GET_ITEM(items, (Py_ssize_t)feed->held));
    Py_XDECREF(items);
    return stored;
}

/* The result of a call that wrote events, and its room, which is given back. */
static PyObject *keep_observed_out(keep_status status, const char *operation, const keep_error *error, keep_event *events,
                                 size_t count)
{
    PyObject *result = NULL;

    if (status == KEEP_OK)
        result = keep_records_out(&keep_record_Event, events, sizeof *events, count);
    else
        keep_raise_told(status, operation, error);
    PyMem_Free(events);
    return result;
}
%}

/* Who may beat: None, or numbers. More than C allows are counted, and it refuses them. */
%typemap(in, noblock=1) (const uint32_t *uids, size_t uid_count)
    (uint32_t numbers[KEEP_MAX_ALLOWED_UIDS], PyObject *items = NULL, size_t i) {
    $2 = 0;
    if ($input != Py_None) {
        items = PySequence_Tuple($input);
        if (items == NULL)
            SWIG_fail;
        $1 = numbers;
        $2 = (size_t)PyTuple_GET_SIZE(items);
        for (i = 0; i < $2 && i < KEEP_MAX_ALLOWED_UIDS; i++)
            if (!keep_uint32_in(PyTuple_GET_ITEM(items, (Py_ssize_t)i), &numbers[i]))
                SWIG_fail;
    }
}
%typemap(freearg, noblock=1) (const uint32_t *uids, size_t uid_count) {
    Py_XDECREF(items$argnum);
}

/* A path, whose bytes are the system's, and a text; None is NULL. */
%typemap(in, noblock=1) const char *path (PyObject *encoded = NULL) {
    if ($input != Py_None) {
        if (!PyUnicode_FSConverter($input, &encoded))
            SWIG_fail;
        $1 = PyBytes_AS_STRING(encoded);
    }
}
%typemap(freearg, noblock=1) const char *path {
    Py_XDECREF(encoded$argnum);
}
%typemap(in, noblock=1) const char *address (Py_ssize_t length) {
    if ($input != Py_None) {
        $1 = (char *)PyUnicode_AsUTF8AndSize($input, &length);
        if ($1 == NULL)
            SWIG_fail;
        if (strlen($1) != (size_t)length) {
            keep_raise(KEEP_ERR_INVALID_ARGUMENT, "$symname");
            SWIG_fail;
        }
    }
}

%keep_options(keep_observer_options, KEEP_OBSERVER_OPTIONS_INIT, keep_observer_options_fields)
%keep_options(keep_listen_options, KEEP_LISTEN_OPTIONS_INIT, keep_listen_options_fields)
%keep_report(struct keep_observer_stats, KEEP_OBSERVER_STATS_INIT, keep_observer_stats_fields, out_stats)
%apply (void *out, size_t cap, size_t *out_len) { (char *out, size_t cap, size_t *out_len) };

%typemap(in, numinputs=0, noblock=1) int *out_fd (int fd = -1) {
    $1 = &fd;
}
%typemap(argout, noblock=1) int *out_fd {
    $result = keep_append($result, PyLong_FromLong(fd$argnum));
}

/* The structs are records, dicts and arguments. What takes them stands below. */
%ignore keep_datagram;
%ignore keep_event;
%ignore keep_observer_options;
%ignore keep_listen_options;
%ignore keep_observer_new;
%ignore keep_observer_listen;
%ignore keep_observer_poll;
%ignore keep_observer_feed;

%include <keep/observer.h>

%rename(keep_observer_new) keep_observer_make;
%rename(keep_observer_listen) keep_observer_listen_on;
%rename(keep_observer_poll) keep_observer_poll_all;
%rename(keep_observer_feed) keep_observer_feed_all;
%keep_tells(keep_observer_make, 6)
%keep_tells(keep_observer_listen_on, 6)

%inline %{
static keep_status keep_observer_make(keep_tracker *tracker, const uint32_t *uids, size_t uid_count,
                                      const keep_observer_options *options, keep_observer **out_observer,
                                      keep_error *err)
{
    keep_observer_options all = options != NULL ? *options : (keep_observer_options)KEEP_OBSERVER_OPTIONS_INIT;

    all.uids = uids;
    all.uid_count = uid_count;
    return keep_observer_new(&all, tracker, out_observer, err);
}

static keep_status keep_observer_listen_on(keep_observer *observer, const char *path, int fd, const char *address,
                                           const keep_listen_options *options, keep_error *err)
{
    keep_listen_options all = options != NULL ? *options : (keep_listen_options)KEEP_LISTEN_OPTIONS_INIT;

    all.path = path;
    all.fd = fd;
    all.address = address;
    return keep_observer_listen(observer, &all, err);
}

static PyObject *keep_observer_poll_all(keep_observer *observer, size_t most)
{
    keep_error error = KEEP_ERROR_INIT;
    keep_event *events = KEEP_ROOM(keep_event, most);
    size_t count = 0;
    keep_status status;

    if (events == NULL)
        return PyErr_NoMemory();
    status = keep_observer_poll(observer, events, most, &count, &error);
    return keep_observed_out(status, "Observer.poll", &error, events, count);
}

static PyObject *keep_observer_feed_all(keep_observer *observer, PyObject *datagrams, uint64_t now_ns, size_t most)
{
    static const keep_error untold;
    keep_feed feed = { 0 };
    keep_event *events = keep_feed_begin(&feed, datagrams) ? KEEP_ROOM(keep_event, most) : NULL;
    PyObject *result = NULL;
    size_t count = 0;

    if (events != NULL) {
        keep_status status = keep_observer_feed(observer, feed.datagrams, feed.count, now_ns, events, most, &count);

        result = keep_observed_out(status, "Observer.feed", &untold, events, count);
    } else if (!PyErr_Occurred()) {
        PyErr_NoMemory();
    }
    keep_feed_end(&feed);
    return result;
}
%}
