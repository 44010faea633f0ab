/* SPDX-License-Identifier: MIT */
/*
 * keep/beacon.h from outside, with real sockets, processes and signals.
 */
#include <keep/beacon.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keep/observer.h>
#include <keep/secret.h>
#include <keep/tracker.h>

#include "support/agents.h"
#include "support/forked.h"
#include "support/suite.h"

static struct post post;

static keep_outcome beat_fully(keep_beacon *beacon)
{
    keep_outcome outcome = { .kind = UINT32_MAX };
    keep_status status = keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome);

    ck_assert(status == (outcome.kind == KEEP_OUTCOME_FAILED ? KEEP_ERR_SYSTEM : KEEP_OK));
    return outcome;
}

/* An observer on the path that another one had. */
static void open_again(void)
{
    keep_listen_options listen = KEEP_LISTEN_OPTIONS_INIT;
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;

    options.report_beats = 1;
    options.per_pid_rate = 0;
    listen.path = post.path;
    assert_ok(keep_observer_new(&options, post.tracker, &post.observer, NULL));
    assert_ok(keep_observer_listen(post.observer, &listen, NULL));
}

/* tracker R47, R49 */
START_TEST(a_beacon_waits_for_its_observer)
{
    KEEP_AUTO(keep_beacon) beacon = NULL;
    keep_outcome outcome;
    uint64_t start;

    post_open(&post, 1000);
    keep_observer_free(&post.observer);
    beacon = beacon_to(&post);
    outcome = beat_fully(beacon);
    start = outcome.nonce;
    ck_assert_uint_eq(outcome.kind, KEEP_OUTCOME_DROPPED_NO_OBSERVER);
    ck_assert_uint_eq(outcome.dropped, 1);
    open_again();
    ck_assert_uint_eq(beat_fully(beacon).dropped, 2);
    outcome = beat_fully(beacon);
    ck_assert_uint_eq(outcome.kind, KEEP_OUTCOME_SENT);
    ck_assert_uint_eq(outcome.dropped, 0);
    ck_assert_uint_eq(outcome.nonce, start + 1);
    post_close(&post);
}
END_TEST

/* tracker R50 */
START_TEST(the_stream_goes_on_with_another_observer)
{
    KEEP_AUTO(keep_beacon) beacon = NULL;
    keep_outcome outcome;
    uint64_t nonce;

    post_open(&post, 1000);
    beacon = beacon_to(&post);
    nonce = beat_fully(beacon).nonce;
    (void)post_await(&post, KEEP_EVENT_BEAT, getpid());
    keep_observer_free(&post.observer);
    open_again();
    for (int i = 1; i <= 2; i++) {
        outcome = beat_fully(beacon);
        ck_assert(outcome.kind == KEEP_OUTCOME_DROPPED_NO_OBSERVER || outcome.kind == KEEP_OUTCOME_DROPPED_PEER_GONE);
        ck_assert_uint_eq(outcome.nonce, nonce);
    }
    ck_assert_uint_eq(beat_fully(beacon).nonce, nonce + 1);
    ck_assert_uint_eq(post_await(&post, KEEP_EVENT_BEAT, getpid()).nonce, nonce + 1);
    keep_observer_free(&post.observer);
    assert_status(keep_beacon_reconnect(beacon, NULL), KEEP_ERR_SYSTEM);
    open_again();
    assert_ok(keep_beacon_reconnect(beacon, NULL));
    ck_assert_uint_eq(beat_fully(beacon).nonce, nonce + 2);
    post_close(&post);
}
END_TEST

START_TEST(a_full_queue_drops_and_commits_nothing)
{
    KEEP_AUTO(keep_beacon) beacon = NULL;
    keep_outcome outcome;
    uint64_t nonce;

    post_open(&post, 1000);
    beacon = beacon_to(&post);
    do {
        nonce = beat_fully(beacon).nonce;
        outcome = beat_fully(beacon);
    } while (outcome.kind == KEEP_OUTCOME_SENT);
    ck_assert_uint_eq(outcome.kind, KEEP_OUTCOME_DROPPED_QUEUE_FULL);
    ck_assert_uint_eq(outcome.nonce, nonce);
    post_poll(&post, 20);
    ck_assert_uint_eq(beat_fully(beacon).nonce, nonce + 1);
    post_close(&post);
}
END_TEST

START_TEST(notices_share_the_stream)
{
    KEEP_AUTO(keep_beacon) beacon = NULL;
    keep_agent_settings settings = KEEP_AGENT_SETTINGS_INIT;
    keep_agent_info info = KEEP_AGENT_INFO_INIT;
    keep_outcome outcome;
    uint64_t nonce;

    post_open(&post, 1000);
    beacon = beacon_to(&post);
    nonce = beat_fully(beacon).nonce;
    settings.threshold_ns = 70000000;
    settings.grace_ns = 3000000;
    settings.misses = 255;
    assert_ok(keep_beacon_register(beacon, &settings, &outcome));
    ck_assert_uint_eq(outcome.nonce, nonce + 1);
    (void)post_await(&post, KEEP_EVENT_REGISTERED, getpid());
    assert_ok(keep_tracker_get(post.tracker, (uint32_t)getpid(), 0, &info));
    ck_assert_uint_eq(info.limit_ns, 255 * settings.threshold_ns);
    ck_assert_uint_eq(info.grace_ns, settings.grace_ns);
    settings.misses = 256;
    assert_status(keep_beacon_register(beacon, &settings, &outcome), KEEP_ERR_INVALID_ARGUMENT);
    settings.misses = 1;
    settings.threshold_ns = 1500000;
    assert_status(keep_beacon_register(beacon, &settings, &outcome), KEEP_ERR_INVALID_ARGUMENT);
    assert_ok(keep_beacon_goodbye(beacon, &outcome));
    ck_assert_uint_eq(outcome.nonce, nonce + 2);
    (void)post_await(&post, KEEP_EVENT_GOODBYE, getpid());
    post_close(&post);
}
END_TEST

/* --- fork --- */

static void use_after_fork(void *ctx)
{
    keep_beacon **beacon = ctx;
    keep_outcome outcome = { 0 };

    child_needs(keep_beacon_beat(*beacon, 0, 0, &outcome) == KEEP_ERR_FORKED);
    child_needs(keep_beacon_reconnect(*beacon, NULL) == KEEP_ERR_FORKED);
    keep_beacon_crash(*beacon, 1);
    child_needs(keep_beacon_restart(*beacon, NULL) == KEEP_OK);
    child_needs(keep_beacon_beat(*beacon, 0, 0, &outcome) == KEEP_OK && outcome.kind == KEEP_OUTCOME_SENT);
    sleep_ms(100);
    keep_beacon_free(beacon);
}

/* tracker R53 */
START_TEST(a_child_begins_a_life_of_its_own)
{
    KEEP_AUTO(keep_beacon) beacon = NULL;
    pid_t child;

    post_open(&post, 1000);
    beacon = beacon_to(&post);
    ck_assert_uint_eq(beat(beacon), KEEP_OUTCOME_SENT);
    child = (pid_t)(_i == 0 ? fork() : syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
    if (child == 0) {
        use_after_fork(&beacon);
        _exit(0);
    }
    ck_assert_uint_eq(post_await(&post, KEEP_EVENT_BEAT, child).claimed_pid, (uint32_t)child);
    ck_assert(!post_has(&post, KEEP_EVENT_CRASH, 0));
    ck_assert_int_eq(agent_end(child), 0);
    ck_assert_uint_eq(beat(beacon), KEEP_OUTCOME_SENT);
    post_close(&post);
}
END_TEST

static void beat_refreshed(void *ctx)
{
    keep_outcome outcome = { 0 };

    child_needs(keep_beacon_beat(ctx, 0, 0, &outcome) == KEEP_OK && outcome.kind == KEEP_OUTCOME_SENT);
    sleep_ms(50);
}

START_TEST(a_beacon_restarts_itself_if_told_so)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    KEEP_AUTO(keep_beacon) beacon = NULL;

    post_open(&post, 1000);
    options.path = post.path;
    options.fork_refresh = 1;
    assert_ok(keep_beacon_new(&options, &beacon, NULL));
    ck_assert_uint_eq(beat(beacon), KEEP_OUTCOME_SENT);
    assert_returns(beat_refreshed, beacon);
    post_poll(&post, 20);
    ck_assert_uint_eq(post_stats(&post).datagrams, 2);
    post_close(&post);
}
END_TEST

static void restart_sealed(void *ctx)
{
    keep_outcome outcome;

    child_needs(keep_beacon_beat(ctx, 0, 0, &outcome) == KEEP_ERR_FORKED);
    child_needs(keep_beacon_restart(ctx, NULL) == KEEP_ERR_FORKED);
}

START_TEST(a_sealed_beacon_has_no_key_in_a_child)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    KEEP_AUTO(keep_beacon) beacon = NULL;
    KEEP_AUTO(keep_secret) key = NULL;

    assert_ok(keep_secret_generate(NULL, 32, &key));
    options.host = "127.0.0.1";
    options.port = 9;
    options.mode = KEEP_BEAT_SHARED;
    options.fork_refresh = 1;
    options.key = key;
    assert_ok(keep_beacon_new(&options, &beacon, NULL));
    assert_returns(restart_sealed, beacon);
    assert_ok(keep_beacon_restart(beacon, NULL));
}
END_TEST

/* --- crash --- */

/* Gives the signal number that the child's last word had; it must end by that signal, or leave with `leaves`. */
static void assert_told(pid_t child, uint32_t payload, int signal, int leaves)
{
    keep_event event = post_await(&post, KEEP_EVENT_CRASH, child);
    int status;

    ck_assert_uint_eq(event.payload, payload);
    ck_assert_uint_eq(event.health, KEEP_HEALTH_CRITICAL);
    ck_assert_uint_eq(event.detail, 0);
    status = agent_end(child);
    ck_assert_int_eq(WIFSIGNALED(status) ? WTERMSIG(status) : 0, signal);
    if (signal == 0)
        ck_assert_int_eq(WEXITSTATUS(status), leaves);
    post_await_exit(&post, child);
}

static volatile int deep = 1; /* so that no compiler knows that it never ends */

static int overflow(const volatile char *before)
{
    volatile char room[4096];

    room[0] = before == NULL ? 0 : *before;
    return (deep != 0 ? overflow(room) : 0) + room[0];
}

static void *overflow_in_thread(void *beacon)
{
    if (beacon != NULL && keep_beacon_arm(beacon, KEEP_ARM_SIGNALS, NULL) != KEEP_OK)
        return NULL;
    (void)overflow(NULL);
    return NULL;
}

enum {
    IN_ARMING_THREAD,
    IN_OTHER_THREAD,
    IN_TWO_THREADS,
    BY_ABORT,
    BY_RAISE,
    WAYS
};

static const int deadly[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

static void die_in_threads(keep_beacon *beacon, int count)
{
    pthread_t threads[2];

    for (int i = 0; i < count; i++)
        child_needs(pthread_create(&threads[i], NULL, overflow_in_thread, beacon) == 0);
    for (int i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
}

/* What a test's process dies of must be its own affair. */
static void prepare_to_die(void)
{
    const struct rlimit none = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &none);
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        (void)signal(deadly[i], SIG_DFL); /* a sanitizer may have its own */
}

static void arm_and_die(keep_beacon *beacon, void *ctx)
{
    int way = *(int *)ctx;

    prepare_to_die();
    child_needs(keep_beacon_arm(beacon, KEEP_ARM_SIGNALS, NULL) == KEEP_OK);
    child_needs(beat(beacon) == KEEP_OUTCOME_SENT);
    sleep_ms(50); /* until the observer knows this process: the last word of an unknown one is posthumous */
    if (way == IN_ARMING_THREAD)
        (void)overflow(NULL);
    if (way == IN_OTHER_THREAD || way == IN_TWO_THREADS)
        die_in_threads(beacon, way == IN_TWO_THREADS ? 2 : 1);
    if (way == BY_ABORT)
        abort();
    (void)raise(SIGFPE);
}

/* tracker R54 */
START_TEST(a_deadly_signal_is_told_and_still_kills)
{
    static const int signals[WAYS] = { SIGSEGV, SIGSEGV, SIGSEGV, SIGABRT, SIGFPE };
    int way = _i;
    pid_t child;

    post_open(&post, 5000);
    child = agent_start(&post, arm_and_die, &way);
    assert_told(child, (uint32_t)signals[way], signals[way], 0);
    post_close(&post);
}
END_TEST

static void die_unarmed(keep_beacon *beacon, void *flags)
{
    prepare_to_die();
    if (flags != NULL)
        child_needs(keep_beacon_arm(beacon, 0, NULL) == KEEP_OK);
    child_needs(beat(beacon) == KEEP_OUTCOME_SENT);
    sleep_ms(50);
    if (flags == NULL)
        keep_beacon_crash(beacon, 1);
    (void)overflow(NULL);
}

/* Not armed at all, and armed without the signals. */
START_TEST(an_unarmed_beacon_has_no_last_word)
{
    int status;
    pid_t child;

    post_open(&post, 5000);
    child = agent_start(&post, die_unarmed, _i == 0 ? NULL : &post);
    post_await_exit(&post, child);
    ck_assert(!post_has(&post, KEEP_EVENT_CRASH, 0));
    status = agent_end(child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    post_close(&post);
}
END_TEST

static void leave_with_7(int signal)
{
    (void)signal;
    leave_child(7);
}

static void arm_over_a_handler(keep_beacon *beacon, void *unused)
{
    (void)unused;
    (void)signal(SIGFPE, leave_with_7);
    child_needs(keep_beacon_arm(beacon, KEEP_ARM_SIGNALS, NULL) == KEEP_OK);
    child_needs(beat(beacon) == KEEP_OUTCOME_SENT);
    sleep_ms(50);
    (void)raise(SIGFPE);
}

START_TEST(the_former_handler_runs_after_the_last_word)
{
    post_open(&post, 5000);
    assert_told(agent_start(&post, arm_over_a_handler, NULL), SIGFPE, 0, 7);
    post_close(&post);
}
END_TEST

START_TEST(freeing_gives_the_handlers_back)
{
    struct sigaction action;
    keep_beacon *beacon;

    post_open(&post, 5000);
    beacon = beacon_to(&post);
    (void)signal(SIGFPE, leave_with_7);
    assert_ok(keep_beacon_arm(beacon, KEEP_ARM_SIGNALS, NULL));
    ck_assert_int_eq(sigaction(SIGFPE, NULL, &action), 0);
    ck_assert(action.sa_handler != leave_with_7);
    keep_beacon_free(&beacon);
    ck_assert_int_eq(sigaction(SIGFPE, NULL, &action), 0);
    ck_assert(action.sa_handler == leave_with_7);
    post_close(&post);
}
END_TEST

static void *crash_in_thread(void *beacon)
{
    keep_beacon_crash(beacon, 7);
    return NULL;
}

/* Two threads at once: each has its say, in one order. */
START_TEST(last_words_come_from_any_thread)
{
    KEEP_AUTO(keep_beacon) beacon = NULL;
    pthread_t threads[2];

    post_open(&post, 5000);
    beacon = beacon_to(&post);
    keep_beacon_crash(beacon, 1);
    errno = ENOTTY;
    assert_ok(keep_beacon_arm(beacon, 0, NULL));
    ck_assert_uint_eq(beat(beacon), KEEP_OUTCOME_SENT);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, crash_in_thread, beacon), 0);
    for (int i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
    ck_assert_uint_eq(post_await(&post, KEEP_EVENT_CRASH, getpid()).payload, 7);
    post_poll(&post, 20);
    ck_assert_uint_eq(post_stats(&post).datagrams, 3);
    ck_assert_uint_le(ledger_stats(&post).out_of_order, 1);
    post_close(&post);
}
END_TEST

/* The way out of a last word follows the beacon to another observer. */
START_TEST(a_last_word_reaches_a_restarted_observer)
{
    KEEP_AUTO(keep_beacon) beacon = NULL;

    post_open(&post, 5000);
    beacon = beacon_to(&post);
    assert_ok(keep_beacon_arm(beacon, 0, NULL));
    keep_observer_free(&post.observer);
    open_again();
    errno = ENOTTY;
    keep_beacon_crash(beacon, 1);
    ck_assert_int_eq(errno, ENOTTY);
    assert_ok(keep_beacon_reconnect(beacon, NULL));
    keep_beacon_crash(beacon, 2);
    ck_assert_uint_eq(post_await(&post, KEEP_EVENT_CRASH, getpid()).payload, 2);
    post_close(&post);
}
END_TEST

/* --- arguments --- */

START_TEST(a_detached_beacon_sends_nothing_itself)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    KEEP_AUTO(keep_beacon) beacon = NULL;
    keep_outcome outcome;

    assert_status(keep_beacon_new(&options, &beacon, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.agent_pid = 10;
    assert_ok(keep_beacon_new(&options, &beacon, NULL));
    assert_status(keep_beacon_beat(beacon, 0, 0, &outcome), KEEP_ERR_STATE);
    assert_status(keep_beacon_goodbye(beacon, &outcome), KEEP_ERR_STATE);
    assert_status(keep_beacon_arm(beacon, 0, NULL), KEEP_ERR_STATE);
    keep_beacon_crash(beacon, 1);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    KEEP_AUTO(keep_beacon) beacon = NULL;
    uint8_t frame[KEEP_BEAT_MASTER_LEN];
    keep_outcome outcome;
    char path[109];

    post_open(&post, 1000);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    options.path = path;
    assert_status(keep_beacon_new(&options, &beacon, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.path = post.path;
    options.host = "127.0.0.1";
    assert_status(keep_beacon_new(&options, &beacon, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.host = NULL;
    options.mode = KEEP_BEAT_SHARED;
    assert_status(keep_beacon_new(&options, &beacon, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.mode = KEEP_BEAT_PLAIN;
    assert_ok(keep_beacon_new(&options, &beacon, NULL));
    assert_status(keep_beacon_beat(beacon, 3, 0, &outcome), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_beat(beacon, 0, 0, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_arm(beacon, 2, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_beacon_prepare(beacon, 0, 0, 1, frame), KEEP_ERR_STATE);
    assert_status(keep_beacon_commit(beacon, 0, &outcome), KEEP_ERR_STATE);
    keep_beacon_crash(NULL, 0);
    keep_beacon_free(NULL);
    post_close(&post);
}
END_TEST

RUN_SUITE("beacon", ONCE(a_beacon_waits_for_its_observer), ONCE(the_stream_goes_on_with_another_observer),
          ONCE(a_full_queue_drops_and_commits_nothing), ONCE(notices_share_the_stream),
          TIMES(a_child_begins_a_life_of_its_own, 2), ONCE(a_beacon_restarts_itself_if_told_so),
          ONCE(a_sealed_beacon_has_no_key_in_a_child), TIMES(a_deadly_signal_is_told_and_still_kills, WAYS),
          TIMES(an_unarmed_beacon_has_no_last_word, 2), ONCE(the_former_handler_runs_after_the_last_word),
          ONCE(freeing_gives_the_handlers_back), ONCE(last_words_come_from_any_thread),
          ONCE(a_last_word_reaches_a_restarted_observer), ONCE(a_detached_beacon_sends_nothing_itself),
          ONCE(bad_arguments_are_refused))
