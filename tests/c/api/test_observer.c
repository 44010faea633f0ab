/* SPDX-License-Identifier: MIT */
/*
 * keep/observer.h from outside, with real sockets and processes.
 */
#include <keep/observer.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keep/beacon.h>
#include <keep/secret.h>
#include <keep/tracker.h>

#include "support/agents.h"
#include "support/forked.h"
#include "support/maps.h"
#include "support/suite.h"

static unsigned every_5_ms = 5;

/* The start time of a process, field 22 of its stat. */
static uint64_t start_of(pid_t pid)
{
    char path[64], text[1024];
    unsigned long long start = 0;
    FILE *file;
    size_t len;
    char *field;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    field = strrchr(text, ')') + 2;
    for (int i = 3; i < 22; i++)
        field = strchr(field, ' ') + 1;
    ck_assert_int_eq(sscanf(field, "%llu", &start), 1);
    return start;
}

static void send_text(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

static keep_datagram beat_of(uint32_t pid, uint64_t nonce, uint8_t frame[KEEP_BEAT_LEN])
{
    write_beat(pid, nonce, frame);
    return (keep_datagram){
        .data = { frame, KEEP_BEAT_LEN },
        .generation = 1,
        .kernel_pid = pid,
        .uid = getuid(),
        .source = KEEP_SOURCE_UNIX,
    };
}

/* tracker R25, R31, R33 */
START_TEST(a_process_is_known_by_the_kernel_and_its_end_is_seen)
{
    static struct post post;
    keep_event event;
    pid_t pid;

    if (!has_process_descriptors())
        return;
    post_open(&post, 1000);
    pid = agent_start(&post, beat_once, NULL);
    event = post_await(&post, KEEP_EVENT_BEAT, pid);
    ck_assert_uint_eq(event.origin, KEEP_ORIGIN_KERNEL);
    ck_assert_uint_eq(event.generation, start_of(pid));
    ck_assert_uint_ne(event.ns_inode, 0);
    ck_assert_uint_eq(event.uid, getuid());
    (void)kill(pid, SIGKILL);
    event = post_await(&post, KEEP_EVENT_EXITED, pid);
    ck_assert_uint_eq(event.pid, (uint32_t)pid);
    ck_assert_uint_eq(ledger_stats(&post).agents, 0);
    (void)agent_end(pid);
    post_close(&post);
}
END_TEST

/* tracker R28, R29 */
START_TEST(a_stopped_process_stalls_and_a_continued_one_recovers)
{
    static struct post post;
    keep_event event;
    pid_t pid;

    post_open(&post, 100);
    pid = agent_start(&post, beat_for_ever, &every_5_ms);
    (void)post_await(&post, KEEP_EVENT_BEAT, pid);
    (void)kill(pid, SIGSTOP);
    event = post_await(&post, KEEP_EVENT_STALL, pid);
    ck_assert_uint_ge(event.silence_ns, 100000000);
    ck_assert_uint_eq(event.stalled, 1);
    ck_assert_uint_eq(event.agents, 1);
    (void)kill(pid, SIGCONT);
    (void)post_await(&post, KEEP_EVENT_RECOVERED, pid);
    (void)kill(pid, SIGKILL);
    post_await_exit(&post, pid);
    (void)agent_end(pid);
    post_close(&post);
}
END_TEST

static void beat_and_leave(keep_beacon *beacon, void *unused)
{
    keep_outcome outcome;

    (void)unused;
    (void)beat(beacon);
    child_needs(keep_beacon_goodbye(beacon, &outcome) == KEEP_OK);
    sleep_ms(400);
}

/* tracker R39 */
START_TEST(after_a_goodbye_neither_silence_nor_end_is_news)
{
    static struct post post;
    pid_t pid;

    post_open(&post, 100);
    pid = agent_start(&post, beat_and_leave, NULL);
    (void)post_await(&post, KEEP_EVENT_GOODBYE, pid);
    ck_assert_int_eq(agent_end(pid), 0);
    post_poll(&post, 200);
    ck_assert(!post_has(&post, KEEP_EVENT_STALL, pid));
    ck_assert(!post_has(&post, KEEP_EVENT_EXITED, pid));
    ck_assert_uint_eq(ledger_stats(&post).goodbyes, 1);
    ck_assert_uint_eq(ledger_stats(&post).agents, 0);
    post_close(&post);
}
END_TEST

/* tracker R8: the observer is stopped for three thresholds while its agents beat */
START_TEST(nobody_is_named_because_the_observer_slept)
{
    static struct post post;
    pid_t pids[4];

    post_open(&post, 100);
    for (int i = 0; i < 4; i++)
        pids[i] = agent_start(&post, beat_for_ever, &every_5_ms);
    for (int i = 0; i < 4; i++)
        (void)post_await(&post, KEEP_EVENT_BEAT, pids[i]);
    post.count = 0;
    sleep_ms(300);
    post_poll(&post, 20);
    ck_assert(!post_has(&post, KEEP_EVENT_STALL, 0));
    ck_assert(post_has(&post, KEEP_EVENT_OUTAGE, 0));
    (void)kill(pids[0], SIGSTOP);
    (void)post_await(&post, KEEP_EVENT_STALL, pids[0]);
    for (int i = 0; i < 4; i++) {
        (void)kill(pids[i], SIGKILL);
        (void)agent_end(pids[i]);
    }
    post_close(&post);
}
END_TEST

/* tracker T9: a clock that jumps, and one who always comes too late */
START_TEST(nobody_is_named_because_the_clock_jumped)
{
    const uint64_t second_ns = UINT64_C(1000000000);
    keep_tracker_options limits = KEEP_TRACKER_OPTIONS_INIT;
    uint64_t gap_ns = _i == 0 ? 100 * second_ns : second_ns / 2, now_ns = second_ns;
    uint8_t frames[2][KEEP_BEAT_LEN];
    static keep_event events[16];
    static struct post post;
    size_t count = 0;

    limits.threshold_ns = second_ns;
    limits.max_gap_ns = second_ns / 4;
    post_open_with(&post, &limits, NULL);
    for (uint64_t round = 1; round <= 6; round++, now_ns += gap_ns) {
        keep_datagram datagrams[2] = { beat_of(100, round, frames[0]), beat_of(101, 1, frames[1]) };

        assert_ok(keep_observer_feed(post.observer, datagrams, round == 1 ? 2 : 1, now_ns, events, 16, &count));
        ck_assert_uint_eq(count, round == 1 ? 0 : round == 5 ? 2 : 1);
        if (round > 1)
            ck_assert_uint_eq(events[0].kind, KEEP_EVENT_OUTAGE);
        if (round == 5) { /* four quarters of a limit have passed for who is silent */
            ck_assert_uint_eq(events[1].kind, KEEP_EVENT_STALL);
            ck_assert_uint_eq(events[1].pid, 101);
        }
    }
    post_close(&post);
}
END_TEST

/* Sends so many copies of one descriptor. */
static void pass_descriptors(int fd, const char *text, int passed, size_t count)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(253 * sizeof(int))];
    } control;
    char copy[32];
    struct iovec piece = { copy, strlen(text) };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes };
    struct cmsghdr *head;

    memcpy(copy, text, piece.iov_len);
    memset(&control, 0, sizeof control);
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(count * sizeof(int)),
                              .cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS };
    for (size_t i = 0; i < count; i++)
        memcpy(CMSG_DATA(head) + i * sizeof(int), &passed, sizeof passed);
    ck_assert_int_eq(sendmsg(fd, &message, 0), (ssize_t)piece.iov_len);
}

/* Whether the last one of a pipe's writing ends was closed. */
static bool is_abandoned(int reading_end)
{
    struct pollfd poller = { .fd = reading_end };

    return poll(&poller, 1, 0) == 1 && (poller.revents & POLLHUP) != 0;
}

/* tracker R30, T6 */
START_TEST(passed_descriptors_are_closed)
{
    static struct post post;
    int fd, ends[2];
    size_t before;

    post_open(&post, 1000);
    fd = bare_socket(&post);
    ck_assert_int_eq(pipe(ends), 0);
    before = count_descriptors();
    for (int i = 0; i < 1000; i++) {
        pass_descriptors(fd, "WATCHDOG=1", ends[1], 253);
        post_poll(&post, 1);
    }
    ck_assert_uint_le(count_descriptors(), before + 1); /* one pins this process */
    close(ends[1]);
    ck_assert(is_abandoned(ends[0]));
    close(ends[0]);
    close(fd);
    post_close(&post);
}
END_TEST

/* tracker T12: sd_notify_barrier waits until the descriptor it passed is closed */
START_TEST(a_barrier_is_answered_when_it_was_read)
{
    static struct post post;
    int fd, ends[2];

    post_open(&post, 1000);
    fd = bare_socket(&post);
    ck_assert_int_eq(pipe(ends), 0);
    pass_descriptors(fd, "BARRIER=1", ends[1], 1);
    close(ends[1]);
    ck_assert(!is_abandoned(ends[0]));
    post_poll(&post, 20);
    ck_assert(is_abandoned(ends[0]));
    ck_assert_uint_eq(post_stats(&post).bad_length, 0);
    close(ends[0]);
    close(fd);
    post_close(&post);
}
END_TEST

/* tracker R34 c */
START_TEST(other_lengths_are_counted)
{
    static const size_t lens[] = { 0, 1, 31, 33, 4096, 4097, 5000 };
    static const char bytes[5000];
    static struct post post;
    int fd;

    post_open(&post, 1000);
    fd = bare_socket(&post);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        ck_assert_int_eq(send(fd, bytes, lens[i], 0), (ssize_t)lens[i]);
        post_poll(&post, 1);
    }
    ck_assert_uint_eq(post_stats(&post).datagrams, sizeof lens / sizeof *lens);
    ck_assert_uint_eq(post_stats(&post).bad_length, sizeof lens / sizeof *lens);
    ck_assert_uint_eq(ledger_stats(&post).agents, 0);
    close(fd);
    post_close(&post);
}
END_TEST

/* tracker R40 */
START_TEST(a_daemon_that_speaks_as_sd_notify_does_is_supervised)
{
    static struct post post;
    int fd;

    post_open(&post, 50);
    fd = bare_socket(&post);
    send_text(fd, "READY=1\nSTATUS=up\n");
    (void)post_await(&post, KEEP_EVENT_READY, getpid());
    post_poll(&post, 200);
    ck_assert(!post_has(&post, KEEP_EVENT_STALL, 0)); /* it has promised no beats */
    send_text(fd, "WATCHDOG_USEC=50000\nWATCHDOG=1");
    (void)post_await(&post, KEEP_EVENT_REGISTERED, getpid());
    (void)post_await(&post, KEEP_EVENT_STALL, getpid());
    send_text(fd, "WATCHDOG=trigger");
    (void)post_await(&post, KEEP_EVENT_FAILED, getpid());
    send_text(fd, "STOPPING=1");
    (void)post_await(&post, KEEP_EVENT_GOODBYE, getpid());
    close(fd);
    post_close(&post);
}
END_TEST

/* As sd_notify does, from the daemon itself: it stops, which takes longer than its watchdog allows. */
static void stop_slowly(keep_beacon *beacon, void *of)
{
    int fd = bare_socket(of);

    (void)beacon;
    send_text(fd, "READY=1");
    send_text(fd, "WATCHDOG_USEC=50000\nWATCHDOG=1");
    send_text(fd, "STOPPING=1");
    send_text(fd, "WATCHDOG=1");
    sleep_ms(300);
}

/* tracker R39, R40, T12 */
START_TEST(a_daemon_may_take_its_time_to_stop)
{
    static struct post post;
    pid_t pid;

    if (!has_process_descriptors())
        return;
    post_open(&post, 1000);
    pid = agent_start(&post, stop_slowly, &post);
    (void)post_await(&post, KEEP_EVENT_GOODBYE, pid);
    ck_assert_int_eq(agent_end(pid), 0);
    post_poll(&post, 100);
    ck_assert(!post_has(&post, KEEP_EVENT_STALL, pid));
    ck_assert(!post_has(&post, KEEP_EVENT_EXITED, pid));
    ck_assert_uint_eq(post_stats(&post).after_goodbye, 1);
    ck_assert_uint_eq(ledger_stats(&post).agents, 0);
    post_close(&post);
}
END_TEST

/* tracker R31: without descriptors to spare agents are watched all the same */
START_TEST(agents_beyond_the_descriptors_are_tracked)
{
    enum {
        AGENTS = 100,
        FILES = 32
    };
    const struct rlimit few = { FILES, FILES };
    static struct post post;
    pid_t pids[AGENTS];

    if (!has_process_descriptors())
        return;
    post_open(&post, 200);
    for (int i = 0; i < AGENTS; i++)
        pids[i] = agent_start(&post, beat_once, NULL);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int i = 0; i < AGENTS; i++)
        (void)post_await(&post, KEEP_EVENT_STALL, pids[i]);
    ck_assert_uint_eq(ledger_stats(&post).agents, AGENTS);
    ck_assert_uint_gt(post_stats(&post).pidfd_unavailable, 0);
    for (int i = 0; i < AGENTS; i++) {
        (void)kill(pids[i], SIGKILL);
        (void)agent_end(pids[i]);
    }
    post_close(&post);
}
END_TEST

static void beat_and_end(keep_beacon *beacon, void *unused)
{
    (void)unused;
    (void)beat(beacon);
}

/* tracker R34 k */
START_TEST(beats_of_the_dead_bring_nobody_back)
{
    static struct post post;
    pid_t pid;

    if (!has_process_descriptors())
        return;
    post_open(&post, 100);
    pid = agent_start(&post, beat_and_end, NULL);
    (void)agent_end(pid);
    post_poll(&post, 50);
    ck_assert_uint_eq(ledger_stats(&post).agents, 0);
    ck_assert_uint_eq(post_stats(&post).posthumous, 1);
    post_close(&post);
}
END_TEST

/* --- paths --- */

static keep_status listen_on(struct post *post, const char *path, uint32_t mode, keep_error *err)
{
    keep_listen_options options = KEEP_LISTEN_OPTIONS_INIT;

    options.path = path;
    options.mode = mode;
    return keep_observer_listen(post->observer, &options, err);
}

static uint32_t mode_of(const char *path)
{
    struct stat status;

    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert(S_ISSOCK(status.st_mode));
    return status.st_mode & 0777;
}

/* tracker R26 */
START_TEST(a_path_has_the_mode_asked_for_whatever_the_umask)
{
    static const mode_t masks[] = { 0, 022, 0777 };
    static struct post post;
    char path[128];

    post_open(&post, 1000);
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        (void)umask(masks[i]);
        (void)snprintf(path, sizeof path, "%s/mode%zu", post.folder, i);
        assert_ok(listen_on(&post, path, 0620, NULL));
        ck_assert_uint_eq(mode_of(path), 0620);
        ck_assert_uint_eq(umask(0), masks[i]);
    }
    post_close(&post);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(a_path_that_is_taken_is_left_alone_unless_it_is_stale)
{
    keep_error err = KEEP_ERROR_INIT;
    static struct post post, other;
    char path[128];

    post_open(&post, 1000);
    post_open(&other, 1000);
    assert_status(listen_on(&post, other.path, 0600, &err), KEEP_ERR_BUSY);
    (void)snprintf(path, sizeof path, "%s/file", post.folder);
    ck_assert_int_eq(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    assert_status(listen_on(&post, path, 0600, &err), KEEP_ERR_SYSTEM);
    ck_assert_int_eq(err.code, EEXIST);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink(other.path, path), 0);
    assert_status(listen_on(&post, path, 0600, NULL), KEEP_ERR_SYSTEM);
    ck_assert_int_eq(unlink(path), 0);
    post_close(&other);
    post_close(&post);
}
END_TEST

static void bind_and_forget(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

START_TEST(a_stale_socket_gives_way)
{
    static struct post post;
    char path[128];

    post_open(&post, 1000);
    (void)snprintf(path, sizeof path, "%s/stale", post.folder);
    bind_and_forget(path);
    assert_ok(listen_on(&post, path, 0600, NULL));
    post_close(&post);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* An observer whose socket is connected refuses others with EPERM: it lives all the same. */
START_TEST(a_connected_socket_is_not_stale)
{
    static struct post post;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    post_open(&post, 1000);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/connected", post.folder);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_status(listen_on(&post, address.sun_path, 0600, NULL), KEEP_ERR_BUSY);
    ck_assert_int_eq(access(address.sun_path, F_OK), 0);
    close(fd);
    ck_assert_int_eq(unlink(address.sun_path), 0);
    post_close(&post);
}
END_TEST

START_TEST(a_path_that_was_replaced_is_not_unlinked)
{
    static struct post post;

    post_open(&post, 1000);
    ck_assert_int_eq(unlink(post.path), 0);
    bind_and_forget(post.path);
    keep_observer_free(&post.observer);
    ck_assert_int_eq(access(post.path, F_OK), 0);
    ck_assert_int_eq(unlink(post.path), 0);
    post_close(&post);
}
END_TEST

START_TEST(a_supervisors_socket_is_adopted)
{
    keep_listen_options options = KEEP_LISTEN_OPTIONS_INIT;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    keep_beacon_options peer = KEEP_BEACON_OPTIONS_INIT;
    keep_beacon *beacon = NULL;
    static struct post post;

    post_open(&post, 1000);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/adopted", post.folder);
    options.fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_status(keep_observer_listen(post.observer, &options, NULL), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_int_eq(bind(options.fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_ok(keep_observer_listen(post.observer, &options, NULL));
    close(options.fd);
    peer.path = address.sun_path;
    assert_ok(keep_beacon_new(&peer, &beacon, NULL));
    ck_assert_uint_eq(beat(beacon), KEEP_OUTCOME_SENT);
    (void)post_await(&post, KEEP_EVENT_BEAT, getpid());
    keep_beacon_free(&beacon);
    keep_observer_free(&post.observer);
    ck_assert_int_eq(access(address.sun_path, F_OK), 0);
    ck_assert_int_eq(unlink(address.sun_path), 0);
    post_close(&post);
}
END_TEST

START_TEST(bad_listeners_are_refused)
{
    keep_listen_options options = KEEP_LISTEN_OPTIONS_INIT;
    char path[109];
    static struct post post;

    post_open(&post, 1000);
    assert_status(keep_observer_listen(post.observer, &options, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.address = "127.0.0.1";
    assert_status(keep_observer_listen(post.observer, &options, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.allow_plain = 1;
    options.address = "0.0.0.0";
    assert_status(keep_observer_listen(post.observer, &options, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.address = "localhost";
    assert_status(keep_observer_listen(post.observer, &options, NULL), KEEP_ERR_INVALID_ARGUMENT);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_status(listen_on(&post, path, 0600, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(listen_on(&post, post.path, 01777, NULL), KEEP_ERR_INVALID_ARGUMENT);
    post_close(&post);
}
END_TEST

/* --- sealed --- */

/* tracker R41 to R46 */
START_TEST(sealed_beats_over_udp_are_opened)
{
    keep_listen_options listen = KEEP_LISTEN_OPTIONS_INIT;
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    uint32_t mode = _i == 0 ? KEEP_BEAT_SHARED : KEEP_BEAT_MASTER;
    keep_secret *master = NULL, *agent = NULL;
    keep_beacon *beacon = NULL;
    static struct post post;
    keep_event event;

    post_open(&post, 1000);
    listen.address = "127.0.0.1";
    listen.port = (uint16_t)(20000 + getpid() % 20000);
    listen.sealed = 1;
    while (keep_observer_listen(post.observer, &listen, NULL) == KEEP_ERR_BUSY)
        listen.port++;
    assert_ok(keep_secret_generate(NULL, 32, &master));
    assert_ok(keep_observer_add_key(post.observer, master, mode));
    assert_ok(keep_beacon_agent_key(master, (uint32_t)getpid(), &agent));
    options.host = "127.0.0.1";
    options.port = listen.port;
    options.mode = (uint8_t)mode;
    options.agent_pid = (uint32_t)getpid();
    options.key = mode == KEEP_BEAT_SHARED ? master : agent;
    assert_ok(keep_beacon_new(&options, &beacon, NULL));
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(beat(beacon), KEEP_OUTCOME_SENT);
    for (int i = 0; i < 3; i++)
        event = post_await(&post, KEEP_EVENT_BEAT, getpid());
    ck_assert_uint_eq(event.origin, KEEP_ORIGIN_NETWORK);
    ck_assert_uint_eq(post_stats(&post).decrypt_failures, 0);
    keep_beacon_free(&beacon);
    (void)keep_secret_free(&agent);
    (void)keep_secret_free(&master);
    post_close(&post);
}
END_TEST

START_TEST(keys_are_checked_and_counted)
{
    keep_secret *key = NULL, *short_key = NULL;
    static struct post post;

    post_open(&post, 1000);
    assert_ok(keep_secret_generate(NULL, 32, &key));
    assert_ok(keep_secret_generate(NULL, 31, &short_key));
    assert_status(keep_observer_add_key(post.observer, short_key, KEEP_BEAT_SHARED), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_add_key(post.observer, key, KEEP_BEAT_PLAIN), KEEP_ERR_INVALID_ARGUMENT);
    assert_ok(keep_observer_add_key(post.observer, key, KEEP_BEAT_MASTER));
    assert_status(keep_observer_add_key(post.observer, key, KEEP_BEAT_MASTER), KEEP_ERR_STATE);
    for (int i = 1; i < KEEP_MAX_BEAT_KEYS; i++)
        assert_ok(keep_observer_add_key(post.observer, key, KEEP_BEAT_SHARED));
    assert_status(keep_observer_add_key(post.observer, key, KEEP_BEAT_SHARED), KEEP_ERR_EXHAUSTED);
    (void)keep_secret_free(&short_key);
    (void)keep_secret_free(&key);
    post_close(&post);
}
END_TEST

/* --- calls --- */

/* tracker R29 */
START_TEST(events_beyond_the_room_wait_and_come_first)
{
    uint8_t frames[3][KEEP_BEAT_LEN];
    keep_datagram datagrams[3];
    keep_event events[8];
    static struct post post;
    size_t count = 0;

    post_open(&post, 1000);
    for (uint32_t i = 0; i < 3; i++)
        datagrams[i] = beat_of(100 + i, 1, frames[i]);
    assert_ok(keep_observer_feed(post.observer, datagrams, 3, 1, events, 1, &count));
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(events[0].pid, 100);
    assert_status(keep_observer_feed(post.observer, datagrams, 1, 2, events, 8, &count), KEEP_ERR_BUSY);
    assert_ok(keep_observer_feed(post.observer, NULL, 0, 2, events, 8, &count));
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(events[0].pid, 101);
    ck_assert_uint_eq(events[1].pid, 102);
    post_close(&post);
}
END_TEST

START_TEST(a_full_batch_without_room_is_kept_whole)
{
    static uint8_t frames[KEEP_MAX_BATCH][KEEP_BEAT_LEN];
    static keep_datagram datagrams[KEEP_MAX_BATCH];
    static keep_event events[KEEP_MAX_BATCH];
    keep_tracker_options tracker = KEEP_TRACKER_OPTIONS_INIT;
    keep_observer_options observer = KEEP_OBSERVER_OPTIONS_INIT;
    static struct post post;
    size_t count = 0;

    tracker.capacity = KEEP_MAX_BATCH;
    observer.report_beats = 1;
    post_open_with(&post, &tracker, &observer);
    for (uint32_t i = 0; i < KEEP_MAX_BATCH; i++)
        datagrams[i] = beat_of(100 + i, 1, frames[i]);
    assert_ok(keep_observer_feed(post.observer, datagrams, KEEP_MAX_BATCH, 1, NULL, 0, &count));
    ck_assert_uint_eq(count, 0);
    assert_ok(keep_observer_feed(post.observer, NULL, 0, 1, events, KEEP_MAX_BATCH, &count));
    ck_assert_uint_eq(count, KEEP_MAX_BATCH);
    for (uint32_t i = 0; i < KEEP_MAX_BATCH; i++)
        ck_assert_uint_eq(events[i].pid, 100 + i);
    post_close(&post);
}
END_TEST

/* tracker R38 */
START_TEST(metrics_need_the_room_they_tell)
{
    static struct post post;
    size_t len = 0, again = 0;
    pid_t pid;
    char *text;

    post_open(&post, 1000);
    pid = agent_start(&post, beat_once, NULL);
    (void)post_await(&post, KEEP_EVENT_BEAT, pid);
    assert_status(keep_observer_metrics(post.observer, NULL, 0, &len), KEEP_ERR_BUFFER_TOO_SMALL);
    text = calloc(1, len + 1);
    assert_status(keep_observer_metrics(post.observer, text, len - 1, &again), KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(again, len);
    ck_assert_int_eq(text[0], '\0');
    assert_ok(keep_observer_metrics(post.observer, text, len, &again));
    ck_assert_ptr_nonnull(strstr(text, "\nkeep_tracker_beats_total 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nkeep_tracker_agents{state=\"alive\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "origin=\"kernel\"} 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nkeep_agents_not_shown 0\n"));
    free(text);
    (void)kill(pid, SIGKILL);
    (void)agent_end(pid);
    post_close(&post);
}
END_TEST

static void use_in_child(void *ctx)
{
    struct post *post = ctx;
    keep_event events[1];
    size_t count;
    int fd;

    child_needs(keep_observer_poll(post->observer, events, 1, &count, NULL) == KEEP_ERR_FORKED);
    child_needs(keep_observer_feed(post->observer, NULL, 0, 1, events, 1, &count) == KEEP_ERR_FORKED);
    child_needs(keep_observer_fd(post->observer, &fd) == KEEP_ERR_FORKED);
    keep_observer_free(&post->observer);
    keep_tracker_free(&post->tracker);
    child_needs(access(post->path, F_OK) == 0);
}

/* tracker section 5 */
START_TEST(a_child_may_only_free)
{
    static struct post post;
    pid_t pid;

    post_open(&post, 1000);
    assert_returns(use_in_child, &post);
    pid = agent_start(&post, beat_once, NULL);
    (void)post_await(&post, KEEP_EVENT_BEAT, pid);
    (void)kill(pid, SIGKILL);
    post_await_exit(&post, pid);
    (void)agent_end(pid);
    post_close(&post);
}
END_TEST

START_TEST(an_observer_keeps_its_freed_tracker)
{
    static struct post post;
    keep_event event;
    pid_t pid;

    post_open(&post, 1000);
    keep_tracker_free(&post.tracker);
    pid = agent_start(&post, beat_once, NULL);
    event = post_await(&post, KEEP_EVENT_BEAT, pid);
    ck_assert_uint_eq(event.pid, (uint32_t)pid);
    (void)kill(pid, SIGKILL);
    (void)agent_end(pid);
    post_close(&post);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    keep_observer_options options = KEEP_OBSERVER_OPTIONS_INIT;
    keep_tracker_options quick = KEEP_TRACKER_OPTIONS_INIT;
    keep_datagram strange = { .source = 9 };
    keep_tracker *tracker = NULL;
    keep_observer *observer = NULL;
    static struct post post;
    size_t count;

    post_open(&post, 1000);
    quick.threshold_ns = 9999999;
    assert_ok(keep_tracker_new(&quick, &tracker));
    assert_status(keep_observer_new(NULL, tracker, &observer, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_new(NULL, NULL, &observer, NULL), KEEP_ERR_INVALID_ARGUMENT);
    options.uid_count = 1;
    assert_status(keep_observer_new(&options, post.tracker, &observer, NULL), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_null(observer);
    assert_status(keep_observer_feed(post.observer, &strange, 1, 1, NULL, 0, &count), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_feed(post.observer, NULL, 1, 1, NULL, 0, &count), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_poll(post.observer, NULL, 1, &count, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_observer_poll(NULL, NULL, 0, &count, NULL), KEEP_ERR_INVALID_ARGUMENT);
    keep_observer_free(NULL);
    keep_observer_free(&observer);
    keep_tracker_free(&tracker);
    post_close(&post);
}
END_TEST

RUN_SUITE("observer", ONCE(a_process_is_known_by_the_kernel_and_its_end_is_seen),
          ONCE(a_stopped_process_stalls_and_a_continued_one_recovers),
          ONCE(after_a_goodbye_neither_silence_nor_end_is_news), ONCE(nobody_is_named_because_the_observer_slept),
          TIMES(nobody_is_named_because_the_clock_jumped, 2), ONCE(passed_descriptors_are_closed),
          ONCE(a_barrier_is_answered_when_it_was_read), ONCE(a_daemon_may_take_its_time_to_stop),
          ONCE(other_lengths_are_counted), ONCE(a_daemon_that_speaks_as_sd_notify_does_is_supervised),
          ONCE(agents_beyond_the_descriptors_are_tracked), ONCE(beats_of_the_dead_bring_nobody_back),
          ONCE(a_path_has_the_mode_asked_for_whatever_the_umask),
          ONCE(a_path_that_is_taken_is_left_alone_unless_it_is_stale), ONCE(a_stale_socket_gives_way),
          ONCE(a_connected_socket_is_not_stale), ONCE(a_path_that_was_replaced_is_not_unlinked),
          ONCE(a_supervisors_socket_is_adopted), ONCE(bad_listeners_are_refused),
          TIMES(sealed_beats_over_udp_are_opened, 2), ONCE(keys_are_checked_and_counted),
          ONCE(events_beyond_the_room_wait_and_come_first), ONCE(a_full_batch_without_room_is_kept_whole),
          ONCE(metrics_need_the_room_they_tell), ONCE(a_child_may_only_free), ONCE(an_observer_keeps_its_freed_tracker),
          ONCE(bad_arguments_are_refused))
