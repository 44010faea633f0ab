/* SPDX-License-Identifier: MIT */
/*
 * Where a dict would be too slow, a C struct is an object of a frozen dataclass, and a small number a member of an
 * enumeration. The Python classes register themselves with keep_type, by their names.
 */

%{
/* A Python class that C makes objects of, or reads. */
typedef struct keep_type_entry {
    const char *name;
    keep_registration class; /* by keep_type */
    struct keep_type_entry *next;
} keep_type_entry;

/* An enumeration, and its members as far as they were asked for. */
typedef struct keep_members {
    keep_type_entry type;
    PyObject *made[UINT8_MAX + 1];
} keep_members;

#define KEEP_MAX_RECORD_FIELDS 24

/* A dataclass with the fields of a struct. */
typedef struct keep_record {
    keep_type_entry type;
    const keep_field *fields;
    PyObject *names[KEEP_MAX_RECORD_FIELDS]; /* of the fields, interned */
} keep_record;

static keep_type_entry *keep_types;

static void keep_type_add(keep_type_entry *type)
{
    type->next = keep_types;
    keep_types = type;
}

/* Whether the record's names could be made. */
static bool keep_record_add(keep_record *record)
{
    size_t i;

    keep_type_add(&record->type);
    for (i = 0; record->fields[i].name != NULL; i++) {
        record->names[i] = PyUnicode_InternFromString(record->fields[i].name);
        if (record->names[i] == NULL)
            return false;
    }
    return true;
}

static PyTypeObject *keep_type_class(keep_type_entry *type)
{
    return keep_registered(&type->class, type->name);
}

/* The member of a number: a new reference. */
static PyObject *keep_member(keep_members *members, uint8_t number)
{
    PyObject *class = (PyObject *)keep_type_class(&members->type);

    if (members->made[number] == NULL && class != NULL)
        members->made[number] = PyObject_CallFunction(class, "i", (int)number);
    Py_XINCREF(members->made[number]);
    return members->made[number];
}

/* What a field is in Python; a number that has a member is small, whatever the field's width. */
static PyObject *keep_value_out(const void *from, const keep_field *field)
{
    const unsigned char *at = (const unsigned char *)from + field->offset;

    if (field->members == NULL)
        return keep_field_out(at, field);
    return keep_member(field->members, field->kind == KEEP_FIELD_U32 ? (uint8_t)*(const uint32_t *)(const void *)at : *at);
}

/* A new object with a struct's values. The class itself would refuse to be filled: it is frozen. */
static PyObject *keep_record_out(keep_record *record, const void *from)
{
    PyTypeObject *class = keep_type_class(&record->type);
    PyObject *object = class != NULL ? class->tp_alloc(class, 0) : NULL;
    size_t i;

    for (i = 0; object != NULL && record->fields[i].name != NULL; i++) {
        PyObject *value = keep_value_out(from, &record->fields[i]);

        if (value == NULL || PyObject_GenericSetAttr(object, record->names[i], value) != 0)
            Py_CLEAR(object);
        Py_XDECREF(value);
    }
    return object;
}

/* Stores a value; of an object the reference, which the caller lets go of. */
static bool keep_value_in(PyObject *value, void *to, const keep_field *field)
{
    unsigned char *at = (unsigned char *)to + field->offset;
    PyObject **object = (PyObject **)(void *)at;

    if (field->kind != KEEP_FIELD_OBJECT)
        return keep_number_in(value, at, field->kind);
    if (*object != NULL) {
        PyErr_Format(PyExc_TypeError, "%s was given twice", field->name);
        return false;
    }
    Py_INCREF(value);
    *object = value;
    return true;
}

/* Stores the fields of an object. TypeError for one of another class. */
static bool keep_record_in(keep_record *record, PyObject *object, void *to)
{
    PyTypeObject *class = keep_type_class(&record->type);
    bool stored = class != NULL && PyObject_TypeCheck(object, class);
    size_t i;

    if (class != NULL && !stored)
        PyErr_Format(PyExc_TypeError, "a %s is required, not '%.100s'", record->type.name, Py_TYPE(object)->tp_name);
    for (i = 0; stored && record->fields[i].name != NULL; i++) {
        PyObject *value = PyObject_GetAttr(object, record->names[i]);

        stored = value != NULL && keep_value_in(value, to, &record->fields[i]);
        Py_XDECREF(value);
    }
    return stored;
}

/* The field of a name; TypeError if there is none. Callers' names are interned, so most are found by address. */
static const keep_field *keep_record_field(const keep_record *record, PyObject *name)
{
    size_t i;

    for (i = 0; record->fields[i].name != NULL; i++)
        if (record->names[i] == name)
            return &record->fields[i];
    for (i = 0; record->fields[i].name != NULL; i++)
        if (PyUnicode_Compare(record->names[i], name) == 0)
            return &record->fields[i];
    PyErr_Format(PyExc_TypeError, "unexpected keyword argument %R", name);
    return NULL;
}

/* Stores keyword arguments, as METH_FASTCALL passes them: the values, and the tuple of names or NULL. */
static bool keep_record_keywords(const keep_record *record, PyObject *const *values, PyObject *names, void *to)
{
    Py_ssize_t count = names != NULL ? PyTuple_GET_SIZE(names) : 0;
    Py_ssize_t i;

    for (i = 0; i < count; i++) {
        const keep_field *field = keep_record_field(record, PyTuple_GET_ITEM(names, i));

        if (field == NULL || !keep_value_in(values[i], to, field))
            return false;
    }
    return true;
}

/* Adds methods to a SWIG class that take keywords faster than SWIG's own; the table ends with a name NULL. */
static bool keep_methods_add(const keep_class *class, PyMethodDef *methods)
{
    PyTypeObject *type = keep_swig_class(class);

    for (; methods->ml_name != NULL; methods++) {
        PyObject *method = PyDescr_NewMethod(type, methods);
        int set = method != NULL ? PyDict_SetItemString(type->tp_dict, methods->ml_name, method) : -1;

        Py_XDECREF(method);
        if (set != 0)
            return false;
    }
    PyType_Modified(type);
    return true;
}
%}

/* An enumeration NAME of Python, as the C variable keep_members_NAME. */
%define %keep_enumeration(NAME)
%{
static keep_members keep_members_##NAME = { .type.name = #NAME };
%}
%init %{
    keep_type_add(&keep_members_##NAME.type);
%}
%enddef

/* A dataclass NAME with the fields in TABLE, as the C variable keep_record_NAME. */
%define %keep_dataclass(NAME, TABLE)
%{
static keep_record keep_record_##NAME = { .type.name = #NAME, .fields = TABLE };
%}
%init %{
    if (!keep_record_add(&keep_record_##NAME))
        return KEEP_INIT_FAILED;
%}
%enddef

%inline %{
/* Registers the Python class that stands for a struct or an enumeration of C; a class decorator. */
static PyObject *keep_type(PyObject *cls)
{
    PyObject *name = PyObject_GetAttrString(cls, "__name__");
    keep_type_entry *type;

    for (type = keep_types; type != NULL && name != NULL; type = type->next)
        if (!type->class.is_used && PyType_Check(cls) && PyUnicode_CompareWithASCIIString(name, type->name) == 0) {
            Py_DECREF(name);
            return keep_register(&type->class, cls);
        }
    Py_XDECREF(name);
    PyErr_Clear();
    return PyErr_Format(PyExc_TypeError, "%R is no type of libkeep", cls);
}
%}
