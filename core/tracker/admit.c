/* SPDX-License-Identifier: MIT */
/*
 * Admit: what a sighting does to the ledger. The order of the questions is the table of tracker R11: whoever answers
 * first decides.
 */
#include "tracker/ledger.h"

#include <string.h>

#include "base/checked.h"
#include "base/banned.h"

#define WRAP_WINDOW (UINT64_C(1) << 20)

/* What becomes of a known pid's sighting. */
enum effect {
    BEGINS,   /* its first beat: the registration stays */
    RECYCLES, /* another process: all begins anew */
    UPGRADES, /* somebody of higher rank vouches for it */
    ACCEPTED,
    ACCEPTED_WRAPPED,
    OUT_OF_ORDER,
    ORIGIN_CONFLICT,
    NAMESPACE_CONFLICT
};

static bool sighting_is_terminal(const keep_sighting *sighting)
{
    return keep__is_terminal(sighting->nonce, sighting->health);
}

static bool is_numbered(const keep_sighting *sighting)
{
    return (sighting->flags & KEEP_SIGHTING_UNNUMBERED) == 0;
}

static bool is_regular(const keep_sighting *sighting)
{
    return !is_numbered(sighting) || !sighting_is_terminal(sighting);
}

bool keep__sighting_allowed(const keep_sighting *sighting)
{
    if (sighting->pid == 0 || sighting->health > KEEP_HEALTH_CRITICAL || sighting->origin > KEEP_ORIGIN_KERNEL)
        return false;
    if ((sighting->flags & ~KEEP_SIGHTING_UNNUMBERED) != 0)
        return false;
    if (!is_numbered(sighting))
        return sighting->origin == KEEP_ORIGIN_KERNEL;
    return sighting->nonce != KEEP__NONCE_TERMINAL || sighting->health == KEEP_HEALTH_CRITICAL;
}

static bool both_known_and_different(uint64_t one, uint64_t other)
{
    return one != 0 && other != 0 && one != other;
}

/* Whether the nonce does not go on from the slot's. */
static bool goes_back(const keep__slot *slot, const keep_sighting *sighting)
{
    return is_numbered(sighting) && is_regular(sighting) && keep__slot_is(slot, KEEP__SLOT_NONCE) &&
           sighting->nonce <= slot->nonce;
}

/* Without generations only a stream that begins again after a silence tells of another process. */
static bool begins_again(const keep__ledger *ledger, const keep__slot *slot, const keep_sighting *sighting)
{
    bool is_remote = sighting->origin == KEEP_ORIGIN_NETWORK || sighting->origin == KEEP_ORIGIN_OPERATOR;

    return slot->generation == 0 && sighting->generation == 0 && is_remote && slot->origin == sighting->origin &&
           goes_back(slot, sighting) && ledger->time - keep__slot_mark(slot) >= slot->limit_ns;
}

static enum effect judge_order(const keep__slot *slot, const keep_sighting *sighting)
{
    if (!is_regular(sighting)) {
        bool is_old = keep__slot_is(slot, KEEP__SLOT_TERMINAL) && sighting->timestamp_ns <= slot->terminal_ns;

        return is_old ? OUT_OF_ORDER : ACCEPTED;
    }
    if (!goes_back(slot, sighting))
        return ACCEPTED;
    if (slot->nonce >= UINT64_MAX - WRAP_WINDOW && sighting->nonce <= WRAP_WINDOW)
        return ACCEPTED_WRAPPED;
    return OUT_OF_ORDER;
}

static enum effect judge_sighting(const keep__ledger *ledger, const keep__slot *slot, const keep_sighting *sighting)
{
    if (!keep__slot_is(slot, KEEP__SLOT_BEATEN))
        return BEGINS;
    if (both_known_and_different(slot->generation, sighting->generation) || begins_again(ledger, slot, sighting))
        return RECYCLES;
    if (sighting->origin > slot->origin)
        return UPGRADES;
    if (sighting->origin < slot->origin)
        return ORIGIN_CONFLICT;
    if (both_known_and_different(slot->ns_inode, sighting->ns_inode))
        return NAMESPACE_CONFLICT;
    if (slot->ns_inode != 0 && sighting->ns_inode == 0 && is_regular(sighting))
        return NAMESPACE_CONFLICT;
    return judge_order(slot, sighting);
}

static uint32_t refuse(keep__ledger *ledger, keep__slot *slot, enum effect effect)
{
    static const uint32_t verdicts[] = {
        [OUT_OF_ORDER] = KEEP_VERDICT_OUT_OF_ORDER,
        [ORIGIN_CONFLICT] = KEEP_VERDICT_ORIGIN_CONFLICT,
        [NAMESPACE_CONFLICT] = KEEP_VERDICT_NAMESPACE_CONFLICT,
    };
    struct keep_tracker_stats *counts = &ledger->counts;
    uint64_t *counter = effect == ORIGIN_CONFLICT ? &counts->origin_conflicts : &counts->namespace_conflicts;

    if (effect == OUT_OF_ORDER) {
        counter = &counts->out_of_order;
        slot->out_of_order = keep__u64_add_capped(slot->out_of_order, 1);
    }
    *counter = keep__u64_add_capped(*counter, 1);
    return verdicts[effect];
}

/* Nothing is known of the agent's beats. */
static void forget_stream(keep__ledger *ledger, uint32_t at)
{
    keep__slot *slot = &ledger->slots[at];

    slot->marks &= (uint8_t) ~(KEEP__SLOT_BEATEN | KEEP__SLOT_NONCE | KEEP__SLOT_TERMINAL | KEEP__SLOT_LAST_WORD);
    slot->beats = 0;
    slot->out_of_order = 0;
    if (ledger->intervals != NULL)
        memset(&ledger->intervals[at], 0, sizeof ledger->intervals[at]);
}

static void take_identity(keep__slot *slot, const keep_sighting *sighting)
{
    slot->origin = sighting->origin;
    slot->ns_inode = sighting->ns_inode;
    slot->generation = sighting->generation;
}

static void recycle(keep__ledger *ledger, uint32_t at)
{
    static const keep_agent_settings defaults;
    keep__slot *slot = &ledger->slots[at];

    keep__ledger_unstall(ledger, at);
    forget_stream(ledger, at);
    keep__ledger_set(ledger, slot, &defaults);
    slot->start = ledger->time;
    ledger->counts.recycles = keep__u64_add_capped(ledger->counts.recycles, 1);
}

/* The time since the beat before, if it says something about the rhythm of the agent. */
static void sample_interval(keep__ledger *ledger, uint32_t at, const keep_sighting *sighting)
{
    const keep__slot *slot = &ledger->slots[at];

    if (ledger->intervals == NULL || !is_regular(sighting) || slot->beat_at < slot->start ||
        keep__slot_is(slot, KEEP__SLOT_STALLED | KEEP__SLOT_LAST_WORD))
        return;
    keep__intervals_add(&ledger->intervals[at], ledger->time - slot->beat_at);
}

static void take_stream(keep__slot *slot, const keep_sighting *sighting)
{
    slot->marks |= KEEP__SLOT_BEATEN;
    slot->marks &= (uint8_t)~KEEP__SLOT_LAST_WORD;
    if (!is_regular(sighting)) {
        slot->marks |= KEEP__SLOT_TERMINAL | KEEP__SLOT_LAST_WORD;
        slot->terminal_ns = sighting->timestamp_ns;
    } else if (is_numbered(sighting)) {
        slot->marks |= KEEP__SLOT_NONCE;
        slot->nonce = sighting->nonce;
    }
}

/* Any accepted beat; gives KEEP_ADMISSION_... */
static uint32_t take_beat(keep__ledger *ledger, uint32_t at, const keep_sighting *sighting)
{
    keep__slot *slot = &ledger->slots[at];
    uint32_t flags = is_regular(sighting) ? 0 : KEEP_ADMISSION_TERMINAL;

    take_stream(slot, sighting);
    slot->health = sighting->health;
    slot->payload = sighting->payload;
    slot->claimed_pid = sighting->claimed_pid != 0 ? sighting->claimed_pid : sighting->pid;
    slot->beat_at = ledger->time;
    slot->last_ns = ledger->clock;
    slot->beats = keep__u64_add_capped(slot->beats, 1);
    slot->marks &= (uint8_t)~KEEP__SLOT_UNARMED;
    ledger->counts.beats = keep__u64_add_capped(ledger->counts.beats, 1);
    if (keep__slot_is(slot, KEEP__SLOT_STALLED)) {
        keep__ledger_unstall(ledger, at);
        ledger->counts.recoveries = keep__u64_add_capped(ledger->counts.recoveries, 1);
        flags |= KEEP_ADMISSION_RECOVERED;
    }
    return flags;
}

/* What an effect does before the beat itself is taken; gives KEEP_ADMISSION_... */
static uint32_t prepare_slot(keep__ledger *ledger, uint32_t at, const keep_sighting *sighting, enum effect effect)
{
    keep__slot *slot = &ledger->slots[at];

    switch (effect) {
    case BEGINS:
        take_identity(slot, sighting);
        return 0;
    case RECYCLES:
        recycle(ledger, at);
        take_identity(slot, sighting);
        return KEEP_ADMISSION_RECYCLED;
    case UPGRADES:
        forget_stream(ledger, at);
        take_identity(slot, sighting);
        return KEEP_ADMISSION_UPGRADED;
    default:
        sample_interval(ledger, at, sighting);
        slot->ns_inode = slot->ns_inode != 0 ? slot->ns_inode : sighting->ns_inode;
        slot->generation = slot->generation != 0 ? slot->generation : sighting->generation;
        if (effect != ACCEPTED_WRAPPED)
            return 0;
        ledger->counts.nonce_wraps = keep__u64_add_capped(ledger->counts.nonce_wraps, 1);
        return KEEP_ADMISSION_WRAPPED;
    }
}

static void admit_known(keep__ledger *ledger, uint32_t at, const keep_sighting *sighting, keep_admission *out)
{
    enum effect effect = judge_sighting(ledger, &ledger->slots[at], sighting);

    if (effect >= OUT_OF_ORDER) {
        out->verdict = refuse(ledger, &ledger->slots[at], effect);
        return;
    }
    out->verdict = effect == BEGINS || effect == RECYCLES ? KEEP_VERDICT_INSERTED : KEEP_VERDICT_REFRESHED;
    out->flags |= prepare_slot(ledger, at, sighting, effect);
    out->flags |= take_beat(ledger, at, sighting);
    /* A beat moves a deadline back, which the heap need not know; arming and a recycled slot's limits can move it forward. */
    if (ledger->slots[at].heap_at == KEEP__NOBODY || effect == RECYCLES)
        keep__deadlines_put(&ledger->deadlines, ledger->slots, at);
}

static void admit_new(keep__ledger *ledger, const keep_sighting *sighting, keep_admission *out)
{
    static const keep_agent_settings defaults;
    uint32_t at = keep__ledger_insert(ledger, sighting->pid, &out->evicted_pid);

    if (at == KEEP__NOBODY) {
        out->verdict = KEEP_VERDICT_CAPACITY_EXCEEDED;
        return;
    }
    out->verdict = KEEP_VERDICT_INSERTED;
    out->flags = out->evicted_pid != 0 ? KEEP_ADMISSION_EVICTED : 0;
    keep__ledger_set(ledger, &ledger->slots[at], &defaults);
    take_identity(&ledger->slots[at], sighting);
    out->flags |= take_beat(ledger, at, sighting);
    keep__deadlines_put(&ledger->deadlines, ledger->slots, at);
}

void keep__ledger_record(keep__ledger *ledger, const keep_sighting *sighting, keep_admission *out_admission)
{
    uint32_t at = keep__ledger_find(ledger, sighting->pid);

    *out_admission = (keep_admission){ 0 };
    if (at == KEEP__NOBODY)
        admit_new(ledger, sighting, out_admission);
    else
        admit_known(ledger, at, sighting, out_admission);
}
