/* SPDX-License-Identifier: MIT */
/*
 * Processes that beat to any observer, so that all are measured with the same: bench_senders PATH BUSY IDLE [apart]
 *
 * IDLE processes beat once and stay; then BUSY ones beat as fast as the observer takes it. All end with the input.
 * `apart`: the observer, which is the parent, has a processor for itself meanwhile, and all senders the others.
 */
#include <keep/keep.h>

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

static struct sockaddr_un address = { .sun_family = AF_UNIX };

/* A connection whose sends wait for room, and a beacon that makes frames for it. */
struct mouth {
    int fd;
    keep_beacon *beacon;
    uint64_t now_ns;
};

static struct mouth open_mouth(void)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    struct mouth mouth = { .fd = socket(AF_UNIX, SOCK_DGRAM, 0) };

    options.agent_pid = (uint32_t)getpid();
    BENCH_CHECK(keep_beacon_new(&options, &mouth.beacon, NULL) == KEEP_OK);
    BENCH_CHECK(connect(mouth.fd, (const struct sockaddr *)&address, sizeof address) == 0);
    return mouth;
}

static void beat(struct mouth *mouth)
{
    uint8_t frame[KEEP_BEAT_LEN];
    keep_outcome outcome;

    BENCH_CHECK(keep_beacon_prepare(mouth->beacon, KEEP_HEALTH_OK, 0, ++mouth->now_ns, frame) == KEEP_OK);
    if (send(mouth->fd, frame, sizeof frame, MSG_NOSIGNAL) != sizeof frame)
        _exit(0); /* the observer left */
    BENCH_CHECK(keep_beacon_commit(mouth->beacon, 0, &outcome) == KEEP_OK);
}

static void beat_for_ever(void)
{
    struct mouth mouth = open_mouth();

    for (;;)
        beat(&mouth);
}

static void beat_once(void)
{
    struct mouth mouth = open_mouth();

    beat(&mouth);
    for (;;)
        (void)pause();
}

static void start(int count, void (*body)(void))
{
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();

        BENCH_CHECK(pid >= 0);
        if (pid == 0)
            body();
    }
}

static void put(pid_t pid, const cpu_set_t *processors)
{
    BENCH_CHECK(sched_setaffinity(pid, sizeof *processors, processors) == 0);
}

static size_t first_of(const cpu_set_t *processors)
{
    size_t first = 0;

    while (!CPU_ISSET(first, processors))
        first++;
    return first;
}

/* Gives the parent the first processor, and this process the others. */
static void part(cpu_set_t processors)
{
    size_t first = first_of(&processors);
    cpu_set_t alone;

    BENCH_CHECK(CPU_COUNT(&processors) > 1);
    CPU_ZERO(&alone);
    CPU_SET(first, &alone);
    CPU_CLR(first, &processors);
    put(getppid(), &alone);
    put(0, &processors);
}

int main(int argc, char **argv)
{
    bool is_apart = argc == 5 && strcmp(argv[4], "apart") == 0;
    cpu_set_t processors;
    char nothing;

    BENCH_CHECK((argc == 4 || is_apart) && strlen(argv[1]) < sizeof address.sun_path);
    memcpy(address.sun_path, argv[1], strlen(argv[1]));
    BENCH_CHECK(setpgid(0, 0) == 0 && sched_getaffinity(0, sizeof processors, &processors) == 0);
    if (is_apart)
        part(processors);
    start(atoi(argv[3]), beat_once);
    start(atoi(argv[2]), beat_for_ever);
    BENCH_CHECK(read(STDIN_FILENO, &nothing, 1) == 0);
    if (is_apart)
        put(getppid(), &processors);
    return kill(0, SIGKILL);
}
