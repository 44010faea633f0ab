/* SPDX-License-Identifier: MIT */
/*
 * The target that must crash: it proves that a finding is seen.
 */
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_needs(len < 4 || memcmp(bytes, "keep", 4) != 0);
    return 0;
}
