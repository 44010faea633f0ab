/* SPDX-License-Identifier: MIT */
#include "packets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <keep/keep.h>

#include "exchange.h"

enum {
    SIDES = 2,
    KEY_LEN = 32,
    MAX_EVENTS = 3,
    MAX_EVENT_TEXT = 64,
    MAX_DATAGRAMS = 64,
    MAX_DATAGRAM = 512,
    WRONG = -1000 /* the verdict on a packet that is not as it was sealed */
};

static struct inputs {
    uint8_t keys[SIDES][KEY_LEN];
    int session_id, count, answers, damaged, replayed;
} inputs;

struct datagram {
    uint8_t bytes[MAX_DATAGRAM];
    size_t len;
};

struct datagrams {
    struct datagram at[MAX_DATAGRAMS];
    size_t count;
};

/* A packet of a side; the request points into it. */
struct packet {
    char texts[MAX_EVENTS][MAX_EVENT_TEXT];
    keep_bytes events[MAX_EVENTS];
    keep_packet_request request;
};

static void need(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "exchange: %s failed\n", what);
    exit(1);
}

static size_t bytes_of(const char *hex, uint8_t *out, size_t cap)
{
    size_t len = 0;

    need(hex != NULL && sodium_hex2bin(out, cap, hex, strlen(hex), NULL, &len, NULL) == 0, "reading hexadecimal");
    return len;
}

static int number_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    need(json_is_integer(value), name);
    return (int)json_integer_value(value);
}

static void read_inputs(void)
{
    json_t *packets = inputs_of("packets");
    const json_t *keys = json_object_get(packets, "keys");

    for (size_t side = 0; side < SIDES; side++)
        need(bytes_of(json_string_value(json_array_get(keys, side)), inputs.keys[side], KEY_LEN) == KEY_LEN, "a key");
    inputs.session_id = number_of(packets, "session_id");
    inputs.count = number_of(packets, "count");
    inputs.answers = number_of(packets, "answers");
    inputs.damaged = number_of(packets, "damaged");
    inputs.replayed = number_of(packets, "replayed");
    json_decref(packets);
}

/* One side's session. */
static keep_session *session_of(int side, int first_counter)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    KEEP_AUTO(keep_secret) tx_key = NULL;
    KEEP_AUTO(keep_secret) rx_key = NULL;
    keep_session *session = NULL;

    need(keep_secret_from_bytes(NULL, inputs.keys[side], KEY_LEN, &tx_key) == KEEP_OK &&
             keep_secret_from_bytes(NULL, inputs.keys[1 - side], KEY_LEN, &rx_key) == KEEP_OK,
         "keeping keys");
    options.tx_key = tx_key;
    options.rx_key = rx_key;
    options.session_id = (uint64_t)inputs.session_id;
    options.first_counter = (uint64_t)first_counter;
    need(keep_session_new(&options, &session) == KEEP_OK, "making a session");
    return session;
}

static void make_packet(int side, int number, struct packet *out)
{
    int count = number % (MAX_EVENTS + 1);

    for (int i = 0; i < count; i++) {
        (void)snprintf(out->texts[i], MAX_EVENT_TEXT, "side %d, packet %d, event %d", side, number, i);
        out->events[i] = (keep_bytes){ out->texts[i], strlen(out->texts[i]) };
    }
    out->request = (keep_packet_request){
        .events = out->events, .event_count = (size_t)count, .stream_id = (uint64_t)side, .sequence = (uint64_t)number
    };
}

static void seal_one(keep_session *session, int side, int number, struct datagrams *out)
{
    struct datagram *datagram = &out->at[out->count++];
    struct packet packet;

    make_packet(side, number, &packet);
    need(keep_packet_seal_into(session, &packet.request, datagram->bytes, MAX_DATAGRAM, &datagram->len) == KEEP_OK,
         "sealing");
}

static void seal_batch(keep_session *session, int side, int first, size_t count, struct datagrams *out)
{
    static struct packet packets[MAX_DATAGRAMS];
    static keep_packet_request requests[MAX_DATAGRAMS];
    static uint8_t data[MAX_DATAGRAMS * MAX_DATAGRAM];
    size_t offsets[MAX_DATAGRAMS + 1];
    keep_status statuses[MAX_DATAGRAMS];
    keep_packet_seal_out batch = KEEP_PACKET_SEAL_OUT_INIT;

    for (size_t i = 0; i < count; i++) {
        make_packet(side, first + (int)i, &packets[i]);
        requests[i] = packets[i].request;
    }
    batch.data = data;
    batch.cap = sizeof data;
    batch.offsets = offsets;
    batch.statuses = statuses;
    need(keep_packet_seal_batch(session, requests, count, &batch) == KEEP_OK, "sealing a batch");
    for (size_t i = 0; i < count; i++) {
        struct datagram *datagram = &out->at[out->count++];

        datagram->len = offsets[i + 1] - offsets[i];
        memcpy(datagram->bytes, data + offsets[i], datagram->len);
    }
}

/* The first half one by one, the others as a batch. */
static void seal_side(int side, int first, int count, struct datagrams *out)
{
    KEEP_AUTO(keep_session) session = session_of(side, first);
    int half = count / 2;

    out->count = 0;
    for (int i = 0; i < half; i++)
        seal_one(session, side, first + i, out);
    seal_batch(session, side, first + half, (size_t)(count - half), out);
}

/* One comes damaged before it comes whole, and one comes again at the end. */
static void spoil(struct datagrams *datagrams)
{
    struct datagram *damaged = &datagrams->at[inputs.damaged];
    struct datagram *end = &datagrams->at[datagrams->count];
    struct datagram replayed = datagrams->at[inputs.replayed];

    memmove(damaged + 1, damaged, (size_t)(end - damaged) * sizeof *damaged);
    damaged->bytes[damaged->len - 1] ^= 1;
    end[1] = replayed;
    datagrams->count += 2;
}

static bool is_as_sealed(int side, const keep_packet_open_out *out, const keep_packet_opened *opened)
{
    const keep_span *spans = out->events + opened->first_event;
    struct packet want;
    bool is_equal;

    make_packet(side, (int)opened->info.sequence, &want);
    is_equal = opened->info.counter == opened->info.sequence && opened->info.stream_id == want.request.stream_id &&
               opened->event_count == want.request.event_count;
    for (uint32_t i = 0; is_equal && i < opened->event_count; i++)
        is_equal = spans[i].len == want.events[i].len &&
                   memcmp(out->data + spans[i].offset, want.events[i].data, spans[i].len) == 0;
    return is_equal;
}

/* The number of a packet; what is refused has its status below zero. */
static int verdict_on(int side, const keep_packet_open_out *out, const keep_packet_opened *opened)
{
    if (opened->status != KEEP_OK)
        return -(int)opened->status;
    return is_as_sealed(side, out, opened) ? (int)opened->info.sequence : WRONG;
}

/* What the other side finds; it opens the first half one by one, the others as a batch. */
static void judge_side(int side, const struct datagrams *datagrams, int verdicts[MAX_DATAGRAMS])
{
    KEEP_AUTO(keep_session) session = session_of(1 - side, 0);
    static uint8_t data[MAX_DATAGRAMS * MAX_DATAGRAM];
    static keep_span events[MAX_DATAGRAMS * MAX_EVENTS];
    static keep_packet_opened packets[MAX_DATAGRAMS];
    keep_bytes list[MAX_DATAGRAMS];
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;
    size_t half = datagrams->count / 2;
    keep_status st;

    out.data = data;
    out.cap = sizeof data;
    out.events = events;
    out.event_cap = sizeof events / sizeof *events;
    out.packets = packets;
    for (size_t i = 0; i < datagrams->count; i++)
        list[i] = (keep_bytes){ datagrams->at[i].bytes, datagrams->at[i].len };
    for (size_t i = 0; i < half; i++) {
        packets[0].status = keep_packet_open_into(session, list[i].data, list[i].len, &out);
        verdicts[i] = verdict_on(side, &out, &packets[0]);
    }
    st = keep_packet_open_batch(session, list + half, datagrams->count - half, &out);
    need(st != KEEP_ERR_INVALID_ARGUMENT && st != KEEP_ERR_BUFFER_TOO_SMALL, "opening a batch");
    for (size_t i = half; i < datagrams->count; i++)
        verdicts[i] = verdict_on(side, &out, &packets[i - half]);
}

static json_t *texts_of(const struct datagrams *datagrams)
{
    char hex[2 * MAX_DATAGRAM + 1];
    json_t *texts = json_array();

    for (size_t i = 0; i < datagrams->count; i++) {
        (void)sodium_bin2hex(hex, sizeof hex, datagrams->at[i].bytes, datagrams->at[i].len);
        json_array_append_new(texts, json_string(hex));
    }
    return texts;
}

static void read_texts(const json_t *texts, struct datagrams *out)
{
    out->count = json_array_size(texts);
    need(out->count <= MAX_DATAGRAMS, "counting datagrams");
    for (size_t i = 0; i < out->count; i++)
        out->at[i].len = bytes_of(json_string_value(json_array_get(texts, i)), out->at[i].bytes, MAX_DATAGRAM);
}

static bool are_right(const json_t *sides, const int *wanted, size_t count)
{
    static struct datagrams datagrams;
    int verdicts[MAX_DATAGRAMS];
    bool is_right = json_array_size(sides) == SIDES;

    for (int side = 0; is_right && side < SIDES; side++) {
        read_texts(json_array_get(sides, (size_t)side), &datagrams);
        judge_side(side, &datagrams, verdicts);
        is_right = datagrams.count == count && memcmp(verdicts, wanted, count * sizeof *wanted) == 0;
    }
    return is_right;
}

json_t *sealed_packets(void)
{
    static struct datagrams datagrams;
    json_t *sides = json_array();

    read_inputs();
    for (int side = 0; side < SIDES; side++) {
        seal_side(side, 0, inputs.count, &datagrams);
        spoil(&datagrams);
        json_array_append_new(sides, texts_of(&datagrams));
    }
    return sides;
}

json_t *answering_packets(void)
{
    static struct datagrams datagrams;
    json_t *sides = json_array();

    read_inputs();
    for (int side = 0; side < SIDES; side++) {
        seal_side(side, inputs.count, inputs.answers, &datagrams);
        json_array_append_new(sides, texts_of(&datagrams));
    }
    return sides;
}

bool are_sealed_packets(const json_t *sides)
{
    int wanted[MAX_DATAGRAMS];
    size_t count = 0;

    read_inputs();
    for (int number = 0; number < inputs.count; number++) {
        if (number == inputs.damaged)
            wanted[count++] = -KEEP_ERR_AUTH;
        wanted[count++] = number;
    }
    wanted[count++] = -KEEP_ERR_REPLAY;
    return are_right(sides, wanted, count);
}

bool are_answering_packets(const json_t *sides)
{
    int wanted[MAX_DATAGRAMS];

    read_inputs();
    for (int i = 0; i < inputs.answers; i++)
        wanted[i] = inputs.count + i;
    return are_right(sides, wanted, (size_t)inputs.answers);
}
