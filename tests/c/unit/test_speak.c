/* SPDX-License-Identifier: MIT */
/*
 * Speak, beacon and crash, white box: beacons without a clock, a key, a salt or a pid, and calls that are none.
 */
#include "tracker/beacon.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "keep/protect.h"
#include "memory/guard.h"
#include "support/forked.h"
#include "support/pools.h"
#include "support/wrapped.h"
#include "tracker/identity.h"

WRAP(uint64_t, keep__clock_boot_ns, (void), (), 0)
WRAP(bool, keep__identity_supported, (void), (), false)
WRAP(keep_status, keep__guard_enter, (void), (), KEEP_ERR_NO_MEMORY)
WRAP(ssize_t, send, (int fd, const void *bytes, size_t len, int flags), (fd, bytes, len, flags), -1)

/* A beacon with or without a key, to nobody, or detached. */
static keep_beacon *new_beacon(uint8_t mode, const char *path)
{
    KEEP_AUTO(keep_secret) key = NULL;
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    keep_beacon *beacon = NULL;

    if (mode != KEEP_BEAT_PLAIN)
        assert_ok(keep_secret_generate(NULL, KEEP__BEAT_KEY_LEN, &key));
    options.mode = mode;
    options.key = key;
    options.path = path;
    options.agent_pid = 5;
    assert_ok(keep_beacon_new(&options, &beacon, NULL));
    return beacon;
}

/* One that is connected to a socket of this process, which is never read. */
static keep_beacon *new_heard_beacon(uint8_t mode)
{
    keep_beacon *beacon = new_beacon(mode, "@keep-test-nobody");
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    keep__connection_close(&beacon->connection);
    beacon->connection.fd = ends[0];
    beacon->connection.error = 0;
    return beacon;
}

/* --- making --- */

START_TEST(options_that_make_no_beacon_are_refused)
{
    KEEP_AUTO(keep_secret) short_key = new_secret(NULL, 31);
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    keep_beacon *beacon = NULL;

    assert_status(keep_beacon_new(NULL, &beacon, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_new(&options, NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.path = "";
    assert_status(keep_beacon_new(&options, &beacon, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.path = NULL;
    options.host = "localhost";
    assert_status(keep_beacon_new(&options, &beacon, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.host = "::1";
    options.fork_refresh = 2;
    assert_status(keep_beacon_new(&options, &beacon, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.fork_refresh = 0;
    options.mode = KEEP_BEAT_MASTER + 1;
    assert_status(keep_beacon_new(&options, &beacon, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.mode = KEEP_BEAT_SHARED;
    options.key = short_key;
    assert_status(keep_beacon_new(&options, &beacon, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.size = 1;
    assert_status(keep_beacon_new(&options, &beacon, NULL), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_null(beacon);
}
END_TEST

START_TEST(what_a_beacon_needs_of_the_system_is_told)
{
    static const struct {
        const char *name;
        keep_status st;
    } needs[] = {
        { "keep__guard_enter", KEEP_ERR_NO_MEMORY },
        { "keep__identity_supported", KEEP_ERR_UNSUPPORTED },
        { "keep__clock_boot_ns", KEEP_ERR_SYSTEM },
    };
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    keep_beacon *beacon = NULL;

    options.path = "@keep-test-nobody";
    fail_call(needs[_i].name, 0, 0);
    assert_status(keep_beacon_new(&options, &beacon, NULL), needs[_i].st);
    ck_assert_ptr_null(beacon);
    assert_ok(keep_beacon_new(&options, &beacon, NULL));
    keep_beacon_free(&beacon);
}
END_TEST

/* tracker R47: in a namespace of its own */
START_TEST(a_pid_of_1_is_sent_as_unknown)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    KEEP_AUTO(keep_beacon) beacon = NULL;

    options.agent_pid = 1;
    options.host = "::1";
    options.port = 9;
    if (keep_beacon_new(&options, &beacon, NULL) != KEEP_OK) { /* no IPv6 here */
        options.host = "127.0.0.1";
        assert_ok(keep_beacon_new(&options, &beacon, NULL));
    }
    ck_assert_uint_eq(beacon->pid, KEEP_PID_UNKNOWN);
}
END_TEST

/* --- speaking --- */

START_TEST(calls_without_a_beacon_or_an_output_are_refused)
{
    KEEP_AUTO(keep_beacon) detached = new_beacon(KEEP_BEAT_PLAIN, NULL);
    uint8_t frame[KEEP_BEAT_LEN];
    keep_outcome outcome;

    assert_status(keep_beacon_beat(NULL, 0, 0, &outcome), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_goodbye(NULL, &outcome), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_reconnect(NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_restart(NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_arm(NULL, 0, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_prepare(NULL, 0, 0, 1, frame), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_prepare(detached, 0, 0, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_commit(NULL, 0, &outcome), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_commit(detached, 0, NULL), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(settings_that_a_notice_cannot_say_are_refused)
{
    static const keep_agent_settings settings[] = {
        { .size = 1 },
        { .size = sizeof settings[0], .misses = 256 },
        { .size = sizeof settings[0], .unarmed = 1 },
        { .size = sizeof settings[0], .threshold_ns = 1500000 },
        { .size = sizeof settings[0], .grace_ns = 1500000 },
    };
    KEEP_AUTO(keep_beacon) beacon = new_heard_beacon(KEEP_BEAT_PLAIN);
    keep_outcome outcome;

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_status(keep_beacon_register(beacon, &settings[i], &outcome), KEEP_ERR_INVALID_ARGUMENT);
    assert_ok(keep_beacon_register(beacon, NULL, &outcome));
}
END_TEST

START_TEST(an_interrupted_send_is_made_again)
{
    KEEP_AUTO(keep_beacon) beacon = new_heard_beacon(KEEP_BEAT_PLAIN);
    keep_outcome outcome;

    fail_call("send", 0, EINTR);
    assert_ok(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome));
    ck_assert_uint_eq(outcome.kind, KEEP_OUTCOME_SENT);
}
END_TEST

/* Options are checked, so this pid was written over. */
START_TEST(a_frame_that_nobody_would_decode_is_not_sent)
{
    KEEP_AUTO(keep_beacon) beacon = new_heard_beacon(KEEP_BEAT_PLAIN);
    KEEP_AUTO(keep_beacon) detached = new_beacon(KEEP_BEAT_PLAIN, NULL);
    uint8_t frame[KEEP_BEAT_LEN];
    keep_outcome outcome;

    assert_ok(keep_beacon_arm(beacon, 0, NULL));
    beacon->pid = detached->pid = 0;
    assert_status(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_prepare(detached, KEEP_HEALTH_OK, 0, 1, frame), KEEP_ERR_INVALID_ARGUMENT);
    fail_call("send", 0, EIO);
    keep_beacon_crash(beacon, 1);
    ck_assert(fails_now("send")); /* nobody sent */
}
END_TEST

static void begin_purge(void *unused)
{
    (void)unused;
    keep__guard_new_epoch();
}

/* tracker R53 */
START_TEST(a_beacon_whose_key_is_gone_does_nothing)
{
    KEEP_AUTO(keep_beacon) beacon = new_heard_beacon(KEEP_BEAT_SHARED);
    KEEP_AUTO(keep_beacon) detached = new_beacon(KEEP_BEAT_SHARED, NULL);
    uint8_t frame[KEEP_BEAT_MASTER_LEN];
    keep_outcome outcome;

    assert_ok(keep_beacon_arm(beacon, 0, NULL));
    begin_purge(NULL);
    assert_status(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome), KEEP_ERR_PURGED);
    assert_status(keep_beacon_reconnect(beacon, NULL), KEEP_ERR_PURGED);
    assert_status(keep_beacon_restart(beacon, NULL), KEEP_ERR_PURGED);
    assert_status(keep_beacon_arm(beacon, KEEP_ARM_SIGNALS, NULL), KEEP_ERR_PURGED);
    assert_status(keep_beacon_prepare(detached, KEEP_HEALTH_OK, 0, 1, frame), KEEP_ERR_PURGED);
    fail_call("send", 0, EIO);
    keep_beacon_crash(beacon, 1);
    ck_assert(fails_now("send"));
}
END_TEST

/* The key goes after it was looked at: what was sealed with zeros does not leave. */
START_TEST(a_frame_that_a_purge_overlaps_is_not_sent)
{
    KEEP_AUTO(keep_beacon) beacon = new_heard_beacon(KEEP_BEAT_SHARED);
    keep_outcome outcome;

    before_call("keep__clock_boot_ns", begin_purge, NULL);
    assert_status(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome), KEEP_ERR_SYSTEM);
    ck_assert_uint_eq(outcome.error, ECANCELED);
}
END_TEST

START_TEST(a_last_word_that_a_purge_overlaps_is_not_sent)
{
    KEEP_AUTO(keep_beacon) beacon = new_heard_beacon(KEEP_BEAT_SHARED);

    assert_ok(keep_beacon_arm(beacon, 0, NULL));
    before_call("keep__clock_boot_ns", begin_purge, NULL);
    fail_call("send", 0, EIO);
    keep_beacon_crash(beacon, 1);
    ck_assert(fails_now("send"));
}
END_TEST

START_TEST(a_second_arming_keeps_the_first)
{
    KEEP_AUTO(keep_beacon) beacon = new_heard_beacon(KEEP_BEAT_SHARED);
    int fd;

    assert_ok(keep_beacon_arm(beacon, 0, NULL));
    fd = beacon->last_word.fd;
    assert_ok(keep_beacon_arm(beacon, 0, NULL));
    ck_assert_int_eq(beacon->last_word.fd, fd);
}
END_TEST

/* tracker R46 */
START_TEST(a_last_word_without_a_counter_left_is_not_sent)
{
    KEEP_AUTO(keep_beacon) beacon = new_heard_beacon(KEEP_BEAT_SHARED);

    assert_ok(keep_beacon_arm(beacon, 0, NULL));
    beacon->last_word.counter = UINT32_MAX;
    fail_call("send", 0, EIO);
    keep_beacon_crash(beacon, 1);
    ck_assert(fails_now("send"));
}
END_TEST

static void crash_too(void *beacon)
{
    keep_beacon_crash(beacon, 2);
}

/* tracker R46 */
START_TEST(two_last_words_at_once_take_two_counters)
{
    KEEP_AUTO(keep_beacon) beacon = new_heard_beacon(KEEP_BEAT_SHARED);
    keep_beacon *apart = new_pages(sizeof *apart); /* so that the counter is the first thing written to */

    assert_ok(keep_beacon_arm(beacon, 0, NULL));
    memcpy(apart, beacon, sizeof *apart);
    before_write(apart, sizeof *apart, crash_too, apart);
    keep_beacon_crash(apart, 1);
    ck_assert_uint_eq(apart->last_word.counter, 2);
}
END_TEST

/* tracker R46 */
START_TEST(a_spent_salt_needs_a_connection_first)
{
    KEEP_AUTO(keep_beacon) beacon = new_heard_beacon(KEEP_BEAT_SHARED);
    KEEP_AUTO(keep_beacon) detached = new_beacon(KEEP_BEAT_SHARED, NULL);
    uint8_t frame[KEEP_BEAT_MASTER_LEN];
    keep_outcome outcome;

    beacon->connection.sealer.is_spent = true;
    assert_status(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome), KEEP_ERR_SYSTEM); /* nobody observes */
    ck_assert_uint_eq(outcome.kind, KEEP_OUTCOME_FAILED);
    detached->connection.sealer.is_spent = true;
    assert_ok(keep_beacon_prepare(detached, KEEP_HEALTH_OK, 0, 1, frame));
    ck_assert(!detached->connection.sealer.is_spent);
}
END_TEST

/* tracker R48 */
START_TEST(a_prepared_frame_uses_its_counter_sent_or_not)
{
    KEEP_AUTO(keep_beacon) detached = new_beacon(KEEP_BEAT_SHARED, NULL);
    uint8_t frame[KEEP_BEAT_MASTER_LEN];
    keep_outcome outcome;

    assert_ok(keep_beacon_prepare(detached, KEEP_HEALTH_OK, 0, 1, frame));
    assert_ok(keep_beacon_prepare(detached, KEEP_HEALTH_OK, 0, 2, frame));
    ck_assert_uint_eq(detached->connection.sealer.counter, 1);
    assert_ok(keep_beacon_commit(detached, 0, &outcome));
    ck_assert_uint_eq(detached->connection.sealer.counter, 2);
}
END_TEST

static void use_in_child(void *ctx)
{
    keep_beacon *beacon = ctx;
    uint8_t frame[KEEP_BEAT_LEN];
    keep_outcome outcome;

    child_needs(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome) == KEEP_ERR_FORKED);
    child_needs(keep_beacon_prepare(beacon, KEEP_HEALTH_OK, 0, 1, frame) == KEEP_ERR_FORKED);
    keep_beacon_crash(beacon, 1);
    fail_call("keep__guard_enter", 0, 0);
    child_needs(keep_beacon_restart(beacon, NULL) == KEEP_ERR_NO_MEMORY);
    child_needs(keep_beacon_restart(beacon, NULL) == KEEP_OK);
}

START_TEST(a_detached_beacon_in_a_child_restarts_only_if_told_to)
{
    KEEP_AUTO(keep_beacon) detached = new_beacon(KEEP_BEAT_PLAIN, NULL);

    detached->options.fork_refresh = 1; /* for those that send */
    assert_returns(use_in_child, detached);
}
END_TEST

static void stamp_too(void *last)
{
    ck_assert_uint_eq(keep__crash_timestamp(last, 100), 100);
}

START_TEST(each_last_word_has_a_later_timestamp)
{
    _Atomic uint64_t *last = new_pages(sizeof *last);

    before_write(last, sizeof *last, stamp_too, last);
    ck_assert_uint_eq(keep__crash_timestamp(last, 100), 101);
    ck_assert_uint_eq(keep__crash_timestamp(last, 50), 102);
    ck_assert_uint_eq(keep__crash_timestamp(last, 200), 200);
}
END_TEST

START_TEST(an_agents_key_is_made_of_a_masters_32_bytes)
{
    KEEP_AUTO(keep_secret) master = new_secret(NULL, KEEP__BEAT_KEY_LEN);
    KEEP_AUTO(keep_secret) longer = new_secret(NULL, KEEP__BEAT_KEY_LEN + 1);
    keep_secret *agent = NULL;

    assert_status(keep_beacon_agent_key(master, 5, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_agent_key(NULL, 5, &agent), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_agent_key(longer, 5, &agent), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_null(agent);
    assert_ok(keep_beacon_agent_key(master, 5, &agent));
    ck_assert_uint_eq(info_of(agent).len, KEEP__BEAT_KEY_LEN);
    assert_ok(keep_secret_free(&agent));
}
END_TEST

RUN_SUITE("speak", ONCE(options_that_make_no_beacon_are_refused), TIMES(what_a_beacon_needs_of_the_system_is_told, 3),
          ONCE(a_pid_of_1_is_sent_as_unknown), ONCE(calls_without_a_beacon_or_an_output_are_refused),
          ONCE(settings_that_a_notice_cannot_say_are_refused), ONCE(an_interrupted_send_is_made_again),
          ONCE(a_frame_that_nobody_would_decode_is_not_sent), ONCE(a_beacon_whose_key_is_gone_does_nothing),
          ONCE(a_frame_that_a_purge_overlaps_is_not_sent), ONCE(a_last_word_that_a_purge_overlaps_is_not_sent),
          ONCE(a_second_arming_keeps_the_first), ONCE(a_last_word_without_a_counter_left_is_not_sent),
          ONCE(a_spent_salt_needs_a_connection_first), ONCE(a_prepared_frame_uses_its_counter_sent_or_not),
          ONCE(a_detached_beacon_in_a_child_restarts_only_if_told_to), ONCE(each_last_word_has_a_later_timestamp),
          ONCE(an_agents_key_is_made_of_a_masters_32_bytes), ONCE(two_last_words_at_once_take_two_counters))
