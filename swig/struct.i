/* SPDX-License-Identifier: MIT */
/*
 * A C struct is a dict of its fields in Python. A table of fields, made from the header's own types, converts both
 * ways: options come in (an unknown name is a TypeError, a missing one the default), reports go out.
 */

%{
enum keep_field_kind {
    KEEP_FIELD_BOOL,
    KEEP_FIELD_U8,
    KEEP_FIELD_U16,
    KEEP_FIELD_U32,
    KEEP_FIELD_I32,
    KEEP_FIELD_U64,
    KEEP_FIELD_I64,
    KEEP_FIELD_BYTES,
    KEEP_FIELD_TEXT,
    KEEP_FIELD_OBJECT /* a reference to what the binding itself converts */
};

struct keep_members;

typedef struct keep_field {
    const char *name; /* NULL ends a table */
    enum keep_field_kind kind;
    bool is_list;
    size_t offset;
    size_t count;                 /* elements of a list, bytes, else 1 */
    struct keep_members *members; /* what the number stands for, or NULL; see record.i */
} keep_field;

/* A list's type decays to a pointer. */
#define KEEP_FIELD_KIND(field) \
    _Generic((field), uint8_t: KEEP_FIELD_BOOL, uint8_t *: KEEP_FIELD_BYTES, char *: KEEP_FIELD_TEXT, \
             uint32_t: KEEP_FIELD_U32, uint32_t *: KEEP_FIELD_U32, \
             int32_t: KEEP_FIELD_I32, int32_t *: KEEP_FIELD_I32, \
             uint64_t: KEEP_FIELD_U64, int64_t: KEEP_FIELD_I64)
#define KEEP_FIELD_IS_LIST(field) _Generic((field), uint32_t *: true, int32_t *: true, default: false)
#define KEEP_FIELD_COUNT(field) \
    _Generic((field), uint32_t *: sizeof(field) / sizeof(uint32_t), int32_t *: sizeof(field) / sizeof(int32_t), \
             uint8_t *: sizeof(field), default: 1)
#define KEEP_FIELD_AS(name, type, field) \
    { name, KEEP_FIELD_KIND(((type *)0)->field), KEEP_FIELD_IS_LIST(((type *)0)->field), offsetof(type, field), \
      KEEP_FIELD_COUNT(((type *)0)->field), NULL }
#define KEEP_FIELD(type, field) KEEP_FIELD_AS(#field, type, field)

/* A field whose byte is a number, too, and may stand for the member of an enumeration. */
#define KEEP_NUMBER_KIND(field) \
    _Generic((field), uint8_t: KEEP_FIELD_U8, uint16_t: KEEP_FIELD_U16, uint32_t: KEEP_FIELD_U32, \
             uint64_t: KEEP_FIELD_U64)
#define KEEP_MEMBER(type, field, members) \
    { #field, KEEP_NUMBER_KIND(((type *)0)->field), false, offsetof(type, field), 1, members }
#define KEEP_NUMBER(type, field) KEEP_MEMBER(type, field, NULL)
#define KEEP_OBJECT(type, field) { #field, KEEP_FIELD_OBJECT, false, offsetof(type, field), 1, NULL }

static PyObject *keep_number_out(const unsigned char *at, enum keep_field_kind kind)
{
    switch (kind) {
    case KEEP_FIELD_BOOL:
        return PyBool_FromLong(*at);
    case KEEP_FIELD_U8:
        return PyLong_FromLong(*at);
    case KEEP_FIELD_U16:
        return PyLong_FromLong(*(const uint16_t *)(const void *)at);
    case KEEP_FIELD_U32:
        return PyLong_FromUnsignedLong(*(const uint32_t *)(const void *)at);
    case KEEP_FIELD_I32:
        return PyLong_FromLong(*(const int32_t *)(const void *)at);
    case KEEP_FIELD_U64:
        return PyLong_FromUnsignedLongLong(*(const uint64_t *)(const void *)at);
    default:
        return PyLong_FromLongLong(*(const int64_t *)(const void *)at);
    }
}

static PyObject *keep_list_out(const unsigned char *at, const keep_field *field)
{
    PyObject *list = PyTuple_New((Py_ssize_t)field->count);
    size_t i;

    for (i = 0; list != NULL && i < field->count; i++) {
        PyObject *number = keep_number_out(at + i * sizeof(uint32_t), field->kind);

        if (number == NULL)
            Py_CLEAR(list);
        else
            PyTuple_SET_ITEM(list, (Py_ssize_t)i, number);
    }
    return list;
}

static PyObject *keep_field_out(const unsigned char *at, const keep_field *field)
{
    if (field->is_list)
        return keep_list_out(at, field);
    if (field->kind == KEEP_FIELD_OBJECT) {
        PyObject *object = *(PyObject *const *)(const void *)at;

        Py_INCREF(object);
        return object;
    }
    if (field->kind == KEEP_FIELD_BYTES)
        return PyBytes_FromStringAndSize((const char *)at, (Py_ssize_t)field->count);
    if (field->kind == KEEP_FIELD_TEXT)
        return PyUnicode_FromString((const char *)at);
    return keep_number_out(at, field->kind);
}

/* A new dict of a struct's fields. */
static PyObject *keep_struct_out(const void *from, const keep_field *field)
{
    PyObject *fields = PyDict_New();

    for (; fields != NULL && field->name != NULL; field++) {
        PyObject *value = keep_field_out((const unsigned char *)from + field->offset, field);

        if (value == NULL || PyDict_SetItemString(fields, field->name, value) != 0)
            Py_CLEAR(fields);
        Py_XDECREF(value);
    }
    return fields;
}

/* Stores an int into an unsigned number of any size; options have no others. OverflowError for what does not fit. */
static bool keep_number_in(PyObject *value, unsigned char *at, enum keep_field_kind kind)
{
    _Static_assert(sizeof(size_t) == sizeof(uint64_t), "libkeep is for 64-bit machines");
    size_t number = 0;

    if (kind == KEEP_FIELD_U64)
        return keep_size_in(value, (size_t *)(void *)at);
    if (kind == KEEP_FIELD_U32)
        return keep_uint32_in(value, (uint32_t *)(void *)at);
    if (!keep_bits_in(value, kind == KEEP_FIELD_U16 ? 16 : 8, &number))
        return false;
    if (kind == KEEP_FIELD_U16)
        *(uint16_t *)(void *)at = (uint16_t)number;
    else
        *at = (unsigned char)number;
    return true;
}

/* Stores as many elements as the list has room for; how many there are the caller compares. */
static bool keep_list_in(PyObject *value, unsigned char *at, const keep_field *field)
{
    PyObject *items = PySequence_Fast(value, "a sequence of numbers is required");
    bool stored = items != NULL;
    Py_ssize_t i;

    for (i = 0; stored && i < PySequence_Fast_GET_SIZE(items) && (size_t)i < field->count; i++)
        stored = keep_number_in(PySequence_Fast_GET_ITEM(items, i), at + (size_t)i * sizeof(uint32_t), field->kind);
    Py_XDECREF(items);
    return stored;
}

/* Stores the values of a dict into a struct. False with an exception. */
static bool keep_struct_in(PyObject *fields, void *to, const keep_field *table)
{
    PyObject *name, *value;
    Py_ssize_t position = 0;
    bool stored = true;

    while (stored && PyDict_Next(fields, &position, &name, &value)) {
        const keep_field *field = table;
        unsigned char *at;

        while (field->name != NULL && PyUnicode_CompareWithASCIIString(name, field->name) != 0)
            field++;
        if (field->name == NULL) {
            PyErr_Format(PyExc_TypeError, "unknown option %R", name);
            return false;
        }
        at = (unsigned char *)to + field->offset;
        stored = field->is_list ? keep_list_in(value, at, field) : keep_number_in(value, at, field->kind);
    }
    return stored;
}
%}

/* Options: None, or a dict of the fields in TABLE. */
%define %keep_options(TYPE, INIT, TABLE)
%typemap(in, noblock=1) const TYPE *options (TYPE value = INIT) {
    if ($input != Py_None) {
        if (!PyDict_Check($input)) {
            PyErr_SetString(PyExc_TypeError, "options are a dict or None");
            SWIG_fail;
        }
        if (!keep_struct_in($input, &value, TABLE))
            SWIG_fail;
        $1 = &value;
    }
}
%enddef

/* A report: a dict of the fields in TABLE. */
%define %keep_report(TYPE, INIT, TABLE, NAME)
%typemap(in, numinputs=0, noblock=1) TYPE *NAME (TYPE value = INIT) {
    $1 = &value;
}
%typemap(argout, noblock=1) TYPE *NAME {
    $result = keep_append($result, keep_struct_out(&value$argnum, TABLE));
}
%enddef
