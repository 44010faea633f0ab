/* SPDX-License-Identifier: MIT */
/*
 * Runs one case: the forms of values, names of handles, expectations, operations. What an operation does is in the file
 * of its schema.
 *
 * Invariant: the first failure of a case is its failure; memory and handles of a case end with it. A key that was read
 * has moved behind the mark TAKEN, where it is found again: what stands before it in the end, nobody knows.
 */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define TAKEN "\1"

enum {
    MAX_KEY = 64,
    MAX_REPEAT = 1 << 24,
    SHOWN_LEN = 32
};

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

/* --- keys --- */

/* The value of a key, which was taken already or not. */
static json_t *look_at(json_t *object, const char *key, char taken[1 + MAX_KEY])
{
    json_t *value = json_object_get(object, key);

    (void)snprintf(taken, 1 + MAX_KEY, TAKEN "%s", key);
    return value != NULL ? value : json_object_get(object, taken);
}

static json_t *take(json_t *object, const char *key)
{
    char taken[1 + MAX_KEY];
    json_t *value = look_at(object, key, taken);

    if (value != NULL && json_object_set(object, taken, value) == 0)
        json_object_del(object, key);
    return value;
}

/* A key, at any depth, that nobody has taken; or NULL. */
static const char *unknown_key(json_t *value)
{
    const char *key, *found = NULL;
    json_t *part;

    json_object_foreach(value, key, part)
    {
        if (found == NULL)
            found = key[0] == TAKEN[0] ? unknown_key(part) : key;
    }
    for (size_t i = 0; i < json_array_size(value) && found == NULL; i++)
        found = unknown_key(json_array_get(value, i));
    return found;
}

/* Fails if one of the keys is absent. */
static void need(struct step *step, const char *keys)
{
    char key[MAX_KEY];

    for (int len = 0; sscanf(keys, " %63s%n", key, &len) == 1; keys += len) {
        if (!has(step, key))
            fail(step, key, "an input", "nothing");
    }
}

bool has(struct step *step, const char *key)
{
    char taken[1 + MAX_KEY];

    return look_at(step->in, key, taken) != NULL;
}

struct step part_of(struct step *step, json_t *object, const char *inputs)
{
    struct step part = { .run = step->run, .in = object, .out = object };

    if (!json_is_object(object))
        fail(step, "a part", "an object", "another value");
    need(&part, inputs);
    return part;
}

struct step part_in(struct step *step, const char *key)
{
    return part_of(step, take(step->in, key), "");
}

/* --- values --- */

static keep_bytes hex_of(struct step *step, const json_t *value)
{
    const char *digits = json_string_value(value);
    size_t count = digits == NULL ? 1 : json_string_length(value), len = 0;
    uint8_t *data = room(step, count / 2);

    if (count % 2 != 0 || strspn(digits, "0123456789abcdef") != count)
        fail(step, "bytes", "pairs of lower-case digits", digits == NULL ? "nothing" : digits);
    else
        (void)sodium_hex2bin(data, count / 2, digits, count, NULL, &len, NULL);
    return (keep_bytes){ data, len };
}

static keep_bytes repeated(struct step *step, json_t *form)
{
    keep_bytes unit = hex_of(step, take(form, "hex"));
    size_t len = number_of(step, take(form, "repeat"), MAX_REPEAT) * unit.len;
    uint8_t *data = room(step, len);

    for (size_t i = 0; i < len; i++)
        data[i] = ((const uint8_t *)unit.data)[i % unit.len];
    return (keep_bytes){ data, len };
}

/* Bytes of an earlier step, changed at an offset, or only the first of them. */
static keep_bytes earlier(struct step *step, json_t *form)
{
    const char *name = json_string_value(take(form, "ref"));
    json_t *change = take(form, "xor"), *first = take(form, "take");
    size_t at = change == NULL ? 0 : number_of(step, take(change, "at"), MAX_REPEAT);
    keep_bytes mask = change == NULL ? (keep_bytes){ "", 0 } : hex_of(step, take(change, "hex"));
    struct saved *saved = step->run->saved;
    uint8_t *data;
    size_t len;

    while (saved != NULL && (name == NULL || strcmp(saved->name, name) != 0))
        saved = saved->next;
    len = saved == NULL ? 0 : first == NULL ? saved->bytes.len : number_of(step, first, saved->bytes.len);
    if (saved == NULL || at + mask.len > saved->bytes.len) {
        fail(step, "ref", "a place within saved bytes", name == NULL ? "no text" : name);
        return (keep_bytes){ "", 0 };
    }
    data = memcpy(room(step, saved->bytes.len), saved->bytes.data, saved->bytes.len);
    for (size_t i = 0; i < mask.len; i++)
        data[at + i] ^= ((const uint8_t *)mask.data)[i];
    return (keep_bytes){ data, len };
}

static keep_bytes joined(struct step *step, const json_t *parts)
{
    keep_bytes all = { "", 0 };

    for (size_t i = 0; i < json_array_size(parts); i++) {
        keep_bytes part = bytes_of(step, json_array_get(parts, i));
        uint8_t *data = memcpy(room(step, all.len + part.len), all.data, all.len);

        memcpy(data + all.len, part.data, part.len);
        all = (keep_bytes){ data, all.len + part.len };
    }
    return all;
}

keep_bytes bytes_of(struct step *step, json_t *value)
{
    if (json_is_array(value))
        return joined(step, value);
    if (!json_is_object(value))
        return hex_of(step, value);
    return take(value, "ref") != NULL ? earlier(step, value) : repeated(step, value);
}

keep_bytes bytes(struct step *step, const char *key)
{
    keep_bytes found = has(step, key) ? bytes_of(step, take(step->in, key)) : (keep_bytes){ NULL, 0 };

    return found.len == 0 ? (keep_bytes){ NULL, 0 } : found;
}

/* An integer; one of 64 bits may be a text. */
uint64_t number_of(struct step *step, const json_t *value, uint64_t max)
{
    const char *digits = max > UINT32_MAX ? json_string_value(value) : NULL;
    bool is_hex = digits != NULL && strncmp(digits, "0x", 2) == 0;
    uint64_t found = digits == NULL ? (uint64_t)json_integer_value(value) : strtoull(digits, NULL, is_hex ? 16 : 10);
    bool is_formed = digits == NULL ? json_is_integer(value) && json_integer_value(value) >= 0
                     : is_hex       ? digits[2] != '\0' && digits[2 + strspn(digits + 2, "0123456789abcdef")] == '\0'
                                    : *digits != '\0' && digits[strspn(digits, "0123456789")] == '\0';

    if (is_formed && found <= max)
        return found;
    fail(step, "a number", "an integer in its range", digits == NULL ? "another value" : digits);
    return 0;
}

uint64_t number(struct step *step, const char *key, uint64_t max)
{
    return has(step, key) ? number_of(step, take(step->in, key), max) : 0;
}

bool flag(struct step *step, const char *key)
{
    if (has(step, key) && !json_is_boolean(take(step->in, key)))
        fail(step, key, "true or false", "another value");
    return json_is_true(take(step->in, key));
}

const char *text(struct step *step, const char *key)
{
    if (has(step, key) && !json_is_string(take(step->in, key)))
        fail(step, key, "a text", "another value");
    return json_string_value(take(step->in, key));
}

json_t *list(struct step *step, const char *key)
{
    if (has(step, key) && !json_is_array(take(step->in, key)))
        fail(step, key, "a list", "another value");
    return take(step->in, key);
}

uint32_t word_of(struct step *step, const json_t *value, const struct words *words)
{
    const char *wanted = json_is_string(value) ? json_string_value(value) : "another value";
    uint32_t found = 0;

    while (found < words->count && (words->texts[found] == NULL || strcmp(words->texts[found], wanted) != 0))
        found++;
    if (found == words->count)
        fail(step, "a word", "a known one", wanted);
    return found;
}

uint32_t word(struct step *step, const char *key, const struct words *words, uint32_t absent)
{
    return has(step, key) ? word_of(step, take(step->in, key), words) : absent;
}

/* --- fields --- */

static uint64_t max_of(const struct field *field)
{
    return UINT64_MAX >> (64 - 8 * field->len);
}

/* The value of a member, whose bytes are its lowest in this machine's order. */
static uint64_t value_of(const struct field *field, const void *object)
{
    uint64_t value = 0;

    memcpy(&value, (const uint8_t *)object + field->offset, field->len);
    return value;
}

void take_fields(struct step *step, const struct field *fields, void *object, enum extent extent)
{
    for (const struct field *field = fields; field->key != NULL; field++) {
        uint64_t value = field->is_flag         ? flag(step, field->key)
                         : field->words != NULL ? word(step, field->key, field->words, 0)
                                                : number(step, field->key, max_of(field));

        if (has(step, field->key))
            memcpy((uint8_t *)object + field->offset, &value, field->len);
        else if (extent == ALL)
            fail(step, field->key, "an input", "nothing");
    }
}

static void expect_integer(struct step *step, const char *key, uint64_t got, uint64_t max)
{
    json_t *want = take(step->out, key);
    char texts[2][24];

    if (want == NULL)
        return;
    (void)snprintf(texts[0], sizeof texts[0], "%llu", (unsigned long long)number_of(step, want, max));
    (void)snprintf(texts[1], sizeof texts[1], "%llu", (unsigned long long)got);
    if (strcmp(texts[0], texts[1]) != 0)
        fail(step, key, texts[0], texts[1]);
}

void expect_fields(struct step *step, const struct field *fields, const void *object, enum extent extent)
{
    for (const struct field *field = fields; field->key != NULL; field++) {
        uint64_t value = value_of(field, object);

        if (extent == ALL && take(step->out, field->key) == NULL)
            fail(step, field->key, "an expectation", "nothing");
        if (field->is_flag)
            expect_flag(step, field->key, value != 0);
        else if (field->words != NULL)
            expect_word(step, field->key, field->words, (uint32_t)value);
        else
            expect_integer(step, field->key, value, max_of(field));
    }
}

/* --- expectations --- */

bool came_out(struct step *step, keep_status status)
{
    const char *want = has(step, "status") ? text(step, "status") : "OK";

    want = want == NULL ? "a name" : want;
    want += strncmp(want, "KEEP_", 5) == 0 ? 5 : 0;
    want += strncmp(want, "ERR_", 4) == 0 ? 4 : 0;
    if (strcmp(want, keep_status_name(status)) != 0)
        fail(step, "status", want, keep_status_name(status));
    return status == KEEP_OK && !has_failed(step);
}

void expect_status(struct step *step, const char *what, keep_status want, keep_status got)
{
    if (got != want)
        fail(step, what, keep_status_name(want), keep_status_name(got));
}

void expect_json(struct step *step, const char *key, json_t *got)
{
    json_t *want = take(step->out, key);
    char *texts[] = { json_dumps(want, JSON_ENCODE_ANY), json_dumps(got, JSON_ENCODE_ANY) };

    if (want != NULL && !json_equal(want, got))
        fail(step, key, texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
    json_decref(got);
}

void expect_number(struct step *step, const char *key, uint64_t got)
{
    expect_integer(step, key, got, UINT32_MAX);
}

void expect_wide(struct step *step, const char *key, uint64_t got)
{
    expect_integer(step, key, got, UINT64_MAX);
}

void expect_flag(struct step *step, const char *key, bool got)
{
    expect_json(step, key, json_boolean(got));
}

void expect_word(struct step *step, const char *key, const struct words *words, uint32_t got)
{
    const char *known = got < words->count ? words->texts[got] : NULL;

    expect_json(step, key, json_string(known == NULL ? "no word" : known));
}

void expect_count(struct step *step, const char *what, size_t want, size_t got)
{
    char texts[2][24];

    (void)snprintf(texts[0], sizeof texts[0], "%zu", want);
    (void)snprintf(texts[1], sizeof texts[1], "%zu", got);
    if (want != got)
        fail(step, what, texts[0], texts[1]);
}

static char *to_hex(struct step *step, keep_bytes bytes)
{
    size_t len = bytes.len < SHOWN_LEN ? bytes.len : SHOWN_LEN;

    return sodium_bin2hex(room(step, 2 * len + 1), 2 * len + 1, bytes.data, len);
}

void expect_same(struct step *step, const char *what, keep_bytes want, keep_bytes got)
{
    if (want.len != got.len || (got.len != 0 && memcmp(want.data, got.data, got.len) != 0))
        fail(step, what, to_hex(step, want), to_hex(step, got));
}

void expect_bytes(struct step *step, const char *key, const void *data, size_t len)
{
    keep_bytes got = { len == 0 ? "" : data, len };
    json_t *want = take(step->out, key);
    uint8_t digest[crypto_hash_sha256_BYTES];

    if (has(step, "save")) {
        struct saved *saved = room(step, sizeof *saved);

        *saved = (struct saved){ step->run->saved, text(step, "save"), { room(step, len), len } };
        memcpy((void *)(uintptr_t)saved->bytes.data, got.data, len);
        step->run->saved = saved;
    }
    if (want != NULL && take(want, "sha256") != NULL) {
        (void)crypto_hash_sha256(digest, got.data, got.len);
        expect_same(step, key, hex_of(step, take(want, "sha256")), (keep_bytes){ digest, sizeof digest });
        expect_count(step, key, number_of(step, take(want, "len"), UINT32_MAX), len);
    } else if (want != NULL) {
        expect_same(step, key, bytes_of(step, want), got);
    }
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

    if (other != NULL && other->is_live)
        fail(step, "as", "a name not in use", name);
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

void run_steps(struct step *step, json_t *steps)
{
    static const struct op free_ops[] = { { "free", "on", free_named, 0 }, { .name = NULL } };

    for (size_t i = 0; i < json_array_size(steps) && !has_failed(step); i++) {
        struct step one = part_of(step, json_array_get(steps, i), "op");
        const char *name = text(&one, "op");

        one.out = take(one.in, "out");
        if (name != NULL)
            run_op(&one, strcmp(name, "free") == 0 ? free_ops : step->run->schema->ops, name);
    }
}

void run_script(struct step *step)
{
    run_steps(step, list(step, "script"));
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
        (void)list(&step, "flags");
    run_op(&step, schema->arrays, array);
    unknown = has_failed(&step) ? NULL : unknown_key(json);
    if (unknown != NULL)
        fail(&step, "keys", "those of the schema", unknown);
    is_good = !has_failed(&step);
    if (!is_good)
        (void)snprintf(failure, cap, "%s[%zu] %s: %s %s", array, position, id == NULL ? "" : id, run.failure,
                       comment == NULL ? "" : comment);
    end_case(&run, position % 2 != 0);
    return is_good;
}
