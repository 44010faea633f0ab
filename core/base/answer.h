/* SPDX-License-Identifier: MIT */
/*
 * Known answers: how a subsystem publishes pure functions by name, on the caller's inputs alone. A transform reads its
 * fields, says how long its answer is, and writes it; one table names them.
 */
#ifndef KEEP_BASE_ANSWER_H
#define KEEP_BASE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "keep/bytes.h"
#include "keep/status.h"

/* Room for the answer, whose length is checked before a byte is written. */
typedef struct keep__answer {
    uint8_t *out;
    size_t cap;
    size_t *out_len;
} keep__answer;

typedef struct keep__transform {
    const char *name;
    keep_status (*transform)(keep__reader in, keep__answer answer);
} keep__transform;

/* Says that the answer is `len` bytes long: KEEP_ERR_BUFFER_TOO_SMALL. */
keep_status keep__answer_room(keep__answer answer, size_t len);

/* Whether the input was read to its end. */
static inline bool keep__answer_whole(const keep__reader *in)
{
    return !in->failed && in->left == 0;
}

/* Finds the transform of a name and asks it. INVALID_ARGUMENT: there is none, or a pointer is NULL. UNSUPPORTED */
keep_status keep__answer_known(const keep__transform *transforms, size_t count, const char *name, keep_bytes in,
                               keep__answer answer);

#endif
