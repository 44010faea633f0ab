/* SPDX-License-Identifier: MIT */
/*
 * Tracker: the handle around a ledger. One block of memory holds both, made once.
 */
#include "tracker/tracker.h"

#include <string.h>

#include "base/crypto.h"
#include "base/heap.h"
#include "base/options.h"
#include "base/random.h"
#include "base/trace.h"
#include "memory/guard.h"
#include "base/banned.h"

keep_status keep__tracker_check(const keep_tracker *tracker)
{
    return tracker == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__guard_check(tracker->stamp);
}

void keep__tracker_retain(keep_tracker *tracker)
{
    (void)atomic_fetch_add_explicit(&tracker->holders, 1, memory_order_relaxed);
}

static keep_status read_tracker_options(const keep_tracker_options *given, keep_tracker_options *out)
{
    static const keep_tracker_options defaults = KEEP_TRACKER_OPTIONS_INIT;
    keep_status st;

    *out = defaults;
    st = keep__options_read(given, sizeof *out, sizeof *out, out);
    if (st != KEEP_OK)
        return st;
    if (!keep__ledger_allows(out))
        return KEEP_ERR_INVALID_ARGUMENT;
    return keep__zeros(out->hash_key, sizeof out->hash_key) ? keep__random(out->hash_key, sizeof out->hash_key)
                                                            : KEEP_OK;
}

/* The ledger's memory follows the struct, aligned to 16. */
static size_t head_len(void)
{
    return (sizeof(keep_tracker) + 15) & ~(size_t)15;
}

keep_status keep_tracker_new(const keep_tracker_options *options, keep_tracker **out_tracker)
{
    keep_tracker_options read;
    keep_tracker *tracker;
    keep_status st = out_tracker == NULL ? KEEP_ERR_INVALID_ARGUMENT : read_tracker_options(options, &read);
    size_t len;

    if (st == KEEP_OK)
        st = keep__guard_enter();
    if (st != KEEP_OK)
        return st;
    len = head_len() + keep__ledger_len(&read);
    tracker = keep__heap_new(len);
    if (tracker == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    tracker->stamp = keep__guard_stamp();
    tracker->len = len;
    atomic_init(&tracker->holders, 1);
    keep__ledger_init(&tracker->ledger, &read, (uint8_t *)tracker + head_len());
    *out_tracker = tracker;
    return KEEP_OK;
}

void keep_tracker_free(keep_tracker **tracker)
{
    if (tracker == NULL || *tracker == NULL)
        return;
    if (atomic_fetch_sub_explicit(&(*tracker)->holders, 1, memory_order_acq_rel) == 1)
        keep__heap_free(*tracker, (*tracker)->len);
    *tracker = NULL;
}

static bool allows_all(const keep_sighting *sightings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!keep__sighting_allowed(&sightings[i]))
            return false;
    }
    return true;
}

keep_status keep_tracker_record(keep_tracker *tracker, const keep_sighting *sightings, size_t count, uint64_t now_ns,
                                keep_admission *out_admissions)
{
    keep_status st = keep__tracker_check(tracker);

    if (st != KEEP_OK)
        return st;
    if (sightings == NULL || out_admissions == NULL || count < 1 || count > KEEP_MAX_BATCH)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (!allows_all(sightings, count))
        return KEEP_ERR_INVALID_ARGUMENT;
    keep__ledger_move(&tracker->ledger, now_ns);
    for (size_t i = 0; i < count; i++)
        keep__ledger_record(&tracker->ledger, &sightings[i], &out_admissions[i]);
    return KEEP_OK;
}

keep_status keep_tracker_drain(keep_tracker *tracker, uint64_t now_ns, keep_alarm *out_alarms, size_t cap,
                               size_t *out_count)
{
    keep_status st = keep__tracker_check(tracker);
    size_t count = 0;
    uint32_t at;

    if (st != KEEP_OK)
        return st;
    if (out_count == NULL || (out_alarms == NULL && cap != 0))
        return KEEP_ERR_INVALID_ARGUMENT;
    keep__ledger_move(&tracker->ledger, now_ns);
    while (count < cap && (at = keep__ledger_due(&tracker->ledger)) != KEEP__NOBODY)
        keep__ledger_stall(&tracker->ledger, at, &out_alarms[count++]);
    for (size_t i = 0; i < count; i++) {
        out_alarms[i].stalled = (uint32_t)tracker->ledger.counts.stalled;
        out_alarms[i].agents = (uint32_t)tracker->ledger.counts.agents;
    }
    *out_count = count;
    return KEEP_OK;
}

keep_status keep_tracker_next_deadline(keep_tracker *tracker, uint64_t *out_ns)
{
    keep_status st = keep__tracker_check(tracker);

    if (st != KEEP_OK)
        return st;
    if (out_ns == NULL)
        return KEEP_ERR_INVALID_ARGUMENT;
    *out_ns = keep__ledger_next(&tracker->ledger);
    return KEEP_OK;
}

static keep_status read_settings(const keep_agent_settings *given, keep_agent_settings *out)
{
    keep_status st;

    *out = (keep_agent_settings)KEEP_AGENT_SETTINGS_INIT;
    st = keep__options_read(given, sizeof *out, sizeof *out, out);
    if (st == KEEP_OK && !keep__settings_allowed(out))
        st = KEEP_ERR_INVALID_ARGUMENT;
    return st;
}

keep_status keep_tracker_put(keep_tracker *tracker, uint32_t pid, const keep_agent_settings *settings, uint64_t now_ns,
                             uint32_t *out_evicted_pid)
{
    keep_agent_settings read;
    uint32_t evicted = 0;
    keep_status st = keep__tracker_check(tracker);

    if (st != KEEP_OK)
        return st;
    st = pid == 0 ? KEEP_ERR_INVALID_ARGUMENT : read_settings(settings, &read);
    if (st != KEEP_OK)
        return st;
    keep__ledger_move(&tracker->ledger, now_ns);
    st = keep__ledger_put(&tracker->ledger, pid, &read, &evicted);
    if (st == KEEP_OK && out_evicted_pid != NULL)
        *out_evicted_pid = evicted;
    return st;
}

keep_status keep_tracker_delete(keep_tracker *tracker, uint32_t pid, uint32_t reason, uint64_t now_ns)
{
    keep_status st = keep__tracker_check(tracker);
    uint32_t at;

    if (st != KEEP_OK)
        return st;
    if (reason < KEEP_REASON_GOODBYE || reason > KEEP_REASON_OPERATOR)
        return KEEP_ERR_INVALID_ARGUMENT;
    keep__ledger_move(&tracker->ledger, now_ns);
    at = keep__ledger_find(&tracker->ledger, pid);
    if (at == KEEP__NOBODY)
        return KEEP_ERR_NOT_FOUND;
    keep__ledger_delete(&tracker->ledger, at, reason);
    return KEEP_OK;
}

keep_status keep_tracker_get(const keep_tracker *tracker, uint32_t pid, uint64_t now_ns, keep_agent_info *out_info)
{
    keep_agent_info info;
    keep_status st = keep__tracker_check(tracker);
    uint32_t at;

    if (st == KEEP_OK)
        st = keep__report_check(out_info, sizeof info);
    if (st != KEEP_OK)
        return st;
    at = keep__ledger_find(&tracker->ledger, pid);
    if (at == KEEP__NOBODY)
        return KEEP_ERR_NOT_FOUND;
    keep__ledger_info(&tracker->ledger, at, keep__ledger_time_at(&tracker->ledger, now_ns), &info);
    keep__report_fill(out_info, &info, sizeof info);
    return KEEP_OK;
}

keep_status keep_tracker_list(const keep_tracker *tracker, uint64_t *cursor, keep_agent_info *out_infos, size_t cap,
                              size_t *out_count)
{
    keep_agent_info info;
    keep_status st = keep__tracker_check(tracker);
    size_t stride;
    size_t count = 0;
    uint64_t at;

    if (st != KEEP_OK)
        return st;
    if (cursor == NULL || out_count == NULL || cap == 0)
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__report_check(out_infos, sizeof info);
    if (st != KEEP_OK)
        return st;
    stride = out_infos->size;
    for (at = *cursor; at < tracker->ledger.used && count < cap; at++) {
        uint8_t *out = (uint8_t *)out_infos + stride * count;

        if (tracker->ledger.slots[at].pid == 0)
            continue;
        keep__ledger_info(&tracker->ledger, (uint32_t)at, tracker->ledger.time, &info);
        memcpy(out, &stride, sizeof stride);
        keep__report_fill(out, &info, sizeof info);
        count++;
    }
    *cursor = at;
    *out_count = count;
    return KEEP_OK;
}

keep_status keep_tracker_stats(const keep_tracker *tracker, struct keep_tracker_stats *out_stats)
{
    keep_status st = keep__tracker_check(tracker);

    if (st == KEEP_OK)
        st = keep__report_check(out_stats, sizeof *out_stats);
    if (st != KEEP_OK)
        return st;
    keep__report_fill(out_stats, &tracker->ledger.counts, sizeof *out_stats);
    return KEEP_OK;
}
