/* SPDX-License-Identifier: MIT */
/*
 * `keep help`: the table of commands.
 */
#include "command.h"

#include <stddef.h>
#include <stdio.h>

int command_help(char *const *arguments)
{
    if (*arguments != NULL)
        return command_refuse("unexpected argument", *arguments);
    puts("usage: keep COMMAND\n");
    for (const struct command *command = commands; command->name != NULL; command++)
        printf("  %-18s %s\n", command->synopsis, command->summary);
    puts("\nexit status: 0; 1 if a check failed; 2 if the command line is wrong");
    return COMMAND_OK;
}
