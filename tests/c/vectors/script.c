/* SPDX-License-Identifier: MIT */
/*
 * Runs one case: the forms of values, names of handles, expectations, operations and their inputs. What an operation
 * does is in the file of its schema.
 *
 * Invariant: the first failure of a case is its failure; memory, values and handles of a case end with it.
 */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum {
    MAX_REPEAT = 1 << 24,
    SHOWN_LEN = 32
};

struct block {
    struct block *next;
    max_align_t data[];
};

/* A handle and its name, between its neighbours in age. */
struct handle {
    struct handle *older, *newer;
    const char *name;
    const struct vector_kind *kind;
    void *handle;
    bool live;
};

struct vector_run {
    const struct vector_schema *schema;
    struct handle *oldest, *newest;
    struct block *blocks;
    json_t *kept, *saved; /* what was taken out of the case; bytes by the name that `save` gave them, as text */
    const char *failure;  /* the first one */
};

uint8_t *room(struct vector_run *run, size_t len)
{
    struct block *block = malloc(sizeof *block + len);

    if (block == NULL)
        abort();
    block->next = run->blocks;
    run->blocks = block;
    return memset(block->data, 0xa5, len);
}

void fail(struct vector_run *run, const char *what, const char *want, const char *got)
{
    size_t len = strlen(what) + strlen(want) + strlen(got) + sizeof ": expected , got ";
    char *text;

    if (run->failure != NULL)
        return;
    text = (char *)room(run, len);
    (void)snprintf(text, len, "%s: expected %s, got %s", what, want, got);
    run->failure = text;
}

void expect_untouched(struct vector_step *step, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0xa5)
            fail(step->run, "the output of a failed call", "untouched", "bytes");
    }
}

/* --- values --- */

static json_t *take(struct vector_run *run, json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    if (value != NULL) {
        json_array_append(run->kept, value);
        json_object_del(object, key);
    }
    return value;
}

static const char *take_text(struct vector_run *run, json_t *object, const char *key)
{
    return json_string_value(take(run, object, key));
}

static keep_bytes decode_hex(struct vector_run *run, const char *text)
{
    size_t digits = text == NULL ? 1 : strlen(text), len = 0;
    uint8_t *data = room(run, digits / 2);

    if (digits % 2 != 0 || strspn(text, "0123456789abcdef") != digits)
        fail(run, "bytes", "pairs of lower-case digits", text == NULL ? "nothing" : text);
    else
        (void)sodium_hex2bin(data, digits / 2, text, digits, NULL, &len, NULL);
    return (keep_bytes){ data, len };
}

static keep_bytes decode_repeated(struct vector_run *run, json_int_t times, const char *hex)
{
    keep_bytes unit = decode_hex(run, hex);
    size_t len = times < 0 || times > MAX_REPEAT ? 0 : (size_t)times * unit.len;
    uint8_t *data = room(run, len);

    for (size_t i = 0; i < len; i++)
        data[i] = ((const uint8_t *)unit.data)[i % unit.len];
    return (keep_bytes){ data, len };
}

/* Bytes of an earlier step, changed at an offset, or only the first of them. */
static keep_bytes decode_saved(struct vector_run *run, const char *name, json_t *changed, json_int_t first)
{
    keep_bytes saved = decode_hex(run, json_string_value(json_object_get(run->saved, name)));
    keep_bytes mask =
        changed == NULL ? (keep_bytes){ "", 0 } : decode_hex(run, json_string_value(json_object_get(changed, "hex")));
    size_t at = (size_t)json_integer_value(json_object_get(changed, "at"));

    if (at > saved.len || mask.len > saved.len - at || first > (json_int_t)saved.len)
        fail(run, name, "a place within the saved bytes", "one beyond them");
    else
        for (size_t i = 0; i < mask.len; i++)
            ((uint8_t *)(uintptr_t)saved.data)[at + i] ^= ((const uint8_t *)mask.data)[i];
    return (keep_bytes){ saved.data, first < 0 ? saved.len : (size_t)first };
}

static keep_bytes decode(struct vector_run *run, json_t *value);

static keep_bytes decode_joined(struct vector_run *run, const json_t *list)
{
    keep_bytes all = { "", 0 };

    for (size_t i = 0; i < json_array_size(list); i++) {
        keep_bytes part = decode(run, json_array_get(list, i));
        uint8_t *data = room(run, all.len + part.len);

        memcpy(data, all.data, all.len);
        memcpy(data + all.len, part.data, part.len);
        all = (keep_bytes){ data, all.len + part.len };
    }
    return all;
}

static keep_bytes decode(struct vector_run *run, json_t *value)
{
    const char *text = NULL;
    json_t *changed = NULL;
    json_int_t number = -1;

    if (json_is_string(value))
        return decode_hex(run, json_string_value(value));
    if (json_is_array(value))
        return decode_joined(run, value);
    if (json_unpack(value, "{s:I, s:s !}", "repeat", &number, "hex", &text) == 0)
        return decode_repeated(run, number, text);
    if (json_unpack(value, "{s:s, s?o, s?I !}", "ref", &text, "xor", &changed, "take", &number) == 0)
        return decode_saved(run, text, changed, number);
    fail(run, "bytes", "one of their forms", "another value");
    return (keep_bytes){ "", 0 };
}

keep_bytes decode_bytes(struct vector_step *step, json_t *value)
{
    return decode(step->run, value);
}

json_t *copy_json(struct vector_step *step, json_t *value)
{
    json_t *copy = json_deep_copy(value);

    json_array_append_new(step->run->kept, copy);
    return copy;
}

/* An integer; one of 64 bits may be a text. */
static uint64_t decode_number(struct vector_run *run, const struct vector_input *input, const json_t *value)
{
    const char *text = json_string_value(value);
    bool is_hex = text != NULL && strncmp(text, "0x", 2) == 0;
    uint64_t number = text == NULL ? (uint64_t)json_integer_value(value) : strtoull(text, NULL, is_hex ? 16 : 10);
    bool is_formed = text == NULL ? json_is_integer(value) && json_integer_value(value) >= 0
                     : is_hex     ? text[2] != '\0' && text[2 + strspn(text + 2, "0123456789abcdef")] == '\0'
                                  : *text != '\0' && text[strspn(text, "0123456789")] == '\0';

    if (!is_formed || number > input->max)
        fail(run, input->key, "an integer in its range", "another value");
    return number;
}

static char *to_hex(struct vector_run *run, keep_bytes bytes, size_t shown)
{
    size_t len = bytes.len < shown ? bytes.len : shown;

    return sodium_bin2hex((char *)room(run, 2 * len + 1), 2 * len + 1, bytes.data, len);
}

static char *hash(struct vector_run *run, keep_bytes bytes)
{
    uint8_t digest[crypto_hash_sha256_BYTES];

    (void)crypto_hash_sha256(digest, bytes.data, bytes.len);
    return to_hex(run, (keep_bytes){ digest, sizeof digest }, sizeof digest);
}

/* --- handles --- */

static struct handle *find(const struct vector_run *run, const char *name)
{
    struct handle *found = name == NULL ? NULL : run->newest;

    while (found != NULL && strcmp(found->name, name) != 0)
        found = found->older;
    return found;
}

static const char *new_name(struct vector_run *run, const char *name)
{
    const struct handle *other = find(run, name);

    if (name == NULL || (other != NULL && other->live))
        fail(run, "as", "a name not in use", name == NULL ? "another value" : name);
    return name;
}

void bind_handle(struct vector_step *step, const char *name, const struct vector_kind *kind, void *handle)
{
    struct vector_run *run = step->run;
    struct handle *bound = (struct handle *)(void *)room(run, sizeof *bound);

    *bound = (struct handle){ run->newest, NULL, name, kind, handle, true };
    *(run->newest == NULL ? &run->oldest : &run->newest->newer) = bound;
    run->newest = bound;
}

void unbind_handle(struct vector_step *step, const void *handle)
{
    for (struct handle *one = step->run->newest; one != NULL; one = one->older)
        one->live = one->live && one->handle != handle;
}

bool is_bound(const struct vector_step *step, const struct vector_kind *kind, const void *handle)
{
    const struct handle *one = step->run->newest;

    while (one != NULL && one->handle != handle)
        one = one->older;
    return one != NULL && one->kind == kind;
}

bool is_made(struct vector_step *step, const char *name, const struct vector_kind *kind, keep_status status, void *handle)
{
    if (status == KEEP_OK)
        bind_handle(step, name, kind, handle);
    else if (handle != NULL)
        fail(step->run, "the output of a failed call", "untouched", "a handle");
    return came_out(step, status);
}

static void *use_handle(struct vector_run *run, const struct vector_kind *kind, const char *name)
{
    const struct handle *found = find(run, name);

    if (found != NULL && (kind == NULL || found->kind == kind) && (found->live || found->kind->stale_is_usable))
        return found->handle;
    fail(run, "a handle", kind == NULL ? "any" : kind->name, name == NULL ? "nothing" : name);
    return NULL;
}

static void free_handle(struct handle *one)
{
    one->live = one->live && !one->kind->free(one->handle);
}

/* --- expectations --- */

bool came_out(struct vector_step *step, keep_status status)
{
    const char *want = step->status;

    want += strncmp(want, "KEEP_", 5) == 0 ? 5 : 0;
    want += strncmp(want, "ERR_", 4) == 0 ? 4 : 0;
    if (strcmp(want, keep_status_name(status)) != 0)
        fail(step->run, "status", want, keep_status_name(status));
    return status == KEEP_OK && step->run->failure == NULL;
}

void expect(struct vector_step *step, const char *key, json_t *got)
{
    json_t *want = take(step->run, step->out, key);
    char *texts[] = { json_dumps(want, JSON_ENCODE_ANY), json_dumps(got, JSON_ENCODE_ANY) };

    if (want != NULL && !json_equal(want, got))
        fail(step->run, key, texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
    json_decref(got);
}

void expect_number(struct vector_step *step, const char *key, uint64_t got)
{
    expect(step, key, json_integer((json_int_t)got));
}

void expect_same(struct vector_step *step, const char *what, keep_bytes want, keep_bytes got)
{
    struct vector_run *run = step->run;

    if (want.len != got.len || (got.len != 0 && memcmp(want.data, got.data, got.len) != 0))
        fail(run, what, to_hex(run, want, SHOWN_LEN), to_hex(run, got, SHOWN_LEN));
}

void expect_bytes(struct vector_step *step, const char *key, const void *data, size_t len)
{
    struct vector_run *run = step->run;
    keep_bytes got = { len == 0 ? "" : data, len };
    const char *save = take_text(run, step->in, "save"), *digest;
    json_t *want = take(run, step->out, key);
    json_int_t want_len;

    if (save != NULL)
        json_object_set_new(run->saved, save, json_string(to_hex(run, got, len)));
    if (want == NULL)
        return;
    if (json_unpack(want, "{s:s, s:I !}", "sha256", &digest, "len", &want_len) == 0) {
        if (want_len != (json_int_t)len || strcmp(digest, hash(run, got)) != 0)
            fail(run, key, digest, hash(run, got));
        return;
    }
    expect_same(step, key, decode(run, want), got);
}

/* --- operations --- */

static json_t *take_list(struct vector_run *run, const struct vector_input *input, json_t *value)
{
    if (!json_is_array(value))
        fail(run, input->key, "a list", "another value");
    for (size_t i = 0; input->form == VECTOR_NAMES && i < json_array_size(value); i++)
        (void)new_name(run, json_string_value(json_array_get(value, i)));
    return value;
}

/* Puts one input into its field. */
static void take_input(struct vector_run *run, const struct vector_input *input, json_t *value, void *field)
{
    const char *text = json_string_value(value);

    switch (input->form) {
    case VECTOR_HANDLE:
        *(void **)field = use_handle(run, input->kind, text);
        break;
    case VECTOR_NAME:
        *(const char **)field = new_name(run, text);
        break;
    case VECTOR_TEXT:
        *(const char **)field = text;
        if (text == NULL)
            fail(run, input->key, "a text", "another value");
        break;
    case VECTOR_NAMES:
    case VECTOR_LIST:
        *(json_t **)field = take_list(run, input, value);
        break;
    case VECTOR_OBJECT:
        *(json_t **)field = value;
        if (!json_is_object(value))
            fail(run, input->key, "an object", "another value");
        break;
    case VECTOR_NUMBER:
        *(uint64_t *)field = decode_number(run, input, value);
        break;
    case VECTOR_FLAG:
        *(bool *)field = json_is_true(value);
        if (!json_is_boolean(value))
            fail(run, input->key, "true or false", "another value");
        break;
    case VECTOR_BYTES:
        *(keep_bytes *)field = decode(run, value);
        if (((keep_bytes *)field)->len == 0)
            ((keep_bytes *)field)->data = NULL; /* which is legal there, and nowhere else */
        break;
    }
}

static const struct vector_input *input_of(const struct vector_schema *schema, const char *word, size_t len)
{
    const struct vector_input *input = schema->inputs;

    while (strlen(input->word) != len || strncmp(input->word, word, len) != 0)
        input++;
    return input;
}

static const void *take_inputs(struct vector_run *run, const char *inputs, json_t *in)
{
    uint8_t *args = memset(room(run, run->schema->args_len), 0, run->schema->args_len);

    for (const char *word = inputs; *word != '\0'; word += strcspn(word, " "), word += strspn(word, " ")) {
        bool may_miss = *word == '?';
        const struct vector_input *input = input_of(run->schema, word + may_miss, strcspn(word + may_miss, " "));
        json_t *value = take(run, in, input->key);

        if (value != NULL)
            take_input(run, input, value, args + input->field);
        else if (!may_miss)
            fail(run, input->key, "an input", "nothing");
        else if (input->form == VECTOR_NUMBER)
            memcpy(args + input->field, &input->absent, sizeof input->absent);
    }
    return args;
}

static void expect_all_taken(struct vector_run *run, json_t *object)
{
    void *left = json_object_iter(object);

    if (left != NULL)
        fail(run, "keys", "those of the schema", json_object_iter_key(left));
}

const void *take_part(struct vector_step *step, json_t *object, const char *inputs)
{
    const void *args = take_inputs(step->run, inputs, object);

    expect_all_taken(step->run, object);
    return args;
}

static void run_op(struct vector_step *step, const struct vector_op *ops, const char *name)
{
    const struct vector_op *op = ops;
    json_t *status = take(step->run, step->in, "status");

    while (op->name != NULL && strcmp(op->name, name) != 0)
        op++;
    if (op->name == NULL) {
        fail(step->run, "an operation", "one of the schema", name);
        return;
    }
    step->status = status == NULL ? "OK" : json_is_string(status) ? json_string_value(status) : "a name";
    step->variant = op->variant;
    step->args = take_inputs(step->run, op->inputs, step->in);
    if (step->run->failure == NULL)
        op->run(step);
    expect_all_taken(step->run, step->in);
    expect_all_taken(step->run, step->out);
}

static void run_step(struct vector_run *run, json_t *json)
{
    const char *name = take_text(run, json, "op");
    struct vector_step step = { .run = run, .in = json, .out = take(run, json, "out") };

    if (name == NULL || strcmp(name, "free") != 0) {
        run_op(&step, run->schema->ops, name == NULL ? "no text" : name);
    } else {
        struct handle *found = find(run, take_text(run, json, "on"));

        if (found == NULL)
            fail(run, "free", "the name of a handle", "another value");
        else
            free_handle(found);
        expect_all_taken(run, json);
    }
}

void run_steps(struct vector_run *run, json_t *steps)
{
    for (size_t i = 0; i < json_array_size(steps) && run->failure == NULL; i++)
        run_step(run, json_array_get(steps, i));
}

void run_items(struct vector_step *step, json_t *items, const struct vector_op *ops, void *context)
{
    struct vector_run *run = step->run;

    for (size_t i = 0; i < json_array_size(items) && run->failure == NULL; i++) {
        json_t *item = json_array_get(items, i);
        const char *name = take_text(run, item, "op");
        struct vector_step one = { .run = run, .in = item, .out = item, .context = context };

        run_op(&one, ops, name == NULL ? ops->name : name);
    }
}

/* --- cases --- */

static void end_case(struct vector_run *run, bool newest_first)
{
    struct handle *one = newest_first ? run->newest : run->oldest;

    for (; one != NULL; one = newest_first ? one->older : one->newer)
        free_handle(one);
    json_decref(run->kept);
    json_decref(run->saved);
    while (run->blocks != NULL) {
        struct block *next = run->blocks->next;

        free(run->blocks);
        run->blocks = next;
    }
}

bool run_case(const struct vector_schema *schema, const char *array, size_t position, json_t *json, char failure[],
              size_t cap)
{
    struct vector_run run = { .schema = schema, .kept = json_array(), .saved = json_object() };
    struct vector_step one = { .run = &run, .in = json, .out = json };
    const char *id = take_text(&run, json, "id"), *comment = take_text(&run, json, "comment");
    bool has_failed;

    if (json_is_array(json_object_get(json, "flags")))
        (void)take(&run, json, "flags");
    if (id == NULL)
        fail(&run, "id", "a text", "another value");
    run_op(&one, schema->arrays, array);
    has_failed = run.failure != NULL;
    if (has_failed)
        (void)snprintf(failure, cap, "%s[%zu] %s: %s%s%s", array, position, id == NULL ? "" : id, run.failure,
                       comment == NULL ? "" : " ", comment == NULL ? "" : comment);
    end_case(&run, position % 2 != 0);
    return !has_failed;
}
