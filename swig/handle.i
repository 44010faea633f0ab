/* SPDX-License-Identifier: MIT */
/*
 * Handles. An object of a SWIG class owns a box; the box holds the handle and counts the calls that use it, so that
 * no handle is freed under a call that runs without the GIL. All counting happens under the GIL.
 *
 * C's out_x becomes an object of the facade class: the Python class that derives from the SWIG class and registered
 * itself with keep_facade. Nothing else makes objects.
 */

%{
typedef struct keep_class {
    const char *noun;           /* as in C's names: "secret" */
    const char *name;           /* as in Python's: "Secret" */
    swig_type_info **type;      /* of the SWIG class */
    bool is_value;              /* C itself says CLOSED of a handle that was freed: it may always be passed */
    void (*drop)(void *handle); /* frees a handle whose object is forgotten */
    keep_registration facade;   /* by keep_facade */
    struct keep_class *next;
} keep_class;

typedef struct keep_box {
    void *handle;
    const keep_class *class;
    uint32_t busy;  /* calls that are using the handle, of the threads of this process */
    uint32_t forks; /* as keep_forks was when they began */
    bool closed;
} keep_box;

static keep_class *keep_classes;
static uint32_t keep_forks; /* that led to this process: calls of other threads stayed behind */

static void keep_count_fork(void)
{
    keep_forks++;
}

static void keep_box_forget_parent(keep_box *box)
{
    if (box->forks != keep_forks)
        box->busy = 0;
    box->forks = keep_forks;
}

/* The length of a word that a text begins with, up to an underscore; else 0. */
static size_t keep_word_len(const char *text, const char *word)
{
    size_t len = strlen(word);

    return strncmp(text, word, len) == 0 && text[len] == '_' ? len : 0;
}

/* The class whose noun or name a text begins with, and how long that is: the longest. NULL if there is none. */
static const char *keep_class_name(const char *text, size_t *out_len)
{
    const keep_class *class;
    const char *name = NULL;

    for (class = keep_classes; class != NULL; class = class->next) {
        size_t len = keep_word_len(text, class->noun) + keep_word_len(text, class->name);

        if (len > *out_len) {
            *out_len = len;
            name = class->name;
        }
    }
    return name;
}

static PyTypeObject *keep_swig_class(const keep_class *class)
{
    return ((SwigPyClientData *)(*class->type)->clientdata)->pytype;
}

/* The box of an object of a class; NULL with a TypeError for any other object. */
static keep_box *keep_box_of(PyObject *object, const keep_class *class)
{
    if (class->facade.class != NULL && PyObject_TypeCheck(object, class->facade.class))
        return ((SwigPyObject *)object)->ptr;
    PyErr_Format(PyExc_TypeError, "a %s is required, not '%.100s'", class->name, Py_TYPE(object)->tp_name);
    return NULL;
}

/* Begins a call: the box, counted, whose handle may be passed; else NULL with an exception. */
static keep_box *keep_box_enter(PyObject *object, const keep_class *class, const char *symbol)
{
    keep_box *box = keep_box_of(object, class);

    if (box == NULL)
        return NULL;
    if (box->closed && !class->is_value) {
        keep_raise(KEEP_ERR_CLOSED, symbol);
        return NULL;
    }
    keep_box_forget_parent(box);
    box->busy++;
    return box;
}

/* A call, or a view, of the parent that ends in the child was forgotten already. */
static void keep_box_leave(keep_box *box)
{
    if (box != NULL && box->forks == keep_forks)
        box->busy--;
}

/* The box of an object that is to be closed or changed: no call and no view may be using it. */
static keep_box *keep_box_alone(PyObject *object, const keep_class *class, const char *symbol)
{
    keep_box *box = keep_box_of(object, class);

    if (box != NULL)
        keep_box_forget_parent(box);
    if (box != NULL && box->busy > 0) {
        keep_raise(KEEP_ERR_BUSY, symbol);
        return NULL;
    }
    return box;
}

/* What is given to C to be freed; NULL, which frees nothing, if that was done. */
static void *keep_box_handle_to_free(const keep_box *box)
{
    return box->closed ? NULL : box->handle;
}

/* The same; closed from now on, since C may free it while other threads run. */
static void *keep_box_close(keep_box *box)
{
    void *handle = keep_box_handle_to_free(box);

    box->closed = true;
    return handle;
}

/* After C has freed the handle, or refused to: it nulls what it freed. */
static void keep_box_freed(keep_box *box, const void *handle)
{
    box->closed = handle == NULL;
}

/* A new object that owns the handle. If it cannot be made the handle is freed. */
static PyObject *keep_box_new(keep_class *class, void *handle)
{
    PyTypeObject *facade = keep_registered(&class->facade, class->name);
    keep_box *box = PyMem_Malloc(sizeof *box);
    PyObject *object = NULL;

    if (box == NULL)
        PyErr_NoMemory();
    else if (facade != NULL)
        object = facade->tp_alloc(facade, 0);
    if (object == NULL) {
        PyMem_Free(box);
        class->drop(handle);
        return NULL;
    }
    *box = (keep_box){ .handle = handle, .class = class };
    ((SwigPyObject *)object)->ptr = box;
    ((SwigPyObject *)object)->ty = *class->type;
    return object;
}

/* The finalizer. A call or a window holds a reference to the object, so neither can be going on. */
static void keep_box_dealloc(PyObject *object)
{
    keep_box *box = ((SwigPyObject *)object)->ptr;

    if (Py_TYPE(object)->tp_weaklistoffset > 0)
        PyObject_ClearWeakRefs(object);
    if (box != NULL && !box->closed)
        box->class->drop(box->handle);
    PyMem_Free(box);
    Py_TYPE(object)->tp_free(object);
}

static PyObject *keep_box_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    return PyErr_Format(PyExc_TypeError, "%s is made by libkeep only", type->tp_name);
}

/* Handles have no order: SWIG's own comparison would be one of addresses. */
static PyObject *keep_box_compare(PyObject *object, PyObject *other, int operation)
{
    if (operation == Py_EQ || operation == Py_NE)
        return PyBool_FromLong((object == other) == (operation == Py_EQ));
    Py_RETURN_NOTIMPLEMENTED;
}

/* The facade's __new__ has taken the arguments. */
static int keep_box_tp_init(PyObject *object, PyObject *args, PyObject *kwargs)
{
    (void)object;
    (void)args;
    (void)kwargs;
    return 0;
}
%}

%init %{
    if (pthread_atfork(NULL, NULL, keep_count_fork) != 0) {
        PyErr_NoMemory();
        return KEEP_INIT_FAILED;
    }
%}

/*
 * Declares the class of a handle before the headers name it.
 *
 * TYPE   keep_secret
 * NOUN   secret
 * NAME   Secret
 * VALUE  true if the handle is a value, which C recognises after it was freed
 */
%define %keep_box(TYPE, NOUN, NAME, VALUE)
%{
static void keep_drop_##NOUN(void *handle)
{
    TYPE *dropped = handle;

    TYPE##_free(&dropped);
}

static keep_class keep_class_##NOUN = {
    .noun = #NOUN, .name = #NAME, .type = &SWIGTYPE_p_##TYPE, .is_value = VALUE, .drop = keep_drop_##NOUN
};
%}
%init %{
    keep_class_##NOUN.next = keep_classes;
    keep_classes = &keep_class_##NOUN;
%}

%feature("python:tp_new", "keep_box_tp_new") TYPE;
%feature("python:tp_init", "keep_box_tp_init") TYPE;
%feature("python:tp_richcompare", "keep_box_compare") TYPE;
%feature("python:tp_dealloc", "keep_box_dealloc") TYPE;
%feature("python:tp_dictoffset", "0") TYPE;
%nodefaultctor TYPE;
%nodefaultdtor TYPE;

/* A handle that is used. */
%typemap(in, noblock=1) struct TYPE * (keep_box *box = NULL) {
    box = keep_box_enter($input, &keep_class_##NOUN, "$symname");
    if (box == NULL)
        SWIG_fail;
    $1 = (TYPE *)box->handle;
}
%typemap(freearg, noblock=1) struct TYPE * {
    keep_box_leave(box$argnum);
}

/* A handle that is freed: C nulls it. */
%typemap(in, noblock=1) struct TYPE ** (keep_box *box = NULL, TYPE *freed = NULL) {
    box = keep_box_alone($input, &keep_class_##NOUN, "$symname");
    if (box == NULL)
        SWIG_fail;
    freed = (TYPE *)keep_box_close(box);
    $1 = &freed;
}
%typemap(freearg, noblock=1) struct TYPE ** {
    if (box$argnum != NULL)
        keep_box_freed(box$argnum, freed$argnum);
}
%typemap(out) keep_status TYPE##_free = keep_status FREED;

/* A handle that is made. */
%typemap(in, numinputs=0, noblock=1) struct TYPE **out_##NOUN (TYPE *made = NULL) {
    $1 = &made;
}
%typemap(argout, noblock=1) struct TYPE **out_##NOUN {
    $result = keep_append($result, keep_box_new(&keep_class_##NOUN, made$argnum));
}
%typemap(freearg) struct TYPE **out_##NOUN "";

%rename(NAME) TYPE;
struct TYPE {};
%enddef

/* A handle that need not be given: None is NULL. */
%define %keep_optional(TYPE, NOUN, PARAMETER)
%typemap(in, noblock=1) struct TYPE *PARAMETER (keep_box *box = NULL) {
    if ($input != Py_None) {
        box = keep_box_enter($input, &keep_class_##NOUN, "$symname");
        if (box == NULL)
            SWIG_fail;
        $1 = (TYPE *)box->handle;
    }
}
%enddef

/* Lists of handles, of 1 to KEEP_MAX_BATCH; C refuses other counts before it looks at a handle. */
%define %keep_box_batch(TYPE, NOUN, PLURAL)
%{
static PyObject *keep_list_of_##NOUN(TYPE **handles, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    size_t made = 0;

    while (list != NULL && made < count) {
        PyObject *object = keep_box_new(&keep_class_##NOUN, handles[made++]);

        if (object == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)made - 1, object);
    }
    while (made < count)
        keep_drop_##NOUN(handles[made++]);
    return list;
}
%}

%typemap(in, noblock=1) (size_t count, TYPE **out_##PLURAL) (TYPE *made[KEEP_MAX_BATCH]) {
    if (!keep_size_in($input, &$1))
        SWIG_fail;
    $2 = made;
}
%typemap(argout, noblock=1) (size_t count, TYPE **out_##PLURAL) {
    $result = keep_append($result, keep_list_of_##NOUN($2, $1));
}
%typemap(freearg) (size_t count, TYPE **out_##PLURAL) "";

/* Handles that are freed: C nulls those that it could free, and all that it could go back into their boxes. */
%typemap(in, noblock=1) (TYPE **PLURAL, size_t count)
    (TYPE *freed[KEEP_MAX_BATCH], keep_box *boxes[KEEP_MAX_BATCH], PyObject *items = NULL, size_t i, size_t held = 0) {
    items = PySequence_Tuple($input); /* keeps the objects, whatever another thread does to the list */
    if (items == NULL)
        SWIG_fail;
    $1 = freed;
    $2 = (size_t)PyTuple_GET_SIZE(items);
    for (i = 0; i < $2 && i < KEEP_MAX_BATCH; i++) {
        boxes[i] = keep_box_alone(PyTuple_GET_ITEM(items, (Py_ssize_t)i), &keep_class_##NOUN, "$symname");
        if (boxes[i] == NULL)
            SWIG_fail;
        freed[i] = (TYPE *)keep_box_handle_to_free(boxes[i]);
        held = i + 1;
    }
}
%typemap(freearg, noblock=1) (TYPE **PLURAL, size_t count) {
    for (i$argnum = 0; i$argnum < held$argnum; i$argnum++)
        keep_box_freed(boxes$argnum[i$argnum], freed$argnum[i$argnum]);
    Py_XDECREF(items$argnum);
}
%typemap(out) keep_status TYPE##_free_batch = keep_status FREED;
%enddef

/* A pointer that no typemap takes does not compile. */
%typemap(in) SWIGTYPE * {
    _Static_assert(0, "$symname: no typemap takes argument $argnum, $1_type");
}

%inline %{
/* Registers the Python class whose objects stand for a handle; a class decorator. */
static PyObject *keep_facade(PyObject *cls)
{
    keep_class *class;

    for (class = keep_classes; class != NULL && PyType_Check(cls); class = class->next)
        if (!class->facade.is_used && PyType_IsSubtype((PyTypeObject *)cls, keep_swig_class(class)))
            return keep_register(&class->facade, cls);
    return PyErr_Format(PyExc_TypeError, "%R is no facade of libkeep", cls);
}
%}
