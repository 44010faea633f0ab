/* SPDX-License-Identifier: MIT */
/*
 * Bytes. What comes in is borrowed through the buffer protocol until the call has returned, never copied; a Secret is
 * such a buffer too, whose read window is open meanwhile. What goes out is a new `bytes` object, or goes into the
 * caller's writable buffer, and then its length is returned.
 */

%{
/* Where C writes to: a new bytes object or the caller's buffer. All zero: nowhere yet. */
typedef struct keep_output {
    PyObject *bytes;
    Py_buffer view;
} keep_output;

/* Takes a new bytes object of `len` bytes in place of the one there was. */
static bool keep_output_bytes(keep_output *output, size_t len)
{
    Py_XDECREF(output->bytes);
    output->bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)len);
    return output->bytes != NULL;
}

static bool keep_output_is_new(const keep_output *output)
{
    return output->view.obj == NULL;
}

static void *keep_output_data(keep_output *output)
{
    if (output->bytes != NULL)
        return PyBytes_AS_STRING(output->bytes);
    return output->view.buf;
}

/* The result of a call that wrote `len` bytes: bytes, or the number. */
static PyObject *keep_output_take(keep_output *output, size_t len)
{
    PyObject *bytes = output->bytes;

    if (!keep_output_is_new(output))
        return PyLong_FromSize_t(len);
    if (bytes == NULL || (size_t)PyBytes_GET_SIZE(bytes) != len)
        return PyBytes_FromStringAndSize(keep_output_data(output), (Py_ssize_t)len);
    output->bytes = NULL;
    return bytes;
}

static size_t keep_output_cap(const keep_output *output)
{
    return output->bytes != NULL ? (size_t)PyBytes_GET_SIZE(output->bytes) : (size_t)output->view.len;
}

/* Whether C would read where it writes. */
static bool keep_overlap(const void *out, size_t cap, const void *in, size_t len)
{
    uintptr_t begin = (uintptr_t)out;
    uintptr_t other = (uintptr_t)in;

    return cap != 0 && len != 0 && begin < other + len && other < begin + cap;
}

/* Ends the output. Bytes that nobody got may hold part of a secret. */
static void keep_output_end(keep_output *output)
{
    if (output->bytes != NULL)
        keep_wipe(PyBytes_AS_STRING(output->bytes), (size_t)PyBytes_GET_SIZE(output->bytes));
    Py_XDECREF(output->bytes);
    PyBuffer_Release(&output->view);
}

#define KEEP_FEW_BUFFERS 4

/* A sequence of buffers, borrowed while C reads them. It must not move. */
typedef struct keep_buffers {
    PyObject *items; /* a tuple: keeps the objects, whatever another thread does to the list */
    size_t count;
    size_t held;
    size_t len; /* of all together */
    Py_buffer *views;
    keep_bytes *bytes;
    Py_buffer few_views[KEEP_FEW_BUFFERS];
    keep_bytes few_bytes[KEEP_FEW_BUFFERS];
} keep_buffers;

static void keep_buffers_end(keep_buffers *buffers)
{
    while (buffers->held > 0)
        PyBuffer_Release(&buffers->views[--buffers->held]);
    if (buffers->views != buffers->few_views)
        PyMem_Free(buffers->views);
    if (buffers->bytes != buffers->few_bytes)
        PyMem_Free(buffers->bytes);
    Py_XDECREF(buffers->items);
}

static bool keep_buffers_grow(keep_buffers *buffers)
{
    buffers->views = PyMem_New(Py_buffer, buffers->count);
    buffers->bytes = PyMem_New(keep_bytes, buffers->count);
    if (buffers->views == NULL || buffers->bytes == NULL)
        PyErr_NoMemory();
    return buffers->views != NULL && buffers->bytes != NULL;
}

/* More than `most` are counted, and C will refuse them unseen. False with an exception; to be ended in any case. */
static bool keep_buffers_begin(keep_buffers *buffers, PyObject *sequence, size_t most)
{
    buffers->held = 0;
    buffers->len = 0;
    buffers->views = buffers->few_views;
    buffers->bytes = buffers->few_bytes;
    buffers->items = PySequence_Tuple(sequence);
    buffers->count = buffers->items != NULL ? (size_t)PyTuple_GET_SIZE(buffers->items) : 0;
    if (buffers->items == NULL || buffers->count > most)
        return buffers->items != NULL;
    if (buffers->count > KEEP_FEW_BUFFERS && !keep_buffers_grow(buffers))
        return false;
    while (buffers->held < buffers->count) {
        PyObject *item = PyTuple_GET_ITEM(buffers->items, (Py_ssize_t)buffers->held);
        Py_buffer *view = &buffers->views[buffers->held];

        if (PyObject_GetBuffer(item, view, PyBUF_SIMPLE) != 0)
            return false;
        buffers->bytes[buffers->held++] = (keep_bytes){ view->buf, (size_t)view->len };
        buffers->len += (size_t)view->len;
    }
    return true;
}
%}

%typemap(in, noblock=1) (const void *bytes, size_t len) (Py_buffer view = { 0 }) {
    if (PyObject_GetBuffer($input, &view, PyBUF_SIMPLE) != 0)
        SWIG_fail;
    $1 = view.buf;
    $2 = (size_t)view.len;
}
%typemap(freearg, noblock=1) (const void *bytes, size_t len) {
    PyBuffer_Release(&view$argnum);
}
%apply (const void *bytes, size_t len) { (const void *in, size_t in_len) };

/* Bytes that need not be given: None is NULL. */
%typemap(in, noblock=1) (const void *given, size_t given_len) (Py_buffer view = { 0 }) {
    if ($input != Py_None && PyObject_GetBuffer($input, &view, PyBUF_SIMPLE) != 0)
        SWIG_fail;
    $1 = view.buf;
    $2 = (size_t)view.len;
}
%typemap(freearg, noblock=1) (const void *given, size_t given_len) {
    PyBuffer_Release(&view$argnum);
}

/* Bytes that the call reads and then wipes. */
%typemap(in, noblock=1) (void *source, size_t len) (Py_buffer view = { 0 }) {
    if (PyObject_GetBuffer($input, &view, PyBUF_WRITABLE) != 0)
        SWIG_fail;
    $1 = view.buf;
    $2 = (size_t)view.len;
}
%typemap(freearg, noblock=1) (void *source, size_t len) {
    PyBuffer_Release(&view$argnum);
}

/* Exactly `len` bytes: as many as the caller says, or as the caller's buffer has. More than a secret C refuses. */
%typemap(in, noblock=1) (void *out, size_t len) (keep_output output = { 0 }) {
    if (PyObject_CheckBuffer($input)) {
        if (PyObject_GetBuffer($input, &output.view, PyBUF_WRITABLE) != 0)
            SWIG_fail;
        $2 = (size_t)output.view.len;
    } else {
        if (!keep_size_in($input, &$2))
            SWIG_fail;
        if ($2 <= KEEP_MAX_SECRET_LEN && !keep_output_bytes(&output, $2))
            SWIG_fail;
    }
    $1 = keep_output_data(&output);
}
%typemap(argout, noblock=1) (void *out, size_t len) {
    $result = keep_append($result, keep_output_take(&output$argnum, $2));
}
%typemap(freearg, noblock=1) (void *out, size_t len) {
    keep_output_end(&output$argnum);
}

/* A length that C tells: without an argument %keep_fill makes bytes of it, with one it is the caller's buffer. */
%typemap(default, noblock=1) (void *out, size_t cap, size_t *out_len) {
    $1 = NULL;
    $2 = 0;
    $3 = &length$argnum;
}
%typemap(in, noblock=1) (void *out, size_t cap, size_t *out_len) (keep_output output = { 0 }, size_t length = 0) {
    if (PyObject_GetBuffer($input, &output.view, PyBUF_WRITABLE) != 0)
        SWIG_fail;
    $1 = output.view.buf;
    $2 = (size_t)output.view.len;
}
%typemap(argout, noblock=1) (void *out, size_t cap, size_t *out_len) {
    $result = keep_append($result, keep_output_take(&output$argnum, length$argnum));
}
%typemap(freearg, noblock=1) (void *out, size_t cap, size_t *out_len) {
    keep_output_end(&output$argnum);
}

/* Runs the call, without the GIL if UNLOCKED holds: dropping it costs more than a short call. */
%define %keep_action(UNLOCKED)
    {
        PyThreadState *thread = (UNLOCKED) ? PyEval_SaveThread() : NULL;

        $action
        if (thread != NULL)
            PyEval_RestoreThread(thread);
    }
%enddef

%define %keep_call(FUNCTION, UNLOCKED)
%exception FUNCTION {
    %keep_action(UNLOCKED)
}
%enddef

/* A function whose arguments OUT, CAP and LEN are out, cap and out_len: calls again with the room that it asks for. */
%define %keep_fill(FUNCTION, OUT, CAP, LEN, UNLOCKED)
%exception FUNCTION {
    %keep_action(UNLOCKED)
    while (result == KEEP_ERR_BUFFER_TOO_SMALL && keep_output_is_new(&output##OUT)) {
        if (!keep_output_bytes(&output##OUT, *arg##LEN))
            SWIG_fail;
        arg##OUT = keep_output_data(&output##OUT);
        arg##CAP = *arg##LEN;
        %keep_action(UNLOCKED)
    }
    if (result == KEEP_ERR_BUFFER_TOO_SMALL) {
        keep_raise_needed(result, "$symname", (Py_ssize_t)*arg##LEN);
        SWIG_fail;
    }
}
%enddef
