/* SPDX-License-Identifier: MIT */
/*
 * Receive: what an observer does between the steps of its intake: opening sealed frames, looking up senders, and closing
 * the process descriptors of those who went.
 *
 * A sender is looked up once per life. A process descriptor then pins it, and its later datagrams read no file; without
 * one its start time is read again for every datagram, and before it is called stalled.
 */
#include "tracker/observer.h"

#include "base/checked.h"
#include "base/clock.h"
#include "base/units.h"
#include "tracker/identity.h"
#include "base/banned.h"

void keep__observer_settle(keep_observer *observer)
{
    keep__intake *intake = &observer->intake;

    while (intake->released_count > 0) {
        keep__identity_release(intake->released[--intake->released_count]);
        observer->pidfd_count--;
    }
}

/* The sending of a datagram on the boot clock; without its time, now. */
static uint64_t sent_on_boot_clock(uint64_t sent_ns)
{
    uint64_t boot_ns = keep__clock_boot_ns();
    uint64_t real_ns = keep__clock_real_ns();

    if (sent_ns == 0 || sent_ns > real_ns || real_ns - sent_ns > boot_ns)
        return boot_ns;
    return boot_ns - (real_ns - sent_ns);
}

static void take_identity_from(keep__mail *mail, const keep__life *life)
{
    mail->datagram.generation = life->generation;
    mail->datagram.ns_inode = life->ns_inode;
}

/* Asks the kernel who a datagram is from. */
static void look_up(keep_observer *observer, keep__mail *mail, uint64_t sent_ns)
{
    bool may_pin = observer->pidfd_count < observer->max_pidfds;

    if (!keep__identity_look(mail->pid, sent_on_boot_clock(sent_ns), may_pin, &mail->found)) {
        mail->found = (keep__life){ .pid = 0 };
        mail->datagram.marks |= KEEP_MARK_SENDER_GONE;
        return;
    }
    if (mail->found.pidfd == KEEP__NO_PIDFD)
        keep__intake_count(&observer->intake.counts.pidfd_unavailable);
    else
        observer->pidfd_count++;
    mail->found.retry_ns = keep__u64_add_capped(observer->tracker->ledger.clock, KEEP__NS_PER_S);
    take_identity_from(mail, &mail->found);
}

/* Whether somebody without a descriptor has passed its pid to another process. */
static bool is_someone_else(const keep_observer *observer, uint32_t at)
{
    const keep__life *life = keep__intake_life(&observer->intake, at);
    uint64_t start;

    if (life == NULL || !life->is_unwatched || life->generation == 0)
        return false;
    start = keep__identity_start(life->pid);
    return start != 0 && start != life->generation;
}

/* Finds out who a received datagram is from, as cheaply as that can be known. */
static void identify(keep_observer *observer, keep__mail *mail, uint64_t sent_ns)
{
    keep__intake *intake = &observer->intake;
    uint32_t at = keep__ledger_find(intake->ledger, mail->pid);
    const keep__life *life = keep__intake_life(intake, at);

    if (life == NULL || (life->generation == 0 && intake->ledger->clock >= life->retry_ns) ||
        is_someone_else(observer, at)) {
        if (at != KEEP__NOBODY || keep__bucket_has(&intake->global, intake->ledger->clock))
            look_up(observer, mail, sent_ns);
        return;
    }
    take_identity_from(mail, life);
}

/* A process descriptor that was opened for somebody who was not admitted. */
static void drop_unused(keep_observer *observer, const keep__mail *mail)
{
    const keep__life *life =
        keep__intake_life(&observer->intake, keep__ledger_find(&observer->tracker->ledger, mail->pid));

    if (mail->found.pid == 0 || mail->found.pidfd == KEEP__NO_PIDFD)
        return;
    if (life != NULL && life->pidfd == mail->found.pidfd)
        return;
    keep__identity_release(mail->found.pidfd);
    observer->pidfd_count--;
}

/* Watches the end of somebody who was admitted. */
static void watch_found(keep_observer *observer, const keep__mail *mail)
{
    uint32_t at = keep__ledger_find(&observer->tracker->ledger, mail->pid);
    keep__life *life = keep__intake_life(&observer->intake, at);

    if (life == NULL || mail->found.pid == 0 || mail->found.pidfd == KEEP__NO_PIDFD || life->pidfd != mail->found.pidfd)
        return;
    if (keep__watch_add(&observer->watch, life->pidfd, (uint64_t)at + 1))
        return;
    life->pidfd = KEEP__NO_PIDFD;
    life->is_unwatched = true;
    keep__identity_release(mail->found.pidfd);
    observer->pidfd_count--;
    keep__intake_count(&observer->intake.counts.pidfd_unavailable);
}

void keep__observer_take(keep_observer *observer, const keep_datagram *datagram, bool was_received, uint64_t sent_ns)
{
    keep__intake *intake = &observer->intake;
    bool is_opened = false;
    keep__mail mail;

    if (datagram->source == KEEP_SOURCE_EXIT) {
        keep__intake_exit(intake, datagram->kernel_pid, datagram->generation);
        keep__observer_settle(observer);
        return;
    }
    if (!keep__intake_accept(intake, datagram, &mail))
        return;
    if (mail.is_sealed)
        is_opened = keep__keys_open(&observer->keys, datagram->data.data, datagram->data.len, mail.frame);
    if (!keep__intake_decode(intake, &mail, is_opened))
        return;
    if (was_received && datagram->source == KEEP_SOURCE_UNIX)
        identify(observer, &mail, sent_ns);
    keep__intake_judge(intake, &mail);
    keep__observer_settle(observer);
    if (was_received) {
        drop_unused(observer, &mail);
        watch_found(observer, &mail);
    }
}

void keep__observer_fail(keep_observer *observer, int code)
{
    keep_event event = {
        .at_ns = observer->tracker->ledger.clock,
        .kind = KEEP_EVENT_IO_ERROR,
        .detail = (uint32_t)code,
        .origin = (uint8_t)KEEP_ORIGIN_NONE,
    };

    keep__intake_count(&observer->intake.counts.io_errors);
    if (observer->intake.reports.count == 0)
        keep__reports_say(&observer->intake.reports, &event);
}

/* One batch of one listener; says how many came. */
static size_t receive_batch(keep_observer *observer, const keep__listener *listener, size_t max)
{
    int code;
    size_t count = keep__listener_receive(listener, observer->batch, max, &code);

    if (code != 0)
        keep__observer_fail(observer, code);
    if (count > 0)
        keep__ledger_move(&observer->tracker->ledger, keep__observer_clock(observer));
    for (size_t i = 0; i < count; i++) {
        uint64_t sent_ns;
        keep_datagram datagram = keep__batch_datagram(observer->batch, i, &sent_ns);

        keep__observer_take(observer, &datagram, true, sent_ns);
    }
    return count;
}

size_t keep__observer_receive(keep_observer *observer, keep_event *out, size_t cap)
{
    keep__reports *reports = &observer->intake.reports;
    size_t left = observer->intake.options.budget;
    size_t given = 0;
    uint32_t empty = 0; /* listeners in a row that have no more */

    while (empty < observer->listener_count && left > 0 && reports->count == 0) {
        const keep__listener *listener = &observer->listeners[observer->turn];
        size_t wanted = keep__size_min(left, KEEP__BATCH);
        size_t count = receive_batch(observer, listener, wanted);

        observer->turn = (observer->turn + 1) % observer->listener_count;
        empty = count < wanted ? empty + 1 : 0;
        left -= count;
        given += keep__reports_give(reports, out + given, cap - given);
    }
    return given;
}

/* The process of a slot's descriptor, named by a tag, may have ended. */
static void reap_one(keep_observer *observer, uint64_t tag)
{
    keep__intake *intake = &observer->intake;
    keep__life *life = tag == 0 ? NULL : &intake->lives[tag - 1];

    if (life == NULL || life->pid == 0 || life->pidfd == KEEP__NO_PIDFD || !keep__identity_ended(life->pidfd))
        return;
    keep__intake_exit(intake, life->pid, life->generation);
    keep__intake_forget(intake, (uint32_t)(tag - 1)); /* also of a slot that was freed behind the observer's back */
    keep__observer_settle(observer);
}

size_t keep__observer_reap(keep_observer *observer, keep_event *out, size_t cap)
{
    uint64_t tags[KEEP__WATCH_TAGS];
    size_t given = 0;
    size_t found;
    uint32_t before;
    int code;

    do {
        before = observer->pidfd_count;
        found = keep__watch_ready(&observer->watch, tags, &code);
        if (code != 0)
            keep__observer_fail(observer, code);
        for (size_t i = 0; i < found; i++)
            reap_one(observer, tags[i]);
        given += keep__reports_give(&observer->intake.reports, out + given, cap - given);
    } while (observer->pidfd_count < before && observer->intake.reports.count == 0);
    return given;
}

size_t keep__observer_drain(keep_observer *observer, bool may_look, keep_event *out, size_t cap)
{
    keep__intake *intake = &observer->intake;
    size_t given;
    uint32_t at;

    keep__intake_tell_outage(intake);
    given = keep__reports_give(&intake->reports, out, cap);
    while (given < cap && (at = keep__ledger_due(intake->ledger)) != KEEP__NOBODY) {
        if (may_look && is_someone_else(observer, at)) {
            keep__intake_recycle(intake, at);
            keep__observer_settle(observer);
            given += keep__reports_give(&intake->reports, out + given, cap - given);
        } else {
            keep__intake_stall(intake, at, &out[given++]);
        }
    }
    for (size_t i = 0; i < given; i++) {
        if (out[i].kind != KEEP_EVENT_STALL)
            continue;
        out[i].stalled = (uint32_t)intake->ledger->counts.stalled;
        out[i].agents = (uint32_t)intake->ledger->counts.agents;
    }
    return given;
}
