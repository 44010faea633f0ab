/* SPDX-License-Identifier: MIT */
/*
 * Sealer. Counters 0 to 2^32 - 2 under each index, indices 0 to 2^32 - 1 under each salt.
 */
#include "tracker/sealer.h"

#include "base/random.h"
#include "base/banned.h"

keep_status keep__sealer_begin(keep__sealer *sealer)
{
    keep__sealer begun = { .index = 0 };
    keep_status st = keep__random(begun.salt, sizeof begun.salt);

    if (st != KEEP_OK)
        return st;
    keep__sealed_prefix(begun.salt, 0, begun.prefix);
    *sealer = begun;
    return KEEP_OK;
}

void keep__sealer_advance(keep__sealer *sealer)
{
    if (++sealer->counter != UINT32_MAX)
        return;
    sealer->counter = 0;
    sealer->is_spent = sealer->index == UINT32_MAX;
    if (!sealer->is_spent)
        keep__sealed_prefix(sealer->salt, ++sealer->index, sealer->prefix);
}
