/* SPDX-License-Identifier: MIT */
/*
 * Opening: datagrams become objects with events and a header. Events are bytes, or views of the caller's buffer; where
 * plaintext stood on the way is wiped.
 */

%keep_enumeration(PacketKind)
%keep_enumeration(PacketFlags)

%{
static const keep_field keep_packet_info_fields[] = {
    KEEP_NUMBER(keep_packet_info, counter),
    KEEP_NUMBER(keep_packet_info, session_id),
    KEEP_NUMBER(keep_packet_info, stream_id),
    KEEP_NUMBER(keep_packet_info, sequence),
    KEEP_NUMBER(keep_packet_info, origin_hash),
    KEEP_NUMBER(keep_packet_info, subnet_id),
    KEEP_NUMBER(keep_packet_info, subprotocol_id),
    KEEP_NUMBER(keep_packet_info, channel_hash),
    KEEP_NUMBER(keep_packet_info, fragment_id),
    KEEP_NUMBER(keep_packet_info, fragment_offset),
    KEEP_NUMBER(keep_packet_info, payload_len),
    KEEP_NUMBER(keep_packet_info, event_count),
    KEEP_MEMBER(keep_packet_info, kind, &keep_members_PacketKind),
    KEEP_MEMBER(keep_packet_info, flags, &keep_members_PacketFlags),
    KEEP_NUMBER(keep_packet_info, priority),
    KEEP_NUMBER(keep_packet_info, hop_ttl),
    KEEP_NUMBER(keep_packet_info, hop_count),
    KEEP_NUMBER(keep_packet_info, frag_flags),
    { NULL },
};

/* What is made of a packet before it becomes an object. */
typedef struct keep_opened {
    PyObject *events;
    PyObject *info;
    uint8_t status;
} keep_opened;

static const keep_field keep_opened_fields[] = {
    KEEP_OBJECT(keep_opened, events),
    KEEP_OBJECT(keep_opened, info),
    KEEP_NUMBER(keep_opened, status),
    { NULL },
};
%}

%keep_dataclass(PacketInfo, keep_packet_info_fields)
%keep_dataclass(Opened, keep_opened_fields)

%{
/* One event: bytes, or a piece of a view if there is one. */
static PyObject *keep_event_out(const keep_packet_open_out *out, keep_span span, PyObject *view)
{
    if (view != NULL)
        return PySequence_GetSlice(view, span.offset, (Py_ssize_t)span.offset + span.len);
    return PyBytes_FromStringAndSize((const char *)out->data + span.offset, span.len);
}

static PyObject *keep_events_out(const keep_packet_open_out *out, const keep_packet_opened *packet, PyObject *view)
{
    PyObject *events = PyTuple_New((Py_ssize_t)packet->event_count);
    uint32_t i;

    for (i = 0; events != NULL && i < packet->event_count; i++) {
        PyObject *event = keep_event_out(out, out->events[packet->first_event + i], view);

        if (event == NULL)
            Py_CLEAR(events);
        else
            PyTuple_SET_ITEM(events, (Py_ssize_t)i, event);
    }
    return events;
}

static PyObject *keep_opened_out(const keep_packet_open_out *out, const keep_packet_opened *packet, PyObject *view)
{
    keep_opened opened = { NULL, NULL, (uint8_t)packet->status };
    PyObject *object = NULL;

    opened.events = keep_events_out(out, packet, view);
    if (opened.events != NULL)
        opened.info = keep_record_out(&keep_record_PacketInfo, &packet->info);
    if (opened.info != NULL)
        object = keep_record_out(&keep_record_Opened, &opened);
    Py_XDECREF(opened.info);
    Py_XDECREF(opened.events);
    return object;
}

/* Raises the status of an open; of one without room with what is needed: bytes, and as `values` bytes and events. */
static PyObject *keep_raise_opening(keep_status status, const char *operation, const keep_packet_open_out *out,
                                    size_t needed)
{
    PyObject *values;
    PyObject *fields;

    if (status != KEEP_ERR_BUFFER_TOO_SMALL)
        return keep_raise(status, operation);
    fields = keep_error_fields(operation, (Py_ssize_t)needed);
    values = Py_BuildValue("(nnii)", (Py_ssize_t)out->data_len, (Py_ssize_t)out->event_count, 0, 0);
    if (fields == NULL || values == NULL || PyDict_SetItemString(fields, "values", values) != 0)
        Py_CLEAR(fields);
    Py_XDECREF(values);
    return keep_raise_with(status, fields);
}

/* Opens one datagram where `out` says. */
static PyObject *keep_open(PyObject *session, PyObject *datagram, keep_packet_open_out *out, PyObject *view,
                           const char *operation)
{
    Py_buffer bytes;
    keep_box *box;
    keep_status status;

    if (PyObject_GetBuffer(datagram, &bytes, PyBUF_SIMPLE) != 0)
        return NULL;
    box = keep_box_enter(session, &keep_class_session, operation);
    if (box == NULL) {
        PyBuffer_Release(&bytes);
        return NULL;
    }
    status = keep_packet_open_into(box->handle, bytes.buf, (size_t)bytes.len, out);
    keep_box_leave(box);
    PyBuffer_Release(&bytes);
    if (status == KEEP_OK)
        return keep_opened_out(out, out->packets, view);
    return keep_raise_opening(status, operation, out, out->data_len);
}

static PyObject *keep_session_open(PyObject *self, PyObject *datagram)
{
    uint8_t data[KEEP_MAX_PAYLOAD_LEN];
    keep_span events[KEEP_MAX_PACKET_EVENTS];
    keep_packet_opened packet = { 0 };
    keep_packet_open_out out = {
        .size = sizeof out,
        .data = data,
        .cap = sizeof data,
        .events = events,
        .event_cap = KEEP_MAX_PACKET_EVENTS,
        .packets = &packet,
    };
    PyObject *opened = keep_open(self, datagram, &out, NULL, "Session.open");

    keep_wipe(data, out.data_len);
    return opened;
}

/* A view of the bytes of a view. The name is interned, as the interpreter keeps others that a lookup has seen. */
static PyObject *keep_cast_to_bytes(PyObject *view)
{
    PyObject *name = PyUnicode_InternFromString("cast");
    PyObject *format = PyUnicode_FromString("B");
    PyObject *bytes = NULL;

    if (name != NULL && format != NULL)
        bytes = PyObject_CallMethodObjArgs(view, name, format, NULL);
    Py_XDECREF(format);
    Py_XDECREF(name);
    return bytes;
}

/* A writable view of the bytes of an object, which must be contiguous. */
static PyObject *keep_byte_view(PyObject *object)
{
    PyObject *view = PyMemoryView_GetContiguous(object, PyBUF_WRITE, 'C');
    PyObject *bytes = view;

    if (view != NULL && (PyMemoryView_GET_BUFFER(view)->ndim != 1 || PyMemoryView_GET_BUFFER(view)->itemsize != 1)) {
        bytes = keep_cast_to_bytes(view);
        Py_DECREF(view);
    }
    return bytes;
}

static PyObject *keep_session_open_into(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    keep_span events[KEEP_MAX_PACKET_EVENTS];
    keep_packet_opened packet = { 0 };
    keep_packet_open_out out = {
        .size = sizeof out,
        .events = events,
        .event_cap = KEEP_MAX_PACKET_EVENTS,
        .packets = &packet,
    };
    PyObject *opened;
    PyObject *view;

    if (!keep_has_places(count, 2, "(datagram, out)"))
        return NULL;
    view = keep_byte_view(args[1]);
    if (view == NULL)
        return NULL;
    out.data = PyMemoryView_GET_BUFFER(view)->buf;
    out.cap = (size_t)PyMemoryView_GET_BUFFER(view)->len;
    opened = keep_open(self, args[0], &out, view, "Session.open_into");
    Py_DECREF(view);
    return opened;
}

/* Room for a batch, as much as C says it needs. */
static bool keep_open_out_alloc(keep_packet_open_out *out)
{
    PyMem_Free(out->data);
    PyMem_Free(out->events);
    out->cap = out->data_len;
    out->event_cap = out->event_count;
    out->data = PyMem_New(uint8_t, out->cap + 1);
    out->events = PyMem_New(keep_span, out->event_cap + 1);
    if (out->data != NULL && out->events != NULL)
        return true;
    PyErr_NoMemory();
    return false;
}

static void keep_open_out_free(keep_packet_open_out *out)
{
    if (out->data != NULL)
        keep_wipe(out->data, out->cap);
    PyMem_Free(out->data);
    PyMem_Free(out->events);
    PyMem_Free(out->packets);
}

/* Opens a batch in room of our own. False with an exception. */
static bool keep_open_all(keep_box *box, const keep_buffers *datagrams, keep_packet_open_out *out)
{
    keep_status status = KEEP_ERR_BUFFER_TOO_SMALL;
    PyThreadState *thread;

    while (status == KEEP_ERR_BUFFER_TOO_SMALL && out->packets[0].status == KEEP_UNTOUCHED) {
        if (!keep_open_out_alloc(out))
            return false;
        thread = keep_unlock(datagrams->len);
        status = keep_packet_open_batch(box->handle, datagrams->bytes, datagrams->count, out);
        keep_relock(thread);
    }
    if (keep_batch_failed(status, out->packets[0].status))
        keep_raise(status, "Session.open_batch");
    return !PyErr_Occurred();
}

static PyObject *keep_list_of_opened(const keep_packet_open_out *out, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    size_t i;

    for (i = 0; list != NULL && i < count; i++) {
        PyObject *opened = keep_opened_out(out, &out->packets[i], NULL);

        if (opened == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, opened);
    }
    return list;
}

static PyObject *keep_session_open_batch(PyObject *self, PyObject *sequence)
{
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;
    keep_buffers datagrams;
    keep_box *box = NULL;
    PyObject *result = NULL;

    if (keep_buffers_begin(&datagrams, sequence, KEEP_MAX_BATCH)) {
        out.packets = PyMem_New(keep_packet_opened, datagrams.held + 1);
        if (out.packets == NULL)
            PyErr_NoMemory();
        else
            box = keep_box_enter(self, &keep_class_session, "Session.open_batch");
    }
    if (box != NULL) {
        out.packets[0].status = KEEP_UNTOUCHED;
        if (keep_open_all(box, &datagrams, &out))
            result = keep_list_of_opened(&out, datagrams.count);
    }
    keep_box_leave(box);
    keep_open_out_free(&out);
    keep_buffers_end(&datagrams);
    return result;
}
%}
