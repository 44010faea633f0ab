/* SPDX-License-Identifier: MIT */
/*
 * Scripts of calls on secrets and sealed secrets, against their model.
 */
#include "fuzz.h"

#include "model/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_needs_nothing_wrong(model_script(bytes, len));
    return 0;
}
