/* SPDX-License-Identifier: MIT */
/*
 * Processes as the kernel has them: pids that come again, pid namespaces, ways to make a child, daemons (tracker T4, T5,
 * T10, T12).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <keep/keep.h>

#include "support/agents.h"
#include "support/forked.h"
#include "support/suite.h"
#include "support/world.h"

enum {
    TICK_MS = 10 /* in which start times are told */
};

static unsigned every_5_ms = 5;
static struct post post;

/* --- pids that come again --- */

/* A client whose nonces begin at 1, as those of the reference do. */
static void beat_from_one(void)
{
    int fd = bare_socket(&post);

    for (uint64_t nonce = 1;; nonce++) {
        uint8_t frame[KEEP_BEAT_LEN];

        write_beat((uint32_t)getpid(), nonce, frame);
        (void)send(fd, frame, sizeof frame, 0);
        sleep_ms(every_5_ms);
    }
}

/* Ends a process while datagrams of it wait, and gives its pid to another one. */
static void replace(pid_t pid)
{
    pid_t again;

    sleep_ms(3 * TICK_MS);
    (void)kill(pid, SIGKILL);
    (void)agent_end(pid);
    again = fork_as(pid);
    if (again == 0)
        beat_from_one();
    ck_assert_int_eq(again, pid);
}

/* Waits for a beat of the pid's second life. */
static void await_second_life(pid_t pid, uint64_t first_generation)
{
    while (post_await(&post, KEEP_EVENT_BEAT, pid).generation == first_generation)
        continue;
    ck_assert(!post_has(&post, KEEP_EVENT_STALL, 0));
    ck_assert_uint_eq(ledger_stats(&post).stalls, 0);
    (void)kill(pid, SIGKILL);
    (void)agent_end(pid);
}

static void end_and_come_again(void)
{
    uint64_t generation;
    pid_t pid;

    post_open(&post, 5000);
    pid = agent_start(&post, beat_for_ever, &every_5_ms);
    generation = post_await(&post, KEEP_EVENT_BEAT, pid).generation;
    replace(pid);
    (void)post_await(&post, KEEP_EVENT_EXITED, pid);
    await_second_life(pid, generation);
    post_close(&post);
}

START_TEST(a_pid_that_comes_again_has_exited_first)
{
    in_world(end_and_come_again);
}
END_TEST

/* The one descriptor that there may be is somebody else's. */
static void come_again_unwatched(void)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    uint64_t generation;
    pid_t watched, pid;

    options.report_beats = 1;
    options.per_pid_rate = 0;
    options.max_pidfds = 1;
    post_open_with(&post, NULL, &options);
    watched = agent_start(&post, beat_once, NULL);
    (void)post_await(&post, KEEP_EVENT_BEAT, watched);
    pid = agent_start(&post, beat_for_ever, &every_5_ms);
    generation = post_await(&post, KEEP_EVENT_BEAT, pid).generation;
    replace(pid);
    (void)post_await(&post, KEEP_EVENT_RECYCLED, pid);
    await_second_life(pid, generation);
    (void)kill(watched, SIGKILL);
    (void)agent_end(watched);
    post_close(&post);
}

START_TEST(a_pid_that_comes_again_unwatched_is_recycled)
{
    in_world(come_again_unwatched);
}
END_TEST

/* Whoever has the pid when the datagram is read has not sent it. */
static void leave_a_datagram(void)
{
    pid_t pid, again;

    post_open(&post, 5000);
    pid = agent_start(&post, beat_once, NULL);
    sleep_ms(10 * TICK_MS);
    (void)kill(pid, SIGKILL);
    (void)agent_end(pid);
    again = fork_as(pid);
    if (again == 0)
        (void)pause();
    ck_assert_int_eq(again, pid);
    post_poll(&post, 50);
    ck_assert_uint_eq(post_stats(&post).datagrams, 1);
    ck_assert_uint_eq(post_stats(&post).posthumous, 1);
    ck_assert_uint_eq(ledger_stats(&post).agents, 0);
    (void)kill(again, SIGKILL);
    (void)agent_end(again);
    post_close(&post);
}

START_TEST(what_a_former_life_sent_is_not_the_next_ones)
{
    in_world(leave_a_datagram);
}
END_TEST

/* --- namespaces --- */

static void live_inside(void)
{
    keep_beacon *beacon = beacon_to(&post);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    beat_for_ever(beacon, &every_5_ms);
}

/* Makes the first process of a pid namespace, which makes another one there. */
static void hold_inside(keep_beacon *beacon, void *unused)
{
    (void)beacon;
    (void)unused;
    child_needs(leave_pid_namespace());
    if (fork() == 0) {
        (void)fork();
        live_inside();
    }
    (void)pause();
}

static keep_event await_claim(uint32_t claimed_pid)
{
    keep_event event;

    do {
        event = post_await(&post, KEEP_EVENT_BEAT, 0);
    } while (event.claimed_pid != claimed_pid);
    return event;
}

static uint64_t own_namespace(void)
{
    struct stat status;

    ck_assert_int_eq(stat("/proc/self/ns/pid", &status), 0);
    return status.st_ino;
}

static void kill_and_await(uint32_t pid)
{
    ck_assert_int_eq(kill((pid_t)pid, SIGKILL), 0);
    (void)post_await(&post, KEEP_EVENT_EXITED, (pid_t)pid);
}

/* tracker R25: the first one there does not know its pid here, and says so */
START_TEST(agents_of_another_pid_namespace_are_known_by_the_kernels_pids)
{
    keep_event first, other;
    pid_t holder;

    if (!has_pid_namespaces())
        return;
    post_open(&post, 5000);
    holder = agent_start(&post, hold_inside, NULL);
    first = await_claim(KEEP_PID_UNKNOWN);
    other = await_claim(2);
    ck_assert_uint_gt(first.pid, (uint32_t)holder);
    ck_assert_uint_gt(other.pid, (uint32_t)holder);
    ck_assert_uint_eq(first.ns_inode, other.ns_inode);
    ck_assert_uint_ne(first.ns_inode, own_namespace());
    ck_assert_uint_eq(first.origin, KEEP_ORIGIN_KERNEL);
    kill_and_await(other.pid);
    kill_and_await(first.pid);
    (void)kill(holder, SIGKILL);
    (void)agent_end(holder);
    post_close(&post);
}
END_TEST

/* --- ways to make a child --- */

/* One handle of each kind, all in use. */
struct handles {
    keep_tracker *tracker;
    keep_beacon *plain, *sealed, *detached;
};

static void open_handles(struct handles *handles)
{
    keep_beacon_options sealed = KEEP_BEACON_OPTIONS_INIT, detached = KEEP_BEACON_OPTIONS_INIT;
    keep_secret *key = NULL;

    post_open(&post, 5000);
    assert_ok(keep_tracker_new(NULL, &handles->tracker));
    handles->plain = beacon_to(&post);
    assert_ok(keep_beacon_arm(handles->plain, 0, NULL));
    assert_ok(keep_secret_generate(NULL, 32, &key));
    sealed.host = "127.0.0.1";
    sealed.port = 9;
    sealed.mode = KEEP_BEAT_SHARED;
    sealed.key = key;
    assert_ok(keep_beacon_new(&sealed, &handles->sealed, NULL));
    detached.agent_pid = 100;
    assert_ok(keep_beacon_new(&detached, &handles->detached, NULL));
    (void)keep_secret_free(&key);
    ck_assert_uint_eq(beat(handles->plain), KEEP_OUTCOME_SENT);
    (void)post_await(&post, KEEP_EVENT_BEAT, getpid());
}

static void free_handles(struct handles *handles)
{
    keep_beacon_free(&handles->plain);
    keep_beacon_free(&handles->sealed);
    keep_beacon_free(&handles->detached);
    keep_tracker_free(&handles->tracker);
}

static void use_in_child(struct handles *handles)
{
    uint8_t frame[KEEP_BEAT_MASTER_LEN];
    keep_outcome outcome;
    size_t count;
    uint64_t ns;

    child_needs(keep_tracker_next_deadline(handles->tracker, &ns) == KEEP_ERR_FORKED);
    child_needs(keep_observer_poll(post.observer, NULL, 0, &count, NULL) == KEEP_ERR_FORKED);
    child_needs(keep_beacon_beat(handles->plain, 0, 0, &outcome) == KEEP_ERR_FORKED);
    child_needs(keep_beacon_beat(handles->sealed, 0, 0, &outcome) == KEEP_ERR_FORKED);
    child_needs(keep_beacon_prepare(handles->detached, 0, 0, 1, frame) == KEEP_ERR_FORKED);
    keep_beacon_crash(handles->plain, 1);
    free_handles(handles);
    keep_observer_free(&post.observer);
    keep_tracker_free(&post.tracker);
    _exit(0);
}

static void assert_goes_on(struct handles *handles)
{
    ck_assert_uint_eq(beat(handles->plain), KEEP_OUTCOME_SENT);
    (void)post_await(&post, KEEP_EVENT_BEAT, getpid());
    ck_assert(!post_has(&post, KEEP_EVENT_CRASH, 0));
    ck_assert_uint_eq(post_stats(&post).datagrams, 2);
    ck_assert_uint_eq(ledger_stats(&post).out_of_order, 0);
    free_handles(handles);
    post_close(&post);
}

/* tracker R53, section 5 */
START_TEST(a_child_made_in_any_way_has_no_handle_and_takes_none_away)
{
    struct handles handles;
    pid_t child;

    open_handles(&handles);
    child = (pid_t)(_i == 0 ? fork() : syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
    if (child == 0)
        use_in_child(&handles);
    ck_assert_int_eq(agent_end(child), 0);
    assert_goes_on(&handles);
}
END_TEST

/* A program that vfork and exec began: it writes the names of its descriptors to the pipe, which is one of them. */
static pid_t list_descriptors(int out)
{
    pid_t child = vfork();

    if (child == 0) {
        (void)dup2(out, STDOUT_FILENO);
        (void)execlp("ls", "ls", "/proc/self/fd", NULL);
        _exit(1);
    }
    return child;
}

static size_t count_inherited(void)
{
    char byte;
    size_t lines = 0;
    int ends[2];
    pid_t child;

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    child = list_descriptors(ends[1]);
    (void)close(ends[1]);
    while (read(ends[0], &byte, 1) == 1)
        lines += byte == '\n';
    (void)close(ends[0]);
    ck_assert_int_eq(agent_end(child), 0);
    return lines;
}

START_TEST(a_program_that_is_executed_inherits_nothing)
{
    size_t before = count_inherited();
    struct handles handles;

    open_handles(&handles);
    ck_assert_uint_eq(count_inherited(), before);
    assert_goes_on(&handles);
}
END_TEST

/* --- daemons --- */

/* It speaks for whom it may: for this process, its parent, or for itself; and waits until its barrier is answered. */
START_TEST(systemd_notify_is_understood)
{
    keep_event event;
    pid_t child;

    if (access("/usr/bin/systemd-notify", X_OK) != 0) {
        printf("skipped: no systemd-notify here\n");
        return;
    }
    post_open(&post, 5000);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", post.path, 1), 0);
    child = fork();
    if (child == 0) {
        (void)execl("/usr/bin/systemd-notify", "systemd-notify", "--ready", "--status=up", NULL);
        _exit(1);
    }
    event = post_await(&post, KEEP_EVENT_READY, 0);
    ck_assert(event.pid == (uint32_t)getpid() || event.pid == (uint32_t)child);
    post_poll(&post, 50); /* the barrier is a datagram of its own */
    ck_assert_int_eq(agent_end(child), 0);
    post_close(&post);
}
END_TEST

RUN_SUITE("processes", ONCE(a_pid_that_comes_again_has_exited_first),
          ONCE(a_pid_that_comes_again_unwatched_is_recycled), ONCE(what_a_former_life_sent_is_not_the_next_ones),
          ONCE(agents_of_another_pid_namespace_are_known_by_the_kernels_pids),
          TIMES(a_child_made_in_any_way_has_no_handle_and_takes_none_away, 2),
          ONCE(a_program_that_is_executed_inherits_nothing), ONCE(systemd_notify_is_understood))
