/* SPDX-License-Identifier: MIT */
/*
 * What a schema's file needs to run its cases. A schema is a set of tables: it names the inputs of each operation, and
 * the runner takes them out of the JSON object into the schema's struct of arguments before the operation runs. What is
 * left in the object afterwards is what nobody knows, and fails the case.
 *
 * The first thing that goes wrong in a case is kept; nothing after it counts.
 */
#ifndef VECTORS_H
#define VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <keep/keep.h>

/* A case as it runs. */
struct vector_run;

/* A step of a script, or a case that is one call. A case's outputs stand beside its inputs, a step's in `out`. */
struct vector_step {
    struct vector_run *run;
    json_t *in, *out;   /* what is left of them */
    const char *status; /* expected */
    const void *args;   /* the schema's struct */
    unsigned variant;   /* of the operation */
    void *context;      /* of an item: what its case gave to run_items */
};

/* A kind of handle. `free` says whether the handle is gone. */
struct vector_kind {
    const char *name;
    bool stale_is_usable; /* a freed handle may be used again, to see that it is CLOSED */
    bool (*free)(void *handle);
};

/* What an input is, and the type of its field in the struct of arguments. */
enum vector_form {
    VECTOR_HANDLE, /* a name in use; void * */
    VECTOR_NAME,   /* a name not in use; const char * */
    VECTOR_NAMES,  /* a list of such names; json_t * */
    VECTOR_TEXT,   /* const char * */
    VECTOR_LIST,   /* json_t * */
    VECTOR_OBJECT, /* json_t * */
    VECTOR_NUMBER, /* uint64_t */
    VECTOR_FLAG,   /* bool */
    VECTOR_BYTES   /* keep_bytes */
};

struct vector_input {
    const char *word; /* in the list of an operation */
    const char *key;  /* in the file */
    enum vector_form form;
    size_t field;                   /* its offset */
    uint64_t max, absent;           /* of a number: largest value; value without the key */
    const struct vector_kind *kind; /* of a handle; NULL: any */
};

/* An operation, or an array of cases. `inputs` are words; `?` before one that may be absent. */
struct vector_op {
    const char *name;
    const char *inputs;
    void (*run)(struct vector_step *step);
    unsigned variant; /* what sets it apart from others with the same function */
};

struct vector_constant {
    const char *name;
    uint64_t value;
};

/* Each table ends with an entry without a name. */
struct vector_schema {
    const char *name;
    size_t args_len;
    const struct vector_constant *constants;
    const struct vector_input *inputs;
    const struct vector_op *arrays, *ops;
};

extern const struct vector_schema vectors_memory, vectors_packet, vectors_tracker;

/* Gives a handle a name; the case fails if a live handle has it. `unbind` says that a handle is freed. */
void bind_handle(struct vector_step *step, const char *name, const struct vector_kind *kind, void *handle);
void unbind_handle(struct vector_step *step, const void *handle);
/* Whether a handle is of a kind, for operations that take more than one. */
bool is_bound(const struct vector_step *step, const struct vector_kind *kind, const void *handle);

/* Binds what a constructor made, and compares its status as came_out does; a failing one must leave its output alone. */
bool is_made(struct vector_step *step, const char *name, const struct vector_kind *kind, keep_status status, void *handle);

/* Compares a status with the expected one; true if it is that one and OK, so that there are outputs. */
bool came_out(struct vector_step *step, keep_status status);
/* Compares an output, if it is expected. `got` is consumed. */
void expect(struct vector_step *step, const char *key, json_t *got);
void expect_number(struct vector_step *step, const char *key, uint64_t got);
/* The same of bytes, which the step's `save` keeps for later. */
void expect_bytes(struct vector_step *step, const char *key, const void *data, size_t len);
/* The same of bytes that were decoded already. */
void expect_same(struct vector_step *step, const char *what, keep_bytes want, keep_bytes got);
/* The case fails, unless it has already. */
void fail(struct vector_run *run, const char *what, const char *want, const char *got);

/* Bytes that live until the case ends, filled with 0xA5; the case fails if a failed call changed them. */
uint8_t *room(struct vector_run *run, size_t len);
void expect_untouched(struct vector_step *step, const uint8_t *bytes, size_t len);

/* Bytes in any of their forms. */
keep_bytes decode_bytes(struct vector_step *step, json_t *value);
/* The inputs of an object inside a step; what else stands there fails the case. */
const void *take_part(struct vector_step *step, json_t *object, const char *inputs);
/* A copy that lives until the case ends, for what is run twice. */
json_t *copy_json(struct vector_step *step, json_t *value);

/* Runs the steps of a script, also of one inside a step. */
void run_steps(struct vector_run *run, json_t *steps);
/* Runs the items of a list, whose outputs stand beside their inputs: the operation that `op` names, else the first. */
void run_items(struct vector_step *step, json_t *items, const struct vector_op *ops, void *context);

/* Runs a case and says whether it passed; if not, `failure` tells which case, why, and its comment. */
bool run_case(const struct vector_schema *schema, const char *array, size_t position, json_t *json, char failure[],
              size_t cap);

#endif
