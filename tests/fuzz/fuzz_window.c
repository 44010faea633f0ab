/* SPDX-License-Identifier: MIT */
/*
 * Counters in a replay window, against a set.
 */
#include "fuzz.h"

#include "model/window.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_needs_nothing_wrong(model_window(bytes, len));
    return 0;
}
