/* SPDX-License-Identifier: MIT */
/*
 * Reads the keys of an object, and the forms of their values.
 *
 * Invariant: a key that was read has moved behind the mark TAKEN, where it is found again. What stands before it in the
 * end, nobody knows.
 */
#include "vectors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define TAKEN "\1"

enum {
    MAX_KEY = 64,
    MAX_REPEAT = 1 << 24
};

/* --- keys --- */

/* The value of a key, which was taken already or not. */
static json_t *look_at(json_t *object, const char *key, char taken[1 + MAX_KEY])
{
    json_t *value = json_object_get(object, key);

    (void)snprintf(taken, 1 + MAX_KEY, TAKEN "%s", key);
    return value != NULL ? value : json_object_get(object, taken);
}

json_t *take(json_t *object, const char *key)
{
    char taken[1 + MAX_KEY];
    json_t *value = look_at(object, key, taken);

    if (value != NULL && json_object_set(object, taken, value) == 0)
        json_object_del(object, key);
    return value;
}

/* A key, at any depth, that nobody has taken; or NULL. */
const char *unknown_key(json_t *value)
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
void need(struct step *step, const char *keys)
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

keep_bytes hex_of(struct step *step, const json_t *value)
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
    keep_bytes saved = saved_bytes(step, name);
    size_t len = first == NULL ? saved.len : number_of(step, first, saved.len);
    uint8_t *data = memcpy(room(step, saved.len), saved.data, saved.len);

    if (at + mask.len > saved.len) {
        fail(step, "xor", "a place within saved bytes", "one beyond them");
        return (keep_bytes){ "", 0 };
    }
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

static bool is_number(const char *digits)
{
    if (strncmp(digits, "0x", 2) == 0)
        return digits[2] != '\0' && digits[2 + strspn(digits + 2, "0123456789abcdef")] == '\0';
    return strcmp(digits, "0") == 0 ||
           (strspn(digits, "123456789") > 0 && digits[strspn(digits, "0123456789")] == '\0');
}

/* An integer; one of 64 bits may be a text. */
uint64_t number_of(struct step *step, const json_t *value, uint64_t max)
{
    const char *digits = max > UINT32_MAX ? json_string_value(value) : NULL;
    bool is_formed = digits == NULL ? json_is_integer(value) && json_integer_value(value) >= 0 : is_number(digits);
    uint64_t found;

    errno = 0;
    found = digits == NULL ? (uint64_t)json_integer_value(value) : strtoull(digits, NULL, 0);
    if (is_formed && errno == 0 && found <= max)
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
