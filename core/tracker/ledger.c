/* SPDX-License-Identifier: MIT */
/*
 * Ledger: time, slots, stalls and evictions. Who stalls is appended to a list. As everybody due is taken by deadline, and
 * a new deadline is after ledger time, that list is in the order of deadlines too: its head is the one to evict first.
 */
#include "tracker/ledger.h"

#include <string.h>

#include "base/checked.h"
#include "base/die.h"
#include "base/banned.h"

#define MAX_MISSES 1000

static void add_count(uint64_t *counter, uint64_t more)
{
    *counter = keep__u64_add_capped(*counter, more);
}

bool keep__ledger_allows(const keep_tracker_options *options)
{
    return options->capacity >= 1 && options->capacity <= KEEP_MAX_AGENTS && options->misses >= 1 &&
           options->misses <= MAX_MISSES && options->policy <= KEEP_POLICY_BALANCED && options->statistics <= 1 &&
           options->threshold_ns >= 1;
}

/* The parts of the memory, each a multiple of 16 long but the last: slots, deadlines, intervals, chains. */
static size_t intervals_at(const keep_tracker_options *options)
{
    return options->capacity * (sizeof(keep__slot) + sizeof(keep__deadline));
}

static size_t chains_at(const keep_tracker_options *options)
{
    return intervals_at(options) + (options->statistics != 0 ? options->capacity * sizeof(keep__intervals) : 0);
}

size_t keep__ledger_len(const keep_tracker_options *options)
{
    return chains_at(options) + keep__index_chains(options->capacity) * sizeof(uint32_t);
}

void keep__ledger_init(keep__ledger *ledger, const keep_tracker_options *options, void *memory)
{
    uint8_t *bytes = memory;

    *ledger = (keep__ledger){
        .options = *options,
        .limit_ns = keep__u64_mul_capped(options->threshold_ns, options->misses),
        .slots = memory,
        .deadlines.heap = (void *)(bytes + options->capacity * sizeof(keep__slot)),
        .intervals = options->statistics != 0 ? (void *)(bytes + intervals_at(options)) : NULL,
        .free = KEEP__NOBODY,
        .first_stalled = KEEP__NOBODY,
        .last_stalled = KEEP__NOBODY,
    };
    keep__index_init(&ledger->index, (void *)(bytes + chains_at(options)), options->capacity, options->hash_key);
}

/* By how much ledger time moves when the clock goes forward by `step`. */
static uint64_t step_of_time(const keep__ledger *ledger, uint64_t step)
{
    return ledger->options.max_gap_ns != 0 ? keep__u64_min(step, ledger->options.max_gap_ns) : step;
}

uint64_t keep__ledger_time_at(const keep__ledger *ledger, uint64_t now_ns)
{
    return now_ns > ledger->clock ? ledger->time + step_of_time(ledger, now_ns - ledger->clock) : ledger->time;
}

void keep__ledger_move(keep__ledger *ledger, uint64_t now_ns)
{
    uint64_t step = now_ns - ledger->clock;

    if (!ledger->has_begun) {
        ledger->has_begun = true;
        ledger->clock = now_ns;
        ledger->time = now_ns;
    } else if (now_ns < ledger->clock) {
        add_count(&ledger->counts.clock_regressions, 1);
    } else {
        uint64_t moved = step_of_time(ledger, step);

        if (moved < step) {
            add_count(&ledger->counts.outages, 1);
            add_count(&ledger->counts.outage_ns, step - moved);
        }
        ledger->clock = now_ns;
        ledger->time += moved;
    }
}

uint32_t keep__ledger_find(const keep__ledger *ledger, uint32_t pid)
{
    return keep__index_find(&ledger->index, ledger->slots, pid);
}

/* --- the stalled --- */

static void append_stalled(keep__ledger *ledger, uint32_t at)
{
    keep__slot *slot = &ledger->slots[at];

    slot->marks |= KEEP__SLOT_STALLED;
    slot->before = ledger->last_stalled;
    slot->after = KEEP__NOBODY;
    *(slot->before == KEEP__NOBODY ? &ledger->first_stalled : &ledger->slots[slot->before].after) = at;
    ledger->last_stalled = at;
    ledger->counts.stalled++;
}

void keep__ledger_unstall(keep__ledger *ledger, uint32_t at)
{
    keep__slot *slot = &ledger->slots[at];

    if (!keep__slot_is(slot, KEEP__SLOT_STALLED))
        return;
    slot->marks &= (uint8_t)~KEEP__SLOT_STALLED;
    *(slot->before == KEEP__NOBODY ? &ledger->first_stalled : &ledger->slots[slot->before].after) = slot->after;
    *(slot->after == KEEP__NOBODY ? &ledger->last_stalled : &ledger->slots[slot->after].before) = slot->before;
    ledger->counts.stalled--;
}

uint32_t keep__ledger_due(keep__ledger *ledger)
{
    uint32_t at;

    if (keep__deadlines_idle(&ledger->deadlines, ledger->time))
        return KEEP__NOBODY;
    at = keep__deadlines_first(&ledger->deadlines, ledger->slots);
    if (ledger->deadlines.heap[0].at_ns > ledger->time || ledger->deadlines.heap[0].at_ns == KEEP_TIME_NEVER)
        return KEEP__NOBODY;
    return at;
}

void keep__ledger_stall(keep__ledger *ledger, uint32_t at, keep_alarm *out_alarm)
{
    keep__slot *slot = &ledger->slots[at];
    uint64_t silence = ledger->time - keep__slot_mark(slot);

    keep__deadlines_remove(&ledger->deadlines, ledger->slots, at);
    append_stalled(ledger, at);
    add_count(&ledger->counts.stalls, 1);
    *out_alarm = (keep_alarm){
        .nonce = keep__slot_nonce(slot),
        .last_ns = slot->last_ns,
        .silence_ns = silence,
        .limit_ns = slot->limit_ns,
        .ns_inode = slot->ns_inode,
        .generation = slot->generation,
        .pid = slot->pid,
        .claimed_pid = slot->claimed_pid,
        .payload = slot->payload,
        .misses = (uint32_t)keep__u64_min(silence / slot->threshold_ns, UINT32_MAX),
        .health = slot->health,
        .origin = slot->origin,
    };
}

uint64_t keep__ledger_next(keep__ledger *ledger)
{
    uint32_t at = keep__deadlines_first(&ledger->deadlines, ledger->slots);
    uint64_t deadline = at == KEEP__NOBODY ? KEEP_TIME_NEVER : keep__slot_deadline(&ledger->slots[at]);

    if (deadline == KEEP_TIME_NEVER)
        return KEEP_TIME_NEVER;
    return deadline > ledger->time ? keep__u64_add_capped(ledger->clock, deadline - ledger->time) : ledger->clock;
}

/* --- coming and going --- */

static bool is_evictable(const keep__ledger *ledger, uint32_t at)
{
    uint64_t deadline = at == KEEP__NOBODY ? KEEP_TIME_NEVER : keep__slot_deadline(&ledger->slots[at]);

    return ledger->time > deadline && ledger->time - deadline > keep__u64_mul_capped(9, ledger->limit_ns);
}

static uint32_t find_victim(keep__ledger *ledger)
{
    uint32_t at;

    if (is_evictable(ledger, ledger->first_stalled))
        return ledger->first_stalled;
    if (ledger->options.policy != KEEP_POLICY_BALANCED)
        return KEEP__NOBODY;
    at = keep__deadlines_first(&ledger->deadlines, ledger->slots);
    return is_evictable(ledger, at) ? at : KEEP__NOBODY;
}

static void release_slot(keep__ledger *ledger, uint32_t at)
{
    keep__ledger_unstall(ledger, at);
    keep__deadlines_remove(&ledger->deadlines, ledger->slots, at);
    keep__index_remove(&ledger->index, ledger->slots, at);
    ledger->slots[at].pid = 0;
    ledger->slots[at].next = ledger->free;
    ledger->free = at;
    ledger->counts.agents--;
}

/* A free slot, or KEEP__NOBODY. */
static uint32_t take_free(keep__ledger *ledger)
{
    uint32_t at = ledger->free;

    if (at != KEEP__NOBODY) {
        ledger->free = ledger->slots[at].next;
        return at;
    }
    return ledger->used < ledger->options.capacity ? ledger->used++ : KEEP__NOBODY;
}

uint32_t keep__ledger_insert(keep__ledger *ledger, uint32_t pid, uint32_t *out_evicted_pid)
{
    uint32_t at = take_free(ledger);

    if (at == KEEP__NOBODY) {
        uint32_t victim = find_victim(ledger);

        if (victim == KEEP__NOBODY) {
            add_count(&ledger->counts.capacity_exceeded, 1);
            return KEEP__NOBODY;
        }
        *out_evicted_pid = ledger->slots[victim].pid;
        add_count(&ledger->counts.evictions, 1);
        release_slot(ledger, victim);
        at = take_free(ledger);
    }
    ledger->slots[at] = (keep__slot){
        .pid = pid,
        .claimed_pid = pid,
        .last_ns = ledger->clock,
        .start = ledger->time,
        .heap_at = KEEP__NOBODY,
        .origin = (uint8_t)KEEP_ORIGIN_NONE,
    };
    if (ledger->intervals != NULL)
        memset(&ledger->intervals[at], 0, sizeof ledger->intervals[at]);
    keep__index_add(&ledger->index, ledger->slots, at);
    ledger->counts.agents++;
    return at;
}

void keep__ledger_delete(keep__ledger *ledger, uint32_t at, uint32_t reason)
{
    uint64_t *const counters[] = {
        [KEEP_REASON_GOODBYE] = &ledger->counts.goodbyes,
        [KEEP_REASON_EXITED] = &ledger->counts.exits,
        [KEEP_REASON_RECYCLED] = &ledger->counts.recycles,
        [KEEP_REASON_OPERATOR] = &ledger->counts.deletes,
    };

    release_slot(ledger, at);
    add_count(counters[reason], 1);
}

/* --- settings --- */

bool keep__settings_allowed(const keep_agent_settings *settings)
{
    return settings->misses <= MAX_MISSES && settings->unarmed <= 1;
}

void keep__ledger_set(const keep__ledger *ledger, keep__slot *slot, const keep_agent_settings *settings)
{
    const keep_tracker_options *defaults = &ledger->options;
    uint32_t misses = settings->misses != 0 ? settings->misses : defaults->misses;

    slot->threshold_ns = settings->threshold_ns != 0 ? settings->threshold_ns : defaults->threshold_ns;
    slot->grace_ns = settings->grace_ns != 0 ? settings->grace_ns : defaults->grace_ns;
    slot->limit_ns = keep__u64_mul_capped(slot->threshold_ns, misses);
}

keep_status keep__ledger_put(keep__ledger *ledger, uint32_t pid, const keep_agent_settings *settings,
                             uint32_t *out_evicted_pid)
{
    uint32_t at = keep__ledger_find(ledger, pid);
    keep__slot *slot;

    if (at == KEEP__NOBODY)
        at = keep__ledger_insert(ledger, pid, out_evicted_pid);
    if (at == KEEP__NOBODY)
        return KEEP_ERR_EXHAUSTED;
    slot = &ledger->slots[at];
    keep__ledger_unstall(ledger, at);
    keep__ledger_set(ledger, slot, settings);
    slot->start = ledger->time;
    if (settings->unarmed != 0) {
        slot->marks |= KEEP__SLOT_UNARMED;
        keep__deadlines_remove(&ledger->deadlines, ledger->slots, at);
    } else {
        slot->marks &= (uint8_t)~KEEP__SLOT_UNARMED;
        keep__deadlines_put(&ledger->deadlines, ledger->slots, at);
    }
    return KEEP_OK;
}
