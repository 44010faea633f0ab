/* SPDX-License-Identifier: MIT */
/*
 * Agent: what the ledger tells of one of its slots.
 */
#include "tracker/ledger.h"

#include "base/checked.h"
#include "base/banned.h"

uint8_t keep__slot_state(const keep__slot *slot)
{
    uint64_t limit_ends = keep__u64_add_capped(keep__slot_mark(slot), slot->limit_ns);

    if (keep__slot_is(slot, KEEP__SLOT_STALLED))
        return KEEP_AGENT_STALLED;
    if (keep__slot_is(slot, KEEP__SLOT_UNARMED))
        return KEEP_AGENT_UNARMED;
    if (!keep__slot_is(slot, KEEP__SLOT_BEATEN))
        return KEEP_AGENT_REGISTERED;
    if (limit_ends < keep__u64_add_capped(slot->start, slot->grace_ns))
        return KEEP_AGENT_STARTING;
    return KEEP_AGENT_ALIVE;
}

uint32_t keep__ledger_phi(const keep__ledger *ledger, uint32_t at, uint64_t time)
{
    if (ledger->intervals == NULL)
        return 0;
    return keep__suspicion(&ledger->intervals[at], time - keep__slot_mark(&ledger->slots[at]));
}

static void tell_intervals(const keep__intervals *intervals, keep_agent_info *out)
{
    out->intervals = intervals->count;
    out->min_ns = intervals->min_ns;
    out->max_ns = intervals->max_ns;
    out->mean_ns = intervals->mean_ns;
    out->jitter_ns = intervals->jitter_ns;
    out->p50_ns = keep__intervals_quantile(intervals, 50);
    out->p99_ns = keep__intervals_quantile(intervals, 99);
}

void keep__ledger_info(const keep__ledger *ledger, uint32_t at, uint64_t time, keep_agent_info *out)
{
    const keep__slot *slot = &ledger->slots[at];

    *out = (keep_agent_info){
        .nonce = keep__slot_nonce(slot),
        .last_ns = slot->last_ns,
        .silence_ns = time - keep__slot_mark(slot),
        .limit_ns = slot->limit_ns,
        .grace_ns = slot->grace_ns,
        .ns_inode = slot->ns_inode,
        .generation = slot->generation,
        .beats = slot->beats,
        .out_of_order = slot->out_of_order,
        .pid = slot->pid,
        .claimed_pid = slot->claimed_pid,
        .payload = slot->payload,
        .phi_milli = keep__ledger_phi(ledger, at, time),
        .state = keep__slot_state(slot),
        .origin = slot->origin,
        .health = slot->health,
    };
    if (ledger->intervals != NULL)
        tell_intervals(&ledger->intervals[at], out);
}
