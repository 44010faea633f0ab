/* SPDX-License-Identifier: MIT */
/*
 * A fuzz target: one function of bytes. What must not be ends the process.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define fuzz_needs(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

/* For models, which say what was wrong. */
static inline void fuzz_needs_nothing_wrong(const char *wrong)
{
    if (wrong == NULL)
        return;
    fprintf(stderr, "otherwise than the model: %s\n", wrong);
    abort();
}

#endif
