/* SPDX-License-Identifier: MIT */
/*
 * What a schema's file needs to run its cases. A schema is a table of arrays of cases and a table of operations of
 * scripts. An operation reads its inputs out of its step by name, makes the call, and compares what came. Reading a key
 * marks it, and a key of the case that nobody has read in the end fails the case: so does every mistake in the file.
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
struct run;

/* A step of a script, or a part of a case in which outputs stand beside inputs: then `out` is `in`. */
struct step {
    struct run *run;
    json_t *in, *out;
    const struct op *op;
};

/* An operation, or an array of cases. `inputs` are the keys that must be there; others may. */
struct op {
    const char *name, *inputs;
    void (*run)(struct step *step);
    unsigned variant; /* what sets it apart from others with the same function */
};

struct constant {
    const char *name;
    uint64_t value;
};
#define CONSTANT(name) \
    { \
#name, name \
    }

/* Each table ends with an entry without a name. */
struct schema {
    const char *name;
    const struct constant *constants;
    const struct op *arrays, *ops;
};

extern const struct schema memory_schema, packet_schema, tracker_schema;

/* A kind of handle. `free` says whether the handle is gone. */
struct kind {
    const char *name;
    bool (*free)(void *handle);
    bool stale_is_usable; /* a freed handle may be used again, to see that it is CLOSED */
};

/* Makes of a noun the kind NOUN_kind, and on_NOUN: the handle of it that a step is `on`. */
#define KIND(noun) \
    static bool free_##noun(void *handle) \
    { \
        keep_##noun##_free(&(keep_##noun *){ handle }); \
        return true; \
    } \
    static const struct kind noun##_kind = { #noun, free_##noun, false }; \
    static keep_##noun *on_##noun(struct step *step) \
    { \
        return handle(step, "on", &noun##_kind); \
    }

/* An array of constants and how many they are. */
#define ARRAY(type, ...) \
    { \
        (type const[]){ __VA_ARGS__ }, sizeof((type const[]){ __VA_ARGS__ }) / sizeof(type) \
    }

/* The words of an enumeration, each at the place of its value. */
struct words {
    const char *const *texts;
    size_t count;
};
#define WORDS(...) ARRAY(const char *, __VA_ARGS__)

/* A member of a struct under its own name: a number, a flag or a word. */
struct field {
    const char *key;
    size_t offset, len;
    const struct words *words; /* NULL: a number, or a flag */
    bool is_flag;
};
struct fields {
    const struct field *items;
    size_t count;
};
#define FIELDS(...) ARRAY(struct field, __VA_ARGS__)
#define MEMBER(type, name) .key = #name, .offset = offsetof(type, name), .len = sizeof(((type *)NULL)->name)
#define NUMBER(type, name) \
    { \
        MEMBER(type, name) \
    }
#define FLAG(type, name) \
    { \
        MEMBER(type, name), .is_flag = true \
    }
#define WORD(type, name, of) \
    { \
        MEMBER(type, name), .words = (of) \
    }

/* Whether a table of fields need be matched by the keys of an object. */
enum extent {
    SOME,
    ALL
};

/* --- script.c --- */

/* The case fails, unless it has already. */
void fail(struct step *step, const char *what, const char *want, const char *got);
bool has_failed(const struct step *step);
/* Bytes that live until the case ends, filled with 0xA5; the case fails if a failed call changed them. */
void *room(struct step *step, size_t len);
void expect_untouched(struct step *step, const void *bytes, size_t len);

/* Bytes by the name that `save` gave them; empty, and the case has failed, if there are none. */
void save_bytes(struct step *step, const char *name, keep_bytes bytes);
keep_bytes saved_bytes(struct step *step, const char *name);

/* The handle that a key names, of a kind or, with NULL, of any. */
void *handle(struct step *step, const char *key, const struct kind *kind);
bool is_of(const struct step *step, const void *handle, const struct kind *kind);
void expect_unused(struct step *step, const char *name);
/* Gives a handle its name, if it has one; it lives until the case ends. */
void bind_handle(struct step *step, const char *name, const struct kind *kind, void *handle);
void unbind_handle(struct step *step, const void *handle);
/* Binds what a constructor made to the name in `as`, as came_out; a failing one must leave its output alone. */
bool is_made(struct step *step, const struct kind *kind, keep_status status, void *handle);
/* A secret that lives until the case ends; NULL for bytes that are absent. */
keep_secret *secret_of(struct step *step, keep_bytes key);

/* Does something with each object of a list, in which these keys must be there, until the case has failed. */
void each_part(struct step *step, const char *key, const char *inputs, void (*run)(struct step *part, void *context),
               void *context);
/* Runs a list of steps, also one inside a step. */
void run_steps(struct step *step, const char *key);
void run_script(struct step *step);

/* Runs a case and says whether it passed; if not, `failure` tells which case, why, and its comment. */
bool run_case(const struct schema *schema, const char *array, size_t position, json_t *json, char failure[],
              size_t cap);

/* --- values.c --- */

/* Marks a key as read and gives its value; NULL if there is none. */
json_t *take(json_t *object, const char *key);
/* A key, at any depth, that nobody has read; NULL if there is none. */
const char *unknown_key(json_t *value);
/* The case fails if one of the keys is absent. */
void need(struct step *step, const char *keys);

/* The value of an input of each form. One that is absent is 0, false, empty or NULL. */
bool has(struct step *step, const char *key);
uint64_t number(struct step *step, const char *key, uint64_t max);
bool flag(struct step *step, const char *key);
keep_bytes bytes(struct step *step, const char *key);
const char *text(struct step *step, const char *key);
json_t *list(struct step *step, const char *key);
uint32_t word(struct step *step, const char *key, const struct words *words, uint32_t absent);
uint32_t word_of(struct step *step, const json_t *value, const struct words *words);
uint64_t number_of(struct step *step, const json_t *value, uint64_t max);
keep_bytes bytes_of(struct step *step, json_t *value);
keep_bytes hex_of(struct step *step, const json_t *value);
/* An object inside a step: under a key, or as an element of a list, in which these keys must be there. */
struct step part_in(struct step *step, const char *key);
struct step part_of(struct step *step, json_t *object, const char *inputs);

/* --- expect.c --- */

/* The members of a struct; those whose keys are absent keep their values. */
void take_fields(struct step *step, const struct fields *fields, void *object, enum extent extent);

/* Compares a status with the expected one; true if it is that one and OK, so that there are outputs. */
bool came_out(struct step *step, keep_status status);
/* Compares an output, if it is expected; bytes are kept for later steps under the name in `save`. */
void expect_number(struct step *step, const char *key, uint64_t got);
void expect_wide(struct step *step, const char *key, uint64_t got);
void expect_flag(struct step *step, const char *key, bool got);
void expect_word(struct step *step, const char *key, const struct words *words, uint32_t got);
void expect_bytes(struct step *step, const char *key, const void *data, size_t len);
void expect_fields(struct step *step, const struct fields *fields, const void *object, enum extent extent);
void expect_json(struct step *step, const char *key, json_t *got);
/* Compares what need not stand in the file under a name of its own. */
void expect_status(struct step *step, const char *what, keep_status want, keep_status got);
void expect_same(struct step *step, const char *what, keep_bytes want, keep_bytes got);
void expect_count(struct step *step, const char *what, size_t want, size_t got);

#endif
