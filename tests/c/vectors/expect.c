/* SPDX-License-Identifier: MIT */
/*
 * Turns members of structs into values and back, and compares what came with what the file says.
 */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum {
    SHOWN_LEN = 32
};

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

void take_fields(struct step *step, const struct fields *fields, void *object, enum extent extent)
{
    for (const struct field *field = fields->items; field < fields->items + fields->count; field++) {
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

void expect_fields(struct step *step, const struct fields *fields, const void *object, enum extent extent)
{
    for (const struct field *field = fields->items; field < fields->items + fields->count; field++) {
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

    if (has(step, "save"))
        save_bytes(step, text(step, "save"), got);
    if (want != NULL && take(want, "sha256") != NULL) {
        (void)crypto_hash_sha256(digest, got.data, got.len);
        expect_same(step, key, hex_of(step, take(want, "sha256")), (keep_bytes){ digest, sizeof digest });
        expect_count(step, key, number_of(step, take(want, "len"), UINT32_MAX), len);
    } else if (want != NULL) {
        expect_same(step, key, bytes_of(step, want), got);
    }
}
