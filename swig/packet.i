/* SPDX-License-Identifier: MIT */
/*
 * Packets: sessions, packet pools, handshakes. A packet is a buffer that shows its datagram, and neither built nor freed
 * under a view.
 *
 *   seal.i   requests, and the calls that seal them     packed.i   batches without an object per packet
 *   open.i   what comes of datagrams
 */

%feature("python:bf_getbuffer", functype="getbufferproc") keep_packet "keep_packet_getbuffer";
%feature("python:bf_releasebuffer", functype="releasebufferproc") keep_packet "keep_packet_releasebuffer";

%keep_box(keep_session, session, Session, false)
%keep_box(keep_packet, packet, Packet, true)
%keep_box(keep_packet_pool, packet_pool, PacketPool, false)
%keep_box(keep_handshake, handshake, Handshake, false)

%include "seal.i"
%include "open.i"
%include "packed.i"

%{
/* The view counts like a call: the packet is neither built nor freed meanwhile. */
static int keep_packet_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    static const char operation[] = "Packet.data";
    keep_box *box = keep_box_enter(self, &keep_class_packet, operation);
    const uint8_t *data = NULL;
    size_t len = 0;
    keep_status status;

    view->obj = NULL;
    if (box == NULL)
        return -1;
    status = keep_packet_data(box->handle, &data, &len);
    if (status != KEEP_OK)
        keep_raise(status, operation);
    else if (PyBuffer_FillInfo(view, self, (void *)(uintptr_t)data, (Py_ssize_t)len, 1, flags) == 0)
        return 0;
    keep_box_leave(box);
    return -1;
}

static void keep_packet_releasebuffer(PyObject *self, Py_buffer *view)
{
    (void)view;
    keep_box_leave(keep_box_of(self, &keep_class_packet));
}

#define KEEP_REQUEST_KEYWORDS \
    "*, stream_id=0, sequence=0, flags=0, subprotocol_id=0, kind=0, settings=None)\n--\n\n"

static PyMethodDef keep_session_methods[] = {
    { "seal", (PyCFunction)(void *)keep_session_seal, METH_FASTCALL | METH_KEYWORDS,
      "seal($self, events, /, " KEEP_REQUEST_KEYWORDS
      "A datagram with the events, a sequence of buffers. The keywords are those of PacketRequest." },
    { "seal_into", (PyCFunction)(void *)keep_session_seal_into, METH_FASTCALL | METH_KEYWORDS,
      "seal_into($self, events, out, /, " KEEP_REQUEST_KEYWORDS
      "The same into a writable buffer; returns the length. BufferTooSmallError has it as `needed`." },
    { "heartbeat", keep_session_heartbeat, METH_NOARGS,
      "heartbeat($self, /)\n--\n\nA datagram that says no more than that this side is alive." },
    { "heartbeat_into", keep_session_heartbeat_into, METH_O,
      "heartbeat_into($self, out, /)\n--\n\nThe same into a writable buffer; returns the length." },
    { "seal_batch", keep_session_seal_batch, METH_O,
      "seal_batch($self, requests, /)\n--\n\n"
      "(data, offsets, statuses) of 1 to MAX_BATCH PacketRequests: datagram i is data[offsets[i]:offsets[i + 1]], and\n"
      "empty if statuses[i] is not 0. No exception for a request that was refused." },
    { "seal_packed", (PyCFunction)(void *)keep_session_seal_packed, METH_FASTCALL,
      "seal_packed($self, data, ends, stream_id, first_sequence, flags, out, out_ends, statuses, /)\n--\n\n"
      "A batch without objects: event i is data[ends[i - 1]:ends[i]], its packet out[out_ends[i - 1]:out_ends[i]], its\n"
      "sequence first_sequence + i. Tables are buffers of uint32, statuses bytes. Returns how many were sealed." },
    { "open", keep_session_open, METH_O,
      "open($self, datagram, /)\n--\n\nThe events of a datagram, as bytes, and its header." },
    { "open_into", (PyCFunction)(void *)keep_session_open_into, METH_FASTCALL,
      "open_into($self, datagram, out, /)\n--\n\n"
      "The same, with events that are views of `out`: a writable buffer apart from the datagram, or the datagram's own\n"
      "bytes from PACKET_HEADER_LEN on (in place). BufferTooSmallError has the length as `needed`." },
    { "open_batch", keep_session_open_batch, METH_O,
      "open_batch($self, datagrams, /)\n--\n\n"
      "What became of each of 1 to MAX_BATCH datagrams. No exception for one that was refused: its status says so." },
    { "open_packed", (PyCFunction)(void *)keep_session_open_packed, METH_FASTCALL,
      "open_packed($self, data, ends, out, spans, packet_ends, statuses, /)\n--\n\n"
      "A batch without objects: datagram i is data[ends[i - 1]:ends[i]], its events are the pairs (offset in out,\n"
      "length) spans[packet_ends[i - 1]:packet_ends[i]]. Tables are buffers of uint32, statuses bytes. Returns how many\n"
      "were opened. BufferTooSmallError has as `values` the bytes and the number of spans that are needed." },
    { NULL },
};

static PyMethodDef keep_packet_methods[] = {
    { "build", (PyCFunction)(void *)keep_packet_build_method, METH_FASTCALL | METH_KEYWORDS,
      "build($self, session, events, /, " KEEP_REQUEST_KEYWORDS
      "Seals into the packet; the keywords are those of PacketRequest, and settings None the packet's own. BusyError:\n"
      "a view shows what was built before. The session is None for a handshake frame." },
    { NULL },
};

static const keep_field keep_session_options_fields[] = {
    KEEP_FIELD(keep_session_options, session_id),
    KEEP_FIELD(keep_session_options, first_counter),
    KEEP_FIELD(keep_session_options, max_failed_opens),
    KEEP_FIELD(keep_session_options, window),
    KEEP_FIELD(keep_session_options, aead),
    { NULL },
};

static const keep_field keep_session_stats_fields[] = {
    KEEP_FIELD(struct keep_session_stats, next_counter),
    KEEP_FIELD(struct keep_session_stats, opened),
    KEEP_FIELD(struct keep_session_stats, auth_failed),
    KEEP_FIELD(struct keep_session_stats, replayed),
    KEEP_FIELD(struct keep_session_stats, malformed),
    KEEP_FIELD(struct keep_session_stats, highest_counter),
    KEEP_FIELD(struct keep_session_stats, has_highest),
    KEEP_FIELD(struct keep_session_stats, confirmed),
    { NULL },
};

static const keep_field keep_packet_pool_stats_fields[] = {
    KEEP_FIELD(struct keep_packet_pool_stats, capacity),
    KEEP_FIELD(struct keep_packet_pool_stats, in_use),
    KEEP_FIELD(struct keep_packet_pool_stats, available),
    KEEP_FIELD(struct keep_packet_pool_stats, peak),
    KEEP_FIELD(struct keep_packet_pool_stats, refused),
    KEEP_FIELD(struct keep_packet_pool_stats, bytes),
    { NULL },
};

static const keep_field keep_handshake_info_fields[] = {
    KEEP_FIELD(struct keep_handshake_info, state),
    KEEP_FIELD(struct keep_handshake_info, has_remote_static),
    KEEP_FIELD(struct keep_handshake_info, has_hash),
    KEEP_FIELD(struct keep_handshake_info, remote_static),
    KEEP_FIELD(struct keep_handshake_info, hash),
    { NULL },
};

static const keep_field keep_aead_report_fields[] = {
    KEEP_FIELD(struct keep_aead_report, state),
    KEEP_FIELD(struct keep_aead_report, contexts),
    KEEP_FIELD(struct keep_aead_report, bytes),
    KEEP_FIELD(struct keep_aead_report, auto_min_len),
    KEEP_FIELD(struct keep_aead_report, auto_max_len),
    KEEP_FIELD(struct keep_aead_report, name),
    KEEP_FIELD(struct keep_aead_report, version),
    KEEP_FIELD(struct keep_aead_report, form),
    { NULL },
};
%}

%init %{
    if (!keep_methods_add(&keep_class_session, keep_session_methods) ||
        !keep_methods_add(&keep_class_packet, keep_packet_methods))
        return KEEP_INIT_FAILED;
%}

%keep_optional(keep_secret, secret, tx_key)
%keep_optional(keep_secret, secret, rx_key)
%keep_optional(keep_secret, secret, ephemeral_key)
%keep_options(keep_session_options, KEEP_SESSION_OPTIONS_INIT, keep_session_options_fields)

%typemap(in, noblock=1) const keep_packet_settings *settings (keep_packet_settings value) {
    if ($input != Py_None) {
        if (!keep_record_in(&keep_record_PacketSettings, $input, &value))
            SWIG_fail;
        $1 = &value;
    }
}

%typemap(in, noblock=1) (const keep_bytes *events, size_t count) (keep_buffers buffers = { 0 }) {
    if (!keep_buffers_begin(&buffers, $input, KEEP_MAX_PACKET_EVENTS))
        SWIG_fail;
    $1 = buffers.bytes;
    $2 = buffers.count;
}
%typemap(freearg, noblock=1) (const keep_bytes *events, size_t count) {
    keep_buffers_end(&buffers$argnum);
}

%typemap(in, numinputs=0, noblock=1) keep_packet_info *out_info (keep_packet_info value) {
    $1 = &value;
}
%typemap(argout, noblock=1) keep_packet_info *out_info {
    $result = keep_append($result, keep_record_out(&keep_record_PacketInfo, $1));
}

%typemap(in, numinputs=0, noblock=1) uint8_t *out (uint8_t key[KEEP_HANDSHAKE_KEY_LEN]) {
    $1 = key;
}
%typemap(argout, noblock=1) uint8_t *out {
    $result = keep_append($result, PyBytes_FromStringAndSize((const char *)$1, KEEP_HANDSHAKE_KEY_LEN));
}

%apply (const void *bytes, size_t len) {
    (const void *datagram, size_t len), (const void *payload, size_t len), (const void *message, size_t len),
    (const void *prologue, size_t prologue_len)
};
%apply (void *out, size_t cap, size_t *out_len) { (uint8_t *out, size_t cap, size_t *out_len) };

/* A step of a handshake reads its second and third argument. */
%typemap(check, noblock=1) (uint8_t *out, size_t cap, size_t *out_len) {
    if (keep_overlap($1, $2, arg2, arg3)) {
        keep_raise(KEEP_ERR_INVALID_ARGUMENT, "$symname");
        SWIG_fail;
    }
}
%apply size_t *OUTPUT { size_t *out_len };

%keep_report(struct keep_session_stats, KEEP_SESSION_STATS_INIT, keep_session_stats_fields, out_stats)
%keep_report(struct keep_packet_pool_stats, KEEP_PACKET_POOL_STATS_INIT, keep_packet_pool_stats_fields, out_stats)
%keep_report(struct keep_handshake_info, KEEP_HANDSHAKE_INFO_INIT, keep_handshake_info_fields, out_info)
%keep_report(struct keep_aead_report, KEEP_AEAD_REPORT_INIT, keep_aead_report_fields, out_report)

%keep_names_itself(keep_packet_parse, "packet.parse")
%keep_names_itself(keep_packet_measure, "packet.measure")
%keep_names_itself(keep_aead_report, "packet.aead_report")

/* The structs are objects, dicts or keywords; what makes, fills and reads them stands above and below. */
%ignore keep_span;
%ignore keep_packet_settings;
%ignore keep_packet_request;
%ignore keep_packet_seal_out;
%ignore keep_packet_opened;
%ignore keep_packet_open_out;
%ignore keep_session_options;
%ignore keep_packet_pool_options;
%ignore keep_handshake_options;
%ignore keep_packet_seal_into;
%ignore keep_packet_seal_batch;
%ignore keep_packet_open_into;
%ignore keep_packet_open_batch;
%ignore keep_packet_build;
%ignore keep_packet_data;
%ignore keep_session_new;
%ignore keep_packet_pool_new;
%ignore keep_handshake_new;
%ignore keep_handshake_session;

%include <keep/session.h>
%include <keep/packet.h>
%include <keep/packet_pool.h>
%include <keep/handshake.h>
%include <keep/aead.h>

%feature("docstring") keep_packet_pool::acquire "acquire(): an empty packet. ExhaustedError: all are in use; it never waits.";
%extend keep_packet_pool {
    keep_status acquire(keep_packet **out_packet);
}

/* Constructors whose options hold handles or bytes: these are arguments of their own. */
%rename(keep_session_new) keep_session_make;
%rename(keep_packet_pool_new) keep_packet_pool_make;
%keep_call(keep_packet_pool_make, 1) /* as the function that it calls (gil.i) */
%rename(keep_handshake_new) keep_handshake_make;
%rename(keep_handshake_session) keep_handshake_take;

%{
static keep_session_options keep_session_options_or_default(const keep_session_options *options)
{
    return options != NULL ? *options : (keep_session_options)KEEP_SESSION_OPTIONS_INIT;
}
%}

%inline %{
static keep_status keep_session_make(keep_secret *tx_key, keep_secret *rx_key, keep_pool *pool,
                                     const keep_session_options *options, keep_session **out_session)
{
    keep_session_options all = keep_session_options_or_default(options);

    all.tx_key = tx_key;
    all.rx_key = rx_key;
    all.pool = pool;
    return keep_session_new(&all, out_session);
}

static keep_status keep_packet_pool_make(uint32_t capacity, const keep_packet_settings *settings,
                                         keep_packet_pool **out_packet_pool)
{
    keep_packet_pool_options options = KEEP_PACKET_POOL_OPTIONS_INIT;

    options.capacity = capacity;
    if (settings != NULL)
        options.settings = *settings;
    return keep_packet_pool_new(&options, out_packet_pool);
}

static keep_status keep_handshake_make(uint32_t pattern, uint32_t role, keep_secret *static_key,
                                       keep_secret *pre_shared_key, keep_secret *ephemeral_key, const void *given,
                                       size_t given_len, const void *prologue, size_t prologue_len, keep_pool *pool,
                                       keep_handshake **out_handshake)
{
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;

    if (given != NULL && given_len != KEEP_HANDSHAKE_KEY_LEN)
        return KEEP_ERR_INVALID_ARGUMENT;
    options.pattern = pattern;
    options.role = role;
    options.static_key = static_key;
    options.pre_shared_key = pre_shared_key;
    options.ephemeral_key = ephemeral_key;
    options.remote_static = given;
    options.prologue = (keep_bytes){ prologue, prologue_len };
    options.pool = pool;
    return keep_handshake_new(&options, out_handshake);
}

static keep_status keep_handshake_take(keep_handshake *handshake, keep_pool *pool, const keep_session_options *options,
                                       keep_session **out_session)
{
    keep_session_options all = keep_session_options_or_default(options);

    all.pool = pool;
    return keep_handshake_session(handshake, &all, out_session);
}

/* A message in a datagram of its own: new bytes, or into a writable buffer. */
static PyObject *keep_packet_handshake_frame(PyObject *message, PyObject *out)
{
    keep_output output = { 0 };
    Py_buffer view;
    keep_bytes event;
    keep_packet_request request = { .events = &event, .event_count = 1, .kind = KEEP_PACKET_HANDSHAKE };
    PyObject *result = NULL;

    if (PyObject_GetBuffer(message, &view, PyBUF_SIMPLE) != 0)
        return NULL;
    event = (keep_bytes){ view.buf, (size_t)view.len };
    if (out == Py_None ? keep_output_bytes(&output, KEEP_MAX_PACKET_LEN)
                       : PyObject_GetBuffer(out, &output.view, PyBUF_WRITABLE) == 0)
        result = keep_seal(NULL, &request, &output, "packet.handshake_frame");
    keep_output_end(&output);
    PyBuffer_Release(&view);
    return result;
}
%}
