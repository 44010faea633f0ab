/* SPDX-License-Identifier: MIT */
/*
 * The ledger: who beat when, who is due, who may be evicted. Pure: its memory is the caller's, time is an argument.
 *
 * The tracker is one ledger behind a handle; an observer works on the ledger of its tracker, slot by slot.
 */
#ifndef KEEP_TRACKER_LEDGER_H
#define KEEP_TRACKER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/tracker.h"
#include "tracker/deadlines.h"
#include "tracker/index.h"
#include "tracker/interval.h"
#include "tracker/slot.h"

typedef struct keep__ledger {
    keep_tracker_options options;
    uint64_t limit_ns; /* threshold × misses */
    uint64_t clock, time;
    bool has_begun;         /* there was a `now_ns` */
    keep__slot *slots;      /* `capacity`, of which `used` ever held an agent */
    keep__intervals *intervals; /* one per slot, or NULL: no statistics */
    keep__index index;
    keep__deadlines deadlines;
    uint32_t used, free;                  /* the first free slot below `used` */
    uint32_t first_stalled, last_stalled; /* in the order in which they were told */
    struct keep_tracker_stats counts;
} keep__ledger;

/* Whether the options are in range. */
bool keep__ledger_allows(const keep_tracker_options *options);

/* How much memory a ledger with these options needs. They are in range. */
size_t keep__ledger_len(const keep_tracker_options *options);

/* An empty ledger in `memory`, zeroed and aligned to 16. */
void keep__ledger_init(keep__ledger *ledger, const keep_tracker_options *options, void *memory);

/* Moves the clock, and ledger time by at most max_gap. A time before the clock is counted. */
void keep__ledger_move(keep__ledger *ledger, uint64_t now_ns);

/* Ledger time, if the clock moved to `now_ns`. */
uint64_t keep__ledger_time_at(const keep__ledger *ledger, uint64_t now_ns);

/* The slot of a pid, or KEEP__NOBODY. */
uint32_t keep__ledger_find(const keep__ledger *ledger, uint32_t pid);

/* Whether the ledger takes such a sighting. */
bool keep__sighting_allowed(const keep_sighting *sighting);

/* Judges one checked sighting at the ledger's clock. */
void keep__ledger_record(keep__ledger *ledger, const keep_sighting *sighting, keep_admission *out_admission);

/* Whether settings are in range. */
bool keep__settings_allowed(const keep_agent_settings *settings);

/* Registers an agent with checked settings at the ledger's clock. EXHAUSTED */
keep_status keep__ledger_put(keep__ledger *ledger, uint32_t pid, const keep_agent_settings *settings,
                             uint32_t *out_evicted_pid);

/* A slot of its own for a pid that has none: evicts for it. KEEP__NOBODY: nobody may go, which is counted. */
uint32_t keep__ledger_insert(keep__ledger *ledger, uint32_t pid, uint32_t *out_evicted_pid);

/* Removes the agent in a slot, for a KEEP_REASON_... */
void keep__ledger_delete(keep__ledger *ledger, uint32_t at, uint32_t reason);

/* Who is due first; KEEP__NOBODY: nobody is. */
uint32_t keep__ledger_due(keep__ledger *ledger);

/* Makes one who is due stalled. `stalled` and `agents` of the alarm are the caller's, when all are told. */
void keep__ledger_stall(keep__ledger *ledger, uint32_t at, keep_alarm *out_alarm);

/* The clock at which somebody is due next, or KEEP_TIME_NEVER. */
uint64_t keep__ledger_next(keep__ledger *ledger);

/* One who had stalled has not any more. */
void keep__ledger_unstall(keep__ledger *ledger, uint32_t at);

/* Sets a slot's settings; 0 is the ledger's. */
void keep__ledger_set(const keep__ledger *ledger, keep__slot *slot, const keep_agent_settings *settings);

/* Tells of a slot at ledger time `time`. The size is not set. */
void keep__ledger_info(const keep__ledger *ledger, uint32_t at, uint64_t time, keep_agent_info *out);

/* Suspicion of a slot at ledger time `time`. */
uint32_t keep__ledger_phi(const keep__ledger *ledger, uint32_t at, uint64_t time);

/* What KEEP_AGENT_... a slot is. */
uint8_t keep__slot_state(const keep__slot *slot);

#endif
