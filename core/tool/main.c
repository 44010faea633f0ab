/* SPDX-License-Identifier: MIT */
/*
 * The command `keep`: finds the command that is asked for and runs it.
 */
#include "command.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

const struct command commands[] = {
    { "doctor", "doctor [--facts]", "tell what protects secrets here, and test it; --facts: do not test",
      command_doctor },
    { "version", "version", "tell the versions of this command and of the library", command_version },
    { "help", "help", "tell this", command_help },
    { NULL, NULL, NULL, NULL },
};

static const struct {
    const char *option;
    const char *command;
} synonyms[] = {
    { "--help", "help" },
    { "-h", "help" },
    { "--version", "version" },
};

int command_refuse(const char *what, const char *argument)
{
    (void)fprintf(stderr, "keep: %s%s%s (see `keep help`)\n", what, argument == NULL ? "" : ": ",
                  argument == NULL ? "" : argument);
    return COMMAND_MISUSED;
}

static const char *name_meant_by(const char *given)
{
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (strcmp(given, synonyms[i].option) == 0)
            return synonyms[i].command;
    }
    return given;
}

static int run_command(char *const *arguments)
{
    const char *name;

    if (*arguments == NULL)
        return command_refuse("no command", NULL);
    name = name_meant_by(*arguments);
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (strcmp(name, command->name) == 0)
            return command->run(arguments + 1);
    }
    return command_refuse("no such command", name);
}

int main(int argc, char **argv)
{
    int result = run_command(argv + (argc > 0));

    /* a full disk or a closed pipe must not look like a good answer */
    if (fflush(stdout) != 0 && result == COMMAND_OK) {
        perror("keep: standard output");
        return COMMAND_FAILED;
    }
    return result;
}
