/* SPDX-License-Identifier: MIT */
/*
 * Commands of the tool. Each has a file of its own and a line in the table of main.c; it sees the public headers only.
 */
#ifndef KEEP_TOOL_COMMAND_H
#define KEEP_TOOL_COMMAND_H

/* What a command returns to the shell. */
enum {
    COMMAND_OK = 0,
    COMMAND_FAILED = 1, /* it ran, and the answer is no */
    COMMAND_MISUSED = 2 /* the command line is wrong */
};

/* `arguments` are those after the command's own name, ended by NULL. */
struct command {
    const char *name;
    const char *synopsis;
    const char *summary;
    int (*run)(char *const *arguments);
};

/* All commands, ended by one without a name. */
extern const struct command commands[];

int command_doctor(char *const *arguments);
int command_help(char *const *arguments);
int command_version(char *const *arguments);

/* Says on standard error what is wrong with a command line; `argument` may be NULL. COMMAND_MISUSED */
int command_refuse(const char *what, const char *argument);

#endif
