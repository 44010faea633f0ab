/* SPDX-License-Identifier: MIT */
/*
 * Answer. `*out_len` is set only with an answer, or with the length of one that found no room.
 */
#include "base/answer.h"

#include <string.h>

#include "base/crypto.h"
#include "base/banned.h"

keep_status keep__answer_room(keep__answer answer, size_t len)
{
    *answer.out_len = len;
    return len <= answer.cap ? KEEP_OK : KEEP_ERR_BUFFER_TOO_SMALL;
}

static const keep__transform *find_transform(const keep__transform *transforms, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(transforms[i].name, name) == 0)
            return &transforms[i];
    }
    return NULL;
}

keep_status keep__answer_known(const keep__transform *transforms, size_t count, const char *name, keep_bytes in,
                               keep__answer answer)
{
    const keep__transform *found;
    size_t len = 0;
    keep_status st;

    if (name == NULL || answer.out_len == NULL || (in.data == NULL && in.len != 0) ||
        (answer.out == NULL && answer.cap != 0))
        return KEEP_ERR_INVALID_ARGUMENT;
    found = find_transform(transforms, count, name);
    if (found == NULL)
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__crypto_init();
    if (st != KEEP_OK)
        return st;
    st = found->transform(keep__reader_of(in.data, in.len), (keep__answer){ answer.out, answer.cap, &len });
    if (st == KEEP_OK || st == KEEP_ERR_BUFFER_TOO_SMALL)
        *answer.out_len = len;
    return st;
}
