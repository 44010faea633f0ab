/* SPDX-License-Identifier: MIT */
/*
 * Judge: rows i to o, who a datagram is from, whether that is limited, and what the ledger says. What a slot's process is
 * known by is noted in its life; a life whose pid or generation is not the slot's is of somebody who went.
 */
#include "tracker/intake.h"

#include "base/checked.h"
#include "base/die.h"
#include "base/units.h"
#include "base/banned.h"

static bool known_and_different(uint64_t one, uint64_t other)
{
    return one != 0 && other != 0 && one != other;
}

keep__life *keep__intake_life(const keep__intake *intake, uint32_t at)
{
    const keep__slot *slot = at == KEEP__NOBODY ? NULL : &intake->ledger->slots[at];
    keep__life *life = slot == NULL ? NULL : &intake->lives[at];

    if (life == NULL || life->pid == 0 || life->pid != slot->pid)
        return NULL;
    return known_and_different(life->generation, slot->generation) ? NULL : life;
}

uint64_t keep__intake_generation(const keep__intake *intake, uint32_t at)
{
    const keep__life *life = keep__intake_life(intake, at);
    uint64_t generation = at == KEEP__NOBODY ? 0 : intake->ledger->slots[at].generation;

    return generation != 0 || life == NULL ? generation : life->generation;
}

void keep__intake_forget(keep__intake *intake, uint32_t at)
{
    keep__life *life = &intake->lives[at];

    if (life->pid != 0 && life->pidfd != KEEP__NO_PIDFD) {
        keep__assert(intake->released_count < KEEP__RELEASED_CAP);
        intake->released[intake->released_count++] = life->pidfd;
    }
    *life = (keep__life){ .pidfd = KEEP__NO_PIDFD };
}

void keep__intake_note(keep__intake *intake, const keep__mail *mail, bool is_new)
{
    uint32_t at = keep__ledger_find(intake->ledger, mail->pid);
    keep__life *life = &intake->lives[at];
    uint64_t generation = mail->datagram.generation;
    bool is_noted = !is_new && life->pid == mail->pid && (generation == 0 || generation == life->generation);

    if (is_noted && mail->found.pid == 0)
        return;
    keep__intake_forget(intake, at);
    if (mail->found.pid != 0)
        *life = mail->found;
    life->pid = mail->pid;
    life->uid = mail->datagram.uid;
    life->generation = generation;
    life->ns_inode = mail->datagram.ns_inode;
}

/* Removes an agent and what was noted of it. */
static void delete_agent(keep__intake *intake, uint32_t at, uint32_t reason)
{
    keep__intake_forget(intake, at);
    keep__ledger_delete(intake->ledger, at, reason);
}

void keep__intake_end_other_life(keep__intake *intake, keep__mail *mail)
{
    uint32_t at = keep__ledger_find(intake->ledger, mail->pid);

    if (!known_and_different(keep__intake_generation(intake, at), mail->datagram.generation))
        return;
    delete_agent(intake, at, KEEP_REASON_RECYCLED);
    keep__report_say(&mail->report, KEEP_EVENT_RECYCLED);
}

/* Row i: what a local datagram does not say about its sender follows from what is known of that pid. */
static void complete_identity(const keep__intake *intake, keep__mail *mail)
{
    keep_datagram *datagram = &mail->datagram;
    uint32_t at = keep__ledger_find(intake->ledger, mail->pid);
    const keep__slot *slot = at == KEEP__NOBODY ? NULL : &intake->ledger->slots[at];
    bool has_kernel_slot = slot != NULL && slot->origin == KEEP_ORIGIN_KERNEL;

    if (datagram->source != KEEP_SOURCE_UNIX) {
        datagram->generation = 0;
        datagram->ns_inode = 0;
        return;
    }
    mail->origin = KEEP_ORIGIN_KERNEL;
    if (datagram->generation == 0 && has_kernel_slot) {
        datagram->generation = slot->generation;
        datagram->ns_inode = slot->ns_inode;
    } else if (datagram->generation == 0) {
        mail->origin = KEEP_ORIGIN_SOCKET_MODE;
        datagram->ns_inode = 0;
    } else if (datagram->ns_inode == 0 && has_kernel_slot && slot->generation == datagram->generation) {
        datagram->ns_inode = slot->ns_inode;
    }
}

/* Row j. */
static bool is_foreign(const keep__intake *intake, const keep__mail *mail)
{
    return intake->options.own_namespace_only != 0 &&
           known_and_different(mail->datagram.ns_inode, intake->options.own_ns_inode);
}

static bool mail_is_terminal(const keep__mail *mail)
{
    return mail->form == KEEP__FORM_BEAT && keep__is_terminal(mail->beat.nonce, mail->beat.health);
}

/* Row k: the last word of somebody who was not known is told all the same. */
static void tell_posthumous(keep__intake *intake, keep__mail *mail)
{
    keep__intake_count(&intake->counts.posthumous);
    if (!mail_is_terminal(mail))
        return;
    mail->report.event.detail = 1;
    keep__report_say(&mail->report, KEEP_EVENT_CRASH);
}

/* Row l: who said goodbye is not heard, unless it is another life. */
static bool is_after_goodbye(const keep__intake *intake, uint32_t at, const keep_sighting *sighting)
{
    const keep__life *life = keep__intake_life(intake, at);

    return life != NULL && life->is_leaving &&
           !known_and_different(keep__intake_generation(intake, at), sighting->generation);
}

static bool sighting_crashes(const keep_sighting *sighting)
{
    return (sighting->flags & KEEP_SIGHTING_UNNUMBERED) == 0 && keep__is_terminal(sighting->nonce, sighting->health);
}

/* A crash's last word passes the limits once. */
static bool is_last_word(const keep__slot *slot, const keep_sighting *sighting)
{
    return keep__slot_is(slot, KEEP__SLOT_BEATEN) && sighting_crashes(sighting) &&
           keep__slot_nonce(slot) != KEEP__NONCE_TERMINAL;
}

/* Row m. */
static bool is_within_rate(const keep__intake *intake, const keep__slot *slot, const keep_sighting *sighting)
{
    uint32_t rate = intake->options.per_pid_rate;

    return !keep__slot_is(slot, KEEP__SLOT_BEATEN) || rate == 0 ||
           intake->ledger->time - slot->beat_at >= KEEP__NS_PER_S / rate || sighting->origin > slot->origin ||
           is_last_word(slot, sighting);
}

/* Row n: what the kernel attests of a tracked agent is limited by row m alone. */
static bool is_exempt(const keep__intake *intake, const keep__slot *slot, const keep_sighting *sighting)
{
    return slot != NULL && sighting->origin == KEEP_ORIGIN_KERNEL &&
           (intake->options.per_pid_rate > 0 || is_last_word(slot, sighting));
}

static bool passes_limits(keep__intake *intake, uint32_t at, const keep_sighting *sighting)
{
    const keep__slot *slot = at == KEEP__NOBODY ? NULL : &intake->ledger->slots[at];

    if (is_after_goodbye(intake, at, sighting)) {
        keep__intake_count(&intake->counts.after_goodbye);
        return false;
    }
    if (slot != NULL && !is_within_rate(intake, slot, sighting)) {
        keep__intake_count(&intake->counts.limited_pid);
        return false;
    }
    return is_exempt(intake, slot, sighting) || keep__intake_pay(intake);
}

/* Row o: the events of an accepted beat, in their order. */
static void tell_admission(const keep__intake *intake, keep__mail *mail, const keep_admission *admission)
{
    if ((admission->flags & KEEP_ADMISSION_RECYCLED) != 0)
        keep__report_say(&mail->report, KEEP_EVENT_RECYCLED);
    if ((admission->flags & KEEP_ADMISSION_EVICTED) != 0) {
        mail->report.evicted_pid = admission->evicted_pid;
        keep__report_say(&mail->report, KEEP_EVENT_EVICTED);
    }
    if ((admission->flags & KEEP_ADMISSION_RECOVERED) != 0)
        keep__report_say(&mail->report, KEEP_EVENT_RECOVERED);
    if (intake->options.report_beats != 0)
        keep__report_say(&mail->report, KEEP_EVENT_BEAT);
    if ((admission->flags & KEEP_ADMISSION_TERMINAL) != 0)
        keep__report_say(&mail->report, KEEP_EVENT_CRASH);
}

void keep__intake_beat(keep__intake *intake, keep__mail *mail, const keep_sighting *sighting)
{
    uint32_t at = keep__ledger_find(intake->ledger, mail->pid);
    bool is_new = at == KEEP__NOBODY;
    keep_admission admission;

    if (!passes_limits(intake, at, sighting))
        return;
    keep__ledger_record(intake->ledger, sighting, &admission);
    switch (admission.verdict) {
    case KEEP_VERDICT_INSERTED:
    case KEEP_VERDICT_REFRESHED:
        is_new = is_new || (admission.flags & KEEP_ADMISSION_RECYCLED) != 0;
        keep__intake_note(intake, mail, is_new);
        tell_admission(intake, mail, &admission);
        break;
    case KEEP_VERDICT_ORIGIN_CONFLICT:
        keep__report_say(&mail->report, KEEP_EVENT_ORIGIN_CONFLICT);
        break;
    case KEEP_VERDICT_NAMESPACE_CONFLICT:
        keep__report_say(&mail->report, KEEP_EVENT_NAMESPACE_CONFLICT);
        break;
    default:
        break;
    }
}

static void judge_beat(keep__intake *intake, keep__mail *mail)
{
    keep_sighting sighting = {
        .nonce = mail->beat.nonce,
        .timestamp_ns = mail->beat.timestamp_ns,
        .ns_inode = mail->datagram.ns_inode,
        .generation = mail->datagram.generation,
        .pid = mail->pid,
        .claimed_pid = mail->beat.pid,
        .payload = mail->beat.payload,
        .health = mail->beat.health,
        .origin = mail->origin,
    };

    keep__intake_beat(intake, mail, &sighting);
}

/* Rows i to k: who it is, and whether that one may speak. */
static bool may_speak(keep__intake *intake, keep__mail *mail)
{
    struct keep_observer_stats *counts = &intake->counts;

    complete_identity(intake, mail);
    mail->report.event = keep__mail_event(intake, mail);
    if (mail->form == KEEP__FORM_TEXT && mail->origin != KEEP_ORIGIN_KERNEL) {
        keep__intake_count(&counts->notify_unattested);
        return false;
    }
    if (is_foreign(intake, mail)) {
        if (keep__intake_pay(intake)) {
            keep__intake_count(&counts->foreign_namespace);
            keep__report_say(&mail->report, KEEP_EVENT_NAMESPACE_CONFLICT);
        }
        return false;
    }
    if ((mail->datagram.marks & KEEP_MARK_SENDER_GONE) != 0 &&
        keep__ledger_find(intake->ledger, mail->pid) == KEEP__NOBODY) {
        tell_posthumous(intake, mail);
        return false;
    }
    return true;
}

void keep__intake_judge(keep__intake *intake, keep__mail *mail)
{
    if (may_speak(intake, mail)) {
        if (mail->form == KEEP__FORM_NOTICE)
            keep__intake_notice(intake, mail);
        else if (mail->form == KEEP__FORM_TEXT)
            keep__intake_text(intake, mail);
        else
            judge_beat(intake, mail);
    }
    keep__reports_add(&intake->reports, &mail->report);
}

/* An event of the agent in a slot. */
static keep_event event_of_slot(const keep__intake *intake, uint32_t at, uint32_t kind)
{
    const keep__slot *slot = &intake->ledger->slots[at];
    const keep__life *life = keep__intake_life(intake, at);

    return (keep_event){
        .at_ns = intake->ledger->clock,
        .nonce = keep__slot_nonce(slot),
        .last_ns = slot->last_ns,
        .silence_ns = intake->ledger->time - keep__slot_mark(slot),
        .ns_inode = slot->ns_inode,
        .generation = keep__intake_generation(intake, at),
        .kind = kind,
        .pid = slot->pid,
        .claimed_pid = slot->claimed_pid,
        .uid = life != NULL ? life->uid : 0,
        .payload = slot->payload,
        .health = slot->health,
        .origin = slot->origin,
    };
}

void keep__intake_exit(keep__intake *intake, uint32_t pid, uint64_t generation)
{
    uint32_t at = keep__ledger_find(intake->ledger, pid);
    const keep__life *life = keep__intake_life(intake, at);
    keep_event event;

    if (at == KEEP__NOBODY || known_and_different(keep__intake_generation(intake, at), generation))
        return;
    if (life != NULL && life->is_leaving) {
        delete_agent(intake, at, KEEP_REASON_GOODBYE);
        return;
    }
    event = event_of_slot(intake, at, KEEP_EVENT_EXITED);
    keep__reports_say(&intake->reports, &event);
    delete_agent(intake, at, KEEP_REASON_EXITED);
}

void keep__intake_recycle(keep__intake *intake, uint32_t at)
{
    keep_event event = event_of_slot(intake, at, KEEP_EVENT_RECYCLED);

    keep__reports_say(&intake->reports, &event);
    delete_agent(intake, at, KEEP_REASON_RECYCLED);
}

void keep__intake_tell_outage(keep__intake *intake)
{
    keep_event event = {
        .at_ns = intake->ledger->clock,
        .kind = KEEP_EVENT_OUTAGE,
        .origin = (uint8_t)KEEP_ORIGIN_NONE,
    };

    if (intake->outages == intake->ledger->counts.outages)
        return;
    intake->outages = intake->ledger->counts.outages;
    keep__reports_say(&intake->reports, &event);
}

void keep__intake_stall(keep__intake *intake, uint32_t at, keep_event *out)
{
    keep_alarm alarm;

    *out = event_of_slot(intake, at, KEEP_EVENT_STALL);
    keep__ledger_stall(intake->ledger, at, &alarm);
}
