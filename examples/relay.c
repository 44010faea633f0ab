/* SPDX-License-Identifier: MIT */
/*
 * Packets on the tour, their last station: opens what comes and tells what came of it.
 *
 *     cc relay.c $(pkg-config --cflags --libs keep) -o relay
 *     ./relay KEY          a file of 32 bytes that the station before has too
 *
 * It prints its port first.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <keep/keep.h>

#define KEY_LEN 32

static void need(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "relay: %s failed\n", what);
    exit(1);
}

/* Elsewhere a handshake makes it, as in examples/udp.c. */
static keep_session *new_session(const char *key_file)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) key = NULL;
    keep_session *session = NULL;
    uint8_t bytes[KEY_LEN];
    FILE *stream = fopen(key_file, "rb");

    need(stream != NULL && fread(bytes, 1, sizeof bytes, stream) == sizeof bytes, "reading the key");
    need(keep_secret_from_bytes(NULL, bytes, sizeof bytes, &key) == KEEP_OK, "keeping the key");
    keep_wipe(bytes, sizeof bytes);
    options.session_id = 1;
    options.rx_key = key;
    need(keep_session_new(&options, &session) == KEEP_OK, "making a session");
    fclose(stream);
    return session;
}

/* A socket, whose port is printed. */
static int new_socket(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    need(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0, "binding a socket");
    need(getsockname(fd, (struct sockaddr *)&address, &len) == 0, "asking for the port");
    printf("%u\n", ntohs(address.sin_port));
    return fd;
}

static void tell_event(const keep_span *span, const uint8_t *data, bool is_late)
{
    const char *lateness = is_late ? ", which is late" : "";

    printf("  opened   \"%.*s\"%s\n", (int)span->len, (const char *)data + span->offset, lateness);
}

/* Tells what came of a datagram; whether it was the last. */
static bool take_datagram(keep_session *session, const uint8_t *datagram, size_t len)
{
    static uint64_t highest;
    uint8_t data[KEEP_MAX_PAYLOAD_LEN];
    keep_span event;
    keep_packet_opened opened = { 0 };
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;
    keep_status st;

    out.data = data;
    out.cap = sizeof data;
    out.events = &event;
    out.event_cap = 1;
    out.packets = &opened;
    st = keep_packet_open_into(session, datagram, len, &out);
    if (st == KEEP_ERR_AUTH || st == KEEP_ERR_REPLAY) {
        printf("  refused  a %s packet\n", st == KEEP_ERR_AUTH ? "forged" : "replayed");
        return false;
    }
    need(st == KEEP_OK, "opening a packet");
    if (opened.event_count != 0)
        tell_event(&event, data, opened.info.counter < highest);
    highest = opened.info.counter > highest ? opened.info.counter : highest;
    return (opened.info.flags & KEEP_PACKET_FIN) != 0;
}

int main(int argc, char **argv)
{
    KEEP_AUTO(keep_session) session = NULL;
    uint8_t datagram[KEEP_MAX_PACKET_LEN];
    bool is_last = false;
    int fd;

    need(argc == 2, "usage: relay KEY");
    session = new_session(argv[1]);
    fd = new_socket();
    printf("C\n");
    fflush(stdout);
    while (!is_last) {
        ssize_t len = recv(fd, datagram, sizeof datagram, 0);

        need(len >= 0, "receiving");
        is_last = take_datagram(session, datagram, (size_t)len);
    }
    return 0;
}
