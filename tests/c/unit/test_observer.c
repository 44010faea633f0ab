/* SPDX-License-Identifier: MIT */
/*
 * Observer, receive, keys and watch, white box: arguments that are none, clocks and kernels that fail, and identities
 * that change between two datagrams.
 */
#include "tracker/observer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "keep/beacon.h"
#include "memory/guard.h"
#include "support/pools.h"
#include "support/scene.h"
#include "support/wrapped.h"
#include "tracker/identity.h"
#include "tracker/sealed.h"
#include "tracker/tracker.h"

WRAP(uint64_t, keep__clock_now_ns, (void), (), 0)
WRAP(bool, keep__identity_supported, (void), (), false)
WRAP(uint32_t, keep__identity_pid_max, (void), (), 0)
WRAP(bool, keep__watch_add, (keep__watch * watch, int fd, uint64_t tag), (watch, fd, tag), false)
WRAP(int, epoll_wait, (int set, struct epoll_event *events, int cap, int limit), (set, events, cap, limit), -1)

bool __wrap_keep__identity_look(uint32_t pid, uint64_t sent_ns, bool may_pin, keep__life *out);
uint64_t __wrap_keep__identity_start(uint32_t pid);
bool __wrap_keep__identity_ended(int32_t pidfd);
uint64_t __wrap_keep__clock_real_ns(void);
uint64_t __wrap_keep__clock_boot_ns(void);

#define REAL_NS UINT64_C(1000)
#define BOOT_NS UINT64_C(100)

enum {
    PID = 5
};

/* What the kernel says of whoever is looked up, and what was asked. */
static struct {
    keep__life life;
    uint64_t start, asked_ns;
    int looks;
    bool has_ended;
} kernel = { .life = { .generation = 7, .ns_inode = 3, .pidfd = KEEP__NO_PIDFD } };

bool __wrap_keep__identity_look(uint32_t pid, uint64_t sent_ns, bool may_pin, keep__life *out)
{
    *out = kernel.life;
    out->pid = pid;
    if (kernel.life.pidfd != KEEP__NO_PIDFD)
        out->pidfd = may_pin ? dup(kernel.life.pidfd) : KEEP__NO_PIDFD;
    out->is_unwatched = out->pidfd == KEEP__NO_PIDFD;
    kernel.asked_ns = sent_ns;
    kernel.looks++;
    return true;
}

uint64_t __wrap_keep__identity_start(uint32_t pid)
{
    (void)pid;
    return kernel.start;
}

bool __wrap_keep__identity_ended(int32_t pidfd)
{
    (void)pidfd;
    return kernel.has_ended;
}

uint64_t __wrap_keep__clock_real_ns(void)
{
    return REAL_NS;
}

uint64_t __wrap_keep__clock_boot_ns(void)
{
    return BOOT_NS;
}

/* Nobody is limited. */
static void begin_with(struct scene *scene, keep_observer_options options)
{
    options.per_pid_rate = 0;
    scene_begin(scene, options);
}

static void begin(struct scene *scene)
{
    begin_with(scene, (keep_observer_options)KEEP_OBSERVER_OPTIONS_INIT);
}

/* --- making --- */

static const struct {
    size_t at; /* of a field */
    size_t len;
    uint64_t value;
} strange[] = {
#define FIELD(name) offsetof(keep_observer_options, name), sizeof(((keep_observer_options *)NULL)->name)
    { FIELD(size), 1 },
    { FIELD(uid_count), KEEP_MAX_ALLOWED_UIDS + 1 },
    { FIELD(clock), KEEP_CLOCK_BOOTTIME + 1 },
    { FIELD(budget), 0 },
    { FIELD(min_threshold_ns), 0 },
    { FIELD(max_threshold_ns), 1 },
    { FIELD(any_uid), 2 },
    { FIELD(report_beats), 2 },
#undef FIELD
};

START_TEST(options_that_make_no_observer_are_refused)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    keep_tracker *tracker = NULL;
    keep_observer *observer = NULL;

    memcpy((uint8_t *)&options + strange[_i].at, &strange[_i].value, strange[_i].len);
    assert_ok(keep_tracker_new(NULL, &tracker));
    assert_status(keep_observer_new(&options, tracker, &observer, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_new(NULL, tracker, NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    fail_call("keep__identity_supported", 0, 0);
    assert_status(keep_observer_new(NULL, tracker, &observer, NULL), KEEP_ERR_UNSUPPORTED);
    ck_assert_ptr_null(observer);
    keep_tracker_free(&tracker);
}
END_TEST

START_TEST(an_observer_is_what_its_options_say)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    struct scene scene;

    options.clock = KEEP_CLOCK_BOOTTIME;
    options.own_namespace_only = 1;
    options.max_pidfds = 3;
    options.pid_max = 4000;
    begin_with(&scene, options);
    ck_assert_uint_eq(keep__observer_clock(scene.observer), BOOT_NS);
    ck_assert_uint_eq(scene.observer->intake.options.own_ns_inode, keep__identity_own_namespace());
    ck_assert_uint_eq(scene.observer->max_pidfds, 3);
    assert_ok(keep_observer_poll(scene.observer, NULL, 0, &scene.count, NULL));
    ck_assert_uint_eq(scene.observer->intake.pid_max, 4000); /* the kernel was not asked */
    scene_end(&scene);
}
END_TEST

START_TEST(calls_that_are_none_are_refused)
{
    keep_listen_options listen = { .size = 1 };
    keep_datagram datagram = { .source = KEEP_SOURCE_UNIX };
    struct keep_observer_stats stats = KEEP_OBSERVER_STATS_INIT;
    struct scene scene;
    size_t count = 7;
    int fd = -1;

    begin(&scene);
    assert_status(keep_observer_listen(NULL, &listen, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_listen(scene.observer, NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_listen(scene.observer, &listen, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_add_key(NULL, NULL, KEEP_BEAT_SHARED), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_fd(NULL, &fd), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_fd(scene.observer, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_poll(scene.observer, NULL, 0, NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_feed(scene.observer, NULL, 0, 1, NULL, 0, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_feed(scene.observer, NULL, 0, 1, NULL, 1, &count), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_feed(NULL, NULL, 0, 1, NULL, 0, &count), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_feed(scene.observer, &datagram, KEEP_MAX_BATCH + 1, 1, NULL, 0, &count),
                  KEEP_ERR_INVALID_ARGUMENT);
    datagram.marks = KEEP_MARK_ATTESTED << 1;
    assert_status(keep_observer_feed(scene.observer, &datagram, 1, 1, NULL, 0, &count), KEEP_ERR_INVALID_ARGUMENT);
    datagram.marks = 0;
    datagram.source = 0;
    assert_status(keep_observer_feed(scene.observer, &datagram, 1, 1, NULL, 0, &count), KEEP_ERR_INVALID_ARGUMENT);
    datagram.source = KEEP_SOURCE_UNIX;
    datagram.data.len = 1;
    assert_status(keep_observer_feed(scene.observer, &datagram, 1, 1, NULL, 0, &count), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_stats(NULL, &stats), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_stats(scene.observer, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_metrics(NULL, NULL, 0, &count), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_metrics(scene.observer, NULL, 0, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_metrics(scene.observer, NULL, 1, &count), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert(count == 7 && fd == -1);
    scene_end(&scene);
}
END_TEST

START_TEST(there_is_an_end_of_listeners)
{
    keep_listen_options options = KEEP_LISTEN_OPTIONS_INIT;
    struct scene scene;

    begin(&scene);
    options.address = "127.0.0.1";
    options.sealed = 1;
    for (int i = 0; i < KEEP_MAX_LISTENERS; i++)
        assert_ok(keep_observer_listen(scene.observer, &options, NULL));
    assert_status(keep_observer_listen(scene.observer, &options, NULL), KEEP_ERR_EXHAUSTED);
    scene_end(&scene);
}
END_TEST

/* --- a call --- */

START_TEST(without_a_clock_or_its_keys_an_observer_does_nothing)
{
    KEEP_AUTO(keep_secret) key = new_secret(NULL, KEEP__BEAT_KEY_LEN);
    struct scene scene;

    begin(&scene);
    fail_call("keep__clock_now_ns", 0, 0);
    assert_status(keep_observer_poll(scene.observer, NULL, 0, &scene.count, NULL), KEEP_ERR_SYSTEM);
    assert_ok(keep_observer_add_key(scene.observer, key, KEEP_BEAT_SHARED));
    assert_ok(keep_observer_add_key(scene.observer, key, KEEP_BEAT_MASTER));
    keep__guard_new_epoch();
    assert_status(keep_observer_poll(scene.observer, NULL, 0, &scene.count, NULL), KEEP_ERR_PURGED);
    assert_status(keep_observer_add_key(scene.observer, key, KEEP_BEAT_SHARED), KEEP_ERR_PURGED);
    assert_status(keep_observer_feed(scene.observer, NULL, 0, 1, NULL, 0, &scene.count), KEEP_ERR_PURGED);
    scene_end(&scene);
}
END_TEST

/* tracker R37: who opens with what a purge was about to wipe was not heard */
START_TEST(a_frame_that_opens_while_the_keys_go_is_not_open)
{
    KEEP_AUTO(keep_secret) key = new_secret(NULL, KEEP__BEAT_KEY_LEN);
    static const uint8_t zeros[KEEP__BEAT_KEY_LEN];
    keep__sealing sealing = { .key = zeros, .mode = KEEP_BEAT_SHARED };
    uint8_t wire[KEEP_BEAT_SHARED_LEN];
    uint8_t frame[KEEP_BEAT_LEN] = { 0 };
    struct scene scene;

    begin(&scene);
    assert_ok(keep_observer_add_key(scene.observer, key, KEEP_BEAT_SHARED));
    keep__sealed_seal(&sealing, frame, wire);
    ck_assert(keep__keys_open(&scene.observer->keys, wire, sizeof wire, frame));
    keep__guard_new_epoch();
    ck_assert(!keep__keys_open(&scene.observer->keys, wire, sizeof wire, frame));
    scene_end(&scene);
}
END_TEST

static void poll_at_later_minute(struct scene *scene)
{
    scene->observer->pid_max_read_ns -= 60 * KEEP__NS_PER_S; /* the same as that much later */
    assert_ok(keep_observer_poll(scene->observer, scene->events, SCENE_EVENTS, &scene->count, NULL));
}

START_TEST(the_largest_pid_is_read_once_a_minute)
{
    struct scene scene;
    uint32_t before;

    begin(&scene);
    assert_ok(keep_observer_poll(scene.observer, scene.events, SCENE_EVENTS, &scene.count, NULL));
    before = scene.observer->intake.pid_max;
    fail_call("keep__identity_pid_max", 0, 0);
    assert_ok(keep_observer_poll(scene.observer, scene.events, SCENE_EVENTS, &scene.count, NULL));
    ck_assert_uint_eq(scene.observer->intake.pid_max, before);
    poll_at_later_minute(&scene);
    ck_assert_uint_gt(scene.observer->intake.pid_max, 0); /* it was not told, and any is allowed */
    ck_assert(!fails_now("keep__identity_pid_max"));
    scene_end(&scene);
}
END_TEST

START_TEST(an_interrupted_wait_is_made_again)
{
    struct scene scene;

    begin(&scene);
    fail_call("epoll_wait", 0, EINTR);
    assert_ok(keep_observer_poll(scene.observer, scene.events, SCENE_EVENTS, &scene.count, NULL));
    ck_assert(!fails_now("epoll_wait"));
    scene_end(&scene);
}
END_TEST

/* --- who sent it --- */

/* A received beat of PID. */
static void take_beat(struct scene *scene, uint64_t nonce, uint64_t sent_ns)
{
    keep__beat beat = { .pid = PID, .nonce = nonce };
    uint8_t frame[KEEP_BEAT_LEN];
    keep_datagram datagram = { .kernel_pid = PID, .source = KEEP_SOURCE_UNIX };

    assert_ok(keep__beat_encode(&beat, frame));
    datagram.data = (keep_bytes){ frame, sizeof frame };
    keep__observer_take(scene->observer, &datagram, true, sent_ns);
}

static uint32_t place(const struct scene *scene)
{
    return keep__ledger_find(&scene->tracker->ledger, PID);
}

static keep__life *life(const struct scene *scene)
{
    return &scene->observer->intake.lives[place(scene)];
}

static uint64_t generation_of_agent(const struct scene *scene)
{
    keep_agent_info info = KEEP_AGENT_INFO_INIT;

    assert_ok(keep_tracker_get(scene->tracker, PID, 1, &info));
    return info.generation;
}

START_TEST(the_time_of_sending_is_told_on_the_boot_clock)
{
    static const uint64_t times[][2] = {
        { 0, BOOT_NS }, /* not known */
        { REAL_NS - 30, BOOT_NS - 30 },
        { REAL_NS + 1, BOOT_NS },           /* the clock was set back meanwhile */
        { REAL_NS - BOOT_NS - 1, BOOT_NS }, /* before the boot */
    };
    struct scene scene;

    begin(&scene);
    take_beat(&scene, 1, times[_i][0]);
    ck_assert_uint_eq(kernel.asked_ns, times[_i][1]);
    scene_end(&scene);
}
END_TEST

START_TEST(an_unknown_life_is_looked_up_again_after_a_second)
{
    struct scene scene;

    begin(&scene);
    kernel.life.generation = 0;
    take_beat(&scene, 1, 0);
    take_beat(&scene, 2, 0);
    ck_assert_int_eq(kernel.looks, 1);
    kernel.life.generation = 7;
    keep__ledger_move(&scene.tracker->ledger, 2 * KEEP__NS_PER_S);
    take_beat(&scene, 3, 0);
    ck_assert_int_eq(kernel.looks, 2);
    ck_assert_uint_eq(generation_of_agent(&scene), 7);
    scene_end(&scene);
}
END_TEST

/* tracker R34 n */
START_TEST(a_stranger_is_not_looked_up_on_credit)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    struct scene scene;

    options.global_rate = 1;
    options.global_burst = 1;
    begin_with(&scene, options);
    take_beat(&scene, 1, 0);
    assert_ok(keep_tracker_delete(scene.tracker, PID, KEEP_REASON_OPERATOR, 1));
    take_beat(&scene, 2, 0);
    ck_assert_int_eq(kernel.looks, 1);
    ck_assert_uint_eq(place(&scene), KEEP__NOBODY);
    scene_end(&scene);
}
END_TEST

/* tracker R31: without a descriptor the start is looked at anew */
START_TEST(somebody_without_a_descriptor_is_known_by_his_start)
{
    struct scene scene;

    begin(&scene);
    take_beat(&scene, 1, 0);
    ck_assert(life(&scene)->is_unwatched);
    take_beat(&scene, 2, 0); /* /proc says nothing */
    ck_assert_uint_eq(generation_of_agent(&scene), 7);
    for (uint64_t nonce = 3; nonce <= 4; nonce++) { /* one of whom nothing was noted but his start would be the last */
        kernel.start = kernel.life.generation = 6 + nonce;
        take_beat(&scene, nonce, 0);
        ck_assert_uint_eq(generation_of_agent(&scene), kernel.start);
        ck_assert(life(&scene)->is_unwatched);
    }
    scene_end(&scene);
}
END_TEST

START_TEST(somebody_else_under_the_pid_is_no_stall)
{
    struct scene scene;

    begin(&scene);
    take_beat(&scene, 1, 0);
    keep__ledger_move(&scene.tracker->ledger, 9 * KEEP__NS_PER_S);
    kernel.start = 9;
    scene.count = keep__observer_drain(scene.observer, true, scene.events, SCENE_EVENTS);
    ck_assert_uint_eq(scene.events[scene.count - 1].kind, KEEP_EVENT_RECYCLED);
    ck_assert_uint_eq(place(&scene), KEEP__NOBODY);
    scene_end(&scene);
}
END_TEST

/* The same process, one of whom nothing is known, and one with a descriptor: nobody else. */
START_TEST(the_same_or_an_unknown_one_under_the_pid_stalls)
{
    struct scene scene;

    begin(&scene);
    take_beat(&scene, 1, 0);
    kernel.start = _i == 0 ? 7 : 0;
    if (_i == 2)
        life(&scene)->generation = 0;
    if (_i == 3)
        life(&scene)->is_unwatched = false;
    if (_i == 4)
        life(&scene)->pid = 0;
    keep__ledger_move(&scene.tracker->ledger, 9 * KEEP__NS_PER_S);
    scene.count = keep__observer_drain(scene.observer, true, scene.events, SCENE_EVENTS);
    ck_assert_uint_eq(scene.events[scene.count - 1].kind, KEEP_EVENT_STALL);
    scene_end(&scene);
}
END_TEST

/* --- descriptors of processes --- */

/* From now on processes have descriptors, which are readable at once. */
static void give_descriptors(void)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    kernel.life.pidfd = ends[0];
}

START_TEST(a_descriptor_of_somebody_not_admitted_is_closed)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    struct scene scene;

    options.own_namespace_only = 1;
    options.own_ns_inode = 99;
    begin_with(&scene, options);
    give_descriptors();
    take_beat(&scene, 1, 0); /* of namespace 3 */
    ck_assert_uint_eq(place(&scene), KEEP__NOBODY);
    ck_assert_uint_eq(scene.observer->pidfd_count, 0);
    scene_end(&scene);
}
END_TEST

/* An agent of whom the program itself told, which says something that changes nothing. */
START_TEST(a_descriptor_that_nobody_noted_is_closed)
{
    struct scene scene;

    begin(&scene);
    give_descriptors();
    take_beat(&scene, 5, 0);
    ck_assert_uint_eq(scene.observer->pidfd_count, 1);
    life(&scene)->generation = 0; /* so that it is looked up again */
    life(&scene)->retry_ns = 0;
    take_beat(&scene, 5, 0); /* a nonce that was heard: nothing is noted anew */
    ck_assert_uint_eq(scene.observer->pidfd_count, 1);
    scene_end(&scene);
}
END_TEST

START_TEST(who_cannot_be_waited_on_is_unwatched)
{
    struct scene scene;

    begin(&scene);
    give_descriptors();
    fail_call("keep__watch_add", 0, ENOSPC);
    take_beat(&scene, 1, 0);
    ck_assert(life(&scene)->is_unwatched && life(&scene)->pidfd == KEEP__NO_PIDFD);
    ck_assert_uint_eq(scene.observer->pidfd_count, 0);
    scene_end(&scene);
}
END_TEST

static void reap(struct scene *scene, size_t cap)
{
    scene->count = keep__observer_reap(scene->observer, scene->events, cap);
}

START_TEST(only_an_ended_process_is_reaped)
{
    struct scene scene;

    begin(&scene);
    give_descriptors();
    take_beat(&scene, 1, 0);
    reap(&scene, SCENE_EVENTS);
    ck_assert_uint_eq(scene.count, 0);
    kernel.has_ended = true;
    reap(&scene, SCENE_EVENTS);
    ck_assert_uint_eq(scene.count, 1);
    ck_assert_uint_eq(scene.events[0].kind, KEEP_EVENT_EXITED);
    scene_end(&scene);
}
END_TEST

START_TEST(an_end_without_room_waits)
{
    struct scene scene;

    begin(&scene);
    give_descriptors();
    take_beat(&scene, 1, 0);
    kernel.has_ended = true;
    reap(&scene, 0);
    ck_assert_uint_eq(scene.count, 0);
    ck_assert_uint_eq(scene.observer->intake.reports.count, 1);
    scene_end(&scene);
}
END_TEST

/* A tag whose slot was freed meanwhile. */
START_TEST(a_descriptor_of_a_slot_without_one_is_nobodys)
{
    struct scene scene;
    keep__life before;

    begin(&scene);
    give_descriptors();
    take_beat(&scene, 1, 0);
    kernel.has_ended = true;
    before = *life(&scene);
    if (_i == 0)
        life(&scene)->pid = 0;
    else
        life(&scene)->pidfd = KEEP__NO_PIDFD;
    reap(&scene, SCENE_EVENTS);
    ck_assert_uint_eq(scene.count, 0);
    *life(&scene) = before;
    scene_end(&scene);
}
END_TEST

/* --- budgets and room --- */

/* Adds a socket at which `count` datagrams wait. */
static void add_socket(struct scene *scene, int count)
{
    keep_listen_options listen = KEEP_LISTEN_OPTIONS_INIT;
    keep_beacon_options speak = KEEP_BEACON_OPTIONS_INIT;
    keep_beacon *beacon = NULL;
    keep_outcome outcome;
    char name[60];

    (void)snprintf(name, sizeof name, "@keep-test-%d-%u", getpid(), scene->observer->listener_count);
    listen.path = speak.path = name;
    assert_ok(keep_observer_listen(scene->observer, &listen, NULL));
    assert_ok(keep_beacon_new(&speak, &beacon, NULL));
    for (int i = 0; i < count; i++)
        assert_ok(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome));
    keep_beacon_free(&beacon);
}

static void begin_with_datagrams(struct scene *scene, uint32_t budget, int count)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;

    options.budget = budget;
    options.report_beats = 1;
    begin_with(scene, options);
    add_socket(scene, count);
}

static void poll_with_room(struct scene *scene, size_t cap)
{
    assert_ok(keep_observer_poll(scene->observer, scene->events, cap, &scene->count, NULL));
}

START_TEST(a_call_takes_no_more_than_its_budget)
{
    struct scene scene;

    begin_with_datagrams(&scene, 2, 3);
    poll_with_room(&scene, SCENE_EVENTS);
    ck_assert_uint_eq(scene.observer->intake.counts.datagrams, 2);
    poll_with_room(&scene, SCENE_EVENTS);
    ck_assert_uint_eq(scene.observer->intake.counts.datagrams, 3);
    scene_end(&scene);
}
END_TEST

START_TEST(while_events_wait_nothing_else_is_done)
{
    struct scene scene;

    begin_with_datagrams(&scene, _i == 0 ? 2 : 64, 3);
    poll_with_room(&scene, 0);
    ck_assert_uint_eq(scene.observer->intake.counts.datagrams, _i == 0 ? 2 : 3);
    poll_with_room(&scene, 0);
    ck_assert_uint_eq(scene.observer->intake.counts.datagrams, _i == 0 ? 2 : 3);
    poll_with_room(&scene, SCENE_EVENTS);
    ck_assert_uint_eq(scene.observer->intake.counts.datagrams, 3);
    ck_assert_uint_eq(scene.count, 3);
    scene_end(&scene);
}
END_TEST

START_TEST(while_events_wait_no_other_socket_is_read)
{
    struct scene scene;

    begin_with_datagrams(&scene, 64, 3);
    add_socket(&scene, 2);
    poll_with_room(&scene, 0);
    ck_assert_uint_eq(scene.observer->intake.counts.datagrams, 3);
    poll_with_room(&scene, SCENE_EVENTS);
    ck_assert_uint_eq(scene.observer->intake.counts.datagrams, 5);
    scene_end(&scene);
}
END_TEST

START_TEST(an_end_that_waits_comes_before_silence)
{
    struct scene scene;

    begin(&scene);
    give_descriptors();
    take_beat(&scene, 1, 0);
    kernel.has_ended = true;
    poll_with_room(&scene, 0);
    ck_assert_uint_eq(scene.observer->intake.reports.count, 1);
    scene_end(&scene);
}
END_TEST

RUN_SUITE("observer", TIMES(options_that_make_no_observer_are_refused, sizeof strange / sizeof *strange),
          ONCE(an_observer_is_what_its_options_say), ONCE(calls_that_are_none_are_refused),
          ONCE(there_is_an_end_of_listeners), ONCE(without_a_clock_or_its_keys_an_observer_does_nothing),
          ONCE(a_frame_that_opens_while_the_keys_go_is_not_open), ONCE(the_largest_pid_is_read_once_a_minute),
          ONCE(an_interrupted_wait_is_made_again), TIMES(the_time_of_sending_is_told_on_the_boot_clock, 4),
          ONCE(an_unknown_life_is_looked_up_again_after_a_second), ONCE(a_stranger_is_not_looked_up_on_credit),
          ONCE(somebody_without_a_descriptor_is_known_by_his_start), ONCE(somebody_else_under_the_pid_is_no_stall),
          TIMES(the_same_or_an_unknown_one_under_the_pid_stalls, 5),
          ONCE(a_descriptor_of_somebody_not_admitted_is_closed), ONCE(a_descriptor_that_nobody_noted_is_closed),
          ONCE(who_cannot_be_waited_on_is_unwatched), ONCE(only_an_ended_process_is_reaped),
          ONCE(an_end_without_room_waits), TIMES(a_descriptor_of_a_slot_without_one_is_nobodys, 2),
          ONCE(a_call_takes_no_more_than_its_budget), TIMES(while_events_wait_nothing_else_is_done, 2),
          ONCE(while_events_wait_no_other_socket_is_read), ONCE(an_end_that_waits_comes_before_silence))
