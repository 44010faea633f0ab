/* SPDX-License-Identifier: MIT */
/*
 * A tracker: a ledger, who holds it, and in which process. An observer holds one besides its maker.
 */
#ifndef KEEP_TRACKER_TRACKER_H
#define KEEP_TRACKER_TRACKER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "tracker/ledger.h"

struct keep_tracker {
    uint32_t stamp; /* of the process; see memory/guard.h */
    _Atomic uint32_t holders;
    size_t len; /* of this block, the ledger's memory included */
    keep__ledger ledger;
};

/* INVALID_ARGUMENT FORKED */
keep_status keep__tracker_check(const keep_tracker *tracker);

/* One more holder; keep_tracker_free gives it back. */
void keep__tracker_retain(keep_tracker *tracker);

#endif
