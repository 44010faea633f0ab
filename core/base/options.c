/* SPDX-License-Identifier: MIT */
/*
 * Options and reports. A size may change between two readings of it: each is checked by itself.
 */
#include "base/options.h"

#include <stdint.h>
#include <string.h>

#include "base/checked.h"
#include "base/crypto.h"
#include "base/banned.h"

#define STRUCT_MAX ((size_t)4096) /* no struct will ever be larger: a size beyond is garbage, and is not read up to */

static size_t size_of(const void *sized)
{
    size_t size;

    memcpy(&size, sized, sizeof size);
    return size;
}

keep_status keep__options_read(const void *given, size_t first, size_t known, void *out)
{
    size_t size;

    if (given == NULL)
        return KEEP_OK;
    size = size_of(given);
    if (size < first || size > STRUCT_MAX)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (size > known && !keep__zeros((const uint8_t *)given + known, size - known))
        return KEEP_ERR_INVALID_ARGUMENT;
    memcpy(out, given, keep__size_min(size, known));
    return KEEP_OK;
}

keep_status keep__report_check(const void *out, size_t first)
{
    if (out == NULL || size_of(out) < first)
        return KEEP_ERR_INVALID_ARGUMENT;
    return KEEP_OK;
}

void keep__report_fill(void *out, const void *full, size_t known)
{
    size_t skipped = sizeof(size_t);
    size_t len = keep__size_max(keep__size_min(size_of(out), known), skipped);

    memcpy((uint8_t *)out + skipped, (const uint8_t *)full + skipped, len - skipped);
}
