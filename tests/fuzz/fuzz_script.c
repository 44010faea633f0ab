/* SPDX-License-Identifier: MIT */
/*
 * Scripts of calls on secrets and sealed secrets, against their model.
 */
#include "faults.h"
#include "fuzz.h"

#include "model/script.h"

/* The model knows of no faults: after the first one it only sees that all is given back. */
static void run_script(const uint8_t *bytes, size_t len)
{
    const char *wrong = model_script(bytes, len);

    fuzz_needs_nothing_wrong(has_fault() ? NULL : wrong);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_with_faults(run_script, bytes, len);
    return 0;
}
