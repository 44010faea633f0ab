/* SPDX-License-Identifier: MIT */
/*
 * Observer: the public functions. A call is: give what waits; take what came, while nothing waits; drain; set the timer.
 */
#include "tracker/observer.h"

#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/heap.h"
#include "base/options.h"
#include "base/trace.h"
#include "base/units.h"
#include "memory/guard.h"
#include "tracker/identity.h"
#include "tracker/metrics.h"
#include "base/banned.h"

#define MIN_THRESHOLD_NS (10 * KEEP__NS_PER_MS)
#define SPARE_FILES 64 /* descriptors that are left to the rest of the program */
#define ALL_MARKS (KEEP_MARK_TRUNCATED | KEEP_MARK_NO_CREDENTIALS | KEEP_MARK_SENDER_GONE | KEEP_MARK_ATTESTED)

_Static_assert(sizeof(keep__life) < SIZE_MAX / 2 / KEEP_MAX_AGENTS, "an observer's block has a length");

keep_status keep__observer_check(const keep_observer *observer)
{
    return observer == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__guard_check(observer->stamp);
}

uint64_t keep__observer_clock(const keep_observer *observer)
{
    return observer->intake.options.clock == KEEP_CLOCK_BOOTTIME ? keep__clock_boot_ns() : keep__clock_now_ns();
}

static keep_status fail_observer(keep_error *err, keep_status status, const char *sentence)
{
    static const keep__origin origin;

    return keep__error_fill(err, status, &origin, sentence);
}

/* --- making --- */

static keep_status read_observer_options(const keep_observer_options *given, keep_observer_options *out)
{
    static const keep_observer_options defaults = KEEP_OBSERVER_OPTIONS_INIT;
    keep_status st;

    *out = defaults;
    st = keep__options_read(given, sizeof *out, sizeof *out, out);
    if (st != KEEP_OK)
        return st;
    if (out->uid_count > KEEP_MAX_ALLOWED_UIDS || (out->uids == NULL) != (out->uid_count == 0) ||
        out->clock > KEEP_CLOCK_BOOTTIME || out->budget == 0 || out->min_threshold_ns == 0 ||
        out->min_threshold_ns > out->max_threshold_ns)
        return KEEP_ERR_INVALID_ARGUMENT;
    if ((out->any_uid | out->require_pid_match | out->accept_notify | out->own_namespace_only | out->report_beats) > 1)
        return KEEP_ERR_INVALID_ARGUMENT;
    return KEEP_OK;
}

static uint32_t default_pidfds(uint32_t capacity)
{
    uint64_t files = keep__identity_max_files();

    return (uint32_t)keep__u64_min(capacity, files > SPARE_FILES ? files - SPARE_FILES : 0);
}

static void set_up_intake(keep_observer *observer, const keep_observer_options *options)
{
    keep__intake *intake = &observer->intake;
    keep__ledger *ledger = &observer->tracker->ledger;

    intake->options = *options;
    if (options->uids != NULL) {
        memcpy(observer->uids, options->uids, options->uid_count * sizeof *options->uids);
    } else {
        observer->uids[0] = keep__identity_user();
        intake->options.uid_count = 1;
    }
    intake->options.uids = observer->uids;
    if (options->own_namespace_only != 0 && options->own_ns_inode == 0)
        intake->options.own_ns_inode = keep__identity_own_namespace();
    intake->ledger = ledger;
    intake->lives = (keep__life *)(void *)(observer + 1);
    intake->pid_max = options->pid_max != 0 ? options->pid_max : KEEP__PID_LIMIT;
    intake->outages = ledger->counts.outages;
    intake->global = (keep__bucket){ .rate = options->global_rate, .burst = options->global_burst };
    for (uint32_t at = 0; at < ledger->options.capacity; at++)
        intake->lives[at].pidfd = KEEP__NO_PIDFD;
}

static keep_status make_observer(const keep_observer_options *options, keep_tracker *tracker,
                                 keep_observer **out_observer, keep_error *err)
{
    size_t len = 0;
    keep_observer *observer;
    keep_status st;

    (void)keep__size_mul(tracker->ledger.options.capacity, sizeof(keep__life), &len); /* fits, as asserted above */
    (void)keep__size_add(len, sizeof *observer, &len);
    observer = keep__heap_new(len);
    if (observer == NULL)
        return fail_observer(err, KEEP_ERR_NO_MEMORY, "memory for the observer was refused");
    st = keep__watch_open(options->clock, &observer->watch, err);
    if (st != KEEP_OK) {
        keep__heap_free(observer, len);
        return st;
    }
    observer->stamp = keep__guard_stamp();
    observer->len = len;
    observer->tracker = tracker;
    observer->max_pidfds =
        options->max_pidfds != 0 ? options->max_pidfds : default_pidfds(tracker->ledger.options.capacity);
    set_up_intake(observer, options);
    keep__tracker_retain(tracker);
    *out_observer = observer;
    return KEEP_OK;
}

keep_status keep_observer_new(const keep_observer_options *options, keep_tracker *tracker, keep_observer **out_observer,
                              keep_error *err)
{
    keep_observer_options read;
    keep_status st = out_observer == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__tracker_check(tracker);

    if (st == KEEP_OK)
        st = read_observer_options(options, &read);
    if (st != KEEP_OK)
        return st;
    if (tracker->ledger.options.threshold_ns < MIN_THRESHOLD_NS)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (!keep__identity_supported())
        return fail_observer(err, KEEP_ERR_UNSUPPORTED, "this kernel is older than 5.3");
    return make_observer(&read, tracker, out_observer, err);
}

static void close_pidfds(keep_observer *observer)
{
    for (uint32_t at = 0; at < observer->tracker->ledger.options.capacity; at++) {
        if (observer->intake.lives[at].pid != 0 && observer->intake.lives[at].pidfd != KEEP__NO_PIDFD)
            keep__identity_release(observer->intake.lives[at].pidfd);
    }
}

void keep_observer_free(keep_observer **observer)
{
    keep_observer *one;

    if (observer == NULL || *observer == NULL)
        return;
    one = *observer;
    *observer = NULL;
    for (uint32_t i = 0; i < one->listener_count; i++) {
        if (keep__guard_check(one->stamp) == KEEP_OK)
            keep__listener_unlink(&one->listeners[i]);
        keep__listener_close(&one->listeners[i]);
    }
    close_pidfds(one);
    keep__watch_close(&one->watch);
    keep__keys_free(&one->keys);
    keep__heap_free(one->batch, keep__batch_len());
    keep_tracker_free(&one->tracker);
    keep__heap_free(one, one->len);
}

/* --- listening --- */

static keep_status need_batch(keep_observer *observer, keep_error *err)
{
    if (observer->batch == NULL)
        observer->batch = keep__heap_new(keep__batch_len());
    if (observer->batch == NULL)
        return fail_observer(err, KEEP_ERR_NO_MEMORY, "memory to receive in was refused");
    keep__batch_init(observer->batch);
    return KEEP_OK;
}

keep_status keep_observer_listen(keep_observer *observer, const keep_listen_options *options, keep_error *err)
{
    keep_listen_options read = KEEP_LISTEN_OPTIONS_INIT;
    keep__listener listener;
    keep__ledger *ledger;
    keep_status st = keep__observer_check(observer);

    if (st == KEEP_OK)
        st = options == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__options_read(options, sizeof read, sizeof read, &read);
    if (st != KEEP_OK)
        return st;
    if (observer->listener_count == KEEP_MAX_LISTENERS)
        return fail_observer(err, KEEP_ERR_EXHAUSTED, "no more listeners");
    st = need_batch(observer, err);
    if (st == KEEP_OK)
        st = keep__listener_open(&read, &listener, err);
    if (st != KEEP_OK)
        return st;
    if (!keep__watch_add(&observer->watch, listener.fd, 0)) {
        st = fail_observer(err, KEEP_ERR_SYSTEM, "the socket cannot be waited on");
        keep__listener_unlink(&listener);
        keep__listener_close(&listener);
        return st;
    }
    observer->listeners[observer->listener_count++] = listener;
    ledger = &observer->tracker->ledger;
    if (ledger->options.max_gap_ns == 0)
        ledger->options.max_gap_ns = keep__u64_max(ledger->limit_ns / 4, 1);
    return KEEP_OK;
}

keep_status keep_observer_add_key(keep_observer *observer, const keep_secret *secret, uint32_t mode)
{
    keep_status st = keep__observer_check(observer);

    return st != KEEP_OK ? st : keep__keys_add(&observer->keys, secret, mode);
}

keep_status keep_observer_fd(keep_observer *observer, int *out_fd)
{
    keep_status st = keep__observer_check(observer);

    if (st == KEEP_OK && out_fd == NULL)
        st = KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK)
        *out_fd = observer->watch.set;
    return st;
}

/* --- a call --- */

/* When something is to be done even if nothing comes. */
static uint64_t next_call(keep_observer *observer)
{
    keep__ledger *ledger = &observer->tracker->ledger;
    uint64_t gap = ledger->options.max_gap_ns;
    uint64_t next = keep__ledger_next(ledger);

    if (observer->intake.reports.count > 0)
        return 0;
    return gap == 0 ? next : keep__u64_min(next, keep__u64_add_capped(ledger->clock, gap / 2));
}

/* The last step of a call. Without a timer nobody would come again in time, so that is told at once. */
static size_t set_timer(keep_observer *observer, keep_event *out, size_t cap)
{
    int code = keep__watch_arm(&observer->watch, observer->tracker->ledger.clock, next_call(observer));

    if (code == 0)
        return 0;
    keep__observer_fail(observer, code);
    return keep__reports_give(&observer->intake.reports, out, cap);
}

/* The kernel's largest pid may change; it is read once a minute. */
static void refresh_pid_max(keep_observer *observer, uint64_t now_ns)
{
    uint32_t pid_max;

    if (observer->intake.options.pid_max != 0 ||
        (observer->pid_max_read_ns != 0 && now_ns - observer->pid_max_read_ns < 60 * KEEP__NS_PER_S))
        return;
    pid_max = keep__identity_pid_max();
    observer->intake.pid_max = pid_max != 0 ? pid_max : KEEP__PID_LIMIT;
    observer->pid_max_read_ns = now_ns;
}

keep_status keep_observer_poll(keep_observer *observer, keep_event *out_events, size_t cap, size_t *out_count,
                               keep_error *err)
{
    keep_status st = keep__observer_check(observer);
    keep__reports *reports;
    uint64_t now_ns;
    size_t count;

    if (st != KEEP_OK)
        return st;
    if (out_count == NULL || (out_events == NULL && cap != 0))
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__keys_check(&observer->keys);
    now_ns = keep__observer_clock(observer);
    if (st != KEEP_OK)
        return fail_observer(err, st, "the keys of sealed frames are gone");
    if (now_ns == 0)
        return fail_observer(err, KEEP_ERR_SYSTEM, "the clock failed");
    reports = &observer->intake.reports;
    refresh_pid_max(observer, now_ns);
    keep__ledger_move(&observer->tracker->ledger, now_ns);
    count = keep__reports_give(reports, out_events, cap);
    if (reports->count == 0)
        count += keep__observer_receive(observer, out_events + count, cap - count);
    if (reports->count == 0)
        count += keep__observer_reap(observer, out_events + count, cap - count);
    if (reports->count == 0)
        count += keep__observer_drain(observer, true, out_events + count, cap - count);
    *out_count = count + set_timer(observer, out_events + count, cap - count);
    return KEEP_OK;
}

static bool is_datagram(const keep_datagram *datagram)
{
    return datagram->source >= KEEP_SOURCE_UNIX && datagram->source <= KEEP_SOURCE_EXIT &&
           (datagram->marks & ~(uint32_t)ALL_MARKS) == 0 && (datagram->data.data != NULL || datagram->data.len == 0);
}

static keep_status check_feed(const keep_observer *observer, const keep_datagram *datagrams, size_t count)
{
    keep_status st = keep__keys_check(&observer->keys);

    if (count > KEEP_MAX_BATCH || (datagrams == NULL && count != 0))
        return KEEP_ERR_INVALID_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        if (!is_datagram(&datagrams[i]))
            return KEEP_ERR_INVALID_ARGUMENT;
    }
    if (st == KEEP_OK && count != 0 && observer->intake.reports.count != 0)
        st = keep__trace(KEEP_ERR_BUSY);
    return st;
}

keep_status keep_observer_feed(keep_observer *observer, const keep_datagram *datagrams, size_t count, uint64_t now_ns,
                               keep_event *out_events, size_t cap, size_t *out_count)
{
    keep_status st = keep__observer_check(observer);
    size_t given;

    if (st != KEEP_OK)
        return st;
    if (out_count == NULL || (out_events == NULL && cap != 0))
        return KEEP_ERR_INVALID_ARGUMENT;
    st = check_feed(observer, datagrams, count);
    if (st != KEEP_OK)
        return st;
    keep__ledger_move(&observer->tracker->ledger, now_ns);
    for (size_t i = 0; i < count; i++)
        keep__observer_take(observer, &datagrams[i], false, 0);
    given = keep__reports_give(&observer->intake.reports, out_events, cap);
    if (observer->intake.reports.count == 0)
        given += keep__observer_drain(observer, false, out_events + given, cap - given);
    *out_count = given + set_timer(observer, out_events + given, cap - given);
    return KEEP_OK;
}

/* --- telling --- */

keep_status keep_observer_stats(keep_observer *observer, struct keep_observer_stats *out_stats)
{
    keep_status st = keep__observer_check(observer);

    if (st == KEEP_OK)
        st = keep__report_check(out_stats, sizeof *out_stats);
    if (st == KEEP_OK)
        keep__report_fill(out_stats, &observer->intake.counts, sizeof *out_stats);
    return st;
}

keep_status keep_observer_metrics(keep_observer *observer, char *out, size_t cap, size_t *out_len)
{
    keep_status st = keep__observer_check(observer);
    keep__printer printer;

    if (st != KEEP_OK)
        return st;
    if (out_len == NULL || (out == NULL && cap != 0))
        return KEEP_ERR_INVALID_ARGUMENT;
    printer = keep__printer_of(NULL, 0);
    keep__metrics_print(&printer, &observer->intake, keep__identity_queue_limit());
    *out_len = printer.len;
    if (printer.len > cap)
        return KEEP_ERR_BUFFER_TOO_SMALL;
    printer = keep__printer_of(out, cap);
    keep__metrics_print(&printer, &observer->intake, keep__identity_queue_limit());
    return KEEP_OK;
}
