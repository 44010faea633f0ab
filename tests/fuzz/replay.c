/* SPDX-License-Identifier: MIT */
/*
 * Runs a target on every file of a folder, without an engine; each input in a process of its own, so that the one that
 * crashes is named.
 *
 * usage: replay-NAME FOLDER
 */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LONGEST = 1 << 16
};

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run_file(const char *folder, const char *name)
{
    static uint8_t bytes[LONGEST];
    char path[4096];
    FILE *file;
    size_t len;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (file == NULL)
        _exit(1);
    len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    (void)LLVMFuzzerTestOneInput(bytes, len);
    _exit(0);
}

/* Whether the input ran to its end. */
static int run_apart(const char *folder, const char *name)
{
    pid_t child = fork();
    int status = -1;

    if (child == 0)
        run_file(folder, name);
    (void)waitpid(child, &status, 0);
    if (status != 0)
        printf("replay: this input crashes: %s\n", name);
    return status == 0;
}

int main(int argc, char **argv)
{
    struct dirent **inputs = NULL;
    int count = argc == 2 ? scandir(argv[1], &inputs, is_input, alphasort) : -1;
    int passed = 0;

    if (count <= 0) {
        printf("replay: no inputs\n");
        return EXIT_FAILURE;
    }
    for (int i = 0; i < count; i++) {
        passed += run_apart(argv[1], inputs[i]->d_name);
        free(inputs[i]);
    }
    free(inputs);
    if (passed != count)
        return EXIT_FAILURE;
    printf("replay: %d inputs\n", count);
    return EXIT_SUCCESS;
}
