/* SPDX-License-Identifier: MIT */
/*
 * Packed batches, the fast form (bindings R5): all bytes in one buffer, their ends in a table, one event per packet.
 * Tables are buffers of native uint32; statuses are bytes.
 */

%{
/* A table of numbers that C reads or writes in place. */
typedef struct keep_table {
    uint32_t *numbers;
    size_t count;
} keep_table;

/* False, without an exception, if the buffer is no table. An empty one may lie anywhere. */
static bool keep_table_of(const Py_buffer *view, keep_table *out)
{
    *out = (keep_table){ NULL, 0 };
    if (view->len == 0)
        return true;
    out->numbers = view->buf;
    out->count = (size_t)view->len / sizeof(uint32_t);
    return (uintptr_t)view->buf % sizeof(uint32_t) == 0 && (size_t)view->len % sizeof(uint32_t) == 0;
}

/* Borrows buffers in a row; those that were not reached stay zero, and their release does nothing. */
static bool keep_views_begin(Py_buffer *views, PyObject *const *objects, size_t count, int flags)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (PyObject_GetBuffer(objects[i], &views[i], flags) != 0)
            return false;
    return true;
}

static void keep_views_end(Py_buffer *views, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        PyBuffer_Release(&views[i]);
}

/* Item i of `data` ends where the table says. Each end is read once. False if they are out of order or range. */
static bool keep_unpack(const Py_buffer *data, const keep_table *ends, keep_bytes *items)
{
    size_t begin = 0;
    size_t i;

    for (i = 0; i < ends->count; i++) {
        size_t end = ((const volatile uint32_t *)ends->numbers)[i];

        if (end < begin || end > (size_t)data->len)
            return false;
        items[i] = (keep_bytes){ (const uint8_t *)data->buf + begin, end - begin };
        begin = end;
    }
    return true;
}

static bool keep_is_batch(size_t count)
{
    return count >= 1 && count <= KEEP_MAX_BATCH;
}

/* The buffers of the two calls, in the order of their arguments. */
enum { KEEP_PACKED_DATA, KEEP_PACKED_ENDS, KEEP_PACKED_OUT, KEEP_PACKED_READABLE = KEEP_PACKED_OUT };
enum { KEEP_SEALED_ENDS = KEEP_PACKED_OUT + 1, KEEP_SEALED_STATUSES, KEEP_SEALED_BUFFERS };
enum { KEEP_OPENED_SPANS = KEEP_PACKED_OUT + 1, KEEP_OPENED_ENDS, KEEP_OPENED_STATUSES, KEEP_OPENED_BUFFERS };

/* The same stream and flags for each, sequences in a row. */
static void keep_packed_requests(const keep_packet_request *first, const keep_bytes *events, size_t count,
                                 keep_packet_request *requests)
{
    size_t i;

    for (i = 0; i < count; i++) {
        requests[i] = *first;
        requests[i].events = &events[i];
        requests[i].event_count = 1;
        requests[i].sequence = first->sequence + i;
    }
}

static PyObject *keep_seal_packed(keep_box *box, const Py_buffer *views, const keep_packet_request *first)
{
    static const char operation[] = "Session.seal_packed";
    const Py_buffer *data = &views[KEEP_PACKED_DATA];
    uint8_t *item_statuses = views[KEEP_SEALED_STATUSES].buf;
    keep_bytes events[KEEP_MAX_BATCH];
    keep_packet_request requests[KEEP_MAX_BATCH];
    size_t offsets[KEEP_MAX_BATCH + 1];
    keep_status statuses[KEEP_MAX_BATCH];
    keep_packet_seal_out out = {
        .size = sizeof out,
        .data = views[KEEP_PACKED_OUT].buf,
        .cap = (size_t)views[KEEP_PACKED_OUT].len,
        .offsets = offsets,
        .statuses = statuses,
    };
    keep_table ends, out_ends;
    PyThreadState *thread;
    keep_status status;
    size_t i;

    if (!keep_table_of(&views[KEEP_PACKED_ENDS], &ends) || !keep_is_batch(ends.count) ||
        !keep_table_of(&views[KEEP_SEALED_ENDS], &out_ends) || out_ends.count < ends.count ||
        (size_t)views[KEEP_SEALED_STATUSES].len < ends.count || !keep_unpack(data, &ends, events) ||
        keep_overlap(out.data, out.cap, data->buf, (size_t)data->len))
        return keep_raise(KEEP_ERR_INVALID_ARGUMENT, operation);
    keep_packed_requests(first, events, ends.count, requests);
    statuses[0] = KEEP_UNTOUCHED;
    thread = keep_unlock((size_t)data->len);
    status = keep_packet_seal_batch(box->handle, requests, ends.count, &out);
    keep_relock(thread);
    if (keep_batch_failed(status, statuses[0]))
        return keep_raise_needed(status, operation,
                                 status == KEEP_ERR_BUFFER_TOO_SMALL ? (Py_ssize_t)out.data_len : -1);
    for (i = 0; i < ends.count; i++) {
        out_ends.numbers[i] = (uint32_t)offsets[i + 1];
        item_statuses[i] = (uint8_t)statuses[i];
    }
    return PyLong_FromSize_t(out.sealed_count);
}

/* (data, ends, stream_id, first_sequence, flags, out, out_ends, statuses) */
static PyObject *keep_session_seal_packed(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    keep_packet_request first = { 0 };
    Py_buffer views[KEEP_SEALED_BUFFERS] = { 0 };
    keep_box *box = NULL;
    PyObject *result = NULL;

    if (!keep_has_places(count, 8, "(data, ends, stream_id, first_sequence, flags, out, out_ends, statuses)"))
        return NULL;
    if (keep_number_in(args[2], (unsigned char *)&first.stream_id, KEEP_FIELD_U64) &&
        keep_number_in(args[3], (unsigned char *)&first.sequence, KEEP_FIELD_U64) &&
        keep_number_in(args[4], &first.flags, KEEP_FIELD_U8) &&
        keep_views_begin(views, args, KEEP_PACKED_READABLE, PyBUF_SIMPLE) &&
        keep_views_begin(views + KEEP_PACKED_OUT, args + 5, KEEP_SEALED_BUFFERS - KEEP_PACKED_OUT, PyBUF_WRITABLE))
        box = keep_box_enter(self, &keep_class_session, "Session.seal_packed");
    if (box != NULL)
        result = keep_seal_packed(box, views, &first);
    keep_box_leave(box);
    keep_views_end(views, KEEP_SEALED_BUFFERS);
    return result;
}

/*
 * Tells what became of each packet, and moves the spans together: a packet that was refused had room for some, too. The
 * entries are ours, the spans the caller's: nothing is read from those but what is moved.
 */
static void keep_pack_spans(const keep_packet_open_out *out, uint32_t *packet_ends, uint8_t *statuses, size_t count)
{
    uint32_t end = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        const keep_packet_opened *packet = &out->packets[i];

        if (packet->event_count != 0)
            memmove(out->events + end, out->events + packet->first_event, packet->event_count * sizeof *out->events);
        end += packet->event_count;
        packet_ends[i] = end;
        statuses[i] = (uint8_t)packet->status;
    }
}

static PyObject *keep_open_packed(keep_box *box, const Py_buffer *views)
{
    static const char operation[] = "Session.open_packed";
    const Py_buffer *data = &views[KEEP_PACKED_DATA];
    keep_bytes datagrams[KEEP_MAX_BATCH];
    keep_packet_opened packets[KEEP_MAX_BATCH];
    keep_packet_open_out out = {
        .size = sizeof out,
        .data = views[KEEP_PACKED_OUT].buf,
        .cap = (size_t)views[KEEP_PACKED_OUT].len,
        .packets = packets,
    };
    keep_table ends, spans, packet_ends;
    PyThreadState *thread;
    keep_status status;

    if (!keep_table_of(&views[KEEP_PACKED_ENDS], &ends) || !keep_is_batch(ends.count) ||
        !keep_table_of(&views[KEEP_OPENED_SPANS], &spans) ||
        !keep_table_of(&views[KEEP_OPENED_ENDS], &packet_ends) || packet_ends.count < ends.count ||
        (size_t)views[KEEP_OPENED_STATUSES].len < ends.count || !keep_unpack(data, &ends, datagrams))
        return keep_raise(KEEP_ERR_INVALID_ARGUMENT, operation);
    out.events = (keep_span *)(void *)spans.numbers;
    out.event_cap = spans.count * sizeof *spans.numbers / sizeof *out.events;
    packets[0].status = KEEP_UNTOUCHED;
    thread = keep_unlock((size_t)data->len);
    status = keep_packet_open_batch(box->handle, datagrams, ends.count, &out);
    keep_relock(thread);
    if (keep_batch_failed(status, packets[0].status))
        return keep_raise_opening(status, operation, &out,
                                  out.data_len > out.cap ? out.data_len : out.event_count * sizeof *out.events);
    keep_pack_spans(&out, packet_ends.numbers, views[KEEP_OPENED_STATUSES].buf, ends.count);
    return PyLong_FromSize_t(out.opened_count);
}

/* (data, ends, out, spans, packet_ends, statuses) */
static PyObject *keep_session_open_packed(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    Py_buffer views[KEEP_OPENED_BUFFERS] = { 0 };
    keep_box *box = NULL;
    PyObject *result = NULL;

    if (!keep_has_places(count, KEEP_OPENED_BUFFERS, "(data, ends, out, spans, packet_ends, statuses)"))
        return NULL;
    if (keep_views_begin(views, args, KEEP_PACKED_READABLE, PyBUF_SIMPLE) &&
        keep_views_begin(views + KEEP_PACKED_OUT, args + KEEP_PACKED_OUT, KEEP_OPENED_BUFFERS - KEEP_PACKED_OUT,
                         PyBUF_WRITABLE))
        box = keep_box_enter(self, &keep_class_session, "Session.open_packed");
    if (box != NULL)
        result = keep_open_packed(box, views);
    keep_box_leave(box);
    keep_views_end(views, KEEP_OPENED_BUFFERS);
    return result;
}
%}
