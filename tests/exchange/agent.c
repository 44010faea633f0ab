/* SPDX-License-Identifier: MIT */
/*
 * One of the crowd (tests/exchange/crowd.py): registers, beats, and does what its input says. And a flooder.
 *
 * The kernel queues few datagrams: what finds the queue full is said again, and a last word, of which nobody hears
 * whether it arrived, several times.
 */
#include "exchange.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    PERIOD_MS = 200,
    RETRY_MS = 5,
    LAST_WORDS = 5,
    NS_PER_MS = 1000000,
    FLOOD = 64,
    GARBAGE_LEN = 80
};

static void rest_ms(int ms)
{
    struct timespec time = { 0, (long)ms * NS_PER_MS };

    (void)nanosleep(&time, NULL);
}

static keep_beacon *beacon_at(const char *path)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    keep_beacon *beacon = NULL;

    options.path = path;
    options.fork_refresh = 1;
    must(keep_beacon_new(&options, &beacon, NULL));
    must(keep_beacon_arm(beacon, 0, NULL));
    return beacon;
}

static void register_until_sent(keep_beacon *beacon)
{
    keep_outcome outcome;

    do {
        must(keep_beacon_register(beacon, NULL, &outcome));
        rest_ms(RETRY_MS);
    } while (outcome.kind != KEEP_OUTCOME_SENT);
}

/* A child lives as long as the input is open, and reads nothing of it. */
static bool fork_agent(keep_beacon *beacon)
{
    pid_t child = fork();

    if (child != 0) {
        printf("%d\n", (int)child);
        (void)fflush(stdout);
        return false;
    }
    must(keep_beacon_restart(beacon, NULL));
    register_until_sent(beacon);
    return true;
}

static void leave(keep_beacon *beacon, const char *command)
{
    keep_outcome outcome = { .kind = KEEP_OUTCOME_SENT };

    for (int words = 0; strcmp(command, "crash\n") == 0 && words < LAST_WORDS; words++) {
        keep_beacon_crash(beacon, 9);
        rest_ms(RETRY_MS * 10);
    }
    do {
        if (strcmp(command, "goodbye\n") == 0)
            must(keep_beacon_goodbye(beacon, &outcome));
        rest_ms(RETRY_MS);
    } while (outcome.kind != KEEP_OUTCOME_SENT);
}

bool live_at(const char *path)
{
    KEEP_AUTO(keep_beacon) beacon = beacon_at(path);
    struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
    char command[16] = "";
    keep_outcome outcome;

    register_until_sent(beacon);
    while (command[0] == '\0') {
        must(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome));
        if (poll(&input, 1, outcome.kind == KEEP_OUTCOME_SENT ? PERIOD_MS : RETRY_MS) <= 0)
            continue;
        if ((input.revents & POLLIN) == 0 || fgets(command, sizeof command, stdin) == NULL)
            return true;
        if (strcmp(command, "fork\n") != 0)
            continue;
        command[0] = '\0';
        if (fork_agent(beacon))
            input.events = 0;
    }
    leave(beacon, command);
    return true;
}

static void send_garbage(int fd)
{
    uint8_t bytes[GARBAGE_LEN] = { 'V', 'A', 2 };

    for (size_t i = 3; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)random();
    (void)send(fd, bytes, (size_t)random() % sizeof bytes, MSG_DONTWAIT);
}

bool flood_at(const char *path, const char *what)
{
    KEEP_AUTO(keep_beacon) beacon = beacon_at(path);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    keep_outcome outcome;

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return false;
    register_until_sent(beacon);
    for (unsigned count = 0;; count++) {
        if (strcmp(what, "garbage") == 0)
            send_garbage(fd);
        if (strcmp(what, "beats") == 0 || count % FLOOD == 0)
            must(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome));
        if (count % FLOOD == 0)
            rest_ms(1);
    }
}
