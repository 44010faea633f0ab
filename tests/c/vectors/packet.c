/* SPDX-License-Identifier: MIT */
/*
 * Schema keep-packet-1 (packet §11): datagrams built and opened in every way that gives equal bytes, headers, windows,
 * handshakes, and scripts over pools.
 *
 * KEEP_TEST_AEAD=sodium|openssl|ipsec-mb makes every session ask for that back end.
 */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_LEN = 32,
    SIDES = 2
};

struct args {
    keep_session *session;
    keep_packet_pool *pool;
    keep_packet *packet;
    const char *as, *op, *kind, *protocol, *pattern, *side, *unconfirmed, *state;
    json_t *events, *steps, *settings, *stats;
    uint64_t session_id, counter, stream_id, sequence, flags, subprotocol_id, window, max_failed_opens, cap, data_cap,
        event_cap, event_len, capacity, origin_hash, subnet_id, channel_hash, priority, hop_ttl;
    bool fits, accepted;
    keep_bytes key, tx_key, rx_key, datagram, payload, prefix, message, pre_shared_key, resp_pre_shared_key, prologue,
        resp_prologue, init_static, resp_static, init_static_public, resp_static_public, init_remote_static,
        init_ephemeral, resp_ephemeral, hash, first_key, second_key;
};

/* --- sessions --- */

static uint32_t aead_of_environment(void)
{
    static const char *const names[] = { "auto", "sodium", "openssl", "ipsec-mb" };
    const char *wanted = getenv("KEEP_TEST_AEAD");
    uint32_t aead = KEEP_AEAD_AUTO;

    while (wanted != NULL && aead <= KEEP_AEAD_IPSEC_MB && strcmp(names[aead], wanted) != 0)
        aead++;
    return aead;
}

static keep_secret *secret_of(struct vector_step *step, keep_bytes bytes)
{
    keep_secret *secret = NULL;

    if (bytes.data != NULL && keep_secret_from_bytes(NULL, bytes.data, bytes.len, &secret) != KEEP_OK)
        fail(step->run, "a key", "a secret", "none");
    return secret;
}

static keep_status new_session(struct vector_step *step, const struct args *args, keep_bytes tx_key, keep_bytes rx_key,
                               keep_session **out)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_secret *tx = secret_of(step, tx_key), *rx = secret_of(step, rx_key);
    keep_status status;

    options.tx_key = tx;
    options.rx_key = rx;
    options.session_id = args->session_id;
    options.first_counter = args->counter;
    options.window = (uint32_t)args->window;
    options.max_failed_opens = args->max_failed_opens;
    options.aead = aead_of_environment();
    status = keep_session_new(&options, out);
    (void)keep_secret_free(&tx);
    (void)keep_secret_free(&rx);
    return status;
}

/* A session that a case needs: NULL, and the case has failed, if there is none. */
static keep_session *need_session(struct vector_step *step, const struct args *args, keep_bytes tx_key, keep_bytes rx_key)
{
    keep_session *session = NULL;
    keep_status status = new_session(step, args, tx_key, rx_key, &session);

    if (status != KEEP_OK)
        fail(step->run, "a session", "OK", keep_status_name(status));
    return session;
}

static const keep_bytes no_key = { NULL, 0 };

static keep_session *need_sender(struct vector_step *step)
{
    const struct args *args = step->args;

    return need_session(step, args, args->key, no_key);
}

static keep_session *need_receiver(struct vector_step *step)
{
    const struct args *args = step->args;

    return need_session(step, args, no_key, args->key);
}

static json_t *hex64(uint64_t value)
{
    char text[2 + 16 + 1];

    (void)snprintf(text, sizeof text, "0x%llx", (unsigned long long)value);
    return json_string(text);
}

static void expect_next_counter(struct vector_step *step, keep_session *session)
{
    struct keep_session_stats stats = KEEP_SESSION_STATS_INIT;

    if (keep_session_stats(session, &stats) != KEEP_OK)
        fail(step->run, "stats", "OK", "a failure");
    expect(step, "next_counter", hex64(stats.next_counter));
}

/* --- requests --- */

struct events {
    keep_bytes *items;
    size_t count;
};

static void add_events(struct vector_step *step, struct events *events, json_t *one, size_t count)
{
    keep_bytes bytes = decode_bytes(step, one);
    keep_bytes *items = (keep_bytes *)(void *)room(step->run, (events->count + count) * sizeof *items);

    if (events->count != 0)
        memcpy(items, events->items, events->count * sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[events->count + i] = bytes;
    events->items = items;
    events->count += count;
}

static struct events events_of(struct vector_step *step, json_t *list)
{
    struct events events = { NULL, 0 };
    json_t *event = NULL;
    json_int_t count = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *one = json_array_get(list, i);

        if (json_unpack(one, "{s:I, s:o !}", "count", &count, "event", &event) == 0)
            add_events(step, &events, event, (size_t)count);
        else
            add_events(step, &events, one, 1);
    }
    return events;
}

static const keep_packet_settings *settings_of(struct vector_step *step, json_t *object)
{
    const struct args *part;
    keep_packet_settings *settings;

    if (object == NULL)
        return NULL;
    part = take_part(step, object, "origin_hash channel_hash priority hop_ttl subnet_id");
    settings = (keep_packet_settings *)(void *)room(step->run, sizeof *settings);
    *settings = (keep_packet_settings){
        .origin_hash = part->origin_hash,
        .subnet_id = (uint32_t)part->subnet_id,
        .channel_hash = (uint16_t)part->channel_hash,
        .priority = (uint8_t)part->priority,
        .hop_ttl = (uint8_t)part->hop_ttl,
    };
    return settings;
}

static const char *const kinds[] = { "data", "heartbeat", "handshake" };

static keep_packet_request request_of(struct vector_step *step)
{
    const struct args *args = step->args;
    struct events events = events_of(step, args->events);
    keep_packet_request request = {
        .events = events.items,
        .event_count = events.count,
        .stream_id = args->stream_id,
        .sequence = args->sequence,
        .settings = settings_of(step, args->settings),
        .subprotocol_id = (uint16_t)args->subprotocol_id,
        .flags = (uint8_t)args->flags,
    };

    while (args->kind != NULL && request.kind <= KEEP_PACKET_HANDSHAKE && strcmp(kinds[request.kind], args->kind) != 0)
        request.kind++;
    if (request.kind == KEEP_PACKET_HANDSHAKE) {
        request.events = &args->payload;
        request.event_count = 1;
    }
    return request;
}

/* --- sealing in each way --- */

typedef keep_status seal_way(struct vector_step *step, keep_session *session, const keep_packet_request *request,
                             keep_bytes *out);

static keep_status seal_into(struct vector_step *step, keep_session *session, const keep_packet_request *request,
                             keep_bytes *out)
{
    uint8_t *data = room(step->run, KEEP_MAX_PACKET_LEN);
    keep_status status = keep_packet_seal_into(session, request, data, KEEP_MAX_PACKET_LEN, &out->len);

    out->data = data;
    if (status != KEEP_OK)
        expect_untouched(step, data, KEEP_MAX_PACKET_LEN);
    return status;
}

static keep_status seal_batch(struct vector_step *step, keep_session *session, const keep_packet_request *request,
                              keep_bytes *out)
{
    keep_packet_seal_out batch = KEEP_PACKET_SEAL_OUT_INIT;
    size_t offsets[2];
    keep_status one;
    keep_status status;

    batch.data = room(step->run, KEEP_MAX_PACKET_LEN);
    batch.cap = KEEP_MAX_PACKET_LEN;
    batch.offsets = offsets;
    batch.statuses = &one;
    status = keep_packet_seal_batch(session, request, 1, &batch);
    *out = (keep_bytes){ batch.data, batch.data_len };
    if (status != one || offsets[0] != 0 || offsets[1] != batch.data_len || batch.sealed_count != (status == KEEP_OK))
        fail(step->run, "a batch of one", "one status and place", "others");
    return status;
}

static keep_status build_in_pool(struct vector_step *step, keep_session *session, const keep_packet_request *request,
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
        out->data = memcpy(room(step->run, out->len), data, out->len);
    (void)keep_packet_free(&packet);
    keep_packet_pool_free(&pool);
    return status;
}

static seal_way *const ways[] = { seal_into, build_in_pool, seal_batch };
enum {
    WAYS = sizeof ways / sizeof *ways
};

/* --- opening --- */

static json_t *info_json(const keep_packet_info *info)
{
    json_t *json = json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:i, s:i, s:i, s:i}", "kind", kinds[info->kind],
                             "flags", info->flags, "priority", info->priority, "hop_ttl", info->hop_ttl, "hop_count",
                             info->hop_count, "frag_flags", info->frag_flags, "subprotocol_id", info->subprotocol_id,
                             "channel_hash", info->channel_hash, "subnet_id", (json_int_t)info->subnet_id, "fragment_id",
                             info->fragment_id, "fragment_offset", info->fragment_offset, "payload_len",
                             info->payload_len, "event_count", info->event_count);

    json_object_set_new(json, "counter", hex64(info->counter));
    json_object_set_new(json, "session_id", hex64(info->session_id));
    json_object_set_new(json, "stream_id", hex64(info->stream_id));
    json_object_set_new(json, "sequence", hex64(info->sequence));
    json_object_set_new(json, "origin_hash", hex64(info->origin_hash));
    return json;
}

/* Room for what `count` datagrams may need. */
static keep_packet_open_out open_room(struct vector_step *step, size_t count)
{
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;

    out.cap = count * KEEP_MAX_PAYLOAD_LEN;
    out.data = room(step->run, out.cap);
    out.event_cap = count * KEEP_MAX_PACKET_EVENTS;
    out.events = (keep_span *)(void *)room(step->run, out.event_cap * sizeof *out.events);
    out.packets = (keep_packet_opened *)(void *)room(step->run, count * sizeof *out.packets);
    return out;
}

static void expect_events(struct vector_step *step, json_t *list, const keep_packet_open_out *out, size_t packet)
{
    const keep_packet_opened *opened = &out->packets[packet];
    struct events want = events_of(step, list);

    if (opened->event_count != want.count)
        fail(step->run, "events", "as many", "another number");
    for (size_t i = 0; i < want.count && i < opened->event_count; i++) {
        keep_span span = out->events[opened->first_event + i];

        expect_same(step, "an event", want.items[i], (keep_bytes){ out->data + span.offset, span.len });
    }
}

/* What became of one datagram: its status, and if OK header and events. */
static void expect_opened(struct vector_step *step, const keep_packet_open_out *out, size_t packet)
{
    const struct args *args = step->args;

    if (!came_out(step, out->packets[packet].status))
        return;
    expect(step, "info", info_json(&out->packets[packet].info));
    expect_events(step, args->events, out, packet);
}

/* Opens a datagram in place, on a copy. */
static keep_status open_in_place(struct vector_step *step, keep_session *session, keep_bytes datagram,
                                 keep_packet_open_out *out)
{
    uint8_t *copy = room(step->run, datagram.len);

    memcpy(copy, datagram.data, datagram.len);
    *out = open_room(step, 1);
    out->data = copy + KEEP_PACKET_HEADER_LEN;
    out->cap = datagram.len - KEEP_PACKET_HEADER_LEN;
    return keep_packet_open_into(session, copy, datagram.len, out);
}

/* --- cases of one packet --- */

static void expect_opens(struct vector_step *step, keep_bytes datagram)
{
    const struct args *args = step->args;
    keep_session *receiver = need_receiver(step);
    keep_packet_open_out out = open_room(step, 1);
    keep_status status = open_in_place(step, receiver, datagram, &out);

    if (status != KEEP_OK)
        fail(step->run, "opening it", "OK", keep_status_name(status));
    else
        expect_events(step, args->events, &out, 0);
    keep_session_free(&receiver);
}

static void build(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_packet_request request = request_of(step);
    bool is_handshake = request.kind == KEEP_PACKET_HANDSHAKE;

    for (size_t i = 0; i < (is_handshake ? WAYS - 1 : WAYS); i++) { /* handshake frames are not for batches */
        keep_session *sender = is_handshake ? NULL : need_sender(step);
        keep_bytes got = { NULL, 0 };

        if (came_out(step, ways[i](step, sender, &request, &got)))
            expect_same(step, "packet", args->datagram, got);
        keep_session_free(&sender);
    }
    if (!is_handshake)
        expect_opens(step, args->datagram);
}

static void build_error(struct vector_step *step)
{
    keep_packet_request request = request_of(step);
    bool is_handshake = request.kind == KEEP_PACKET_HANDSHAKE;
    keep_session *sender = is_handshake ? NULL : need_sender(step);
    keep_bytes got = { NULL, 0 };

    for (size_t i = 0; i < (is_handshake ? WAYS - 1 : WAYS); i++)
        (void)came_out(step, ways[i](step, sender, &request, &got));
    if (!is_handshake)
        expect_next_counter(step, sender);
    keep_session_free(&sender);
}

static void seal_without_room(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_packet_request request = request_of(step);
    keep_session *sender = need_sender(step);
    uint8_t *small = room(step->run, args->cap);
    keep_bytes got = { NULL, 0 };
    size_t len = 0;

    (void)came_out(step, keep_packet_seal_into(sender, &request, small, args->cap, &len));
    expect_number(step, "needed_len", len);
    expect_untouched(step, small, args->cap);
    expect_next_counter(step, sender);
    if (seal_into(step, sender, &request, &got) != KEEP_OK)
        fail(step->run, "with room", "OK", "a failure");
    else
        expect_same(step, "packet", args->datagram, got);
    keep_session_free(&sender);
}

static void open_without_room(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_session *receiver = need_receiver(step);
    keep_packet_open_out out = open_room(step, 1);
    keep_status status;

    out.cap = args->data_cap;
    out.event_cap = args->event_cap;
    status = keep_packet_open_into(receiver, args->datagram.data, args->datagram.len, &out);
    (void)came_out(step, status);
    if (status == KEEP_ERR_BUFFER_TOO_SMALL) {
        expect_number(step, "needed_data_len", out.data_len);
        expect_number(step, "needed_event_count", out.event_count);
        expect_untouched(step, out.data, args->data_cap);
        expect_opens(step, args->datagram);
    }
    keep_session_free(&receiver);
}

static void buffers(struct vector_step *step)
{
    const struct args *args = step->args;

    if (strcmp(args->op, "seal") == 0)
        seal_without_room(step);
    else
        open_without_room(step);
}

static void fit(struct vector_step *step)
{
    const struct args *args = step->args;
    struct events events = events_of(step, args->events);
    size_t len = 0;
    keep_status status = keep_packet_measure(events.items, events.count, &len);

    if (args->fits != (status == KEEP_OK))
        fail(step->run, "fits", args->fits ? "true" : "false", "the other");
    if (came_out(step, status))
        expect_number(step, "packet_len", len);
}

static void max_events(struct vector_step *step)
{
    expect_number(step, "max_events", keep_packet_max_events(((const struct args *)step->args)->event_len));
}

static void prefix(struct vector_step *step)
{
    struct args args = *(const struct args *)step->args;
    uint8_t key[KEY_LEN] = { 1 };
    keep_packet_request heartbeat = { .kind = KEEP_PACKET_HEARTBEAT };
    keep_session *sender = need_session(step, &args, (keep_bytes){ key, sizeof key }, no_key);
    keep_bytes got = { NULL, 0 };

    if (came_out(step, seal_into(step, sender, &heartbeat, &got)))
        expect_bytes(step, "prefix", (const uint8_t *)got.data + 12, 4);
    keep_session_free(&sender);
}

static void parse(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_packet_info info;

    if (came_out(step, keep_packet_parse(args->datagram.data, args->datagram.len, &info)))
        expect(step, "info", info_json(&info));
}

/* --- cases of many packets --- */

static void open_one(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_packet_open_out out = open_room(step, 1);
    keep_status status = keep_packet_open_into(step->context, args->datagram.data, args->datagram.len, &out);

    out.packets[0].status = status; /* the entry says so too, but for what came before */
    expect_opened(step, &out, 0);
}

static const struct vector_op open_ops[] = {
    { "open", "datagram ?events", open_one, 0 },
    { NULL, NULL, NULL, 0 },
};

static void expect_stats(struct vector_step *step, keep_session *session, json_t *want)
{
    struct keep_session_stats stats = KEEP_SESSION_STATS_INIT;
    json_t *got;

    if (keep_session_stats(session, &stats) != KEEP_OK)
        fail(step->run, "stats", "OK", "a failure");
    got = json_pack("{s:I, s:I, s:I, s:I}", "opened", (json_int_t)stats.opened, "auth_failed",
                    (json_int_t)stats.auth_failed, "replayed", (json_int_t)stats.replayed, "malformed",
                    (json_int_t)stats.malformed);
    if (!json_equal(got, want))
        fail(step->run, "stats", "those of the case", "others");
    json_decref(got);
}

/* A batch that was opened, and which of its packets comes next. */
struct batch {
    keep_packet_open_out out;
    size_t next;
};

static void look_at_opened(struct vector_step *step)
{
    struct batch *batch = step->context;

    expect_opened(step, &batch->out, batch->next++);
}

static const struct vector_op look_ops[] = {
    { "look", "datagram ?events", look_at_opened, 0 },
    { NULL, NULL, NULL, 0 },
};

static void open_as_batch(struct vector_step *step, json_t *steps, keep_session *session)
{
    size_t count = json_array_size(steps);
    struct batch batch = { open_room(step, count), 0 };
    keep_bytes *datagrams = (keep_bytes *)(void *)room(step->run, count * sizeof *datagrams);

    keep_status status, first = KEEP_OK;

    for (size_t i = 0; i < count; i++)
        datagrams[i] = decode_bytes(step, json_object_get(json_array_get(steps, i), "packet"));
    status = keep_packet_open_batch(session, datagrams, count, &batch.out);
    for (size_t i = 0; i < count && first == KEEP_OK; i++)
        first = batch.out.packets[i].status;
    if (status != first)
        fail(step->run, "a batch", keep_status_name(first), keep_status_name(status));
    run_items(step, steps, look_ops, &batch);
}

static void open_case(struct vector_step *step)
{
    const struct args *args = step->args;
    json_t *again = copy_json(step, args->steps);
    keep_session *session = need_receiver(step);

    run_items(step, args->steps, open_ops, session);
    expect_stats(step, session, args->stats);
    keep_session_free(&session);
    session = need_receiver(step);
    open_as_batch(step, again, session);
    expect_stats(step, session, args->stats);
    keep_session_free(&session);
}

static void commit(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_packet_open_out out = open_room(step, 1);
    keep_packet_info info = { 0 };
    keep_status status = keep_packet_open_into(step->context, args->datagram.data, args->datagram.len, &out);
    keep_status want = args->accepted ? KEEP_OK : KEEP_ERR_REPLAY;

    if (status != want)
        fail(step->run, "a commit", keep_status_name(want), keep_status_name(status));
    if (keep_packet_parse(args->datagram.data, args->datagram.len, &info) != KEEP_OK || info.counter != args->counter)
        fail(step->run, "counter", "that of the commit", "another");
}

static const struct vector_op commit_ops[] = {
    { "commit", "counter datagram accepted", commit, 0 },
    { NULL, NULL, NULL, 0 },
};

static void replay(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_session *session = need_receiver(step);

    run_items(step, args->steps, commit_ops, session);
    keep_session_free(&session);
}

/* --- handshakes --- */

enum {
    INITIATOR,
    RESPONDER
};

struct pair {
    keep_handshake *handshakes[SIDES];
    keep_session *sessions[SIDES];
};

static size_t side_of(struct vector_step *step)
{
    const struct args *args = step->args;

    return strcmp(args->side, "initiator") == 0 ? INITIATOR : RESPONDER;
}

static void write_message(struct vector_step *step)
{
    const struct args *args = step->args;
    const struct pair *pair = step->context;
    uint8_t *out = room(step->run, KEEP_MAX_PAYLOAD_LEN);
    size_t len = 0;
    keep_status status = keep_handshake_write(pair->handshakes[side_of(step)], args->payload.data, args->payload.len, out,
                                              KEEP_MAX_PAYLOAD_LEN, &len);
    keep_bytes message = { out, len }, frame = { NULL, 0 };
    keep_packet_request request = { .events = &message, .event_count = 1, .kind = KEEP_PACKET_HANDSHAKE };

    if (!came_out(step, status)) {
        expect_untouched(step, out, KEEP_MAX_PAYLOAD_LEN);
        return;
    }
    expect_bytes(step, "message", out, len);
    if (seal_into(step, NULL, &request, &frame) == KEEP_OK)
        expect_bytes(step, "frame_header", frame.data, KEEP_PACKET_HEADER_LEN);
}

static void read_message(struct vector_step *step)
{
    const struct args *args = step->args;
    const struct pair *pair = step->context;
    uint8_t *out = room(step->run, KEEP_MAX_PAYLOAD_LEN);
    size_t len = 0;
    keep_status status = keep_handshake_read(pair->handshakes[side_of(step)], args->message.data, args->message.len, out,
                                             KEEP_MAX_PAYLOAD_LEN, &len);

    if (came_out(step, status))
        expect_bytes(step, "payload", out, len);
}

static const struct vector_op noise_ops[] = {
    { "write", "side payload", write_message, 0 },
    { "read", "side message", read_message, 0 },
    { NULL, NULL, NULL, 0 },
};

static keep_bytes first_of(keep_bytes one, keep_bytes other)
{
    return one.data != NULL ? one : other;
}

static void new_handshake(struct vector_step *step, size_t side, keep_handshake **out)
{
    const struct args *args = step->args;
    bool is_initiator = side == INITIATOR, is_ik = strcmp(args->pattern, "IKpsk2") == 0;
    keep_bytes shared = is_initiator ? args->pre_shared_key : first_of(args->resp_pre_shared_key, args->pre_shared_key);
    keep_handshake_options options = KEEP_HANDSHAKE_OPTIONS_INIT;
    keep_secret *fixed = secret_of(step, is_initiator ? args->init_static : args->resp_static);
    keep_secret *pre_shared = secret_of(step, shared);
    keep_secret *ephemeral = secret_of(step, is_initiator ? args->init_ephemeral : args->resp_ephemeral);
    keep_status status;

    options.pattern = is_ik ? KEEP_NOISE_IKPSK2 : KEEP_NOISE_XXPSK3;
    options.role = is_initiator ? KEEP_INITIATOR : KEEP_RESPONDER;
    options.static_key = fixed;
    options.pre_shared_key = pre_shared;
    options.ephemeral_key = ephemeral;
    if (is_initiator && is_ik)
        options.remote_static = first_of(args->init_remote_static, args->resp_static_public).data;
    options.prologue = is_initiator ? args->prologue : first_of(args->resp_prologue, args->prologue);
    status = keep_handshake_new(&options, out);
    if (status != KEEP_OK)
        fail(step->run, "a handshake", "OK", keep_status_name(status));
    (void)keep_secret_free(&fixed);
    (void)keep_secret_free(&pre_shared);
    (void)keep_secret_free(&ephemeral);
}

static void expect_public_key(struct vector_step *step, keep_bytes private_key, keep_bytes want)
{
    uint8_t got[KEEP_HANDSHAKE_KEY_LEN];
    keep_secret *secret = secret_of(step, private_key);

    if (keep_handshake_public_key(secret, got) != KEEP_OK)
        fail(step->run, "a public key", "OK", "a failure");
    else
        expect_same(step, "a public key", want, (keep_bytes){ got, sizeof got });
    (void)keep_secret_free(&secret);
}

/* Both hashes, and the sessions; the side named in `unconfirmed` is so. */
static void finish_side(struct vector_step *step, struct pair *pair, size_t side)
{
    const struct args *args = step->args;
    bool is_unconfirmed = (strcmp(args->unconfirmed, "initiator") == 0 ? INITIATOR : RESPONDER) == (int)side;
    struct keep_handshake_info info = KEEP_HANDSHAKE_INFO_INIT;
    struct keep_session_stats stats = KEEP_SESSION_STATS_INIT;
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;

    options.aead = aead_of_environment();
    if (keep_handshake_info(pair->handshakes[side], &info) != KEEP_OK || !info.has_hash)
        fail(step->run, "handshake_hash", "one", "none");
    expect_same(step, "handshake_hash", args->hash, (keep_bytes){ info.hash, sizeof info.hash });
    if (keep_handshake_session(pair->handshakes[side], &options, &pair->sessions[side]) != KEEP_OK ||
        keep_session_stats(pair->sessions[side], &stats) != KEEP_OK || stats.confirmed == is_unconfirmed)
        fail(step->run, "unconfirmed", args->unconfirmed, "another");
}

static void send_packet(struct vector_step *step)
{
    const struct args *args = step->args;
    const struct pair *pair = step->context;
    size_t side = side_of(step);
    keep_packet_request request = request_of(step);
    keep_packet_open_out out;
    keep_bytes got = { NULL, 0 };

    if (seal_into(step, pair->sessions[side], &request, &got) != KEEP_OK)
        fail(step->run, "sealing", "OK", "a failure");
    else if (open_in_place(step, pair->sessions[1 - side], got, &out) != KEEP_OK)
        fail(step->run, "opening", "OK", "a failure");
    else
        expect_events(step, args->events, &out, 0);
    expect_same(step, "packet", args->datagram, got);
}

static const struct vector_op packet_ops[] = {
    { "packet", "side stream_id sequence events datagram", send_packet, 0 },
    { NULL, NULL, NULL, 0 },
};

static void free_pair(struct pair *pair)
{
    for (size_t side = 0; side < SIDES; side++) {
        keep_session_free(&pair->sessions[side]);
        keep_handshake_free(&pair->handshakes[side]);
    }
}

/* The sessions of a handshake that is done, then plain ones of the same keys: all packets are equal. */
static void expect_sessions(struct vector_step *step, struct pair *pair)
{
    const struct args *args = step->args;
    json_t *again = copy_json(step, args->events);

    for (size_t side = 0; side < SIDES; side++)
        finish_side(step, pair, side);
    run_items(step, args->events, packet_ops, pair);
    free_pair(pair);
    pair->sessions[INITIATOR] = need_session(step, args, args->first_key, args->second_key);
    pair->sessions[RESPONDER] = need_session(step, args, args->second_key, args->first_key);
    run_items(step, again, packet_ops, pair);
}

static void noise(struct vector_step *step)
{
    const struct args *args = step->args;
    struct pair pair = { { NULL, NULL }, { NULL, NULL } };

    if (strncmp(args->protocol, "Noise_", 6) != 0 || strncmp(args->protocol + 6, args->pattern, 6) != 0)
        fail(step->run, "protocol", args->pattern, args->protocol);
    expect_public_key(step, args->init_static, args->init_static_public);
    expect_public_key(step, args->resp_static, args->resp_static_public);
    for (size_t side = 0; side < SIDES; side++)
        new_handshake(step, side, &pair.handshakes[side]);
    run_items(step, args->steps, noise_ops, &pair);
    if (args->hash.data != NULL)
        expect_sessions(step, &pair);
    free_pair(&pair);
}

/* --- scripts --- */

static bool free_session(void *handle)
{
    keep_session *session = handle;

    keep_session_free(&session);
    return true;
}

static bool free_packet_pool(void *handle)
{
    keep_packet_pool *pool = handle;

    keep_packet_pool_free(&pool);
    return true;
}

static bool free_packet(void *handle)
{
    keep_packet *packet = handle;

    (void)keep_packet_free(&packet);
    return true;
}

static const struct vector_kind sessions = { "session", false, free_session };
static const struct vector_kind pools = { "packet pool", false, free_packet_pool };
static const struct vector_kind packets = { "packet", true, free_packet };

static void script(struct vector_step *step)
{
    run_steps(step->run, ((const struct args *)step->args)->steps);
}

static void session_new(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_session *session = NULL;
    keep_status status = new_session(step, args, args->tx_key, args->rx_key, &session);

    (void)is_made(step, args->as, &sessions, status, session);
}

static void pool_new(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_packet_pool_options options = KEEP_PACKET_POOL_OPTIONS_INIT;
    const keep_packet_settings *settings = settings_of(step, args->settings);
    keep_packet_pool *pool = NULL;
    keep_status status;

    options.capacity = (uint32_t)args->capacity;
    if (settings != NULL)
        options.settings = *settings;
    status = keep_packet_pool_new(&options, &pool);
    (void)is_made(step, args->as, &pools, status, pool);
}

static void acquire(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_packet *packet = NULL;
    keep_status status = keep_packet_pool_acquire(args->pool, &packet);

    (void)is_made(step, args->as, &packets, status, packet);
}

static void set(struct vector_step *step)
{
    const struct args *args = step->args;

    (void)came_out(step, keep_packet_set(args->packet, settings_of(step, args->settings)));
}

static void data(struct vector_step *step)
{
    const struct args *args = step->args;
    const uint8_t *bytes = NULL;
    size_t len = 0;

    if (came_out(step, keep_packet_data(args->packet, &bytes, &len)))
        expect_bytes(step, "packet", bytes, len);
}

static void build_packet(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_packet_request request = request_of(step);
    keep_status status = keep_packet_build(args->packet, args->session, &request);

    if (came_out(step, status))
        data(step);
}

static void build_handshake(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_packet_request request = { .events = &args->payload, .event_count = 1, .kind = KEEP_PACKET_HANDSHAKE };

    if (came_out(step, keep_packet_build(args->packet, NULL, &request)))
        data(step);
}

static void pool_stats(struct vector_step *step)
{
    const struct args *args = step->args;
    struct keep_packet_pool_stats stats = KEEP_PACKET_POOL_STATS_INIT;

    if (!came_out(step, keep_packet_pool_stats(args->pool, &stats)))
        return;
    expect_number(step, "capacity", stats.capacity);
    expect_number(step, "in_use", stats.in_use);
    expect_number(step, "available", stats.available);
}

static void session_stats(struct vector_step *step)
{
    expect_next_counter(step, ((const struct args *)step->args)->session);
}

#define INPUT(text, in_file, what, name) \
    .word = (text), .key = (in_file), .form = (what), .field = offsetof(struct args, name)
#define SAME(what, name) INPUT(#name, #name, what, name)
#define CONSTANT(constant) .name = #constant, .value = (constant)

static const struct vector_input inputs[] = {
    { INPUT("session", "on", VECTOR_HANDLE, session), .kind = &sessions },
    { INPUT("with_session", "session", VECTOR_HANDLE, session), .kind = &sessions },
    { INPUT("pool", "on", VECTOR_HANDLE, pool), .kind = &pools },
    { INPUT("packet", "on", VECTOR_HANDLE, packet), .kind = &packets },
    { SAME(VECTOR_NAME, as) },
    { SAME(VECTOR_TEXT, op) },
    { SAME(VECTOR_TEXT, kind) },
    { SAME(VECTOR_TEXT, protocol) },
    { SAME(VECTOR_TEXT, pattern) },
    { SAME(VECTOR_TEXT, side) },
    { SAME(VECTOR_TEXT, unconfirmed) },
    { SAME(VECTOR_LIST, events) },
    { SAME(VECTOR_LIST, steps) },
    { INPUT("commits", "commits", VECTOR_LIST, steps) },
    { INPUT("script", "script", VECTOR_LIST, steps) },
    { INPUT("packets", "packets", VECTOR_LIST, events) },
    { SAME(VECTOR_OBJECT, settings) },
    { SAME(VECTOR_OBJECT, stats) },
    { SAME(VECTOR_NUMBER, session_id), .max = UINT64_MAX },
    { SAME(VECTOR_NUMBER, counter), .max = UINT64_MAX },
    { INPUT("first_counter", "first_counter", VECTOR_NUMBER, counter), .max = UINT64_MAX },
    { SAME(VECTOR_NUMBER, stream_id), .max = UINT64_MAX },
    { SAME(VECTOR_NUMBER, sequence), .max = UINT64_MAX },
    { SAME(VECTOR_NUMBER, flags), .max = UINT8_MAX },
    { SAME(VECTOR_NUMBER, subprotocol_id), .max = UINT16_MAX },
    { SAME(VECTOR_NUMBER, window), .max = UINT32_MAX },
    { SAME(VECTOR_NUMBER, max_failed_opens), .max = UINT64_MAX },
    { SAME(VECTOR_NUMBER, cap), .max = KEEP_MAX_PACKET_LEN },
    { SAME(VECTOR_NUMBER, data_cap), .max = KEEP_MAX_PAYLOAD_LEN },
    { SAME(VECTOR_NUMBER, event_cap), .max = KEEP_MAX_PACKET_EVENTS },
    { SAME(VECTOR_NUMBER, event_len), .max = SIZE_MAX },
    { SAME(VECTOR_NUMBER, capacity), .max = UINT32_MAX },
    { SAME(VECTOR_NUMBER, origin_hash), .max = UINT64_MAX },
    { SAME(VECTOR_NUMBER, subnet_id), .max = UINT32_MAX },
    { SAME(VECTOR_NUMBER, channel_hash), .max = UINT16_MAX },
    { SAME(VECTOR_NUMBER, priority), .max = UINT8_MAX },
    { SAME(VECTOR_NUMBER, hop_ttl), .max = UINT8_MAX },
    { SAME(VECTOR_FLAG, fits) },
    { SAME(VECTOR_FLAG, accepted) },
    { SAME(VECTOR_BYTES, key) },
    { SAME(VECTOR_BYTES, tx_key) },
    { SAME(VECTOR_BYTES, rx_key) },
    { INPUT("datagram", "packet", VECTOR_BYTES, datagram) },
    { SAME(VECTOR_BYTES, payload) },
    { INPUT("handshake_payload", "handshake_payload", VECTOR_BYTES, payload) },
    { SAME(VECTOR_BYTES, message) },
    { SAME(VECTOR_BYTES, pre_shared_key) },
    { SAME(VECTOR_BYTES, resp_pre_shared_key) },
    { SAME(VECTOR_BYTES, prologue) },
    { SAME(VECTOR_BYTES, resp_prologue) },
    { SAME(VECTOR_BYTES, init_static) },
    { SAME(VECTOR_BYTES, resp_static) },
    { SAME(VECTOR_BYTES, init_static_public) },
    { SAME(VECTOR_BYTES, resp_static_public) },
    { SAME(VECTOR_BYTES, init_remote_static) },
    { SAME(VECTOR_BYTES, init_ephemeral) },
    { SAME(VECTOR_BYTES, resp_ephemeral) },
    { INPUT("handshake_hash", "handshake_hash", VECTOR_BYTES, hash) },
    { INPUT("first_key", "key_initiator_to_responder", VECTOR_BYTES, first_key) },
    { INPUT("second_key", "key_responder_to_initiator", VECTOR_BYTES, second_key) },
    { .word = NULL },
};

static const struct vector_constant constants[] = {
    { CONSTANT(KEEP_PACKET_HEADER_LEN) }, { CONSTANT(KEEP_PACKET_TAG_LEN) },    { CONSTANT(KEEP_PACKET_OVERHEAD_LEN) },
    { CONSTANT(KEEP_MAX_PACKET_LEN) },    { CONSTANT(KEEP_MAX_PAYLOAD_LEN) },   { CONSTANT(KEEP_MAX_EVENT_LEN) },
    { CONSTANT(KEEP_MAX_PACKET_EVENTS) }, { CONSTANT(KEEP_MAX_PACKET_SLOTS) },  { CONSTANT(KEEP_MAX_BATCH) },
    { NULL, 0 },
};

#define SEALED "?key ?session_id ?stream_id ?sequence ?flags ?subprotocol_id ?events ?handshake_payload "
#define NOISE \
    "protocol pattern pre_shared_key prologue init_static resp_static init_static_public resp_static_public " \
    "init_ephemeral resp_ephemeral ?init_remote_static ?resp_pre_shared_key ?resp_prologue steps ?handshake_hash " \
    "?first_key ?second_key ?session_id ?unconfirmed ?packets"

static const struct vector_op arrays[] = {
    { "build", "kind ?counter ?settings datagram " SEALED, build, 0 },
    { "build_errors", "kind ?first_counter " SEALED, build_error, 0 },
    { "buffers", "op ?first_counter ?cap ?data_cap ?event_cap datagram " SEALED, buffers, 0 },
    { "fit", "events fits", fit, 0 },
    { "max_events", "event_len", max_events, 0 },
    { "prefix", "session_id", prefix, 0 },
    { "parse", "datagram", parse, 0 },
    { "open", "key session_id window ?max_failed_opens steps stats", open_case, 0 },
    { "replay", "key session_id window commits", replay, 0 },
    { "noise", NOISE, noise, 0 },
    { "noise_errors", NOISE, noise, 0 },
    { "pools", "script", script, 0 },
    { NULL, NULL, NULL, 0 },
};

static const struct vector_op ops[] = {
    { "session", "as session_id ?tx_key ?rx_key ?first_counter ?window", session_new, 0 },
    { "pool", "as capacity ?settings", pool_new, 0 },
    { "acquire", "pool as", acquire, 0 },
    { "set", "packet settings", set, 0 },
    { "unset", "packet", set, 0 },
    { "build", "packet with_session kind ?stream_id ?sequence ?flags ?subprotocol_id ?events ?settings", build_packet, 0 },
    { "build_handshake", "packet payload", build_handshake, 0 },
    { "data", "packet", data, 0 },
    { "pool_stats", "pool", pool_stats, 0 },
    { "session_stats", "session", session_stats, 0 },
    { NULL, NULL, NULL, 0 },
};

const struct vector_schema vectors_packet = {
    "keep-packet-1", sizeof(struct args), constants, inputs, arrays, ops,
};
