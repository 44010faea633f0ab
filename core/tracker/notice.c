/* SPDX-License-Identifier: MIT */
/*
 * Notice: agents that register, say goodbye, or speak as sd_notify does (tracker R39, R40).
 */
#include "tracker/intake.h"

#include "base/checked.h"
#include "base/units.h"
#include "base/banned.h"

/* An agent's own threshold and grace, within what the observer allows; 0 stays the ledger's. */
static keep_agent_settings clamp_settings(const keep_observer_options *options, uint64_t threshold_ns,
                                          uint64_t grace_ns)
{
    keep_agent_settings settings = KEEP_AGENT_SETTINGS_INIT;

    if (threshold_ns != 0)
        settings.threshold_ns =
            keep__u64_min(keep__u64_max(threshold_ns, options->min_threshold_ns), options->max_threshold_ns);
    settings.grace_ns = keep__u64_min(grace_ns, options->max_threshold_ns);
    return settings;
}

/* Puts the mail's agent into the ledger and notes its life. False: the ledger is full. */
static bool put_agent(keep__intake *intake, keep__mail *mail, const keep_agent_settings *settings)
{
    bool is_new = keep__ledger_find(intake->ledger, mail->pid) == KEEP__NOBODY;
    uint32_t evicted_pid = 0;

    if (keep__ledger_put(intake->ledger, mail->pid, settings, &evicted_pid) != KEEP_OK)
        return false;
    keep__intake_note(intake, mail, is_new);
    if (evicted_pid != 0) {
        mail->report.evicted_pid = evicted_pid;
        keep__report_say(&mail->report, KEEP_EVENT_EVICTED);
    }
    return true;
}

static void register_agent(keep__intake *intake, keep__mail *mail, const keep_agent_settings *settings)
{
    if (!put_agent(intake, mail, settings))
        return;
    intake->lives[keep__ledger_find(intake->ledger, mail->pid)].is_leaving = false;
    keep__report_say(&mail->report, KEEP_EVENT_REGISTERED);
}

/* Whether the mail's agent is there and has said goodbye. */
static bool is_leaving(const keep__intake *intake, const keep__mail *mail)
{
    const keep__life *life = keep__intake_life(intake, keep__ledger_find(intake->ledger, mail->pid));

    return life != NULL && life->is_leaving;
}

/* A local agent stays, unarmed, until its process ends: a daemon may take its time to stop. */
static void leave(keep__intake *intake, keep__mail *mail)
{
    static const keep_agent_settings unarmed = { .size = sizeof unarmed, .unarmed = 1 };
    uint32_t at = keep__ledger_find(intake->ledger, mail->pid);
    const keep__life *life = keep__intake_life(intake, at);
    uint32_t nobody;

    if (at == KEEP__NOBODY || is_leaving(intake, mail))
        return;
    keep__report_say(&mail->report, KEEP_EVENT_GOODBYE);
    if (mail->origin != KEEP_ORIGIN_KERNEL || (life != NULL && life->is_unwatched)) {
        keep__intake_forget(intake, at);
        keep__ledger_delete(intake->ledger, at, KEEP_REASON_GOODBYE);
        return;
    }
    (void)keep__ledger_put(intake->ledger, mail->pid, &unarmed, &nobody);
    keep__intake_note(intake, mail, false);
    intake->lives[at].is_leaving = true;
}

static bool is_notice_accepted(const keep__intake *intake, const keep__mail *mail)
{
    uint32_t at = keep__ledger_find(intake->ledger, mail->pid);
    const keep__slot *slot = at == KEEP__NOBODY ? NULL : &intake->ledger->slots[at];

    if (mail->origin != KEEP_ORIGIN_KERNEL && mail->origin != KEEP_ORIGIN_OPERATOR && !mail->is_sealed)
        return false;
    return slot == NULL || !keep__slot_is(slot, KEEP__SLOT_BEATEN) || mail->origin >= slot->origin;
}

void keep__intake_notice(keep__intake *intake, keep__mail *mail)
{
    const keep__notice *notice = &mail->notice;
    keep_agent_settings settings =
        clamp_settings(&intake->options, notice->threshold_ms * KEEP__NS_PER_MS, notice->grace_ms * KEEP__NS_PER_MS);

    keep__intake_end_other_life(intake, mail);
    if (!keep__intake_pay(intake))
        return;
    settings.misses = notice->misses;
    if (!is_notice_accepted(intake, mail))
        keep__intake_count(&intake->counts.notice_refused);
    else if (notice->op == KEEP__NOTICE_REGISTER)
        register_agent(intake, mail, &settings);
    else
        leave(intake, mail);
}

/* READY=1: ends leaving, and makes an entry that cannot stall of somebody who is not known. False: it could not pay. */
static bool take_ready(keep__intake *intake, keep__mail *mail)
{
    static const keep_agent_settings unarmed = { .size = sizeof unarmed, .unarmed = 1 };
    uint32_t at = keep__ledger_find(intake->ledger, mail->pid);
    keep__life *life = keep__intake_life(intake, at);

    if (life != NULL)
        life->is_leaving = false;
    if (at != KEEP__NOBODY)
        return true;
    if (!keep__intake_pay(intake))
        return false;
    (void)put_agent(intake, mail, &unarmed);
    return true;
}

/* WATCHDOG_USEC. False: it could not pay. */
static bool take_watchdog(keep__intake *intake, keep__mail *mail)
{
    keep_agent_settings settings = clamp_settings(&intake->options, mail->text.watchdog_usec * KEEP__NS_PER_US, 0);

    if (is_leaving(intake, mail))
        return true;
    if (!keep__intake_pay(intake))
        return false;
    register_agent(intake, mail, &settings);
    return true;
}

static void pet_watchdog(keep__intake *intake, keep__mail *mail)
{
    keep_sighting sighting = {
        .ns_inode = mail->datagram.ns_inode,
        .generation = mail->datagram.generation,
        .pid = mail->pid,
        .health = mail->text.has_failed ? KEEP_HEALTH_CRITICAL : KEEP_HEALTH_OK,
        .origin = mail->origin,
        .flags = KEEP_SIGHTING_UNNUMBERED,
    };

    keep__intake_beat(intake, mail, &sighting);
}

void keep__intake_text(keep__intake *intake, keep__mail *mail)
{
    const keep__text *text = &mail->text;

    keep__intake_end_other_life(intake, mail);
    if (text->is_ready && !take_ready(intake, mail))
        return;
    if (text->watchdog_usec != 0 && !take_watchdog(intake, mail))
        return;
    if (text->has_beat)
        pet_watchdog(intake, mail);
    if (keep__ledger_find(intake->ledger, mail->pid) == KEEP__NOBODY)
        return;
    if (text->is_ready)
        keep__report_say(&mail->report, KEEP_EVENT_READY);
    if (text->has_failed)
        keep__report_say(&mail->report, KEEP_EVENT_FAILED);
    if (text->is_stopping)
        leave(intake, mail);
}
