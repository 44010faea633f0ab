/* SPDX-License-Identifier: MIT */
/*
 * Statuses become exceptions of libkeep._errors; KEEP_OK becomes None, to which the outputs are appended. Numbers and
 * names, in and out.
 */

%{
static const char *keep_class_name(const char *text, size_t *out_len);

static PyObject *keep_error_classes; /* libkeep._errors.by_status: number -> class */

/* A name of a module: a new reference, or NULL with an exception. */
static PyObject *keep_import(const char *module, const char *name)
{
    PyObject *found = NULL;
    PyObject *imported = PyImport_ImportModule(module);

    if (imported != NULL)
        found = PyObject_GetAttrString(imported, name);
    Py_XDECREF(imported);
    return found;
}

/* A Python class that registers itself when its module is loaded. */
typedef struct keep_registration {
    PyTypeObject *class; /* NULL until then; lives for ever */
    bool is_used;        /* here: no other may take its place */
} keep_registration;

/* The class; the package loads its module now if it did not before. NULL with an exception if that fails. */
static PyTypeObject *keep_registered(keep_registration *registration, const char *name)
{
    if (registration->class == NULL)
        Py_XDECREF(keep_import("libkeep", name));
    if (registration->class == NULL && !PyErr_Occurred())
        PyErr_Format(PyExc_ImportError, "libkeep.%s is not libkeep's own", name);
    registration->is_used = registration->class != NULL;
    return registration->class;
}

/* Registers a class in place of one that is not used: a module whose loading failed is loaded again. Returns the class. */
static PyObject *keep_register(keep_registration *registration, PyObject *class)
{
    Py_INCREF(class); /* for the registration */
    registration->class = (PyTypeObject *)class;
    Py_INCREF(class);
    return class;
}

/*
 * "keep_secret_put" and "Secret_put" are the operation "Secret.put", "keep_memory_report" is "memory.report"; what has a
 * dot is one already.
 */
static PyObject *keep_operation(const char *symbol)
{
    const char *noun = strncmp(symbol, "keep_", 5) == 0 ? symbol + 5 : symbol;
    const char *verb = strchr(noun, '_');
    size_t len = 0;
    const char *class_name = keep_class_name(noun, &len);

    if (strchr(noun, '.') != NULL || verb == NULL)
        return PyUnicode_FromString(noun);
    if (class_name != NULL)
        return PyUnicode_FromFormat("%s.%s", class_name, noun + len + 1);
    return PyUnicode_FromFormat("%.*s.%s", (int)(verb - noun), noun, verb + 1);
}

/* The arguments of an exception. `needed` is the length that would do, or -1. */
static PyObject *keep_error_fields(const char *symbol, Py_ssize_t needed)
{
    PyObject *operation = keep_operation(symbol);

    if (operation == NULL)
        return NULL;
    if (needed < 0)
        return Py_BuildValue("{sN}", "op", operation);
    return Py_BuildValue("{sNsn}", "op", operation, "needed", needed);
}

/* Sets the exception of a status; takes the reference to its fields. Always returns NULL. */
static PyObject *keep_raise_with(keep_status status, PyObject *fields)
{
    PyObject *number = fields != NULL ? PyLong_FromLong((long)status) : NULL;
    PyObject *type = number != NULL ? PyObject_GetItem(keep_error_classes, number) : NULL;
    PyObject *error = type != NULL ? PyObject_VectorcallDict(type, NULL, 0, fields) : NULL;

    if (error != NULL)
        PyErr_SetObject(type, error);
    Py_XDECREF(error);
    Py_XDECREF(type);
    Py_XDECREF(number);
    Py_XDECREF(fields);
    return NULL;
}

static PyObject *keep_raise_needed(keep_status status, const char *symbol, Py_ssize_t needed)
{
    return keep_raise_with(status, keep_error_fields(symbol, needed));
}

static PyObject *keep_raise(keep_status status, const char *symbol)
{
    return keep_raise_needed(status, symbol, -1);
}

/* The same of a call that tells what failed below it. What C has not filled says nothing. */
static PyObject *keep_raise_told(keep_status status, const char *symbol, const keep_error *error)
{
    PyObject *operation = keep_operation(symbol);

    if (operation == NULL || error->status == KEEP_OK)
        return keep_raise_with(status, operation != NULL ? Py_BuildValue("{sN}", "op", operation) : NULL);
    return keep_raise_with(status, Py_BuildValue("{sNsssisLsss(KKKK)}", "op", operation, "message", error->message,
                                                 "layer", (int)error->layer, "code", (long long)error->code, "reason",
                                                 keep_reason_name(error->reason), "values", error->value[0],
                                                 error->value[1], error->value[2], error->value[3]));
}

/* A size or count. TypeError for what is no integer, OverflowError for what does not fit. */
static bool keep_size_in(PyObject *value, size_t *out)
{
    PyObject *index;

    Py_INCREF(value); /* its own __index__ might take it out of the list that holds it */
    index = PyNumber_Index(value);
    Py_DECREF(value);
    *out = index != NULL ? PyLong_AsSize_t(index) : 0;
    Py_XDECREF(index);
    return !PyErr_Occurred();
}

/* The same for fewer bits than 64. */
static bool keep_bits_in(PyObject *value, int bits, size_t *out)
{
    if (!keep_size_in(value, out))
        return false;
    if (*out >> bits != 0)
        PyErr_Format(PyExc_OverflowError, "the number does not fit into %d bits", bits);
    return *out >> bits == 0;
}

static bool keep_uint32_in(PyObject *value, uint32_t *out)
{
    size_t number = 0;
    bool fits = keep_bits_in(value, 32, &number);

    *out = (uint32_t)number;
    return fits;
}

/* Puts one more output behind those there are: None, one, a tuple. Takes both references. */
static PyObject *keep_append(PyObject *outputs, PyObject *output)
{
    PyObject *both;

    if (output == NULL || outputs == Py_None) {
        Py_XDECREF(outputs);
        return output;
    }
    both = PyTuple_Pack(2, outputs, output);
    Py_DECREF(outputs);
    Py_DECREF(output);
    return both;
}
%}

%typemap(out, noblock=1) keep_status {
    if ($1 != KEEP_OK) {
        keep_raise($1, "$symname");
        SWIG_fail;
    }
    $result = SWIG_Py_Void();
}

/* A forked child may close what it inherited: the parent's memory is untouched. */
%typemap(out, noblock=1) keep_status FREED {
    if ($1 != KEEP_OK && $1 != KEEP_ERR_FORKED) {
        keep_raise($1, "$symname");
        SWIG_fail;
    }
    $result = SWIG_Py_Void();
}

%typemap(in, noblock=1) size_t {
    if (!keep_size_in($input, &$1))
        SWIG_fail;
}

%typemap(in, noblock=1) uint64_t {
    if (!keep_size_in($input, (size_t *)&$1))
        SWIG_fail;
}

%typemap(in, noblock=1) uint32_t {
    if (!keep_uint32_in($input, &$1))
        SWIG_fail;
}

/* Strict UTF-8. C would cut a name at a NUL, so one with a NUL is refused. */
%typemap(in) const char *name (Py_ssize_t length) {
    $1 = (char *)PyUnicode_AsUTF8AndSize($input, &length);
    if ($1 == NULL)
        SWIG_fail;
    if (strlen($1) != (size_t)length) {
        keep_raise(KEEP_ERR_INVALID_ARGUMENT, "$symname");
        SWIG_fail;
    }
}

/* A function whose operation its name does not tell. */
%define %keep_names_itself(FUNCTION, OPERATION)
%typemap(out, noblock=1) keep_status FUNCTION {
    if ($1 != KEEP_OK) {
        keep_raise($1, OPERATION);
        SWIG_fail;
    }
    $result = SWIG_Py_Void();
}
%enddef

/* A function whose argument ERR tells what failed. */
%define %keep_tells(FUNCTION, ERR)
%typemap(out, noblock=1) keep_status FUNCTION {
    if ($1 != KEEP_OK) {
        keep_raise_told($1, "$symname", &error##ERR);
        SWIG_fail;
    }
    $result = SWIG_Py_Void();
}
%enddef

%typemap(in, numinputs=0, noblock=1) keep_error *err (keep_error error = KEEP_ERROR_INIT) {
    $1 = &error;
}

%typemap(in, numinputs=0, noblock=1) uint64_t *OUTPUT (uint64_t number = 0) {
    $1 = &number;
}
%typemap(argout, noblock=1) uint64_t *OUTPUT {
    $result = keep_append($result, PyLong_FromUnsignedLongLong(number$argnum));
}

%typemap(in, numinputs=0, noblock=1) uint32_t *OUTPUT (uint32_t number = 0) {
    $1 = &number;
}
%typemap(argout, noblock=1) uint32_t *OUTPUT {
    $result = keep_append($result, PyLong_FromUnsignedLong(number$argnum));
}

%typemap(in, numinputs=0, noblock=1) size_t *OUTPUT (size_t number = 0) {
    $1 = &number;
}
%typemap(argout, noblock=1) size_t *OUTPUT {
    $result = keep_append($result, PyLong_FromSize_t(number$argnum));
}

%typemap(in, numinputs=0, noblock=1) int *OUTPUT (int truth = 0) {
    $1 = &truth;
}
%typemap(argout, noblock=1) int *OUTPUT {
    $result = keep_append($result, PyBool_FromLong(truth$argnum));
}

%{
/* What initialization returns when it fails: SWIG 4.4 gave it another type. */
#if SWIG_VERSION >= 0x040400
#define KEEP_INIT_FAILED (-1)
#else
#define KEEP_INIT_FAILED NULL
#endif
%}

/* The version of the loaded library must be the headers' (before 1.0 major and minor). */
%init %{
    if (keep_version_number() / 1000 != KEEP_VERSION_NUMBER / 1000) {
        PyErr_Format(PyExc_ImportError, "libkeep %d was built, but %d is loaded", KEEP_VERSION_NUMBER,
                     (int)keep_version_number());
        return KEEP_INIT_FAILED;
    }
    keep_error_classes = keep_import("libkeep._errors", "by_status");
    if (keep_error_classes == NULL)
        return KEEP_INIT_FAILED;
%}
