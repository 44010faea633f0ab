/* SPDX-License-Identifier: MIT */
/*
 * Error: KEEP_REASON_MAP's words, and keep_error. Formula of the cut: bytes 10xxxxxx continue a character, so a cut
 * moves back until it stands before a byte that begins one.
 */
#include "base/error.h"

#include <string.h>

#include "base/checked.h"
#include "base/trace.h"
#include "base/banned.h"

static size_t cut_between_characters(const char *text, size_t cap)
{
    size_t len = strlen(text);

    if (len <= cap)
        return len;
    len = cap;
    while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
        len--;
    return len;
}

keep_status keep__error_fill(keep_error *err, keep_status status, const keep__origin *origin, const char *sentence)
{
    keep_error filled = KEEP_ERROR_INIT;

    if (err == NULL || err->size < sizeof filled)
        return keep__trace(status);
    filled.size = err->size;
    filled.status = (int32_t)status;
    filled.layer = origin->layer;
    filled.code = origin->code;
    filled.reason = origin->reason;
    memcpy(filled.value, origin->value, sizeof filled.value);
    memcpy(filled.message, sentence, cut_between_characters(sentence, sizeof filled.message - 1));
    memcpy(err, &filled, sizeof filled);
    return keep__trace(status);
}
