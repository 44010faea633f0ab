/* SPDX-License-Identifier: MIT */
/*
 * A beacon's beat beside the bare send of as many bytes to the same socket: while there is room, and while there is none.
 */
#include <keep/keep.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

enum {
    BURST = 8 /* below the least queue that kernels give by themselves */
};

/* A socket that somebody reads, one to send to it, and a beacon that does. */
struct ear {
    int fd, sender;
    keep_beacon *beacon;
};

static const char frame[KEEP_BEAT_LEN];

static struct ear open_ear(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    struct ear ear = { .fd = socket(AF_UNIX, SOCK_DGRAM, 0), .sender = socket(AF_UNIX, SOCK_DGRAM, 0) };
    char name[64];
    int len = snprintf(name, sizeof name, "@keep-bench-%d", (int)getpid());
    socklen_t address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len);

    memcpy(address.sun_path + 1, name + 1, (size_t)len - 1); /* an abstract name begins with a zero byte */
    BENCH_CHECK(bind(ear.fd, (const struct sockaddr *)&address, address_len) == 0);
    BENCH_CHECK(connect(ear.sender, (const struct sockaddr *)&address, address_len) == 0);
    options.path = name;
    options.reconnect_after = 0;
    BENCH_CHECK(keep_beacon_new(&options, &ear.beacon, NULL) == KEEP_OK);
    return ear;
}

static void empty_queue(void *state, size_t count)
{
    const struct ear *ear = state;
    char received[KEEP_BEAT_LEN];

    (void)count;
    while (recv(ear->fd, received, sizeof received, MSG_DONTWAIT) > 0)
        continue;
}

static void fill_queue(const struct ear *ear)
{
    while (send(ear->sender, frame, sizeof frame, MSG_DONTWAIT) > 0)
        continue;
}

static void send_heard(void *state, size_t count)
{
    const struct ear *ear = state;

    for (size_t i = 0; i < count; i++)
        BENCH_CHECK(send(ear->sender, frame, sizeof frame, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof frame);
}

static void send_unheard(void *state, size_t count)
{
    const struct ear *ear = state;

    for (size_t i = 0; i < count; i++)
        BENCH_CHECK(send(ear->sender, frame, sizeof frame, MSG_DONTWAIT | MSG_NOSIGNAL) < 0);
}

static void beat(const struct ear *ear, size_t count, uint32_t kind)
{
    keep_outcome outcome;

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(keep_beacon_beat(ear->beacon, KEEP_HEALTH_OK, 0, &outcome) == KEEP_OK);
        BENCH_CHECK(outcome.kind == kind);
    }
}

static void beat_heard(void *state, size_t count)
{
    beat(state, count, KEEP_OUTCOME_SENT);
}

static void beat_unheard(void *state, size_t count)
{
    beat(state, count, KEEP_OUTCOME_DROPPED_QUEUE_FULL);
}

int main(void)
{
    struct ear ear = open_ear();

    bench_run_bursts("beacon_beat_sent", (struct bench_bursts){ beat_heard, empty_queue, BURST }, &ear);
    bench_run_bursts("floor.send", (struct bench_bursts){ send_heard, empty_queue, BURST }, &ear);
    fill_queue(&ear);
    bench_run("beacon_beat_dropped", beat_unheard, &ear);
    bench_run("floor.send_full", send_unheard, &ear);
    keep_beacon_free(&ear.beacon);
    return 0;
}
