/* SPDX-License-Identifier: MIT */
/*
 * Runs a target on the inputs of a corpus, without an engine; each in a process of its own, so that the one that crashes
 * is named. A corpus is a text file: an input a line, in hexadecimal digits.
 *
 * usage: replay-NAME CORPUS           runs them
 *        replay-NAME CORPUS FOLDER    writes each to a file there, for an engine to begin with
 */
#include "fuzz.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/forked.h"

enum {
    LONGEST = 4096
};

struct input {
    uint8_t bytes[LONGEST];
    size_t len;
    int line;
};

/* Whether what is left of the line is its end. */
static int read_bytes(const char *text, struct input *out)
{
    unsigned byte;

    for (out->len = 0; out->len < LONGEST && sscanf(text, "%2x", &byte) == 1; text += 2)
        out->bytes[out->len++] = (uint8_t)byte;
    return *text == '\n';
}

/* Whether the input ran to its end. */
static int run(const struct input *input, const char *unused)
{
    pid_t child = fork();
    int status = -1;

    (void)unused;
    if (child == 0) {
        (void)LLVMFuzzerTestOneInput(input->bytes, input->len);
        leave_child(0);
    }
    (void)waitpid(child, &status, 0);
    if (status != 0)
        printf("replay: the input of line %d crashes\n", input->line);
    return status == 0;
}

static int write_out(const struct input *input, const char *folder)
{
    char path[4096];
    FILE *file;
    size_t written;

    snprintf(path, sizeof path, "%s/%03d", folder, input->line);
    file = fopen(path, "wb");
    if (file == NULL)
        return 0;
    written = fwrite(input->bytes, 1, input->len, file);
    return fclose(file) == 0 && written == input->len;
}

/* How many inputs of the corpus `use` was content with; -1 if one is malformed. */
static int use_all(FILE *corpus, int (*use)(const struct input *input, const char *folder), const char *folder,
                   int *out_count)
{
    static char text[2 * LONGEST + 2];
    static struct input input;
    int passed = 0;

    for (input.line = 1; fgets(text, sizeof text, corpus) != NULL; input.line++) {
        if (!read_bytes(text, &input))
            return -1;
        passed += use(&input, folder);
        ++*out_count;
    }
    return passed;
}

int main(int argc, char **argv)
{
    FILE *corpus = argc == 2 || argc == 3 ? fopen(argv[1], "r") : NULL;
    int count = 0;
    int passed;

    if (corpus == NULL) {
        printf("replay: no corpus\n");
        return EXIT_FAILURE;
    }
    passed = use_all(corpus, argc == 3 ? write_out : run, argv[2], &count);
    fclose(corpus);
    if (count == 0 || passed != count)
        return EXIT_FAILURE;
    printf("replay: %d inputs\n", count);
    return EXIT_SUCCESS;
}
