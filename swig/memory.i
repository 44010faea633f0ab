/* SPDX-License-Identifier: MIT */
/*
 * Memory: pools, secrets, sealed secrets, and what protects the process. A secret is a buffer: reading it opens a read
 * window, asking for a writable buffer opens the write window; the window ends when the buffer is released.
 */

%feature("python:bf_getbuffer", functype="getbufferproc") keep_secret "keep_secret_getbuffer";
%feature("python:bf_releasebuffer", functype="releasebufferproc") keep_secret "keep_secret_releasebuffer";
%feature("python:sq_length", functype="lenfunc") keep_secret "keep_secret_sq_length";

%keep_box(keep_pool, pool, Pool, false)
%keep_box(keep_secret, secret, Secret, true)
%keep_box(keep_sealed, sealed, Sealed, false)
%keep_box_batch(keep_secret, secret, secrets)

%keep_optional(keep_pool, pool, pool) /* None stands for the default pool */

%apply uint64_t *OUTPUT { uint64_t *out_bytes, uint64_t *out_open_windows };
%apply int *OUTPUT { int *out_equal };

%{
static const keep_field keep_pool_options_fields[] = {
    KEEP_FIELD_AS("tiers", keep_pool_options, tier_len),
    KEEP_FIELD(keep_pool_options, tier_slots),
    KEEP_FIELD(keep_pool_options, tier_max_slots),
    KEEP_FIELD(keep_pool_options, max_bytes),
    KEEP_FIELD(keep_pool_options, backing),
    KEEP_FIELD(keep_pool_options, lock_policy),
    KEEP_FIELD(keep_pool_options, hot_cache),
    KEEP_FIELD(keep_pool_options, resplit_views),
    { NULL },
};

static const keep_field keep_acquire_options_fields[] = {
    KEEP_FIELD(keep_acquire_options, timeout_ms),
    KEEP_FIELD(keep_acquire_options, flags),
    { NULL },
};

static const keep_field keep_tier_stats_fields[] = {
    KEEP_FIELD(keep_tier_stats, slot_len), KEEP_FIELD(keep_tier_stats, slots),
    KEEP_FIELD(keep_tier_stats, in_use),   KEEP_FIELD(keep_tier_stats, cached),
    KEEP_FIELD(keep_tier_stats, waiting),  KEEP_FIELD(keep_tier_stats, regions),
    { NULL },
};

static const keep_field keep_pool_stats_fields[] = {
    KEEP_FIELD(struct keep_pool_stats, backing),
    KEEP_FIELD(struct keep_pool_stats, last_lock_errno),
    KEEP_FIELD(struct keep_pool_stats, locked_bytes),
    KEEP_FIELD(struct keep_pool_stats, unlocked_bytes),
    KEEP_FIELD(struct keep_pool_stats, metadata_bytes),
    KEEP_FIELD(struct keep_pool_stats, guarded_bytes),
    KEEP_FIELD(struct keep_pool_stats, guarded),
    KEEP_FIELD(struct keep_pool_stats, growths),
    KEEP_FIELD(struct keep_pool_stats, waits),
    KEEP_FIELD(struct keep_pool_stats, timeouts),
    KEEP_FIELD(struct keep_pool_stats, fallbacks),
    KEEP_FIELD(struct keep_pool_stats, lock_failures),
    KEEP_FIELD(struct keep_pool_stats, resplits),
    KEEP_FIELD(struct keep_pool_stats, purges),
    KEEP_FIELD(struct keep_pool_stats, cache_entries),
    KEEP_FIELD(struct keep_pool_stats, cache_hits),
    KEEP_FIELD(struct keep_pool_stats, cache_misses),
    KEEP_FIELD(struct keep_pool_stats, cache_evictions),
    { NULL },
};

static const keep_field keep_secret_info_fields[] = {
    KEEP_FIELD(struct keep_secret_info, len),     KEEP_FIELD(struct keep_secret_info, capacity),
    KEEP_FIELD(struct keep_secret_info, kind),    KEEP_FIELD(struct keep_secret_info, tier),
    KEEP_FIELD(struct keep_secret_info, backing), KEEP_FIELD(struct keep_secret_info, windows),
    KEEP_FIELD(struct keep_secret_info, frozen),  KEEP_FIELD(struct keep_secret_info, locked),
    KEEP_FIELD(struct keep_secret_info, exposed), KEEP_FIELD(struct keep_secret_info, purged),
    { NULL },
};

static const keep_field keep_sealed_info_fields[] = {
    KEEP_FIELD(struct keep_sealed_info, id),         KEEP_FIELD(struct keep_sealed_info, len),
    KEEP_FIELD(struct keep_sealed_info, stored_len), KEEP_FIELD(struct keep_sealed_info, type),
    KEEP_FIELD(struct keep_sealed_info, purged),     { NULL },
};

static const keep_field keep_harden_report_fields[] = {
    KEEP_FIELD(struct keep_harden_report, requested),
    KEEP_FIELD(struct keep_harden_report, active),
    KEEP_FIELD(struct keep_harden_report, failed),
    KEEP_FIELD(struct keep_harden_report, error),
    { NULL },
};

static const keep_field keep_memory_report_fields[] = {
    KEEP_FIELD(struct keep_memory_report, page_size),
    KEEP_FIELD(struct keep_memory_report, memlock_soft),
    KEEP_FIELD(struct keep_memory_report, memlock_hard),
    KEEP_FIELD(struct keep_memory_report, locked_bytes),
    KEEP_FIELD(struct keep_memory_report, cap_ipc_lock),
    KEEP_FIELD(struct keep_memory_report, memfd_secret),
    KEEP_FIELD(struct keep_memory_report, wipe_on_fork),
    KEEP_FIELD(struct keep_memory_report, hardening),
    KEEP_FIELD(struct keep_memory_report, core_limit),
    KEEP_FIELD(struct keep_memory_report, core_pattern),
    KEEP_FIELD(struct keep_memory_report, dumpable),
    KEEP_FIELD(struct keep_memory_report, no_new_privs),
    KEEP_FIELD(struct keep_memory_report, no_new_code),
    KEEP_FIELD(struct keep_memory_report, yama_scope),
    KEEP_FIELD(struct keep_memory_report, swap_bytes),
    KEEP_FIELD(struct keep_memory_report, backing),
    KEEP_FIELD(struct keep_memory_report, checked),
    KEEP_FIELD(struct keep_memory_report, passed),
    KEEP_FIELD(struct keep_memory_report, failed),
    { NULL },
};

/* The number of tiers is the length of their list; the lists beside it are no longer. False with an exception. */
static bool keep_count_tiers(PyObject *fields, keep_pool_options *options, const char *symbol)
{
    static const char *const lists[] = { "tiers", "tier_slots", "tier_max_slots" };
    Py_ssize_t most = KEEP_MAX_TIERS;
    size_t i;

    for (i = 0; i < sizeof lists / sizeof *lists; i++) {
        PyObject *list = PyDict_GetItemString(fields, lists[i]);
        Py_ssize_t len = list != NULL ? PySequence_Size(list) : 0;

        if (len > most)
            keep_raise(KEEP_ERR_INVALID_ARGUMENT, symbol);
        if (PyErr_Occurred())
            return false;
        if (i == 0 && len > 0) {
            options->tier_count = (uint32_t)len;
            most = len;
        }
    }
    return true;
}

static PyObject *keep_pool_stats_out(const struct keep_pool_stats *stats)
{
    PyObject *fields = keep_struct_out(stats, keep_pool_stats_fields);
    PyObject *tiers = fields != NULL ? PyList_New(0) : NULL;
    uint32_t i;

    for (i = 0; tiers != NULL && i < stats->tier_count; i++) {
        PyObject *tier = keep_struct_out(&stats->tiers[i], keep_tier_stats_fields);

        if (tier == NULL || PyList_Append(tiers, tier) != 0)
            Py_CLEAR(tiers);
        Py_XDECREF(tier);
    }
    if (tiers == NULL || PyDict_SetItemString(fields, "tiers", tiers) != 0)
        Py_CLEAR(fields);
    Py_XDECREF(tiers);
    return fields;
}

/* The length that the work on a secret grows with. */
static size_t keep_payload_len(const keep_secret *secret)
{
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;

    return keep_secret_info(secret, &info) == KEEP_OK ? (size_t)info.capacity : 0;
}

/* The object whose write window PyMemoryView_FromObject is to open: it asks for a buffer that is only read. */
static PyObject *keep_writing;

static keep_status keep_begin_window(const keep_box *box, bool is_writable, void **out_data, size_t *out_len)
{
    const uint8_t *data = NULL;
    keep_status status;

    if (is_writable)
        return keep_secret_write_begin((keep_secret *)box->handle, (uint8_t **)out_data, out_len);
    status = keep_secret_read_begin((keep_secret *)box->handle, &data, out_len);
    *out_data = (void *)(uintptr_t)data;
    return status;
}

static int keep_secret_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    bool is_writable = (flags & PyBUF_WRITABLE) != 0 || keep_writing == self;
    const char *symbol = is_writable ? "keep_secret_write" : "keep_secret_read";
    keep_box *box = keep_box_enter(self, &keep_class_secret, symbol);
    void *data = NULL;
    size_t len = 0;
    keep_status status;

    view->obj = NULL;
    if (box == NULL)
        return -1;
    status = keep_begin_window(box, is_writable, &data, &len);
    keep_box_leave(box);
    if (status != KEEP_OK) {
        keep_raise(status, symbol);
        return -1;
    }
    return PyBuffer_FillInfo(view, self, data, (Py_ssize_t)len, !is_writable, flags);
}

/* A guarded buffer that the kernel refused to close is not passed over in silence. */
static void keep_secret_releasebuffer(PyObject *self, Py_buffer *view)
{
    keep_box *box = keep_box_of(self, &keep_class_secret);

    (void)view;
    if (box != NULL && keep_secret_end((keep_secret *)box->handle) == KEEP_ERR_SYSTEM) {
        keep_raise(KEEP_ERR_SYSTEM, "keep_secret_end");
        PyErr_WriteUnraisable(self);
    }
}

static Py_ssize_t keep_secret_sq_length(PyObject *self)
{
    keep_box *box = keep_box_enter(self, &keep_class_secret, "keep_secret_info");
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;
    keep_status status;

    if (box == NULL)
        return -1;
    status = keep_secret_info((keep_secret *)box->handle, &info);
    keep_box_leave(box);
    if (status == KEEP_OK)
        return (Py_ssize_t)info.len;
    keep_raise(status, "keep_secret_info");
    return -1;
}
%}

%typemap(in, noblock=1) const keep_pool_options *options (keep_pool_options value = KEEP_POOL_OPTIONS_INIT) {
    if ($input != Py_None) {
        if (!keep_struct_in($input, &value, keep_pool_options_fields) ||
            !keep_count_tiers($input, &value, "$symname"))
            SWIG_fail;
        $1 = &value;
    }
}
%keep_options(keep_acquire_options, KEEP_ACQUIRE_OPTIONS_INIT, keep_acquire_options_fields)

%keep_report(struct keep_pool_stats, KEEP_POOL_STATS_INIT, keep_pool_stats_fields, out_stats)
%typemap(argout, noblock=1) struct keep_pool_stats *out_stats {
    $result = keep_append($result, keep_pool_stats_out(&value$argnum));
}
%keep_report(struct keep_secret_info, KEEP_SECRET_INFO_INIT, keep_secret_info_fields, out_info)
%keep_report(struct keep_sealed_info, KEEP_SEALED_INFO_INIT, keep_sealed_info_fields, out_info)
%keep_report(struct keep_harden_report, KEEP_HARDEN_REPORT_INIT, keep_harden_report_fields, out_report)
%keep_report(struct keep_memory_report, KEEP_MEMORY_REPORT_INIT, keep_memory_report_fields, out_report)

/* Their reports are filled also when they fail: the status goes out beside them, and the facade raises. */
%typemap(out, noblock=1) keep_status keep_harden, keep_status keep_memory_report {
    $result = PyLong_FromLong((long)$1);
}

/* The structs are dicts, the windows buffers. */
%ignore keep_pool_options;
%ignore keep_acquire_options;
%ignore keep_tier_stats;
%rename("$ignore", %$isclass, regexmatch$name="_(stats|info|report)$") "";
%ignore keep_secret_read_begin;
%ignore keep_secret_write_begin;
%ignore keep_secret_end;

/* Numbers that SWIG cannot read, or reads as an int. */
%constant long long KEEP_UNLIMITED = INT64_MAX;
%constant unsigned int KEEP_WAIT_FOREVER = 4294967295U;
%ignore KEEP_WAIT_FOREVER;

%include <keep/pool.h>
%include <keep/secret.h>
%include <keep/sealed.h>
%include <keep/protect.h>

/* The hot calls, without a Python function around them. */
%feature("docstring") keep_secret::put "put(offset, data): copies bytes in.";
%feature("docstring") keep_secret::get "get(offset, length): a copy of some bytes, which nobody wipes.";
%feature("docstring") keep_secret::reveal "reveal(): a copy of all bytes, which nobody wipes.";
%feature("docstring") keep_secret::randomize "randomize(): fills the secret with random bytes.";
%feature("docstring") keep_secret::clear "clear(): fills the secret with zeros.";
%feature("docstring") keep_secret::resize "resize(length): up to the capacity; bytes gained are zero.";
%feature("docstring") keep_secret::freeze "freeze(): makes the secret read-only.";
%feature("docstring") keep_secret::melt "melt(): makes a frozen secret writable again.";
%extend keep_secret {
    keep_status put(size_t offset, const void *bytes, size_t len);
    keep_status get(size_t offset, void *out, size_t len);
    keep_status reveal(void *out, size_t cap, size_t *out_len);
    keep_status randomize();
    keep_status clear();
    keep_status resize(size_t len);
    keep_status freeze();
    keep_status melt();
}

/* As the functions that they call (gil.i). */
%keep_call(keep_secret_take_bytes, arg3 >= 2048)
%keep_call(keep_sealed_take, arg3 >= 2048)
%inline %{
/* Copies, then wipes the source if, and only if, that succeeded. */
static keep_status keep_secret_take_bytes(keep_pool *pool, void *source, size_t len, keep_secret **out_secret)
{
    keep_status status = keep_secret_from_bytes(pool, source, len, out_secret);

    if (status == KEEP_OK)
        keep_wipe(source, len);
    return status;
}

static keep_status keep_sealed_take(keep_pool *pool, void *source, size_t len, uint32_t type, keep_sealed **out_sealed)
{
    keep_status status = keep_sealed_new(pool, source, len, type, out_sealed);

    if (status == KEEP_OK)
        keep_wipe(source, len);
    return status;
}

/* The write window as a memoryview; the read window is what memoryview(secret) opens. */
static PyObject *keep_secret_write(PyObject *secret)
{
    PyObject *view;

    keep_writing = secret;
    view = PyMemoryView_FromObject(secret);
    keep_writing = NULL;
    return view;
}
%}
