/* SPDX-License-Identifier: MIT */
/*
 * Sealing: what Python says of a packet becomes a request of C. The methods take keywords; the calls are too short for
 * SWIG's way to do that.
 *
 * The events' bytes are borrowed, not copied. Numbers in a caller's buffer are read once, so that another thread can
 * spoil the result, but nothing else.
 */

%{
#define KEEP_UNLOCKED_BATCH_LEN 32768 /* bytes from which on a batch runs without the GIL */
#define KEEP_UNTOUCHED ((keep_status)(UINT8_MAX + 1)) /* stands where C has written no status */

static PyThreadState *keep_unlock(size_t batch_len)
{
    return batch_len >= KEEP_UNLOCKED_BATCH_LEN ? PyEval_SaveThread() : NULL;
}

static void keep_relock(PyThreadState *thread)
{
    if (thread != NULL)
        PyEval_RestoreThread(thread);
}

/* A batch that C refused as a whole has touched no item; a purge has emptied them all. */
static bool keep_batch_failed(keep_status status, keep_status first_item)
{
    return status != KEEP_OK && (first_item == KEEP_UNTOUCHED || status == KEEP_ERR_PURGED);
}

static PyObject *keep_tuple_of_sizes(const size_t *sizes, size_t count)
{
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    size_t i;

    for (i = 0; tuple != NULL && i < count; i++) {
        PyObject *size = PyLong_FromSize_t(sizes[i]);

        if (size == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, size);
    }
    return tuple;
}

/* A byte for each; statuses are small. */
static PyObject *keep_bytes_of_statuses(const keep_status *statuses, size_t count)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)count);
    size_t i;

    for (i = 0; bytes != NULL && i < count; i++)
        PyBytes_AS_STRING(bytes)[i] = (char)statuses[i];
    return bytes;
}

/* One request, and what it points to. It must not move. */
typedef struct keep_request {
    keep_packet_request packet;
    PyObject *settings_object; /* or NULL */
    PyObject *events_object;   /* or NULL */
    keep_packet_settings settings;
    keep_buffers events;
    bool has_events;
} keep_request;

static const keep_field keep_settings_fields[] = {
    KEEP_NUMBER(keep_packet_settings, origin_hash),
    KEEP_NUMBER(keep_packet_settings, subnet_id),
    KEEP_NUMBER(keep_packet_settings, channel_hash),
    KEEP_NUMBER(keep_packet_settings, priority),
    KEEP_NUMBER(keep_packet_settings, hop_ttl),
    { NULL },
};

#define KEEP_REQUEST_NUMBER(field) \
    { #field, KEEP_NUMBER_KIND(((keep_packet_request *)0)->field), false, \
      offsetof(keep_request, packet) + offsetof(keep_packet_request, field), 1, NULL }

static const keep_field keep_request_fields[] = {
    KEEP_REQUEST_NUMBER(stream_id),
    KEEP_REQUEST_NUMBER(sequence),
    KEEP_REQUEST_NUMBER(flags),
    KEEP_REQUEST_NUMBER(subprotocol_id),
    KEEP_REQUEST_NUMBER(kind),
    { "settings", KEEP_FIELD_OBJECT, false, offsetof(keep_request, settings_object), 1, NULL },
    { "events", KEEP_FIELD_OBJECT, false, offsetof(keep_request, events_object), 1, NULL },
    { NULL },
};
%}

%keep_dataclass(PacketSettings, keep_settings_fields)
%keep_dataclass(PacketRequest, keep_request_fields)

%{
static void keep_request_clear(keep_request *request)
{
    request->packet = (keep_packet_request){ 0 };
    request->settings_object = NULL;
    request->events_object = NULL;
    request->has_events = false;
}

static void keep_request_end(keep_request *request)
{
    if (request->has_events)
        keep_buffers_end(&request->events);
    Py_XDECREF(request->events_object);
    Py_XDECREF(request->settings_object);
}

/* Points the request to its settings and events, when its fields are there. */
static bool keep_request_complete(keep_request *request)
{
    if (request->settings_object != NULL && request->settings_object != Py_None) {
        if (!keep_record_in(&keep_record_PacketSettings, request->settings_object, &request->settings))
            return false;
        request->packet.settings = &request->settings;
    }
    request->has_events = true;
    if (!keep_buffers_begin(&request->events, request->events_object, KEEP_MAX_PACKET_EVENTS))
        return false;
    request->packet.events = request->events.bytes;
    request->packet.event_count = request->events.count;
    return true;
}

/*
 * Reads the arguments of a call, as METH_FASTCALL passes them: `count` places, which begin with the events and go on with
 * what the caller reads, then keywords. False with an exception; to be ended in any case.
 */
static bool keep_request_begin(keep_request *request, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    keep_request_clear(request);
    Py_INCREF(args[0]);
    request->events_object = args[0];
    return keep_record_keywords(&keep_record_PacketRequest, args + count, names, request) &&
           keep_request_complete(request);
}

/* How long the packet can be at most; one that does not fit is refused. */
static size_t keep_request_room(const keep_request *request)
{
    size_t room = KEEP_PACKET_OVERHEAD_LEN + sizeof(uint32_t) * request->events.count + request->events.len;

    return room < KEEP_MAX_PACKET_LEN ? room : KEEP_MAX_PACKET_LEN;
}

static bool keep_has_places(Py_ssize_t given, Py_ssize_t wanted, const char *places)
{
    if (given != wanted)
        PyErr_Format(PyExc_TypeError, "the arguments %s are required, %zd were given", places, given);
    return given == wanted;
}

/* Whether an output of the caller's lies apart from the events, as far as C would look at them. */
static bool keep_is_apart(keep_output *output, const keep_packet_request *request)
{
    size_t count = request->event_count <= KEEP_MAX_PACKET_EVENTS ? request->event_count : 0;
    size_t i;

    for (i = 0; !keep_output_is_new(output) && i < count; i++)
        if (keep_overlap(output->view.buf, (size_t)output->view.len, request->events[i].data, request->events[i].len))
            return false;
    return true;
}

/* Seals one packet of a session, or without one. */
static PyObject *keep_seal(PyObject *session, const keep_packet_request *request, keep_output *output,
                           const char *operation)
{
    keep_box *box = session != NULL ? keep_box_enter(session, &keep_class_session, operation) : NULL;
    size_t len = 0;
    keep_status status = KEEP_ERR_INVALID_ARGUMENT;

    if (session != NULL && box == NULL)
        return NULL;
    if (keep_is_apart(output, request))
        status = keep_packet_seal_into(box != NULL ? (keep_session *)box->handle : NULL, request,
                                       keep_output_data(output), keep_output_cap(output), &len);
    keep_box_leave(box);
    if (status == KEEP_OK)
        return keep_output_take(output, len);
    return keep_raise_needed(status, operation, status == KEEP_ERR_BUFFER_TOO_SMALL ? (Py_ssize_t)len : -1);
}

static PyObject *keep_session_seal(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    keep_output output = { 0 };
    keep_request request;
    PyObject *result = NULL;

    if (!keep_has_places(count, 1, "(events)"))
        return NULL;
    if (keep_request_begin(&request, args, count, names) && keep_output_bytes(&output, keep_request_room(&request)))
        result = keep_seal(self, &request.packet, &output, "Session.seal");
    keep_output_end(&output);
    keep_request_end(&request);
    return result;
}

static PyObject *keep_session_seal_into(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    keep_output output = { 0 };
    keep_request request;
    PyObject *result = NULL;

    if (!keep_has_places(count, 2, "(events, out)"))
        return NULL;
    if (keep_request_begin(&request, args, count, names) &&
        PyObject_GetBuffer(args[1], &output.view, PyBUF_WRITABLE) == 0)
        result = keep_seal(self, &request.packet, &output, "Session.seal_into");
    keep_output_end(&output);
    keep_request_end(&request);
    return result;
}

static const keep_packet_request keep_heartbeat = { .kind = KEEP_PACKET_HEARTBEAT };

static PyObject *keep_session_heartbeat(PyObject *self, PyObject *none)
{
    keep_output output = { 0 };
    PyObject *result = NULL;

    (void)none;
    if (keep_output_bytes(&output, KEEP_PACKET_OVERHEAD_LEN))
        result = keep_seal(self, &keep_heartbeat, &output, "Session.heartbeat");
    keep_output_end(&output);
    return result;
}

static PyObject *keep_session_heartbeat_into(PyObject *self, PyObject *out)
{
    keep_output output = { 0 };
    PyObject *result = NULL;

    if (PyObject_GetBuffer(out, &output.view, PyBUF_WRITABLE) == 0)
        result = keep_seal(self, &keep_heartbeat, &output, "Session.heartbeat_into");
    keep_output_end(&output);
    return result;
}

static PyObject *keep_packet_build_from(PyObject *self, PyObject *session, const keep_request *request)
{
    static const char operation[] = "Packet.build";
    keep_box *packet = keep_box_alone(self, &keep_class_packet, operation);
    keep_box *sealer = NULL;
    keep_status status;

    if (packet != NULL && session != Py_None)
        sealer = keep_box_enter(session, &keep_class_session, operation);
    if (packet == NULL || (session != Py_None && sealer == NULL))
        return NULL;
    status = keep_packet_build(packet->handle, sealer != NULL ? (keep_session *)sealer->handle : NULL,
                               &request->packet);
    keep_box_leave(sealer);
    if (status != KEEP_OK)
        return keep_raise(status, operation);
    Py_RETURN_NONE;
}

/* The session stands before the events. */
static PyObject *keep_packet_build_method(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    keep_request request;
    PyObject *result = NULL;

    if (!keep_has_places(count, 2, "(session, events)"))
        return NULL;
    if (keep_request_begin(&request, args + 1, count - 1, names))
        result = keep_packet_build_from(self, args[0], &request);
    keep_request_end(&request);
    return result;
}

/* A batch: the requests, and the same as C wants them, side by side. */
typedef struct keep_batch {
    size_t count;
    size_t begun;
    size_t room; /* of all packets */
    keep_request *requests;
    keep_packet_request *packets;
    size_t *offsets;
    keep_status *statuses;
} keep_batch;

static bool keep_batch_alloc(keep_batch *batch, size_t count)
{
    batch->requests = PyMem_New(keep_request, count + 1);
    batch->packets = PyMem_New(keep_packet_request, count + 1);
    batch->offsets = PyMem_New(size_t, count + 1);
    batch->statuses = PyMem_New(keep_status, count + 1);
    if (batch->requests != NULL && batch->packets != NULL && batch->offsets != NULL && batch->statuses != NULL)
        return true;
    PyErr_NoMemory();
    return false;
}

static void keep_batch_end(keep_batch *batch)
{
    while (batch->begun > 0)
        keep_request_end(&batch->requests[--batch->begun]);
    PyMem_Free(batch->requests);
    PyMem_Free(batch->packets);
    PyMem_Free(batch->offsets);
    PyMem_Free(batch->statuses);
}

/* More than C takes are not looked at: it refuses their number. */
static bool keep_batch_fill(keep_batch *batch, PyObject *items)
{
    batch->count = (size_t)PyTuple_GET_SIZE(items);
    if (batch->count > KEEP_MAX_BATCH)
        return keep_batch_alloc(batch, 0);
    if (!keep_batch_alloc(batch, batch->count))
        return false;
    while (batch->begun < batch->count) {
        keep_request *request = &batch->requests[batch->begun];
        PyObject *item = PyTuple_GET_ITEM(items, (Py_ssize_t)batch->begun);

        keep_request_clear(request);
        batch->begun++;
        if (!keep_record_in(&keep_record_PacketRequest, item, request) || !keep_request_complete(request))
            return false;
        batch->packets[batch->begun - 1] = request->packet;
        batch->room += keep_request_room(request);
    }
    return true;
}

/* (data, offsets, statuses) */
static PyObject *keep_batch_seal(keep_batch *batch, keep_box *box, keep_output *output)
{
    keep_packet_seal_out out = {
        .size = sizeof out,
        .data = keep_output_data(output),
        .cap = batch->room,
        .offsets = batch->offsets,
        .statuses = batch->statuses,
    };
    PyThreadState *thread = keep_unlock(batch->room);
    keep_status status;

    batch->statuses[0] = KEEP_UNTOUCHED;
    status = keep_packet_seal_batch(box->handle, batch->packets, batch->count, &out);
    keep_relock(thread);
    if (keep_batch_failed(status, batch->statuses[0]))
        return keep_raise(status, "Session.seal_batch");
    return Py_BuildValue("(NNN)", keep_output_take(output, out.data_len),
                         keep_tuple_of_sizes(batch->offsets, batch->count + 1),
                         keep_bytes_of_statuses(batch->statuses, batch->count));
}

static PyObject *keep_session_seal_batch(PyObject *self, PyObject *requests)
{
    PyObject *items = PySequence_Tuple(requests);
    keep_output output = { 0 };
    keep_batch batch = { 0 };
    keep_box *box = NULL;
    PyObject *result = NULL;

    if (items != NULL && keep_batch_fill(&batch, items) && keep_output_bytes(&output, batch.room))
        box = keep_box_enter(self, &keep_class_session, "Session.seal_batch");
    if (box != NULL)
        result = keep_batch_seal(&batch, box, &output);
    keep_box_leave(box);
    keep_output_end(&output);
    keep_batch_end(&batch);
    Py_XDECREF(items);
    return result;
}
%}
