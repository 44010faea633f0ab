/* SPDX-License-Identifier: MIT */
/*
 * Intake: what becomes of a datagram. Pure. The shell around it receives, opens what is sealed and looks up who sent it;
 * all decisions are here, in the order of tracker R34, in three steps between which the shell does its part:
 *
 * accept   credentials, user, length         then the shell opens a sealed frame
 * decode   frame, replay, claimed pid        then the shell looks up the identity
 * judge    identity, limits, ledger, events
 */
#ifndef KEEP_TRACKER_INTAKE_H
#define KEEP_TRACKER_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/observer.h"
#include "tracker/bucket.h"
#include "tracker/frame.h"
#include "tracker/ledger.h"
#include "tracker/reports.h"
#include "tracker/senders.h"
#include "tracker/text.h"

#define KEEP__PID_LIMIT 4194304 /* no kernel gives a larger one */
#define KEEP__NO_PIDFD (-1)
#define KEEP__COMM_CAP 16
#define KEEP__RELEASED_CAP 8

/* What an observer knows of the process in a slot, besides the ledger. */
typedef struct keep__life {
    uint64_t generation, ns_inode; /* 0: unknown */
    uint64_t retry_ns;             /* when to look again for an unknown one */
    uint32_t pid;                  /* 0: nobody was noted */
    uint32_t uid;
    int32_t pidfd;                 /* or KEEP__NO_PIDFD */
    bool is_leaving;               /* it said goodbye and may take its time */
    bool is_unwatched;             /* a pidfd was wanted and not to be had */
    char comm[KEEP__COMM_CAP];
} keep__life;

/* What a datagram turned out to be. */
enum {
    KEEP__FORM_BEAT = 1,
    KEEP__FORM_NOTICE,
    KEEP__FORM_TEXT
};

/* A datagram on its way. */
typedef struct keep__mail {
    keep_datagram datagram; /* with what the shell found out */
    keep__life found;       /* a new identity, to be noted if the sender is admitted; pid 0: none */
    keep__report report;
    uint8_t frame[KEEP_BEAT_LEN];
    unsigned form;
    bool is_sealed;
    keep__beat beat;
    keep__notice notice;
    keep__text text;
    uint32_t pid; /* who it is about */
    uint8_t origin;
} keep__mail;

typedef struct keep__intake {
    keep_observer_options options; /* `uids` is the observer's copy */
    keep__ledger *ledger;
    keep__life *lives; /* one per slot */
    uint32_t pid_max;
    uint64_t outages; /* told so far */
    keep__bucket global;
    struct keep_observer_stats counts;
    int32_t released[KEEP__RELEASED_CAP]; /* pidfds that nobody needs any more: the shell closes them after each step */
    uint32_t released_count;
    keep__reports reports;
    keep__senders senders;
} keep__intake;

/* One more in a counter. */
void keep__intake_count(uint64_t *counter);

/* Takes a global token; without one only limited_global grows. */
bool keep__intake_pay(keep__intake *intake);

/* Rows a to c. False: it ends here. A sealed frame is in mail->datagram, any other in mail->frame. */
bool keep__intake_accept(keep__intake *intake, const keep_datagram *datagram, keep__mail *mail);

/* Rows d to h. `opened` tells whether a sealed frame did, into mail->frame. */
bool keep__intake_decode(keep__intake *intake, keep__mail *mail, bool opened);

/* Rows i to o. mail->datagram has the identity as far as it is known. Queues the report. */
void keep__intake_judge(keep__intake *intake, keep__mail *mail);

/* A process ended. */
void keep__intake_exit(keep__intake *intake, uint32_t pid, uint64_t generation);

/* Tells of an outage, if there was one. */
void keep__intake_tell_outage(keep__intake *intake);

/* Makes who is due in a slot stalled. `stalled` and `agents` of the event are the caller's. */
void keep__intake_stall(keep__intake *intake, uint32_t at, keep_event *out);

/* The process in a slot is another one than was noted: the slot is freed, and its event queued. */
void keep__intake_recycle(keep__intake *intake, uint32_t at);

/* What was noted of the agent in a slot, or NULL. */
keep__life *keep__intake_life(const keep__intake *intake, uint32_t at);

/* The generation of the agent in a slot, from the ledger or noted; 0: unknown. */
uint64_t keep__intake_generation(const keep__intake *intake, uint32_t at);

/* Forgets what was noted of a slot. */
void keep__intake_forget(keep__intake *intake, uint32_t at);

/* Notes whose the mail's slot is, unless that is known. What was noted before a new slot began is of somebody else. */
void keep__intake_note(keep__intake *intake, const keep__mail *mail, bool is_new);

/* An event of the mail's, to fill a report with. */
keep_event keep__mail_event(const keep__intake *intake, const keep__mail *mail);

/* Frees the slot of another known life of the mail's pid, and says so. */
void keep__intake_end_other_life(keep__intake *intake, keep__mail *mail);

/* Rows l to o of a beat. */
void keep__intake_beat(keep__intake *intake, keep__mail *mail, const keep_sighting *sighting);

/* tracker R39 and R40, from row l on. */
void keep__intake_notice(keep__intake *intake, keep__mail *mail);
void keep__intake_text(keep__intake *intake, keep__mail *mail);

#endif
