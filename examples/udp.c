/* SPDX-License-Identifier: MIT */
/*
 * Two processes over UDP: a handshake, packets in batches over a line that loses, doubles, reorders and forges some, a
 * new session half-way, and a clean end. The same program exists in Python, Node.js and Go, and any two of them
 * understand each other; what they say is in examples/udp.md.
 *
 *     cc udp.c $(pkg-config --cflags --libs keep) -o udp
 *     ./udp listen                 prints the port, takes one conversation
 *     ./udp send PORT [PACKETS]
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <keep/keep.h>

#define PACKETS 100000 /* the most */
#define BATCH 64
#define SESSIONS 2
#define DATAGRAM KEEP_MAX_PACKET_LEN

/* What the line does to packet n. */
static bool is_lost(uint64_t n)
{
    return n % 10 == 3;
}
static bool is_doubled(uint64_t n)
{
    return n % 7 == 0;
}
static bool is_forged(uint64_t n)
{
    return n % 1000 == 1;
}

struct counts {
    uint64_t accepted, replayed, forged;
};

static void need(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "udp: %s failed\n", what);
    exit(1);
}

static void need_ok(keep_status st, const char *what)
{
    if (st != KEEP_OK)
        fprintf(stderr, "udp: %s: %s\n", what, keep_status_sentence(st));
    need(st == KEEP_OK, what);
}

/* --- datagrams --- */

static int new_socket(uint16_t port, bool is_sender)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    need(fd >= 0, "socket");
    need((is_sender ? connect : bind)(fd, (struct sockaddr *)&address, sizeof address) == 0, "bind or connect");
    return fd;
}

static void send_to_peer(int fd, const void *data, size_t len)
{
    need(send(fd, data, len, 0) == (ssize_t)len, "send");
}

static void send_request(int fd, keep_session *session, const keep_packet_request *request)
{
    uint8_t out[DATAGRAM];
    size_t len;

    need_ok(keep_packet_seal_into(session, request, out, sizeof out, &len), "sealing");
    send_to_peer(fd, out, len);
}

static void send_heartbeat(int fd, keep_session *session)
{
    send_request(fd, session, &(keep_packet_request){ .kind = KEEP_PACKET_HEARTBEAT });
}

/* --- handshakes --- */

static keep_handshake *new_handshake(uint32_t role)
{
    static const uint8_t shared[KEEP_HANDSHAKE_KEY_LEN] = { 0x42 }; /* a program of yours has a better one */
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) static_key = NULL;
    KEEP_AUTO(keep_secret) pre_shared_key = NULL;
    keep_handshake *handshake = NULL;

    need_ok(keep_secret_generate(NULL, KEEP_HANDSHAKE_KEY_LEN, &static_key), "a static key");
    need_ok(keep_secret_from_bytes(NULL, shared, sizeof shared, &pre_shared_key), "the shared key");
    options.pattern = KEEP_NOISE_XXPSK3;
    options.role = role;
    options.static_key = static_key;
    options.pre_shared_key = pre_shared_key;
    need_ok(keep_handshake_new(&options, &handshake), "a handshake");
    return handshake;
}

static void send_message(int fd, keep_handshake *handshake)
{
    uint8_t message[KEEP_MAX_PAYLOAD_LEN];
    keep_bytes event = { message, 0 };

    need_ok(keep_handshake_write(handshake, NULL, 0, message, sizeof message, &event.len), "writing a message");
    send_request(fd, NULL, &(keep_packet_request){ .events = &event, .event_count = 1, .kind = KEEP_PACKET_HANDSHAKE });
}

static void read_message(keep_handshake *handshake, const uint8_t *datagram, size_t len)
{
    uint8_t payload[KEEP_MAX_PAYLOAD_LEN];
    size_t payload_len;

    need_ok(keep_handshake_read(handshake, datagram + KEEP_PACKET_HEADER_LEN, len - KEEP_PACKET_HEADER_LEN, payload,
                                sizeof payload, &payload_len),
            "reading a message");
}

static uint32_t state_of(const keep_handshake *handshake)
{
    struct keep_handshake_info info = KEEP_HANDSHAKE_INFO_INIT;

    need_ok(keep_handshake_info(handshake, &info), "looking at a handshake");
    return info.state;
}

static keep_session *session_of(keep_handshake **handshake)
{
    keep_session *session = NULL;

    need_ok(keep_handshake_session(*handshake, NULL, &session), "a session");
    keep_handshake_free(handshake);
    return session;
}

/* --- sender --- */

static keep_session *agree(int fd)
{
    keep_handshake *handshake = new_handshake(KEEP_INITIATOR);
    uint8_t datagram[DATAGRAM];
    ssize_t len;

    send_message(fd, handshake);
    len = recv(fd, datagram, sizeof datagram, 0);
    need(len > KEEP_PACKET_HEADER_LEN, "an answer");
    read_message(handshake, datagram, (size_t)len);
    send_message(fd, handshake);
    return session_of(&handshake);
}

/* Waits for a packet of the listener's; tells its event, if it has one. */
static void await_answer(int fd, keep_session *session, uint8_t *out, size_t cap)
{
    uint8_t datagram[DATAGRAM];
    keep_span events[1];
    keep_packet_opened opened;
    keep_packet_open_out open = KEEP_PACKET_OPEN_OUT_INIT;
    ssize_t len = recv(fd, datagram, sizeof datagram, 0);
    uint8_t plaintext[DATAGRAM];

    open.data = plaintext;
    open.cap = sizeof plaintext;
    open.events = events;
    open.event_cap = 1;
    open.packets = &opened;
    need(len > 0, "an answer");
    need_ok(keep_packet_open_into(session, datagram, (size_t)len, &open), "opening an answer");
    if (cap != 0)
        memcpy(out, plaintext + events[0].offset, cap);
}

struct batch {
    uint64_t numbers[BATCH];
    keep_bytes events[BATCH];
    keep_packet_request requests[BATCH];
    uint8_t data[BATCH * 128];
    size_t offsets[BATCH + 1];
    keep_status statuses[BATCH];
};

static void seal(keep_session *session, struct batch *batch, uint64_t first, size_t count)
{
    keep_packet_seal_out out = KEEP_PACKET_SEAL_OUT_INIT;

    for (size_t i = 0; i < count; i++) {
        batch->numbers[i] = first + i;
        batch->events[i] = (keep_bytes){ &batch->numbers[i], sizeof batch->numbers[i] };
        batch->requests[i] = (keep_packet_request){ .events = &batch->events[i], .event_count = 1, .stream_id = 1 };
    }
    out.data = batch->data;
    out.cap = sizeof batch->data;
    out.offsets = batch->offsets;
    out.statuses = batch->statuses;
    need_ok(keep_packet_seal_batch(session, batch->requests, count, &out), "sealing a batch");
}

/* One packet over the bad line. */
static void send_badly(int fd, struct batch *batch, size_t i)
{
    uint64_t n = batch->numbers[i];
    uint8_t *datagram = batch->data + batch->offsets[i];
    size_t len = batch->offsets[i + 1] - batch->offsets[i];

    if (is_lost(n))
        return;
    send_to_peer(fd, datagram, len);
    if (is_doubled(n))
        send_to_peer(fd, datagram, len);
    if (is_forged(n)) {
        datagram[len - 1] ^= 1;
        send_to_peer(fd, datagram, len);
    }
}

static void send_numbers(int fd, keep_session *session, uint64_t first, uint64_t end)
{
    struct batch batch;

    for (uint64_t at = first; at < end; at += BATCH) {
        size_t count = end - at < BATCH ? (size_t)(end - at) : BATCH;

        seal(session, &batch, at, count);
        for (size_t i = 0; i < count; i++) /* every other batch arrives in reverse */
            send_badly(fd, &batch, at / BATCH % 2 == 0 ? i : count - 1 - i);
        send_heartbeat(fd, session);
        await_answer(fd, session, NULL, 0);
    }
}

static struct counts expected(uint64_t packets)
{
    struct counts counts = { 0 };

    for (uint64_t n = 0; n < packets; n++) {
        counts.accepted += !is_lost(n);
        counts.replayed += !is_lost(n) && is_doubled(n);
        counts.forged += !is_lost(n) && is_forged(n);
    }
    counts.accepted++; /* the late one */
    return counts;
}

static void tell(const char *who, const struct counts *counts)
{
    printf("%s: %" PRIu64 " accepted, %" PRIu64 " replayed, %" PRIu64 " forged\n", who, counts->accepted,
           counts->replayed, counts->forged);
}

static int run_sender(uint16_t port, uint64_t packets)
{
    int fd = new_socket(port, true);
    KEEP_AUTO(keep_session) first = agree(fd);
    KEEP_AUTO(keep_session) second = NULL;
    struct batch late;
    struct counts wanted = expected(packets);
    struct counts told;

    send_numbers(fd, first, 0, packets / 2);
    seal(first, &late, packets, 1); /* sent when its session is no longer the newest */
    second = agree(fd);
    send_to_peer(fd, late.data, late.offsets[1]);
    send_numbers(fd, second, packets / 2, packets);
    send_request(fd, second, &(keep_packet_request){ .stream_id = 1, .flags = KEEP_PACKET_FIN });
    await_answer(fd, second, (uint8_t *)&told, sizeof told);
    tell("sent", &wanted);
    tell("told", &told);
    close(fd);
    return memcmp(&told, &wanted, sizeof told) == 0 ? 0 : 1;
}

/* --- listener --- */

struct listener {
    int fd;
    keep_handshake *handshake;
    keep_session *sessions[SESSIONS]; /* the newest last */
    size_t session_count;
    bool seen[PACKETS + 1];
    struct counts counts;
    bool is_done;
};

/* Answers go to whoever sent last. */
static ssize_t receive(struct listener *listener, uint8_t *datagram)
{
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    ssize_t len = recvfrom(listener->fd, datagram, DATAGRAM, 0, (struct sockaddr *)&from, &from_len);

    need(len > 0 && connect(listener->fd, (struct sockaddr *)&from, from_len) == 0, "receiving");
    return len;
}

static void take_message(struct listener *listener, const uint8_t *datagram, size_t len)
{
    if (listener->handshake == NULL)
        listener->handshake = new_handshake(KEEP_RESPONDER);
    read_message(listener->handshake, datagram, len);
    if (state_of(listener->handshake) == KEEP_HANDSHAKE_WRITE)
        send_message(listener->fd, listener->handshake);
    else
        listener->sessions[listener->session_count++] = session_of(&listener->handshake);
}

static void take_number(struct listener *listener, const uint8_t *event)
{
    uint64_t n;

    memcpy(&n, event, sizeof n);
    need(n <= PACKETS && !listener->seen[n], "a number that is new");
    listener->seen[n] = true;
    listener->counts.accepted++;
}

static void take_opened(struct listener *listener, keep_session *session, const keep_packet_info *info,
                        const uint8_t *event)
{
    keep_bytes counts = { &listener->counts, sizeof listener->counts };

    if (info->kind == KEEP_PACKET_HEARTBEAT)
        send_heartbeat(listener->fd, session);
    else if ((info->flags & KEEP_PACKET_FIN) == 0)
        take_number(listener, event);
    else
        send_request(listener->fd, session,
                     &(keep_packet_request){ .events = &counts, .event_count = 1, .stream_id = 1 });
    listener->is_done = (info->flags & KEEP_PACKET_FIN) != 0;
}

/* Opens with the newest session that the packet is of. */
static keep_status open_packet(const struct listener *listener, const uint8_t *datagram, size_t len,
                               keep_packet_open_out *out, keep_session **out_session)
{
    keep_status st = KEEP_ERR_PACKET_SESSION;

    for (size_t i = listener->session_count; st == KEEP_ERR_PACKET_SESSION && i > 0; i--) {
        *out_session = listener->sessions[i - 1];
        st = keep_packet_open_into(*out_session, datagram, len, out);
    }
    return st;
}

static void take_packet(struct listener *listener, const uint8_t *datagram, size_t len)
{
    uint8_t plaintext[DATAGRAM];
    keep_span events[1] = { { 0, 0 } };
    keep_packet_opened opened;
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;
    keep_session *session = NULL;
    keep_status st;

    out.data = plaintext;
    out.cap = sizeof plaintext;
    out.events = events;
    out.event_cap = 1;
    out.packets = &opened;
    st = open_packet(listener, datagram, len, &out, &session);
    listener->counts.replayed += st == KEEP_ERR_REPLAY;
    listener->counts.forged += st == KEEP_ERR_AUTH;
    if (st == KEEP_OK)
        take_opened(listener, session, &opened.info, plaintext + events[0].offset);
}

static void take_datagram(struct listener *listener)
{
    uint8_t datagram[DATAGRAM];
    size_t len = (size_t)receive(listener, datagram);
    keep_packet_info info;

    if (keep_packet_parse(datagram, len, &info) != KEEP_OK)
        return;
    if (info.kind == KEEP_PACKET_HANDSHAKE)
        take_message(listener, datagram, len);
    else
        take_packet(listener, datagram, len);
}

static int run_listener(void)
{
    static struct listener listener;
    struct sockaddr_in address;
    socklen_t len = sizeof address;

    listener.fd = new_socket(0, false);
    need(getsockname(listener.fd, (struct sockaddr *)&address, &len) == 0, "a port");
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    while (!listener.is_done)
        take_datagram(&listener);
    tell("heard", &listener.counts);
    for (size_t i = 0; i < listener.session_count; i++)
        keep_session_free(&listener.sessions[i]);
    close(listener.fd);
    return 0;
}

int main(int argc, char **argv)
{
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "send") == 0)
        return run_sender((uint16_t)atoi(argv[2]), argc == 4 ? strtoull(argv[3], NULL, 10) : PACKETS);
    if (argc == 2 && strcmp(argv[1], "listen") == 0)
        return run_listener();
    fprintf(stderr, "usage: udp listen | udp send PORT [PACKETS]\n");
    return 2;
}
