/* SPDX-License-Identifier: MIT */
/*
 * Texts of /proc: a name always ends within its room.
 */
#include "fuzz.h"

#include <string.h>

#include "tracker/procfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *text = malloc(len + 1);
    uint64_t start = 0;
    char comm[16];

    if (text == NULL)
        return 0;
    if (len > 0)
        memcpy(text, bytes, len);
    text[len] = '\0';
    if (keep__procfs_stat(text, &start, comm, sizeof comm)) {
        fuzz_needs(memchr(comm, 0, sizeof comm) != NULL);
        fuzz_needs(strchr(text, '(') != NULL && strrchr(text, ')') > strchr(text, '('));
    }
    if (keep__procfs_inode(text) != 0)
        fuzz_needs(strncmp(text, "pid:[", 5) == 0 && text[strlen(text) - 1] == ']');
    free(text);
    return 0;
}
