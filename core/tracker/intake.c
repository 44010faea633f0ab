/* SPDX-License-Identifier: MIT */
/*
 * Intake: rows a to h, what a datagram is and whether it may speak at all.
 */
#include "tracker/intake.h"

#include <string.h>

#include "base/checked.h"
#include "base/banned.h"

#define OVERFLOW_UID 65534 /* what the kernel says of a user that has no number here */

void keep__intake_count(uint64_t *counter)
{
    *counter = keep__u64_add_capped(*counter, 1);
}

bool keep__intake_pay(keep__intake *intake)
{
    if (keep__bucket_take(&intake->global, intake->ledger->clock))
        return true;
    keep__intake_count(&intake->counts.limited_global);
    return false;
}

static bool is_from_unix(const keep__mail *mail)
{
    return mail->datagram.source == KEEP_SOURCE_UNIX;
}

static uint32_t claimed_pid_of(const keep__mail *mail)
{
    if (mail->form == KEEP__FORM_BEAT)
        return mail->beat.pid;
    if (mail->form == KEEP__FORM_NOTICE)
        return mail->notice.pid;
    return mail->form == KEEP__FORM_TEXT ? mail->pid : 0;
}

keep_event keep__mail_event(const keep__intake *intake, const keep__mail *mail)
{
    keep_event event = {
        .at_ns = intake->ledger->clock,
        .ns_inode = mail->datagram.ns_inode,
        .generation = mail->datagram.generation,
        .pid = mail->pid,
        .claimed_pid = claimed_pid_of(mail),
        .uid = mail->datagram.uid,
        .origin = mail->origin,
    };

    if (mail->form == KEEP__FORM_BEAT) {
        event.nonce = mail->beat.nonce;
        event.payload = mail->beat.payload;
        event.health = mail->beat.health;
    } else if (mail->form == KEEP__FORM_NOTICE) {
        event.nonce = mail->notice.nonce;
    } else if (mail->form == KEEP__FORM_TEXT && mail->text.has_failed) {
        event.health = KEEP_HEALTH_CRITICAL;
    }
    return event;
}

/* A refusal that costs a token, is counted, and is told unless `kind` is 0. */
static bool refuse_mail(keep__intake *intake, const keep__mail *mail, uint64_t *counter, unsigned kind, uint32_t detail)
{
    keep_event event;

    if (!keep__intake_pay(intake))
        return false;
    keep__intake_count(counter);
    if (kind != 0) {
        event = keep__mail_event(intake, mail);
        event.kind = kind;
        event.detail = detail;
        keep__reports_say(&intake->reports, &event);
    }
    return false;
}

/* A refusal that is free, so that it cannot starve others. */
static bool refuse_freely(uint64_t *counter)
{
    keep__intake_count(counter);
    return false;
}

static bool is_user_allowed(const keep_observer_options *options, uint32_t uid)
{
    for (size_t i = 0; i < options->uid_count; i++) {
        if (options->uids[i] == uid)
            return true;
    }
    return options->any_uid != 0;
}

static bool has_credentials(const keep_datagram *datagram)
{
    return (datagram->marks & KEEP_MARK_NO_CREDENTIALS) == 0 && datagram->kernel_pid != 0 &&
           datagram->uid != OVERFLOW_UID;
}

/* The form of whole datagrams; 0: none. */
static bool has_form(keep__intake *intake, keep__mail *mail)
{
    const uint8_t *bytes = mail->datagram.data.data;
    size_t len = mail->datagram.data.len;

    if ((mail->datagram.marks & KEEP_MARK_TRUNCATED) != 0)
        return false;
    if (mail->is_sealed)
        return len == KEEP_BEAT_SHARED_LEN || len == KEEP_BEAT_MASTER_LEN;
    if (is_from_unix(mail) && intake->options.accept_notify != 0 && keep__is_text(bytes, len)) {
        mail->form = KEEP__FORM_TEXT;
        return true;
    }
    if (len != KEEP_BEAT_LEN)
        return false;
    memcpy(mail->frame, bytes, KEEP_BEAT_LEN);
    return true;
}

bool keep__intake_accept(keep__intake *intake, const keep_datagram *datagram, keep__mail *mail)
{
    *mail = (keep__mail){ .datagram = *datagram, .origin = KEEP_ORIGIN_NETWORK };
    mail->is_sealed = datagram->source == KEEP_SOURCE_UDP_SEALED;
    keep__intake_count(&intake->counts.datagrams);
    if (is_from_unix(mail)) {
        mail->pid = datagram->kernel_pid;
        mail->origin = datagram->generation != 0 ? KEEP_ORIGIN_KERNEL : KEEP_ORIGIN_SOCKET_MODE;
    } else if ((datagram->marks & KEEP_MARK_ATTESTED) != 0) {
        mail->origin = KEEP_ORIGIN_OPERATOR;
    }
    if (is_from_unix(mail) && !has_credentials(datagram))
        return refuse_mail(intake, mail, &intake->counts.no_credentials, 0, 0);
    if (is_from_unix(mail) && !is_user_allowed(&intake->options, datagram->uid))
        return refuse_mail(intake, mail, &intake->counts.uid_refused, KEEP_EVENT_UID_REFUSED, 0);
    if (has_form(intake, mail))
        return true;
    return refuse_freely(&intake->counts.bad_length);
}

static keep__fault decode_frame(keep__mail *mail)
{
    keep__fault fault;

    if (keep__is_notice(mail->frame)) {
        fault = keep__notice_decode(mail->frame, sizeof mail->frame, &mail->notice);
        mail->form = fault.kind == 0 ? KEEP__FORM_NOTICE : 0;
    } else {
        fault = keep__beat_decode(mail->frame, sizeof mail->frame, &mail->beat);
        mail->form = fault.kind == 0 ? KEEP__FORM_BEAT : 0;
    }
    return fault;
}

/* Row f. */
static bool is_fresh(keep__intake *intake, const keep__mail *mail)
{
    keep__heard heard = { .pid = claimed_pid_of(mail), .is_notice = mail->form == KEEP__FORM_NOTICE };
    bool is_accepted;

    heard.nonce = heard.is_notice ? mail->notice.nonce : mail->beat.nonce;
    if (!heard.is_notice) {
        heard.timestamp_ns = mail->beat.timestamp_ns;
        heard.is_terminal = keep__is_terminal(mail->beat.nonce, mail->beat.health);
    }
    is_accepted = keep__senders_accept(&intake->senders, &heard, intake->ledger->clock, intake->options.session_gap_ns);
    intake->counts.senders_evicted = intake->senders.evicted;
    return is_accepted;
}

bool keep__intake_decode(keep__intake *intake, keep__mail *mail, bool opened)
{
    struct keep_observer_stats *counts = &intake->counts;
    keep__fault fault;

    if (mail->form == KEEP__FORM_TEXT) {
        mail->text = keep__text_parse(mail->datagram.data.data, mail->datagram.data.len);
        return true;
    }
    if (mail->is_sealed && !opened)
        return refuse_freely(&counts->decrypt_failures);
    fault = decode_frame(mail);
    if (fault.kind != 0)
        return refuse_mail(intake, mail, &counts->decode_errors, KEEP_EVENT_DECODE_ERROR, fault.kind);
    if (mail->is_sealed && !is_fresh(intake, mail))
        return refuse_freely(&counts->replay_refused);
    if (!is_from_unix(mail))
        mail->pid = claimed_pid_of(mail);
    else if (intake->options.require_pid_match != 0 && claimed_pid_of(mail) != mail->pid)
        return refuse_mail(intake, mail, &counts->auth_failures, KEEP_EVENT_AUTH_FAILURE, 0);
    if (!is_from_unix(mail) && mail->pid > intake->pid_max)
        return refuse_mail(intake, mail, &counts->pid_above_max, 0, 0);
    return true;
}
