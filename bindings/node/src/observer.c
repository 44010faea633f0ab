/* SPDX-License-Identifier: MIT */
/*
 * Observers: the functions behind the class Observer. The first argument is its External, where there is one. Objects
 * that are read here were made by lib/ just before: reading them runs nobody's code.
 */
#include "observer.h"

#include "args.h"
#include "detail.h"
#include "list.h"
#include "options.h"
#include "poll.h"
#include "report.h"
#include "tracker.h"

enum {
    METRICS_SLACK = 1024
};

static keep_status free_observer(void **handle)
{
    keep_observer *observer = *handle;

    keep_observer_free(&observer);
    *handle = observer;
    return KEEP_OK;
}

static const shim_kind observer_kind = { .name = "Observer", .free = free_observer };

static bool begin(napi_env env, napi_callback_info info, shim_call *call, keep_observer **out)
{
    shim_box *box = shim_begin(env, info, call) ? shim_take_box(call, call->args[0], "this", &observer_kind) : NULL;

    if (box != NULL)
        *out = box->handle;
    return box != NULL;
}

/* --- making --- */

#define OPTION(key, kind, field) SHIM_OPTION(keep_observer_options, key, kind, field)

static const shim_option observer_options[] = {
    OPTION("anyUid", SHIM_OPTION_BOOLEAN, any_uid),
    OPTION("requirePidMatch", SHIM_OPTION_BOOLEAN, require_pid_match),
    OPTION("acceptNotify", SHIM_OPTION_BOOLEAN, accept_notify),
    OPTION("ownNamespaceOnly", SHIM_OPTION_BOOLEAN, own_namespace_only),
    OPTION("reportBeats", SHIM_OPTION_BOOLEAN, report_beats),
    OPTION("clock", SHIM_OPTION_UINT32, clock),
    OPTION("pidMax", SHIM_OPTION_UINT32, pid_max),
    OPTION("perPidRate", SHIM_OPTION_UINT32, per_pid_rate),
    OPTION("globalRate", SHIM_OPTION_UINT32, global_rate),
    OPTION("globalBurst", SHIM_OPTION_UINT32, global_burst),
    OPTION("budget", SHIM_OPTION_UINT32, budget),
    OPTION("maxPidfds", SHIM_OPTION_UINT32, max_pidfds),
    OPTION("maxSeries", SHIM_OPTION_UINT32, max_series),
    OPTION("ownNsInode", SHIM_OPTION_UINT64, own_ns_inode),
    OPTION("sessionGapNs", SHIM_OPTION_UINT64, session_gap_ns),
    OPTION("minThresholdNs", SHIM_OPTION_UINT64, min_threshold_ns),
    OPTION("maxThresholdNs", SHIM_OPTION_UINT64, max_threshold_ns),
};

/* An array; `undefined` is NULL. C refuses a longer one by its count. */
static bool take_uids(const shim_call *call, napi_value value, uint32_t *room, keep_observer_options *options)
{
    napi_value element;
    uint32_t count, i;

    if (shim_is_undefined(call, value))
        return true;
    if (!shim_take_count(call, value, "uids", &count))
        return false;
    for (i = 0; i < count && i < KEEP_MAX_ALLOWED_UIDS; i++)
        if (!shim_ok(call, napi_get_element(call->env, value, i, &element)) ||
            !shim_take_uint32(call, element, "uids", &room[i]))
            return false;
    options->uids = room;
    options->uid_count = count;
    return true;
}

/* new(tracker, options, uids) */
static napi_value make(napi_env env, napi_callback_info info)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    keep_error detail = KEEP_ERROR_INIT;
    uint32_t uids[KEEP_MAX_ALLOWED_UIDS];
    shim_call call;
    shim_box *tracker;
    keep_observer *observer = NULL;
    keep_status st;

    if (!shim_begin(env, info, &call) ||
        (tracker = shim_take_box(&call, call.args[0], "tracker", &shim_tracker_kind)) == NULL ||
        !shim_take_options(&call, call.args[1], observer_options, SHIM_COUNT(observer_options), &options) ||
        !take_uids(&call, call.args[2], uids, &options))
        return NULL;
    st = keep_observer_new(&options, tracker->handle, &observer, &detail);
    return st == KEEP_OK ? shim_adopt(&call, st, &observer_kind, observer, 0) : shim_settle_detail(&call, st, &detail);
}

#define LISTEN(key, kind, field) SHIM_OPTION(keep_listen_options, key, kind, field)

static const shim_option listen_options[] = {
    LISTEN("mode", SHIM_OPTION_UINT32, mode),
    LISTEN("fd", SHIM_OPTION_UINT32, fd),
    LISTEN("port", SHIM_OPTION_UINT16, port),
    LISTEN("sealed", SHIM_OPTION_BOOLEAN, sealed),
    LISTEN("attested", SHIM_OPTION_BOOLEAN, attested),
    LISTEN("allowPlain", SHIM_OPTION_BOOLEAN, allow_plain),
    LISTEN("allowAnyAddress", SHIM_OPTION_BOOLEAN, allow_any_address),
};

/* listen(observer, options, path, address) */
static napi_value listen_at(napi_env env, napi_callback_info info)
{
    keep_listen_options options = KEEP_LISTEN_OPTIONS_INIT;
    keep_error detail = KEEP_ERROR_INIT;
    char path[SHIM_TEXT_LEN + 2], address[SHIM_TEXT_LEN + 2];
    shim_call call;
    keep_observer *observer;
    keep_status st;

    if (!begin(env, info, &call, &observer) ||
        !shim_take_options(&call, call.args[1], listen_options, SHIM_COUNT(listen_options), &options) ||
        !shim_take_text(&call, call.args[2], "path", &path, &options.path) ||
        !shim_take_text(&call, call.args[3], "address", &address, &options.address))
        return NULL;
    st = keep_observer_listen(observer, &options, &detail);
    return shim_settle_detail(&call, st, &detail);
}

/* addKey(observer, secret, mode) */
static napi_value add_key(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_observer *observer;
    keep_secret *secret;
    uint32_t mode;

    if (!begin(env, info, &call, &observer) || !shim_take_secret(&call, call.args[1], "secret", &secret) ||
        !shim_take_uint32(&call, call.args[2], "mode", &mode))
        return NULL;
    return shim_settle(&call, keep_observer_add_key(observer, secret, mode));
}

/* --- events --- */

#define EVENT(key, kind, field) SHIM_FIELD(keep_event, key, kind, field)

static const shim_field event_fields[] = {
    EVENT("kind", SHIM_FIELD_UINT32, kind),
    EVENT("detail", SHIM_FIELD_UINT32, detail),
    EVENT("atNs", SHIM_FIELD_UINT64, at_ns),
    EVENT("pid", SHIM_FIELD_UINT32, pid),
    EVENT("nonce", SHIM_FIELD_UINT64, nonce),
    EVENT("lastNs", SHIM_FIELD_UINT64, last_ns),
    EVENT("silenceNs", SHIM_FIELD_UINT64, silence_ns),
    EVENT("stalled", SHIM_FIELD_UINT32, stalled),
    EVENT("agents", SHIM_FIELD_UINT32, agents),
    EVENT("health", SHIM_FIELD_UINT8, health),
    EVENT("payload", SHIM_FIELD_UINT32, payload),
    EVENT("origin", SHIM_FIELD_UINT8, origin),
    EVENT("claimedPid", SHIM_FIELD_UINT32, claimed_pid),
    EVENT("uid", SHIM_FIELD_UINT32, uid),
    EVENT("nsInode", SHIM_FIELD_UINT64, ns_inode),
    EVENT("generation", SHIM_FIELD_UINT64, generation),
};

static const shim_layout event_layout = SHIM_LAYOUT(keep_event, event_fields);

/* Room for as many events as are wanted of one call: what a stall tells of others is as it is after the call. */
static size_t room_of(size_t most)
{
    return most < KEEP_MAX_AGENTS ? most : KEEP_MAX_AGENTS;
}

/* poll(observer, most): an array of events */
static napi_value poll_events(napi_env env, napi_callback_info info)
{
    keep_error detail = KEEP_ERROR_INIT;
    shim_call call;
    keep_observer *observer;
    keep_event *events;
    keep_status st;
    size_t most, count = 0;

    if (!begin(env, info, &call, &observer) || !shim_take_size(&call, call.args[1], "most", &most) ||
        (events = shim_scratch(&call, (room_of(most) + 1) * sizeof *events)) == NULL)
        return NULL;
    st = keep_observer_poll(observer, events, room_of(most), &count, &detail);
    return st == KEEP_OK ? shim_reports(&call, &event_layout, events, count)
                         : shim_settle_detail(&call, st, &detail);
}

#define DATAGRAM(key, kind, field) SHIM_OPTION(keep_datagram, key, kind, field)

static const shim_option datagram_options[] = {
    DATAGRAM("source", SHIM_OPTION_UINT32, source),
    DATAGRAM("kernelPid", SHIM_OPTION_UINT32, kernel_pid),
    DATAGRAM("uid", SHIM_OPTION_UINT32, uid),
    DATAGRAM("nsInode", SHIM_OPTION_UINT64, ns_inode),
    DATAGRAM("generation", SHIM_OPTION_UINT64, generation),
    DATAGRAM("marks", SHIM_OPTION_UINT32, marks),
};

static bool take_datagrams(const shim_call *call, napi_value array, const shim_list *data, keep_datagram *out)
{
    napi_value element;
    size_t i;

    for (i = 0; i < data->count; i++) {
        out[i] = (keep_datagram){ .data = data->items[i] };
        if (!shim_ok(call, napi_get_element(call->env, array, (uint32_t)i, &element)) ||
            !shim_take_options(call, element, datagram_options, SHIM_COUNT(datagram_options), &out[i]))
            return false;
    }
    return true;
}

/* What a feed needs, in one piece. */
typedef struct feed {
    keep_datagram datagrams[KEEP_MAX_BATCH];
    keep_event events[];
} feed;

/* The events of a feed; its list ends here. */
static napi_value feed_all(const shim_call *call, keep_observer *observer, shim_list *data, feed *self, uint64_t now_ns,
                           size_t most)
{
    size_t count = 0;
    keep_status st =
        keep_observer_feed(observer, self->datagrams, data->count, now_ns, self->events, room_of(most), &count);

    st = shim_end_list(data, st);
    return st == KEEP_OK ? shim_reports(call, &event_layout, self->events, count) : shim_settle(call, st);
}

/* feed(observer, data, datagrams, nowNs, most): the events; `data` has the bytes of each datagram */
static napi_value feed_datagrams(napi_env env, napi_callback_info info)
{
    shim_call call;
    shim_list data;
    keep_observer *observer;
    feed *self;
    uint64_t now_ns;
    size_t most, given = 0;

    if (!begin(env, info, &call, &observer) || !shim_take_uint64(&call, call.args[3], "nowNs", &now_ns) ||
        !shim_take_size(&call, call.args[4], "most", &most) ||
        (self = shim_scratch(&call, sizeof *self + room_of(most) * sizeof *self->events)) == NULL ||
        !shim_take_list(&call, call.args[1], "data", KEEP_MAX_BATCH, &data, &given))
        return NULL;
    if (given <= KEEP_MAX_BATCH && take_datagrams(&call, call.args[2], &data, self->datagrams))
        return feed_all(&call, observer, &data, self, now_ns, most);
    (void)shim_end_list(&data, KEEP_OK);
    return given > KEEP_MAX_BATCH ? shim_settle(&call, KEEP_ERR_INVALID_ARGUMENT) : NULL;
}

/* poll of the descriptor, for lib/ to wait with */
static napi_value make_poll(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_observer *observer;
    keep_status st;
    int fd = -1;

    if (!begin(env, info, &call, &observer))
        return NULL;
    st = keep_observer_fd(observer, &fd);
    return st == KEEP_OK ? shim_make_poll(&call, fd) : shim_settle(&call, st);
}

/* --- telling --- */

#define COUNT(key, field) SHIM_FIELD(struct keep_observer_stats, key, SHIM_FIELD_UINT64, field)

static const shim_field stats_fields[] = {
    COUNT("datagrams", datagrams),
    COUNT("badLength", bad_length),
    COUNT("uidRefused", uid_refused),
    COUNT("noCredentials", no_credentials),
    COUNT("decodeErrors", decode_errors),
    COUNT("authFailures", auth_failures),
    COUNT("pidAboveMax", pid_above_max),
    COUNT("limitedPid", limited_pid),
    COUNT("limitedGlobal", limited_global),
    COUNT("posthumous", posthumous),
    COUNT("afterGoodbye", after_goodbye),
    COUNT("notifyUnattested", notify_unattested),
    COUNT("noticeRefused", notice_refused),
    COUNT("decryptFailures", decrypt_failures),
    COUNT("replayRefused", replay_refused),
    COUNT("sendersEvicted", senders_evicted),
    COUNT("foreignNamespace", foreign_namespace),
    COUNT("pidfdUnavailable", pidfd_unavailable),
    COUNT("ioErrors", io_errors),
};

static napi_value tell_stats(napi_env env, napi_callback_info info)
{
    struct keep_observer_stats stats = KEEP_OBSERVER_STATS_INIT;
    shim_call call;
    keep_observer *observer;
    keep_status st;

    if (!begin(env, info, &call, &observer))
        return NULL;
    st = keep_observer_stats(observer, &stats);
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    return shim_freeze(&call, shim_report(&call, stats_fields, SHIM_COUNT(stats_fields), &stats));
}

/* metrics(observer): the text; it may have grown between two calls, as agents may have ended */
static napi_value tell_metrics(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_observer *observer;
    napi_value string = NULL;
    char *text = NULL;
    keep_status st = KEEP_ERR_BUFFER_TOO_SMALL;
    size_t cap, len = 0;

    if (!begin(env, info, &call, &observer))
        return NULL;
    while (st == KEEP_ERR_BUFFER_TOO_SMALL) {
        cap = len + METRICS_SLACK;
        if ((text = shim_scratch(&call, cap)) == NULL)
            return NULL;
        st = keep_observer_metrics(observer, text, cap, &len);
    }
    if (st != KEEP_OK)
        return shim_settle(&call, st);
    return shim_ok(&call, napi_create_string_utf8(env, text, len, &string)) ? string : NULL;
}

/* metricsInto(observer, out): the length */
static napi_value tell_metrics_into(napi_env env, napi_callback_info info)
{
    shim_call call;
    keep_observer *observer;
    keep_status st;
    uint8_t *out;
    size_t room, len = 0;

    if (!begin(env, info, &call, &observer) || !shim_take_room(&call, call.args[1], "out", &out, &room))
        return NULL;
    st = keep_observer_metrics(observer, (char *)out, room, &len);
    return shim_settle_len(&call, st, len);
}

static napi_value close_observer(napi_env env, napi_callback_info info)
{
    return shim_close(env, info, &observer_kind);
}

static const shim_method methods[] = {
    { "observerNew", "new Observer", make },
    { "observerListen", "Observer.listen", listen_at },
    { "observerAddKey", "Observer.addKey", add_key },
    { "observerPoll", "Observer.poll", poll_events },
    { "observerFeed", "Observer.feed", feed_datagrams },
    { "observerMakePoll", "Observer.wait", make_poll },
    { "observerStats", "Observer.stats", tell_stats },
    { "observerMetrics", "Observer.metrics", tell_metrics },
    { "observerMetricsInto", "Observer.metricsInto", tell_metrics_into },
    { "observerClose", "Observer.close", close_observer },
};

static const shim_constant constants[] = {
    { NULL, "MAX_LISTENERS", KEEP_MAX_LISTENERS },
    { NULL, "MAX_BEAT_KEYS", KEEP_MAX_BEAT_KEYS },
    { NULL, "MAX_ALLOWED_UIDS", KEEP_MAX_ALLOWED_UIDS },
    { NULL, "MAX_SEALED_SENDERS", KEEP_MAX_SEALED_SENDERS },
    { "Clock", "MONOTONIC", KEEP_CLOCK_MONOTONIC },
    { "Clock", "BOOTTIME", KEEP_CLOCK_BOOTTIME },
    { "EventKind", "BEAT", KEEP_EVENT_BEAT },
    { "EventKind", "STALL", KEEP_EVENT_STALL },
    { "EventKind", "RECOVERED", KEEP_EVENT_RECOVERED },
    { "EventKind", "EXITED", KEEP_EVENT_EXITED },
    { "EventKind", "GOODBYE", KEEP_EVENT_GOODBYE },
    { "EventKind", "REGISTERED", KEEP_EVENT_REGISTERED },
    { "EventKind", "READY", KEEP_EVENT_READY },
    { "EventKind", "FAILED", KEEP_EVENT_FAILED },
    { "EventKind", "CRASH", KEEP_EVENT_CRASH },
    { "EventKind", "EVICTED", KEEP_EVENT_EVICTED },
    { "EventKind", "RECYCLED", KEEP_EVENT_RECYCLED },
    { "EventKind", "DECODE_ERROR", KEEP_EVENT_DECODE_ERROR },
    { "EventKind", "UID_REFUSED", KEEP_EVENT_UID_REFUSED },
    { "EventKind", "AUTH_FAILURE", KEEP_EVENT_AUTH_FAILURE },
    { "EventKind", "ORIGIN_CONFLICT", KEEP_EVENT_ORIGIN_CONFLICT },
    { "EventKind", "NAMESPACE_CONFLICT", KEEP_EVENT_NAMESPACE_CONFLICT },
    { "EventKind", "OUTAGE", KEEP_EVENT_OUTAGE },
    { "EventKind", "IO_ERROR", KEEP_EVENT_IO_ERROR },
    { "Fault", "BAD_LENGTH", KEEP_FAULT_BAD_LENGTH },
    { "Fault", "BAD_MAGIC", KEEP_FAULT_BAD_MAGIC },
    { "Fault", "BAD_VERSION", KEEP_FAULT_BAD_VERSION },
    { "Fault", "BAD_CRC", KEEP_FAULT_BAD_CRC },
    { "Fault", "BAD_STATUS", KEEP_FAULT_BAD_STATUS },
    { "Fault", "STALL_ON_WIRE", KEEP_FAULT_STALL_ON_WIRE },
    { "Fault", "BAD_PID", KEEP_FAULT_BAD_PID },
    { "Fault", "BAD_TIMESTAMP", KEEP_FAULT_BAD_TIMESTAMP },
    { "Fault", "BAD_NONCE", KEEP_FAULT_BAD_NONCE },
    { "Fault", "BAD_RESERVED", KEEP_FAULT_BAD_RESERVED },
    { "BeatMode", "PLAIN", KEEP_BEAT_PLAIN },
    { "BeatMode", "SHARED", KEEP_BEAT_SHARED },
    { "BeatMode", "MASTER", KEEP_BEAT_MASTER },
    { "DatagramSource", "UNIX", KEEP_SOURCE_UNIX },
    { "DatagramSource", "UDP", KEEP_SOURCE_UDP },
    { "DatagramSource", "UDP_SEALED", KEEP_SOURCE_UDP_SEALED },
    { "DatagramSource", "EXIT", KEEP_SOURCE_EXIT },
    { "DatagramMarks", "TRUNCATED", KEEP_MARK_TRUNCATED },
    { "DatagramMarks", "NO_CREDENTIALS", KEEP_MARK_NO_CREDENTIALS },
    { "DatagramMarks", "SENDER_GONE", KEEP_MARK_SENDER_GONE },
    { "DatagramMarks", "ATTESTED", KEEP_MARK_ATTESTED },
};

const shim_table shim_observer_table = { methods, SHIM_COUNT(methods), constants, SHIM_COUNT(constants) };
