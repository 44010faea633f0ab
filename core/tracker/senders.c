/* SPDX-License-Identifier: MIT */
/*
 * Senders. Invariant: the first `count` are sorted by pid. Looking one up is a binary search; making room for a new one
 * costs a walk over all, which only a new pid with the right key can cause.
 */
#include "tracker/senders.h"

#include <string.h>

#include "base/checked.h"
#include "base/banned.h"

/* The place of a pid, or where it would be. */
static uint32_t place_of_sender(const keep__senders *senders, uint32_t pid)
{
    uint32_t from = 0;
    uint32_t to = senders->count;

    while (from < to) {
        uint32_t middle = (from + to) / 2;

        if (senders->sender[middle].pid < pid)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static void remove_sender(keep__senders *senders, uint32_t at)
{
    senders->count--;
    memmove(&senders->sender[at], &senders->sender[at + 1], (senders->count - at) * sizeof *senders->sender);
}

/* The one that is silent longest; the walk is by pid, so the least pid of equals. */
static void evict_sender(keep__senders *senders)
{
    uint32_t oldest = 0;

    for (uint32_t i = 1; i < senders->count; i++) {
        if (senders->sender[i].last_ns < senders->sender[oldest].last_ns)
            oldest = i;
    }
    remove_sender(senders, oldest);
    senders->evicted = keep__u64_add_capped(senders->evicted, 1);
}

static keep__sender *add_sender(keep__senders *senders, uint32_t pid)
{
    uint32_t at;

    if (senders->count == KEEP_MAX_SEALED_SENDERS)
        evict_sender(senders);
    at = place_of_sender(senders, pid);
    memmove(&senders->sender[at + 1], &senders->sender[at], (senders->count - at) * sizeof *senders->sender);
    senders->count++;
    senders->sender[at] = (keep__sender){ .pid = pid };
    return &senders->sender[at];
}

static bool is_new_to(const keep__sender *sender, const keep__heard *heard)
{
    if (heard->is_terminal)
        return !sender->has_terminal || heard->timestamp_ns > sender->terminal_ns;
    return !sender->has_nonce || heard->nonce > sender->nonce;
}

static void mark_sender(keep__sender *sender, const keep__heard *heard, uint64_t now_ns)
{
    sender->last_ns = now_ns;
    if (heard->is_terminal) {
        sender->has_terminal = true;
        sender->terminal_ns = heard->timestamp_ns;
    } else {
        sender->has_nonce = true;
        sender->nonce = heard->nonce;
    }
}

bool keep__senders_accept(keep__senders *senders, const keep__heard *heard, uint64_t now_ns, uint64_t session_gap_ns)
{
    uint32_t at = place_of_sender(senders, heard->pid);
    bool is_known = at < senders->count && senders->sender[at].pid == heard->pid;
    keep__sender *sender = is_known ? &senders->sender[at] : add_sender(senders, heard->pid);

    if (session_gap_ns != 0 && !heard->is_terminal && !heard->is_notice && now_ns - sender->last_ns >= session_gap_ns)
        *sender = (keep__sender){ .pid = heard->pid };
    if (!is_new_to(sender, heard))
        return false;
    mark_sender(sender, heard, now_ns);
    return true;
}
