/* SPDX-License-Identifier: MIT */
#include "support/agents.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/forked.h"
#include "support/suite.h"

enum {
    PATIENCE_MS = 20000
};

void sleep_ms(unsigned ms)
{
    struct timespec time = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };

    while (nanosleep(&time, &time) != 0)
        continue;
}

void post_open_with(struct post *post, const keep_tracker_options *tracker, const keep_observer_options *observer)
{
    const char *parent = getenv("TMPDIR");
    keep_listen_options listen = KEEP_LISTEN_OPTIONS_INIT;

    memset(post, 0, sizeof *post);
    (void)snprintf(post->folder, sizeof post->folder, "%s/keep-XXXXXX", parent == NULL ? "/tmp" : parent);
    ck_assert_ptr_nonnull(mkdtemp(post->folder));
    (void)snprintf(post->path, sizeof post->path, "%s/observer", post->folder);
    listen.path = post->path;
    assert_ok(keep_tracker_new(tracker, &post->tracker));
    assert_ok(keep_observer_new(observer, post->tracker, &post->observer, NULL));
    assert_ok(keep_observer_listen(post->observer, &listen, NULL));
}

void post_open(struct post *post, uint32_t threshold_ms)
{
    keep_tracker_options tracker = KEEP_TRACKER_OPTIONS_INIT;
    keep_observer_options observer = KEEP_OBSERVER_OPTIONS_INIT;

    tracker.threshold_ns = threshold_ms * UINT64_C(1000000);
    observer.report_beats = 1;
    observer.per_pid_rate = 0;
    post_open_with(post, &tracker, &observer);
}

void post_close(struct post *post)
{
    keep_observer_free(&post->observer);
    keep_tracker_free(&post->tracker);
    (void)rmdir(post->folder);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Waits on the descriptor for so long, then polls once. */
static void poll_once(struct post *post, uint64_t ms)
{
    struct pollfd poller = { .events = POLLIN };
    size_t count = 0;

    assert_ok(keep_observer_fd(post->observer, &poller.fd));
    (void)poll(&poller, 1, (int)ms);
    if (post->count == AGENT_EVENTS)
        post->count = 0;
    assert_ok(keep_observer_poll(post->observer, post->events + post->count, AGENT_EVENTS - post->count, &count, NULL));
    post->count += count;
}

void post_poll(struct post *post, unsigned ms)
{
    uint64_t now = now_ms(), end = now + ms;

    do {
        poll_once(post, end - now);
        now = now_ms();
    } while (now < end);
}

static bool is_wanted(const keep_event *event, uint32_t kind, pid_t pid)
{
    return event->kind == kind && (pid == 0 || event->pid == (uint32_t)pid);
}

keep_event post_await(struct post *post, uint32_t kind, pid_t pid)
{
    static const keep_event none;
    uint64_t end = now_ms() + PATIENCE_MS;

    do {
        for (size_t i = 0; i < post->count; i++) {
            keep_event event = post->events[i];

            if (!is_wanted(&event, kind, pid))
                continue;
            post->count--;
            memmove(post->events + i, post->events + i + 1, (post->count - i) * sizeof event);
            return event;
        }
        poll_once(post, 100);
    } while (now_ms() < end);
    ck_abort_msg("no event of kind %u came", kind);
    return none;
}

bool has_process_descriptors(void)
{
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

    if (fd >= 0)
        (void)close(fd);
    else
        printf("skipped: no process descriptors here\n");
    fflush(stdout);
    return fd >= 0;
}

void post_await_exit(struct post *post, pid_t pid)
{
    if (has_process_descriptors())
        (void)post_await(post, KEEP_EVENT_EXITED, pid);
}

bool post_has(const struct post *post, uint32_t kind, pid_t pid)
{
    for (size_t i = 0; i < post->count; i++) {
        if (is_wanted(&post->events[i], kind, pid))
            return true;
    }
    return false;
}

struct keep_observer_stats post_stats(struct post *post)
{
    struct keep_observer_stats stats = KEEP_OBSERVER_STATS_INIT;

    assert_ok(keep_observer_stats(post->observer, &stats));
    return stats;
}

struct keep_tracker_stats ledger_stats(struct post *post)
{
    struct keep_tracker_stats stats = KEEP_TRACKER_STATS_INIT;

    assert_ok(keep_tracker_stats(post->tracker, &stats));
    return stats;
}

keep_beacon *beacon_to(const struct post *post)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    keep_beacon *beacon = NULL;

    options.path = post->path;
    assert_ok(keep_beacon_new(&options, &beacon, NULL));
    return beacon;
}

int bare_socket(const struct post *post)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, post->path, strlen(post->path) + 1);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void write_beat(uint32_t pid, uint64_t nonce, uint8_t frame[KEEP_BEAT_LEN])
{
    uint8_t body[25] = { 0 };
    size_t len;

    memcpy(body + 1, &pid, sizeof pid);
    memcpy(body + 5, &nonce, sizeof nonce);
    memcpy(body + 13, &nonce, sizeof nonce);
    assert_ok(keep_tracker_known_answer("beat.encode", body, sizeof body, frame, KEEP_BEAT_LEN, &len));
}

uint32_t beat(keep_beacon *beacon)
{
    keep_outcome outcome = { .kind = UINT32_MAX };
    keep_status status = keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome);

    return status == KEEP_OK || status == KEEP_ERR_SYSTEM ? outcome.kind : UINT32_MAX;
}

pid_t agent_start(const struct post *post, agent_body body, void *ctx)
{
    pid_t pid = fork();
    keep_beacon *beacon;

    ck_assert_int_ge(pid, 0);
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    beacon = beacon_to(post);
    body(beacon, ctx);
    keep_beacon_free(&beacon);
    leave_child(0);
}

int agent_end(pid_t pid)
{
    int status = -1;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

void beat_for_ever(keep_beacon *beacon, void *ms)
{
    for (;;) {
        (void)beat(beacon);
        sleep_ms(*(const unsigned *)ms);
    }
}

void beat_once(keep_beacon *beacon, void *unused)
{
    (void)unused;
    while (beat(beacon) == KEEP_OUTCOME_DROPPED_QUEUE_FULL)
        sleep_ms(1);
    for (;;)
        (void)pause();
}
