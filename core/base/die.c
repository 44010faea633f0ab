/* SPDX-License-Identifier: MIT */
/*
 * Die: the seam of abort. It allocates nothing and takes no lock: it may run in any state of the process.
 */
#include "base/die.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/banned.h"
#undef abort

void keep__die(const char *sentence)
{
    char line[256] = "libkeep: ";
    size_t start = strlen(line);
    size_t len = strnlen(sentence, sizeof line - start - 1);

    memcpy(line + start, sentence, len);
    line[start + len] = '\n';
    (void)!write(STDERR_FILENO, line, start + len + 1); /* if that fails there is nobody to tell */
    abort();
}
