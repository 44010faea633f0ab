/* SPDX-License-Identifier: MIT */
/*
 * Schema keep-packet-1 (packet §11): datagrams built and opened in every way that gives equal bytes, headers, windows,
 * handshakes, and scripts over pools.
 *
 * KEEP_TEST_AEAD=sodium|openssl|ipsec-mb makes every session ask for that back end.
 */
#include "vectors.h"

#include <stdlib.h>
#include <string.h>

#define INFO keep_packet_info
static const struct words kinds =
    WORDS([KEEP_PACKET_DATA] = "data", [KEEP_PACKET_HEARTBEAT] = "heartbeat", [KEEP_PACKET_HANDSHAKE] = "handshake");
static const struct fields packet_info =
    FIELDS(NUMBER(INFO, counter), NUMBER(INFO, session_id), NUMBER(INFO, stream_id), NUMBER(INFO, sequence),
           NUMBER(INFO, origin_hash), NUMBER(INFO, subnet_id), NUMBER(INFO, subprotocol_id), NUMBER(INFO, channel_hash),
           NUMBER(INFO, fragment_id), NUMBER(INFO, fragment_offset), NUMBER(INFO, payload_len),
           NUMBER(INFO, event_count), WORD(INFO, kind, &kinds), NUMBER(INFO, flags), NUMBER(INFO, priority),
           NUMBER(INFO, hop_ttl), NUMBER(INFO, hop_count), NUMBER(INFO, frag_flags));

static void expect_info(struct step *step, const keep_packet_info *info)
{
    struct step part = part_in(step, "info");

    expect_fields(&part, &packet_info, info, ALL);
}

/* --- sessions --- */

static const struct fields session_options =
    FIELDS(NUMBER(keep_session_options, session_id), NUMBER(keep_session_options, first_counter),
           NUMBER(keep_session_options, max_failed_opens), NUMBER(keep_session_options, window));

static uint32_t aead_of_environment(void)
{
    static const char *const names[] = { "auto", "sodium", "openssl", "ipsec-mb" };
    const char *wanted = getenv("KEEP_TEST_AEAD");
    uint32_t aead = KEEP_AEAD_AUTO;

    while (wanted != NULL && aead <= KEEP_AEAD_IPSEC_MB && strcmp(names[aead], wanted) != 0)
        aead++;
    return aead;
}

static keep_status new_session(struct step *step, keep_bytes tx_key, keep_bytes rx_key, keep_session **out)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;

    options.tx_key = secret_of(step, tx_key);
    options.rx_key = secret_of(step, rx_key);
    take_fields(step, &session_options, &options, SOME);
    if (has(step, "counter"))
        options.first_counter = number(step, "counter", UINT64_MAX);
    options.aead = aead_of_environment();
    return keep_session_new(&options, out);
}

static keep_session *session_of(struct step *step, keep_bytes tx_key, keep_bytes rx_key)
{
    keep_session *session = NULL;

    expect_status(step, "a session", KEEP_OK, new_session(step, tx_key, rx_key, &session));
    return session;
}

static keep_session *sender_of(struct step *step)
{
    return session_of(step, bytes(step, "key"), (keep_bytes){ NULL, 0 });
}

static keep_session *receiver_of(struct step *step)
{
    return session_of(step, (keep_bytes){ NULL, 0 }, bytes(step, "key"));
}

#define STATS struct keep_session_stats
static const struct fields next_counter = FIELDS(NUMBER(STATS, next_counter));
static const struct fields open_stats =
    FIELDS(NUMBER(STATS, opened), NUMBER(STATS, auth_failed), NUMBER(STATS, replayed), NUMBER(STATS, malformed));

static void expect_stats(struct step *step, keep_session *session, const struct fields *fields, enum extent extent)
{
    struct keep_session_stats stats = KEEP_SESSION_STATS_INIT;

    expect_status(step, "stats", KEEP_OK, keep_session_stats(session, &stats));
    expect_fields(step, fields, &stats, extent);
}

/* --- requests --- */

enum {
    MAX_EVENTS = 1 << 20
};

struct events {
    const keep_bytes *items;
    size_t count;
};

static struct events events_of(struct step *step)
{
    json_t *values = list(step, "events");
    keep_bytes *items = room(step, sizeof *items), *more;
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(values); i++) {
        struct step one = { .run = step->run, .in = json_array_get(values, i) };
        size_t times = has(&one, "count") ? number(&one, "count", MAX_EVENTS) : 1;
        keep_bytes event = has(&one, "count") ? bytes(&one, "event") : bytes_of(step, one.in);

        more = room(step, (count + times) * sizeof *items);
        memcpy(more, items, count * sizeof *items);
        for (items = more; times > 0; times--)
            items[count++] = event;
    }
    return (struct events){ items, count };
}

static const struct fields settings_fields =
    FIELDS(NUMBER(keep_packet_settings, origin_hash), NUMBER(keep_packet_settings, subnet_id),
           NUMBER(keep_packet_settings, channel_hash), NUMBER(keep_packet_settings, priority),
           NUMBER(keep_packet_settings, hop_ttl));

static const keep_packet_settings *settings_of(struct step *step)
{
    keep_packet_settings *settings = memset(room(step, sizeof *settings), 0, sizeof *settings);
    struct step part;

    if (!has(step, "settings"))
        return NULL;
    part = part_in(step, "settings");
    take_fields(&part, &settings_fields, settings, ALL);
    return settings;
}

static const struct fields request_fields =
    FIELDS(WORD(keep_packet_request, kind, &kinds), NUMBER(keep_packet_request, stream_id),
           NUMBER(keep_packet_request, sequence), NUMBER(keep_packet_request, flags),
           NUMBER(keep_packet_request, subprotocol_id));

/* A handshake's frame has one event, under a name of its own. */
static keep_packet_request request_of(struct step *step)
{
    struct events events = events_of(step);
    keep_packet_request request = { .settings = settings_of(step) };

    take_fields(step, &request_fields, &request, SOME);
    if (request.kind == KEEP_PACKET_HANDSHAKE) {
        keep_bytes *payload = room(step, sizeof *payload);

        *payload = bytes(step, "handshake_payload");
        events = (struct events){ payload, 1 };
    }
    request.events = events.items;
    request.event_count = events.count;
    return request;
}

static keep_packet_request handshake_frame(const keep_bytes *message)
{
    return (keep_packet_request){ .events = message, .event_count = 1, .kind = KEEP_PACKET_HANDSHAKE };
}

/* --- sealing in each way --- */

typedef keep_status seal_way(struct step *step, keep_session *session, const keep_packet_request *request,
                             keep_bytes *out);

static keep_status seal_into(struct step *step, keep_session *session, const keep_packet_request *request,
                             keep_bytes *out)
{
    uint8_t *data = room(step, KEEP_MAX_PACKET_LEN);
    keep_status status = keep_packet_seal_into(session, request, data, KEEP_MAX_PACKET_LEN, &out->len);

    out->data = data;
    if (status != KEEP_OK)
        expect_untouched(step, data, KEEP_MAX_PACKET_LEN);
    return status;
}

static keep_status seal_batch(struct step *step, keep_session *session, const keep_packet_request *request,
                              keep_bytes *out)
{
    keep_packet_seal_out batch = KEEP_PACKET_SEAL_OUT_INIT;
    size_t offsets[2];
    keep_status one, status;

    batch.data = room(step, KEEP_MAX_PACKET_LEN);
    batch.cap = KEEP_MAX_PACKET_LEN;
    batch.offsets = offsets;
    batch.statuses = &one;
    status = keep_packet_seal_batch(session, request, 1, &batch);
    *out = (keep_bytes){ batch.data, batch.data_len };
    if (status != one || offsets[0] != 0 || offsets[1] != batch.data_len || batch.sealed_count != (status == KEEP_OK))
        fail(step, "a batch of one", "one status and place", "others");
    return status;
}

static keep_status build_in_pool(struct step *step, keep_session *session, const keep_packet_request *request,
                                 keep_bytes *out)
{
    keep_packet_pool *pool = NULL;
    keep_packet *packet = NULL;
    const uint8_t *data = NULL;
    keep_status status = keep_packet_pool_new(NULL, &pool);

    if (status == KEEP_OK)
        status = keep_packet_pool_acquire(pool, &packet);
    if (status == KEEP_OK)
        status = keep_packet_build(packet, session, request);
    if (status == KEEP_OK)
        status = keep_packet_data(packet, &data, &out->len);
    if (status == KEEP_OK)
        out->data = memcpy(room(step, out->len), data, out->len);
    (void)keep_packet_free(&packet);
    keep_packet_pool_free(&pool);
    return status;
}

static seal_way *const ways[] = { seal_into, build_in_pool, seal_batch };
enum {
    WAYS = sizeof ways / sizeof *ways
};

/* --- opening --- */

/* Room for what `count` datagrams may need. */
static keep_packet_open_out open_room(struct step *step, size_t count)
{
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;

    out.cap = count * KEEP_MAX_PAYLOAD_LEN;
    out.data = room(step, out.cap);
    out.event_cap = count * KEEP_MAX_PACKET_EVENTS;
    out.events = room(step, out.event_cap * sizeof *out.events);
    out.packets = room(step, count * sizeof *out.packets);
    return out;
}

static void expect_events(struct step *step, const keep_packet_open_out *out, size_t packet)
{
    const keep_packet_opened *opened = &out->packets[packet];
    struct events want = events_of(step);

    expect_count(step, "events", want.count, opened->event_count);
    for (size_t i = 0; i < want.count && i < opened->event_count; i++) {
        keep_span span = out->events[opened->first_event + i];

        expect_same(step, "an event", want.items[i], (keep_bytes){ out->data + span.offset, span.len });
    }
}

/* What became of one datagram: its status, and if OK header and events. */
static void expect_opened(struct step *step, const keep_packet_open_out *out, size_t packet)
{
    if (!came_out(step, out->packets[packet].status))
        return;
    expect_info(step, &out->packets[packet].info);
    expect_events(step, out, packet);
}

/* Opens a datagram in place, on a copy, which must give the events of the step. */
static void expect_opens(struct step *step, keep_session *receiver, keep_bytes datagram)
{
    uint8_t *copy = room(step, datagram.len);
    keep_packet_open_out out = open_room(step, 1);
    keep_status status;

    if (has_failed(step))
        return;
    memcpy(copy, datagram.data, datagram.len);
    out.data = copy + KEEP_PACKET_HEADER_LEN;
    out.cap = datagram.len - KEEP_PACKET_HEADER_LEN;
    status = keep_packet_open_into(receiver, copy, datagram.len, &out);
    expect_status(step, "opening", KEEP_OK, status);
    if (status == KEEP_OK)
        expect_events(step, &out, 0);
}

/* --- cases of one packet --- */

static void expect_received(struct step *step, keep_bytes datagram)
{
    keep_session *receiver = receiver_of(step);

    expect_opens(step, receiver, datagram);
    keep_session_free(&receiver);
}

/* The ways to seal, each with a session of its own; handshake frames have none, and are not for batches. */
static void build(struct step *step)
{
    keep_packet_request request = request_of(step);
    bool is_handshake = request.kind == KEEP_PACKET_HANDSHAKE;
    keep_bytes got = { NULL, 0 };

    need(step, is_handshake ? "handshake_payload" : "key session_id counter");
    if (request.kind == KEEP_PACKET_DATA)
        need(step, "stream_id sequence flags subprotocol_id settings events");
    for (size_t i = 0; i < (is_handshake ? WAYS - 1 : WAYS); i++) {
        keep_session *sender = is_handshake ? NULL : sender_of(step);

        if (came_out(step, ways[i](step, sender, &request, &got)))
            expect_bytes(step, "packet", got.data, got.len);
        keep_session_free(&sender);
    }
    if (!is_handshake)
        expect_received(step, got);
}

static void build_error(struct step *step)
{
    keep_packet_request request = request_of(step);
    bool is_handshake = request.kind == KEEP_PACKET_HANDSHAKE;
    keep_session *sender = is_handshake ? NULL : sender_of(step);
    keep_bytes got = { NULL, 0 };

    for (size_t i = 0; i < (is_handshake ? WAYS - 1 : WAYS); i++)
        (void)came_out(step, ways[i](step, sender, &request, &got));
    if (!is_handshake) {
        need(step, "session_id first_counter events");
        expect_stats(step, sender, &next_counter, ALL);
    }
    keep_session_free(&sender);
}

enum {
    MAX_CAP = 1 << 20
};

static void seal_into_cap(struct step *step)
{
    keep_packet_request request = request_of(step);
    keep_session *sender = sender_of(step);
    size_t cap = number(step, "cap", MAX_CAP);
    uint8_t *data = room(step, cap);
    keep_bytes got = { data, 0 };
    keep_status status = keep_packet_seal_into(sender, &request, data, cap, &got.len);

    need(step, "first_counter events cap");
    if (!came_out(step, status))
        expect_untouched(step, data, cap);
    expect_stats(step, sender, &next_counter, ALL);
    if (status == KEEP_ERR_BUFFER_TOO_SMALL) {
        need(step, "needed_len");
        expect_number(step, "needed_len", got.len);
        status = seal_into(step, sender, &request, &got);
        expect_status(step, "sealing with room", KEEP_OK, status);
    }
    if (status == KEEP_OK)
        expect_bytes(step, "packet", got.data, got.len);
    keep_session_free(&sender);
}

static void open_into_caps(struct step *step)
{
    keep_session *receiver = receiver_of(step);
    keep_packet_open_out out = open_room(step, 1);
    keep_bytes datagram = bytes(step, "packet");
    keep_status status;

    out.cap = number(step, "data_cap", MAX_CAP);
    out.data = room(step, out.cap);
    out.event_cap = number(step, "event_cap", MAX_CAP);
    out.events = room(step, out.event_cap * sizeof *out.events);
    need(step, "packet data_cap event_cap");
    status = keep_packet_open_into(receiver, datagram.data, datagram.len, &out);
    if (came_out(step, status))
        expect_events(step, &out, 0);
    if (status == KEEP_ERR_BUFFER_TOO_SMALL) {
        need(step, "needed_data_len needed_event_count");
        expect_number(step, "needed_data_len", out.data_len);
        expect_number(step, "needed_event_count", out.event_count);
        expect_untouched(step, out.data, out.cap);
        if (has(step, "events"))
            expect_opens(step, receiver, datagram);
    }
    keep_session_free(&receiver);
}

enum {
    OPEN,
    SEAL
};
static const struct words buffer_ops = WORDS([OPEN] = "open", [SEAL] = "seal");

static void buffers(struct step *step)
{
    if (word(step, "op", &buffer_ops, 0) == OPEN)
        open_into_caps(step);
    else
        seal_into_cap(step);
}

static void fit(struct step *step)
{
    struct events events = events_of(step);
    size_t len = 0;
    keep_status status = keep_packet_measure(events.items, events.count, &len);

    expect_flag(step, "fits", status == KEEP_OK);
    if (!came_out(step, status))
        return;
    need(step, "packet_len");
    expect_number(step, "packet_len", len);
}

static void max_events(struct step *step)
{
    expect_number(step, "max_events", keep_packet_max_events(number(step, "event_len", SIZE_MAX)));
}

static void prefix(struct step *step)
{
    static const uint8_t key[32] = { 1 };
    keep_packet_request heartbeat = { .kind = KEEP_PACKET_HEARTBEAT };
    keep_session *sender = session_of(step, (keep_bytes){ key, sizeof key }, (keep_bytes){ NULL, 0 });
    keep_bytes got = { NULL, 0 };

    if (came_out(step, seal_into(step, sender, &heartbeat, &got)))
        expect_bytes(step, "prefix", (const uint8_t *)got.data + 12, 4);
    keep_session_free(&sender);
}

static void parse(struct step *step)
{
    keep_bytes datagram = bytes(step, "packet");
    keep_packet_info info;

    if (came_out(step, keep_packet_parse(datagram.data, datagram.len, &info)))
        expect_info(step, &info);
}

/* --- cases of many packets --- */

static void open_one(struct step *step, void *session)
{
    keep_packet_open_out out = open_room(step, 1);
    keep_bytes datagram = bytes(step, "packet");

    /* the entry says so too, but for what came before */
    out.packets[0].status = keep_packet_open_into(session, datagram.data, datagram.len, &out);
    expect_opened(step, &out, 0);
}

static void open_singly(struct step *step, keep_session *session)
{
    each_part(step, "steps", "packet status", open_one, session);
}

static void open_as_batch(struct step *step, keep_session *session)
{
    const json_t *steps = list(step, "steps");
    size_t count = json_array_size(steps);
    keep_packet_open_out out = open_room(step, count);
    struct step *parts = room(step, count * sizeof *parts);
    keep_bytes *datagrams = room(step, count * sizeof *datagrams);
    keep_status status, first = KEEP_OK;

    for (size_t i = 0; i < count; i++) {
        parts[i] = part_of(step, json_array_get(steps, i), "packet");
        datagrams[i] = bytes(&parts[i], "packet");
    }
    status = keep_packet_open_batch(session, datagrams, count, &out);
    for (size_t i = 0; i < count && !has_failed(step); i++) {
        first = first == KEEP_OK ? out.packets[i].status : first;
        expect_opened(&parts[i], &out, i);
    }
    expect_status(step, "a batch", first, status);
}

static void open_case(struct step *step)
{
    static void (*const openings[])(struct step *, keep_session *) = { open_singly, open_as_batch };

    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
        keep_session *session = receiver_of(step);
        struct step stats = part_in(step, "stats");

        openings[i](step, session);
        expect_stats(&stats, session, &open_stats, ALL);
        keep_session_free(&session);
    }
}

static const struct fields counter = FIELDS(NUMBER(INFO, counter));

static void commit(struct step *step, void *session)
{
    keep_packet_open_out out = open_room(step, 1);
    keep_bytes datagram = bytes(step, "packet");
    keep_packet_info info = { 0 };
    keep_status want = flag(step, "accepted") ? KEEP_OK : KEEP_ERR_REPLAY;

    expect_status(step, "a commit", want, keep_packet_open_into(session, datagram.data, datagram.len, &out));
    expect_status(step, "its header", KEEP_OK, keep_packet_parse(datagram.data, datagram.len, &info));
    expect_fields(step, &counter, &info, ALL);
}

static void replay(struct step *step)
{
    keep_session *session = receiver_of(step);

    each_part(step, "commits", "counter packet accepted", commit, session);
    keep_session_free(&session);
}

/* --- handshakes --- */

enum {
    INITIATOR,
    RESPONDER,
    SIDES
};
enum {
    READ,
    WRITE
};
static const struct words sides = WORDS([INITIATOR] = "initiator", [RESPONDER] = "responder");
static const struct words message_ops = WORDS([READ] = "read", [WRITE] = "write");
static const struct words patterns = WORDS([KEEP_NOISE_IKPSK2] = "IKpsk2", [KEEP_NOISE_XXPSK3] = "XXpsk3");

struct pair {
    keep_handshake *handshakes[SIDES];
    keep_session *sessions[SIDES];
};

static void free_pair(struct pair *pair)
{
    for (size_t side = 0; side < SIDES; side++) {
        keep_session_free(&pair->sessions[side]);
        keep_handshake_free(&pair->handshakes[side]);
    }
}

/* What one side has: under `key`, if that is there, else what both have. */
static keep_bytes own_or(struct step *step, const char *key, const char *both)
{
    return bytes(step, has(step, key) ? key : both);
}

static void new_handshake(struct step *step, size_t side, keep_handshake **out)
{
    bool is_first = side == INITIATOR;
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
    keep_bytes remote = own_or(step, "init_remote_static", "resp_static_public");

    options.pattern = word(step, "pattern", &patterns, 0);
    options.role = is_first ? KEEP_INITIATOR : KEEP_RESPONDER;
    options.static_key = secret_of(step, bytes(step, is_first ? "init_static" : "resp_static"));
    options.ephemeral_key = secret_of(step, bytes(step, is_first ? "init_ephemeral" : "resp_ephemeral"));
    options.pre_shared_key =
        secret_of(step, own_or(step, is_first ? "pre_shared_key" : "resp_pre_shared_key", "pre_shared_key"));
    options.prologue = own_or(step, is_first ? "prologue" : "resp_prologue", "prologue");
    if (is_first && options.pattern == KEEP_NOISE_IKPSK2)
        options.remote_static = remote.data;
    expect_status(step, "a handshake", KEEP_OK, keep_handshake_new(&options, out));
}

static void expect_public_key(struct step *step, const char *private_key, const char *public_key)
{
    uint8_t got[KEEP_HANDSHAKE_KEY_LEN] = { 0 };
    keep_secret *secret = secret_of(step, bytes(step, private_key));

    expect_status(step, public_key, KEEP_OK, keep_handshake_public_key(secret, got));
    expect_bytes(step, public_key, got, sizeof got);
}

static void write_message(struct step *step, keep_handshake *handshake)
{
    keep_bytes payload = bytes(step, "payload"), frame = { NULL, 0 };
    uint8_t *out = room(step, KEEP_MAX_PAYLOAD_LEN);
    keep_bytes message = { out, 0 };
    keep_packet_request request = handshake_frame(&message);
    keep_status status =
        keep_handshake_write(handshake, payload.data, payload.len, out, KEEP_MAX_PAYLOAD_LEN, &message.len);

    if (!came_out(step, status)) {
        expect_untouched(step, out, KEEP_MAX_PAYLOAD_LEN);
        return;
    }
    need(step, "message frame_header");
    expect_bytes(step, "message", out, message.len);
    if (seal_into(step, NULL, &request, &frame) == KEEP_OK)
        expect_bytes(step, "frame_header", frame.data, KEEP_PACKET_HEADER_LEN);
}

static void read_message(struct step *step, keep_handshake *handshake)
{
    keep_bytes message = bytes(step, "message");
    uint8_t *out = room(step, KEEP_MAX_PAYLOAD_LEN);
    size_t len = 0;

    if (!came_out(step, keep_handshake_read(handshake, message.data, message.len, out, KEEP_MAX_PAYLOAD_LEN, &len)))
        return;
    need(step, "payload");
    expect_bytes(step, "payload", out, len);
}

static void exchange(struct step *step, void *context)
{
    const struct pair *pair = context;
    uint32_t side = word(step, "side", &sides, 0), call = word(step, "op", &message_ops, 0);

    need(step, call == READ ? "message" : "payload");
    if (has_failed(step))
        return;
    if (call == READ)
        read_message(step, pair->handshakes[side]);
    else
        write_message(step, pair->handshakes[side]);
}

/* Both sides have one hash; one of their sessions is unconfirmed. */
static void finish_side(struct step *step, struct pair *pair, size_t side)
{
    struct keep_handshake_info info = KEEP_HANDSHAKE_INFO_INIT;
    struct keep_session_stats stats = KEEP_SESSION_STATS_INIT;
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    bool is_unconfirmed = word(step, "unconfirmed", &sides, SIDES) == side;

    options.aead = aead_of_environment();
    expect_status(step, "the info", KEEP_OK, keep_handshake_info(pair->handshakes[side], &info));
    expect_bytes(step, "handshake_hash", info.hash, sizeof info.hash);
    expect_status(step, "a session", KEEP_OK,
                  keep_handshake_session(pair->handshakes[side], &options, &pair->sessions[side]));
    expect_status(step, "its stats", KEEP_OK, keep_session_stats(pair->sessions[side], &stats));
    if (!info.has_hash || stats.confirmed == is_unconfirmed)
        fail(step, "unconfirmed", text(step, "unconfirmed"), "another");
}

#define TALK "side stream_id sequence events packet"

/* A packet that is the next one of its side, and that the other side opens. */
static void talk(struct step *step, void *context)
{
    const struct pair *pair = context;
    keep_packet_request request = request_of(step);
    uint32_t side = word(step, "side", &sides, 0);
    keep_bytes got = { NULL, 0 };

    if (has_failed(step))
        return;
    expect_status(step, "sealing", KEEP_OK, seal_into(step, pair->sessions[side], &request, &got));
    expect_bytes(step, "packet", got.data, got.len);
    expect_opens(step, pair->sessions[1 - side], got);
}

/* The sessions of a handshake that is done, then plain ones of the same keys: all packets are equal. */
static void expect_sessions(struct step *step, struct pair *pair)
{
    keep_bytes forth = bytes(step, "key_initiator_to_responder"), back = bytes(step, "key_responder_to_initiator");

    need(step, "unconfirmed session_id packets key_initiator_to_responder key_responder_to_initiator");
    for (size_t side = 0; side < SIDES; side++)
        finish_side(step, pair, side);
    each_part(step, "packets", TALK, talk, pair);
    free_pair(pair);
    pair->sessions[INITIATOR] = session_of(step, forth, back);
    pair->sessions[RESPONDER] = session_of(step, back, forth);
    each_part(step, "packets", TALK, talk, pair);
}

static void noise(struct step *step)
{
    struct pair pair = { { NULL, NULL }, { NULL, NULL } };
    const char *pattern = text(step, "pattern");

    expect_json(step, "protocol", json_sprintf("Noise_%s_25519_ChaChaPoly_SHA256", pattern == NULL ? "" : pattern));
    expect_public_key(step, "init_static", "init_static_public");
    expect_public_key(step, "resp_static", "resp_static_public");
    for (size_t side = 0; side < SIDES && !has_failed(step); side++)
        new_handshake(step, side, &pair.handshakes[side]);
    each_part(step, "steps", "op side status", exchange, &pair);
    if (has(step, "handshake_hash") && !has_failed(step))
        expect_sessions(step, &pair);
    free_pair(&pair);
}

/* --- scripts --- */

KIND(session)
KIND(packet_pool)

static bool free_packet(void *handle)
{
    return keep_packet_free(&(keep_packet *){ handle }) == KEEP_OK;
}

static const struct kind packet_kind = { "packet", free_packet, true };

static keep_packet *on_packet(struct step *step)
{
    return handle(step, "on", &packet_kind);
}

/* An empty key is a key, of a wrong length. */
static keep_bytes key_of(struct step *step, const char *name)
{
    keep_bytes key = bytes(step, name);

    return has(step, name) && key.len == 0 ? (keep_bytes){ "", 0 } : key;
}

static void session_new(struct step *step)
{
    keep_session *session = NULL;
    keep_status status = new_session(step, key_of(step, "tx_key"), key_of(step, "rx_key"), &session);

    (void)is_made(step, &session_kind, status, session);
}

static void pool_new(struct step *step)
{
    keep_packet_pool_options options = KEEP_PACKET_POOL_OPTIONS_INIT;
    keep_packet_pool *pool = NULL;
    keep_status status;

    options.capacity = (uint32_t)number(step, "capacity", UINT32_MAX);
    if (has(step, "settings"))
        options.settings = *settings_of(step);
    status = keep_packet_pool_new(&options, &pool);
    (void)is_made(step, &packet_pool_kind, status, pool);
}

static void acquire(struct step *step)
{
    keep_packet *packet = NULL;
    keep_status status = keep_packet_pool_acquire(on_packet_pool(step), &packet);

    (void)is_made(step, &packet_kind, status, packet);
}

static void set(struct step *step)
{
    (void)came_out(step, keep_packet_set(on_packet(step), settings_of(step)));
}

static void data(struct step *step)
{
    const uint8_t *built = NULL;
    size_t len = 0;

    if (came_out(step, keep_packet_data(on_packet(step), &built, &len)))
        expect_bytes(step, "packet", built, len);
}

static void build_packet(struct step *step)
{
    keep_packet_request request = request_of(step);
    keep_session *session = handle(step, "session", &session_kind);

    if (came_out(step, keep_packet_build(on_packet(step), session, &request)))
        data(step);
}

static void build_handshake(struct step *step)
{
    keep_bytes message = bytes(step, "payload");
    keep_packet_request request = handshake_frame(&message);

    if (came_out(step, keep_packet_build(on_packet(step), NULL, &request)))
        data(step);
}

#define POOL_STATS struct keep_packet_pool_stats
static const struct fields pool_statistics =
    FIELDS(NUMBER(POOL_STATS, capacity), NUMBER(POOL_STATS, in_use), NUMBER(POOL_STATS, available));

static void pool_stats(struct step *step)
{
    struct keep_packet_pool_stats stats = KEEP_PACKET_POOL_STATS_INIT;

    if (came_out(step, keep_packet_pool_stats(on_packet_pool(step), &stats)))
        expect_fields(step, &pool_statistics, &stats, SOME);
}

static void session_stats(struct step *step)
{
    expect_stats(step, on_session(step), &next_counter, SOME);
}

static const struct constant constants[] = {
    CONSTANT(KEEP_PACKET_HEADER_LEN),   CONSTANT(KEEP_PACKET_TAG_LEN),
    CONSTANT(KEEP_PACKET_OVERHEAD_LEN), CONSTANT(KEEP_MAX_PACKET_LEN),
    CONSTANT(KEEP_MAX_PAYLOAD_LEN),     CONSTANT(KEEP_MAX_EVENT_LEN),
    CONSTANT(KEEP_MAX_PACKET_EVENTS),   CONSTANT(KEEP_MAX_PACKET_SLOTS),
    CONSTANT(KEEP_MAX_PACKET_POOLS),    CONSTANT(KEEP_MAX_BATCH),
    { .name = NULL },
};

#define NOISE \
    "protocol pattern pre_shared_key prologue init_static resp_static init_static_public resp_static_public " \
    "init_ephemeral resp_ephemeral steps"

static const struct op arrays[] = {
    { "build", "kind packet", build, 0 },
    { "build_errors", "kind status", build_error, 0 },
    { "buffers", "op key session_id status", buffers, 0 },
    { "fit", "events fits status", fit, 0 },
    { "max_events", "event_len max_events", max_events, 0 },
    { "prefix", "session_id prefix", prefix, 0 },
    { "parse", "packet status", parse, 0 },
    { "open", "key session_id window steps stats", open_case, 0 },
    { "replay", "key session_id window commits", replay, 0 },
    { "noise", NOISE, noise, 0 },
    { "noise_errors", NOISE, noise, 0 },
    { "pools", "script", run_script, 0 },
    { .name = NULL },
};

static const struct op ops[] = {
    { "session", "as session_id", session_new, 0 },
    { "pool", "as capacity", pool_new, 0 },
    { "acquire", "on as", acquire, 0 },
    { "set", "on settings", set, 0 },
    { "unset", "on", set, 0 },
    { "build", "on session kind", build_packet, 0 },
    { "build_handshake", "on payload", build_handshake, 0 },
    { "data", "on", data, 0 },
    { "pool_stats", "on", pool_stats, 0 },
    { "session_stats", "on", session_stats, 0 },
    { .name = NULL },
};

const struct schema packet_schema = { "keep-packet-1", constants, arrays, ops };
