/* SPDX-License-Identifier: MIT */
/*
 * Trackers, observers and beacons with every call below them failing (tracker T16).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <keep/keep.h>

#include "support/agents.h"
#include "support/suite.h"
#include "sweep.h"

/* What making a handle may give, and OK where a call may be lost: a datagram, an end that is seen later, a mode. */
static const keep_status of_making[] = { KEEP_ERR_NO_MEMORY, KEEP_ERR_SYSTEM, KEEP_ERR_UNSUPPORTED, KEEP_OK };
/* With a key also what acquiring may give; a path that cannot be bound may be somebody's. */
static const keep_status of_listening[] = { KEEP_ERR_NO_MEMORY,  KEEP_ERR_SYSTEM, KEEP_ERR_UNSUPPORTED,
                                            KEEP_ERR_LOCK_LIMIT, KEEP_ERR_BUSY,   KEEP_OK };

enum {
    OF_MAKING = sizeof of_making / sizeof *of_making,
    OF_LISTENING = sizeof of_listening / sizeof *of_listening
};

static char folder[64], path[80];

/* A folder for sockets. */
static void make_folder(void)
{
    const char *parent = getenv("TMPDIR");

    (void)snprintf(folder, sizeof folder, "%s/keep-XXXXXX", parent == NULL ? "/tmp" : parent);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/observer", folder);
}

static void remove_folder(void)
{
    ck_assert_int_eq(rmdir(folder), 0);
}

/* --- trackers --- */

static keep_status make_tracker(void *unused)
{
    keep_tracker *tracker = NULL;
    keep_status st = keep_tracker_new(NULL, &tracker);

    (void)unused;
    body_needs((st == KEEP_OK) == (tracker != NULL));
    keep_tracker_free(&tracker);
    return st;
}

START_TEST(making_a_ledger_survives_every_failing_call)
{
    sweep(make_tracker, NULL, of_making, OF_MAKING - 1);
}
END_TEST

/* --- observers --- */

static keep_status poll_some(keep_observer *observer)
{
    keep_event events[8];
    keep_status st = KEEP_OK;
    size_t count;

    for (int i = 0; i < 3 && st == KEEP_OK; i++)
        st = keep_observer_poll(observer, events, 8, &count, NULL);
    return st;
}

/* One of this process's beats, so that the observer has somebody to look up. */
static void notify_once(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        (void)send(fd, "WATCHDOG=1", 10, MSG_DONTWAIT);
    if (fd >= 0)
        (void)close(fd);
}

static keep_status watch_self(void *key)
{
    keep_listen_options listen = KEEP_LISTEN_OPTIONS_INIT;
    keep_tracker *tracker = NULL;
    keep_observer *observer = NULL;
    keep_status st = keep_tracker_new(NULL, &tracker);

    listen.path = path;
    if (st == KEEP_OK)
        st = keep_observer_new(NULL, tracker, &observer, NULL);
    body_needs((st == KEEP_OK) == (observer != NULL));
    if (st == KEEP_OK)
        st = keep_observer_add_key(observer, key, KEEP_BEAT_SHARED);
    if (st == KEEP_OK)
        st = keep_observer_listen(observer, &listen, NULL);
    if (st == KEEP_OK) {
        notify_once();
        st = poll_some(observer);
    }
    keep_observer_free(&observer);
    keep_tracker_free(&tracker);
    body_needs(access(path, F_OK) != 0);
    return st;
}

START_TEST(observing_survives_every_failing_call)
{
    keep_secret *key = NULL;

    make_folder();
    assert_ok(keep_secret_generate(NULL, 32, &key));
    sweep(watch_self, key, of_listening, OF_LISTENING);
    (void)keep_secret_free(&key);
    remove_folder();
}
END_TEST

START_TEST(what_cannot_be_read_or_waited_on_is_an_event)
{
    static const char *const calls[] = { "recvmmsg", "epoll_wait" };
    keep_listen_options listen = KEEP_LISTEN_OPTIONS_INIT;
    struct keep_observer_stats stats = KEEP_OBSERVER_STATS_INIT;
    keep_tracker *tracker = NULL;
    keep_observer *observer = NULL;
    keep_event event = { .kind = 0 };
    size_t count = 0;

    make_folder();
    listen.path = path;
    assert_ok(keep_tracker_new(NULL, &tracker));
    assert_ok(keep_observer_new(NULL, tracker, &observer, NULL));
    assert_ok(keep_observer_listen(observer, &listen, NULL));
    fail_calls_of(calls[_i], EIO);
    assert_ok(keep_observer_poll(observer, &event, 1, &count, NULL));
    fail_calls_of(NULL, 0);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(event.kind, KEEP_EVENT_IO_ERROR);
    ck_assert_uint_eq(event.detail, EIO);
    assert_ok(keep_observer_stats(observer, &stats));
    ck_assert_uint_eq(stats.io_errors, 1);
    keep_observer_free(&observer);
    keep_tracker_free(&tracker);
    remove_folder();
}
END_TEST

enum {
    FIRST_NS = 1000
};

/* An observer without a path; its ledger has one agent, which beat at FIRST_NS. */
static keep_observer *observer_of_one(void)
{
    const keep_datagram text = {
        .data = { "WATCHDOG=1", 10 },
        .generation = 1,
        .kernel_pid = 100,
        .uid = getuid(),
        .source = KEEP_SOURCE_UNIX,
    };
    keep_tracker *tracker = NULL;
    keep_observer *observer = NULL;
    size_t count;

    assert_ok(keep_tracker_new(NULL, &tracker));
    assert_ok(keep_observer_new(NULL, tracker, &observer, NULL));
    assert_ok(keep_observer_feed(observer, &text, 1, FIRST_NS, NULL, 0, &count));
    keep_tracker_free(&tracker);
    return observer;
}

/* Without its timer an observer would sleep on while agents fall silent. */
START_TEST(a_timer_that_cannot_be_set_is_an_event)
{
    const uint64_t due_ns = FIRST_NS + (uint64_t)5 * 1000000000;
    keep_observer *observer = observer_of_one();
    struct keep_observer_stats stats = KEEP_OBSERVER_STATS_INIT;
    keep_event events[2] = { { .kind = 0 } };
    size_t room = _i == 0 ? 2 : 1, count = 0;

    fail_calls_of("timerfd_settime", EIO);
    assert_ok(keep_observer_feed(observer, NULL, 0, due_ns, events, room, &count));
    fail_calls_of(NULL, 0);
    ck_assert_uint_eq(count, room);
    ck_assert_uint_eq(events[0].kind, KEEP_EVENT_STALL);
    if (room == 1)
        assert_ok(keep_observer_feed(observer, NULL, 0, due_ns, events + 1, 1, &count));
    ck_assert_uint_eq(events[1].kind, KEEP_EVENT_IO_ERROR);
    ck_assert_uint_eq(events[1].detail, EIO);
    assert_ok(keep_observer_feed(observer, NULL, 0, due_ns, events, 2, &count));
    ck_assert_uint_eq(count, 0);
    assert_ok(keep_observer_stats(observer, &stats));
    ck_assert_uint_eq(stats.io_errors, 1);
    keep_observer_free(&observer);
}
END_TEST

START_TEST(a_timer_is_set_when_it_changes)
{
    keep_observer *observer = observer_of_one();
    size_t count;

    fail_calls_of("timerfd_settime", EIO);
    assert_ok(keep_observer_feed(observer, NULL, 0, FIRST_NS + 1, NULL, 0, &count));
    ck_assert_uint_eq(failed_calls(), 0);
    assert_ok(keep_observer_feed(observer, NULL, 0, UINT64_MAX / 2, NULL, 0, &count));
    ck_assert_uint_eq(failed_calls(), 1);
    fail_calls_of(NULL, 0);
    keep_observer_free(&observer);
}
END_TEST

START_TEST(one_such_event_waits_however_often_it_fails)
{
    keep_observer *observer = observer_of_one();
    struct keep_observer_stats stats = KEEP_OBSERVER_STATS_INIT;
    keep_event events[2];
    size_t count;

    fail_calls_of("timerfd_settime", EIO);
    for (int i = 0; i < 3; i++)
        assert_ok(keep_observer_feed(observer, NULL, 0, UINT64_MAX / 2, NULL, 0, &count));
    fail_calls_of(NULL, 0);
    assert_ok(keep_observer_stats(observer, &stats));
    ck_assert_uint_eq(stats.io_errors, 3);
    assert_ok(keep_observer_feed(observer, NULL, 0, UINT64_MAX / 2, events, 2, &count));
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(events[0].kind, KEEP_EVENT_IO_ERROR);
    ck_assert_uint_eq(events[1].kind, KEEP_EVENT_STALL);
    keep_observer_free(&observer);
}
END_TEST

/* --- beacons --- */

/* Somebody who listens and never reads. */
static int open_ear(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* A tracker, an observer, and a beacon with an ear that hears it. */
struct calls {
    keep_tracker *tracker;
    keep_observer *observer;
    keep_beacon *beacon;
    int ear;
};

static void open_calls(struct calls *calls)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    keep_beacon_options peer = KEEP_BEACON_OPTIONS_INIT;
    keep_tracker *watched = NULL;

    make_folder();
    calls->ear = open_ear();
    peer.path = path;
    options.report_beats = 1;
    assert_ok(keep_tracker_new(NULL, &calls->tracker));
    assert_ok(keep_tracker_new(NULL, &watched));
    assert_ok(keep_observer_new(&options, watched, &calls->observer, NULL));
    assert_ok(keep_beacon_new(&peer, &calls->beacon, NULL));
    keep_tracker_free(&watched);
}

static void close_calls(struct calls *calls)
{
    keep_beacon_free(&calls->beacon);
    keep_observer_free(&calls->observer);
    keep_tracker_free(&calls->tracker);
    (void)close(calls->ear);
    (void)unlink(path);
    remove_folder();
}

/* More than there is room for. */
static uint32_t pid_of(uint64_t round)
{
    return 2 + (uint32_t)(round % 1000);
}

/* A record, a feed and a beat. */
static void call_each(struct calls *calls, uint64_t round, const uint8_t frame[KEEP_BEAT_LEN])
{
    uint32_t pid = pid_of(round);
    keep_sighting sighting = { .nonce = round, .pid = pid, .origin = KEEP_ORIGIN_KERNEL };
    keep_datagram datagram = { .data = { frame, KEEP_BEAT_LEN },
                               .generation = 1,
                               .kernel_pid = pid,
                               .uid = getuid(),
                               .source = KEEP_SOURCE_UNIX };
    keep_admission admission;
    keep_event events[8];
    keep_outcome outcome;
    uint8_t heard[KEEP_BEAT_LEN];
    size_t count;

    body_needs(keep_tracker_record(calls->tracker, &sighting, 1, round * 10000000, &admission) == KEEP_OK);
    body_needs(keep_observer_feed(calls->observer, &datagram, 1, round * 10000000, events, 8, &count) == KEEP_OK);
    body_needs(keep_beacon_beat(calls->beacon, KEEP_HEALTH_OK, 0, &outcome) == KEEP_OK);
    body_needs(outcome.kind == KEEP_OUTCOME_SENT && recv(calls->ear, heard, sizeof heard, 0) == KEEP_BEAT_LEN);
}

/* tracker T17 */
START_TEST(records_feeds_and_beats_take_no_memory)
{
    static const char *const takers[] = { "malloc", "calloc", "aligned_alloc", "mmap" };
    static uint8_t frames[10000][KEEP_BEAT_LEN];
    const uint64_t rounds = sizeof frames / sizeof *frames;
    struct calls calls = { .ear = -1 };

    open_calls(&calls);
    for (uint64_t round = 0; round < rounds; round++)
        write_beat(pid_of(round), round + 1, frames[round]);
    fail_calls_of(takers[_i], ENOMEM);
    for (uint64_t round = 0; round < rounds; round++)
        call_each(&calls, round, frames[round]);
    fail_calls_of(NULL, 0);
    ck_assert_uint_eq(failed_calls(), 0);
    close_calls(&calls);
}
END_TEST

static keep_status beat_and_crash(void *key)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    keep_beacon *beacon = NULL;
    keep_outcome outcome = { 0 };
    keep_status st;

    options.path = path;
    options.mode = key == NULL ? KEEP_BEAT_PLAIN : KEEP_BEAT_SHARED;
    options.key = key;
    options.reconnect_after = 1;
    st = keep_beacon_new(&options, &beacon, NULL);
    body_needs((st == KEEP_OK) == (beacon != NULL));
    if (st == KEEP_OK)
        st = keep_beacon_arm(beacon, KEEP_ARM_SIGNALS, NULL);
    if (st == KEEP_OK)
        st = keep_beacon_beat(beacon, 0, 0, &outcome);
    if (st == KEEP_OK)
        st = keep_beacon_reconnect(beacon, NULL);
    if (st == KEEP_OK)
        st = keep_beacon_restart(beacon, NULL);
    keep_beacon_crash(beacon, 1);
    keep_beacon_free(&beacon);
    return st;
}

START_TEST(beating_survives_every_failing_call)
{
    keep_secret *key = NULL;
    int fd;

    make_folder();
    fd = open_ear();
    if (_i == 1)
        assert_ok(keep_secret_generate(NULL, 32, &key));
    sweep(beat_and_crash, key, of_listening, OF_LISTENING);
    (void)keep_secret_free(&key);
    (void)close(fd);
    (void)unlink(path);
    remove_folder();
}
END_TEST

RUN_SUITE("tracker", ONCE(making_a_ledger_survives_every_failing_call), ONCE(observing_survives_every_failing_call),
          TIMES(what_cannot_be_read_or_waited_on_is_an_event, 2), TIMES(a_timer_that_cannot_be_set_is_an_event, 2),
          ONCE(a_timer_is_set_when_it_changes), ONCE(one_such_event_waits_however_often_it_fails),
          TIMES(beating_survives_every_failing_call, 2), TIMES(records_feeds_and_beats_take_no_memory, 4))
