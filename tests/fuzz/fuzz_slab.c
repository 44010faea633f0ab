/* SPDX-License-Identifier: MIT */
/*
 * Operations on a slab, against its model.
 */
#include "fuzz.h"

#include "model/slab.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_needs_nothing_wrong(model_slab(bytes, len));
    return 0;
}
