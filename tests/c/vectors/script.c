/* SPDX-License-Identifier: MIT */
/*
 * Runs one case: its memory, its handles and their names, its operations. What an operation does is in the file of its
 * schema.
 *
 * Invariant: the first failure of a case is its failure; memory and handles of a case end with it.
 */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
    max_align_t data[];
};

/* A handle and its name, between its neighbours in age. */
struct bound {
    struct bound *older, *newer;
    const char *name;
    const struct kind *kind;
    void *handle;
    bool is_live;
};

struct saved {
    struct saved *next;
    const char *name;
    keep_bytes bytes;
};

struct run {
    const struct schema *schema;
    struct bound *oldest, *newest;
    struct block *blocks;
    struct saved *saved;
    const char *failure; /* the first one */
};

void *room(struct step *step, size_t len)
{
    struct block *block = malloc(sizeof *block + len);

    if (block == NULL)
        abort();
    block->next = step->run->blocks;
    step->run->blocks = block;
    return memset(block->data, 0xa5, len);
}

void fail(struct step *step, const char *what, const char *want, const char *got)
{
    size_t len = strlen(what) + strlen(want) + strlen(got) + sizeof ": expected , got ";
    char *sentence = room(step, len);

    (void)snprintf(sentence, len, "%s: expected %s, got %s", what, want, got);
    if (step->run->failure == NULL)
        step->run->failure = sentence;
}

bool has_failed(const struct step *step)
{
    return step->run->failure != NULL;
}

void expect_untouched(struct step *step, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (((const uint8_t *)bytes)[i] != 0xa5)
            fail(step, "the output of a failed call", "untouched", "bytes");
    }
}

void save_bytes(struct step *step, const char *name, keep_bytes bytes)
{
    struct saved *saved = room(step, sizeof *saved);
    void *data = room(step, bytes.len);

    memcpy(data, bytes.data, bytes.len);
    *saved = (struct saved){ step->run->saved, name, { data, bytes.len } };
    step->run->saved = saved;
}

keep_bytes saved_bytes(struct step *step, const char *name)
{
    const struct saved *saved = step->run->saved;

    while (saved != NULL && (name == NULL || saved->name == NULL || strcmp(saved->name, name) != 0))
        saved = saved->next;
    if (saved == NULL)
        fail(step, "ref", "a name of saved bytes", name == NULL ? "no text" : name);
    return saved == NULL ? (keep_bytes){ "", 0 } : saved->bytes;
}

/* --- handles --- */

static struct bound *find(const struct step *step, const char *name)
{
    struct bound *one = step->run->newest;

    while (one != NULL && (one->name == NULL || name == NULL || strcmp(one->name, name) != 0))
        one = one->older;
    return one;
}

void expect_unused(struct step *step, const char *name)
{
    const struct bound *other = find(step, name);

    if (name == NULL || (other != NULL && other->is_live))
        fail(step, "as", "a name not in use", name == NULL ? "no text" : name);
}

void bind_handle(struct step *step, const char *name, const struct kind *kind, void *handle)
{
    struct run *run = step->run;
    struct bound *bound = room(step, sizeof *bound);

    *bound = (struct bound){ run->newest, NULL, name, kind, handle, true };
    *(run->newest == NULL ? &run->oldest : &run->newest->newer) = bound;
    run->newest = bound;
}

void unbind_handle(struct step *step, const void *handle)
{
    for (struct bound *one = step->run->newest; one != NULL; one = one->older)
        one->is_live = one->is_live && one->handle != handle;
}

bool is_of(const struct step *step, const void *handle, const struct kind *kind)
{
    const struct bound *one = step->run->newest;

    while (one != NULL && one->handle != handle)
        one = one->older;
    return one != NULL && one->kind == kind;
}

bool is_made(struct step *step, const struct kind *kind, keep_status status, void *handle)
{
    const char *name = text(step, "as");

    expect_unused(step, name);
    if (status == KEEP_OK)
        bind_handle(step, name, kind, handle);
    else if (handle != NULL)
        fail(step, "the output of a failed call", "untouched", "a handle");
    return came_out(step, status);
}

void *handle(struct step *step, const char *key, const struct kind *kind)
{
    const char *name = text(step, key);
    const struct bound *found = find(step, name);

    if (!has(step, key))
        return NULL;
    if (found != NULL && (kind == NULL || found->kind == kind) && (found->is_live || found->kind->stale_is_usable))
        return found->handle;
    fail(step, key, kind == NULL ? "a handle" : kind->name, name == NULL ? "nothing" : name);
    return NULL;
}

static void free_bound(struct bound *one)
{
    one->is_live = one->is_live && !one->kind->free(one->handle);
}

static bool free_key(void *handle)
{
    return keep_secret_free(&(keep_secret *){ handle }) == KEEP_OK;
}

static const struct kind keys = { .name = "a key", .free = free_key };

keep_secret *secret_of(struct step *step, keep_bytes key)
{
    keep_secret *secret = NULL;

    if (key.data == NULL)
        return NULL;
    expect_status(step, "a key", KEEP_OK, keep_secret_from_bytes(NULL, key.data, key.len, &secret));
    if (secret != NULL)
        bind_handle(step, NULL, &keys, secret);
    return secret;
}

/* --- operations --- */

static void run_op(struct step *step, const struct op *ops, const char *name)
{
    step->op = ops;
    while (step->op->name != NULL && strcmp(step->op->name, name) != 0)
        step->op++;
    if (step->op->name == NULL) {
        fail(step, "an operation", "one of the schema", name);
        return;
    }
    need(step, step->op->inputs);
    if (!has_failed(step))
        step->op->run(step);
}

static void free_named(struct step *step)
{
    struct bound *found = find(step, text(step, "on"));

    if (found == NULL)
        fail(step, "on", "the name of a handle", "another value");
    else
        free_bound(found);
}

void each_part(struct step *step, const char *key, const char *inputs, void (*run)(struct step *part, void *context),
               void *context)
{
    const json_t *parts = list(step, key);

    for (size_t i = 0; i < json_array_size(parts) && !has_failed(step); i++) {
        struct step part = part_of(step, json_array_get(parts, i), inputs);

        if (!has_failed(step))
            run(&part, context);
    }
}

static void run_step(struct step *step, void *unused)
{
    static const struct op free_ops[] = { { "free", "on", free_named, 0 }, { .name = NULL } };
    const char *name = text(step, "op");

    (void)unused;
    step->out = take(step->in, "out");
    if (name != NULL)
        run_op(step, strcmp(name, "free") == 0 ? free_ops : step->run->schema->ops, name);
}

void run_steps(struct step *step, const char *key)
{
    each_part(step, key, "op", run_step, NULL);
}

void run_script(struct step *step)
{
    run_steps(step, "script");
}

/* --- cases --- */

static void end_case(struct run *run, bool newest_first)
{
    struct bound *one = newest_first ? run->newest : run->oldest;

    for (; one != NULL; one = newest_first ? one->older : one->newer)
        free_bound(one);
    while (run->blocks != NULL) {
        struct block *next = run->blocks->next;

        free(run->blocks);
        run->blocks = next;
    }
}

bool run_case(const struct schema *schema, const char *array, size_t position, json_t *json, char failure[], size_t cap)
{
    struct run run = { .schema = schema };
    struct step step = { .run = &run, .in = json, .out = json };
    const char *id = text(&step, "id"), *comment = text(&step, "comment"), *unknown;
    bool is_good;

    if (json_is_array(json_object_get(json, "flags")))
        json_object_del(json, "flags"); /* words for readers; where it is an input it is a number */
    run_op(&step, schema->arrays, array);
    unknown = has_failed(&step) ? NULL : unknown_key(json);
    if (unknown != NULL)
        fail(&step, "keys", "those of the schema", unknown);
    is_good = !has_failed(&step);
    if (!is_good)
        (void)snprintf(failure, cap, "%s[%zu] %s: %s %s", array, position, id, run.failure,
                       comment == NULL ? "" : comment);
    end_case(&run, position % 2 != 0);
    return is_good;
}
