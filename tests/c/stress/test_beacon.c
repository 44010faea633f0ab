/* SPDX-License-Identifier: MIT */
/*
 * Last words of a beacon from many threads, while it beats and connects anew (tracker R46, R54).
 */
#include <keep/beacon.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keep/observer.h>
#include <keep/secret.h>

#include "support/suite.h"
#include "support/threads.h"

enum {
    THREADS = 8,
    PREFIX_LEN = 8,
    COUNTER_LEN = 4
};

/* A sealed beacon, a socket that hears it, and the nonces that were heard. */
struct ear {
    keep_beacon *beacon;
    int fd;
    uint8_t (*nonces)[PREFIX_LEN + COUNTER_LEN];
    size_t count, cap;
};

static int open_socket(uint16_t *out_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *out_port = ntohs(address.sin_port);
    return fd;
}

static struct ear ear_of(size_t cap)
{
    struct ear ear = { .nonces = calloc(cap, sizeof *ear.nonces), .cap = cap };
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) key = NULL;

    assert_ok(keep_secret_generate(NULL, 32, &key));
    ear.fd = open_socket(&options.port);
    options.host = "127.0.0.1";
    options.mode = KEEP_BEAT_SHARED;
    options.key = key;
    assert_ok(keep_beacon_new(&options, &ear.beacon, NULL));
    assert_ok(keep_beacon_arm(ear.beacon, 0, NULL));
    return ear;
}

/* Takes what has come. */
static void hear(struct ear *ear)
{
    uint8_t wire[KEEP_BEAT_MASTER_LEN];

    while (ear->count < ear->cap && recv(ear->fd, wire, sizeof wire, MSG_DONTWAIT) == KEEP_BEAT_SHARED_LEN)
        memcpy(ear->nonces[ear->count++], wire, sizeof *ear->nonces);
}

static void say_last_words(struct worker *worker)
{
    const struct ear *ear = worker->shared;

    for (int round = rounds(20000); round > 0; round--)
        keep_beacon_crash(ear->beacon, (uint32_t)worker->index);
}

static void beat_and_reconnect(struct worker *worker)
{
    struct ear *ear = worker->shared;
    keep_outcome outcome;

    while (!worker->crew->is_over) {
        assert_ok(keep_beacon_beat(ear->beacon, KEEP_HEALTH_OK, 0, &outcome));
        if (stream_below(&worker->stream, 4) == 0)
            assert_ok(keep_beacon_reconnect(ear->beacon, NULL));
        hear(ear);
    }
}

static int compare_nonces(const void *a, const void *b)
{
    return memcmp(a, b, PREFIX_LEN + COUNTER_LEN);
}

START_TEST(no_two_frames_have_one_nonce)
{
    struct ear ear = ear_of((size_t)1 << 20);
    struct crew crew = { .count = 0 };

    crew_add(&crew, THREADS, say_last_words, &ear);
    crew_add(&crew, 1, beat_and_reconnect, &ear);
    crew_run(&crew, THREADS);
    hear(&ear);
    ck_assert_uint_gt(ear.count, 100);
    qsort(ear.nonces, ear.count, sizeof *ear.nonces, compare_nonces);
    for (size_t i = 1; i < ear.count; i++)
        ck_assert_int_ne(compare_nonces(ear.nonces[i - 1], ear.nonces[i]), 0);
    keep_beacon_free(&ear.beacon);
    (void)close(ear.fd);
    free(ear.nonces);
}
END_TEST

RUN_SUITE("beacon", ONCE(no_two_frames_have_one_nonce))
