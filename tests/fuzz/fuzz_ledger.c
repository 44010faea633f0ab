/* SPDX-License-Identifier: MIT */
/*
 * Operations on a ledger, against its oracle.
 */
#include "fuzz.h"

#include "model/ledger.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_needs_nothing_wrong(model_ledger(bytes, len));
    return 0;
}
