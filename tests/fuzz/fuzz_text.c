/* SPDX-License-Identifier: MIT */
/*
 * Messages of sd_notify: their time is in range, and they say nothing that does not stand in them.
 */
#include "fuzz.h"

#include <string.h>

#include "tracker/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    uint8_t *exact = malloc(len + 1); /* so that a byte too many is found */
    keep__text text;

    if (exact == NULL)
        return 0;
    if (len > 0)
        memcpy(exact, bytes, len);
    exact = realloc(exact, len > 0 ? len : 1);
    if (exact != NULL && keep__is_text(exact, len)) {
        text = keep__text_parse(exact, len);
        fuzz_needs(text.watchdog_usec <= UINT64_MAX / 1000);
        fuzz_needs(text.has_beat || !text.has_failed);
        fuzz_needs(!text.is_ready || memmem(exact, len, "READY=1", 7) != NULL);
        fuzz_needs(!text.is_stopping || memmem(exact, len, "STOPPING=1", 10) != NULL);
        fuzz_needs(!text.has_beat || memmem(exact, len, "WATCHDOG=", 9) != NULL);
    }
    free(exact);
    return 0;
}
