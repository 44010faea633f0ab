/* SPDX-License-Identifier: MIT */
/*
 * The C runner of the shared test vectors (tests/vectors): chooses the files, has their cases run, and reports one line
 * per file.
 *
 * usage: run-vectors [--reverse] [SCHEMA...]
 */
#include "vectors.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

enum {
    MAX_FILE_LEN = 8 << 20,
    MAX_DEPTH = 32,
    MAX_FAILURES = 20,
    MAX_LINE = 1024
};
enum {
    HASH_TEXT_LEN = 2 * crypto_hash_sha256_BYTES
};
enum {
    NOT_RUN = -1,
    PASSED,
    FAILED,
    INVALID
};

static const struct schema *const schemas[] = { &memory_schema, &packet_schema, &tracker_schema };
enum {
    SCHEMAS = sizeof schemas / sizeof *schemas
};

/* What the arguments ask for; without names every schema. */
struct choice {
    bool reverse;
    char **names;
    int count;
};

struct file {
    const char *name;
    const struct schema *schema;
    size_t total, passed, failures;
    char digest[HASH_TEXT_LEN + 1];
};

/* --- form --- */

static bool is_well_formed(json_t *value, int depth)
{
    bool is_good = depth <= MAX_DEPTH && !json_is_real(value) && !json_is_null(value);
    const char *key;
    json_t *item;

    json_object_foreach(value, key, item) is_good = is_good && is_well_formed(item, depth + 1);
    for (size_t i = 0; i < json_array_size(value); i++)
        is_good = is_good && is_well_formed(json_array_get(value, i), depth + 1);
    return is_good;
}

static bool has_own_ids(const json_t *cases)
{
    json_t *seen = json_object();
    bool is_good = true;

    for (size_t i = 0; i < json_array_size(cases); i++) {
        const char *id = json_string_value(json_object_get(json_array_get(cases, i), "id"));

        is_good = is_good && id != NULL && json_object_get(seen, id) == NULL;
        if (id != NULL)
            json_object_set_new(seen, id, json_true());
    }
    json_decref(seen);
    return is_good;
}

static const struct schema *schema_of(const json_t *root)
{
    const char *name = json_string_value(json_object_get(root, "schema"));

    for (size_t i = 0; name != NULL && i < SCHEMAS; i++) {
        if (strcmp(schemas[i]->name, name) == 0)
            return schemas[i];
    }
    return NULL;
}

/* What makes the file invalid, or NULL. */
static const char *what_is_invalid(json_t *root)
{
    json_int_t count = json_integer_value(json_object_get(root, "numberOfTests"));
    const char *key;
    json_t *value;

    if (!json_is_object(root))
        return "not an object";
    if (!is_well_formed(root, 1))
        return "a null, a fraction, or nested deeper than 32";
    if (schema_of(root) == NULL)
        return "its schema is missing or unknown";
    if (count < 1)
        return "numberOfTests is not above 0";
    json_object_foreach(root, key, value)
    {
        if (strcmp(key, "notes") == 0)
            continue;
        if (!has_own_ids(value))
            return "a case has no id of its own";
        count -= (json_int_t)json_array_size(value);
    }
    return count == 0 ? NULL : "numberOfTests is not the number of cases";
}

/* --- cases --- */

static void report(struct file *file, const char *failure)
{
    if (++file->failures <= MAX_FAILURES)
        fprintf(stderr, "FAIL %s %s\n", file->name, failure);
}

static void check_constants(struct file *file, json_t *expected)
{
    char failure[MAX_LINE];
    const char *name;
    json_t *value;

    json_object_foreach(expected, name, value)
    {
        const struct constant *constant = file->schema->constants;

        while (constant->name != NULL && strcmp(constant->name, name) != 0)
            constant++;
        (void)snprintf(failure, sizeof failure, "constants %s: expected %lld, got %llu", name,
                       json_integer_value(value), (unsigned long long)constant->value);
        if (constant->name == NULL || (json_int_t)constant->value != json_integer_value(value))
            report(file, failure);
    }
}

static void run_array(struct file *file, const char *array, json_t *cases, bool reverse)
{
    size_t count = json_array_size(cases);
    char failure[MAX_LINE];

    for (size_t i = 0; i < count; i++) {
        size_t position = reverse ? count - 1 - i : i;
        json_t *one = json_array_get(cases, position);

        if (getenv("KEEP_VECTORS_VERBOSE") != NULL)
            fprintf(stderr, "%s %s[%zu] %s\n", file->name, array, position,
                    json_string_value(json_object_get(one, "id")));
        if (run_case(file->schema, array, position, one, failure, sizeof failure))
            file->passed++;
        else
            report(file, failure);
    }
    file->total += count;
}

static int run_cases(struct file *file, json_t *root, bool reverse)
{
    const char *key;
    json_t *value;

    check_constants(file, json_object_get(root, "constants"));
    json_object_foreach(root, key, value)
    {
        if (strcmp(key, "notes") != 0)
            run_array(file, key, value, reverse);
    }
    if (file->failures > MAX_FAILURES)
        fprintf(stderr, "… and %zu more\n", file->failures - MAX_FAILURES);
    printf("c %s %s %zu/%zu\n", file->name, file->digest, file->passed, file->total);
    return file->failures == 0 ? PASSED : FAILED;
}

/* --- files --- */

/* The bytes of a file; NULL if it cannot be read. */
static char *read_file(const char *path, size_t *out_len)
{
    FILE *stream = fopen(path, "rb"), *memory;
    char *bytes = NULL, part[1024];
    size_t len;

    if (stream == NULL)
        return NULL;
    memory = open_memstream(&bytes, out_len);
    while (memory != NULL && (len = fread(part, 1, sizeof part, stream)) > 0)
        (void)fwrite(part, 1, len, memory);
    if (memory != NULL)
        (void)fclose(memory);
    (void)fclose(stream);
    return bytes;
}

static json_t *parse(struct file *file, const char *path, json_error_t *error)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    json_t *root = NULL;
    size_t len = 0;
    char *bytes = read_file(path, &len);

    if (bytes != NULL) {
        (void)crypto_hash_sha256(digest, (const uint8_t *)bytes, len);
        (void)sodium_bin2hex(file->digest, sizeof file->digest, digest, sizeof digest);
    }
    if (bytes != NULL && len <= MAX_FILE_LEN)
        root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, error);
    free(bytes);
    return root;
}

static bool is_chosen(const struct choice *choice, const struct schema *schema)
{
    bool is_named = choice->count == 0;

    for (int i = 0; i < choice->count; i++)
        is_named = is_named || strcmp(choice->names[i], schema->name) == 0;
    return is_named;
}

/* Runs a file and remembers its schema in `seen`. */
static int run_file(const char *path, const char *name, const struct choice *choice, bool seen[SCHEMAS])
{
    struct file file = { .name = name, .digest = "-" };
    json_error_t error = { .text = "it cannot be read, or is larger than 8 MiB" };
    json_t *root = parse(&file, path, &error);
    const char *reason = root == NULL ? error.text : what_is_invalid(root);
    int result = NOT_RUN;

    if (reason != NULL) {
        fprintf(stderr, "%s is no vector file: %s\n", name, reason);
        printf("c %s %s invalid\n", name, file.digest);
        result = INVALID;
    } else {
        file.schema = schema_of(root);
        for (size_t i = 0; i < SCHEMAS; i++)
            seen[i] = seen[i] || (schemas[i] == file.schema && is_chosen(choice, file.schema));
        if (is_chosen(choice, file.schema))
            result = run_cases(&file, root, choice->reverse);
    }
    json_decref(root);
    return result;
}

static int is_json(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

static int in_byte_order(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

/* Every regular file of the directory in turn; the worst result counts, and to run none is the worst. */
static int run_directory(const char *directory, const struct choice *choice, bool seen[SCHEMAS])
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, is_json, in_byte_order), worst = NOT_RUN;
    struct stat status;

    for (int i = 0; i < count; i++) {
        char *path = NULL;

        if (asprintf(&path, "%s/%s", directory, entries[i]->d_name) < 0)
            abort();
        if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
            int result = run_file(path, entries[i]->d_name, choice, seen);

            worst = result > worst ? result : worst;
        }
        free(path);
        free(entries[i]);
    }
    free(entries);
    if (worst != NOT_RUN)
        return worst;
    fprintf(stderr, "no vector file to run in '%s'\n", directory);
    return INVALID;
}

int main(int argc, char **argv)
{
    const char *directory = getenv("KEEP_VECTORS");
    bool reverse = argc > 1 && strcmp(argv[1], "--reverse") == 0, seen[SCHEMAS] = { false };
    struct choice choice = { reverse, argv + 1 + reverse, argc - 1 - reverse };
    int result = run_directory(directory == NULL ? KEEP_VECTORS_DIR : directory, &choice, seen);

    for (size_t i = 0; directory == NULL && i < SCHEMAS; i++) {
        if (!seen[i] && is_chosen(&choice, schemas[i])) {
            fprintf(stderr, "no file of schema %s\n", schemas[i]->name);
            result = INVALID;
        }
    }
    return result;
}
