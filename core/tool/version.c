/* SPDX-License-Identifier: MIT */
/*
 * `keep version`: the version that the command was built for, and that of the library it found.
 */
#include "command.h"

#include <keep/keep.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

static void print_number(const char *what, uint32_t version)
{
    printf("%s %u.%u.%u\n", what, version / 1000000, version / 1000 % 1000, version % 1000);
}

int command_version(char *const *arguments)
{
    if (*arguments != NULL)
        return command_refuse("unexpected argument", *arguments);
    print_number("keep", KEEP_VERSION_NUMBER);
    print_number("libkeep", keep_version_number());
    return COMMAND_OK;
}
