/* SPDX-License-Identifier: MIT */
/*
 * Open, white box: authentic packets whose frames are wrong (packet R20), which no session of ours seals; and of all
 * faults that a datagram can have the first (packet R19).
 */
#include "keep/packet.h"

#include "keep/protect.h"
#include "memory/guard.h"
#include "packet/frame.h"
#include "packet/sodium.h"

#include "support/meanwhile.h"
#include "support/packets.h"

/* Two datagrams, room that is exactly theirs, and one that takes the place of the second between two looks at it. */
struct scene {
    struct datagram datagrams[2];
    struct datagram other;
    keep_bytes list[2];
    uint8_t data[2 * 8];
    keep_span events[2];
    keep_packet_opened *packets; /* in pages of their own: the first write to them ends the first look */
    keep_packet_open_out out;
};

static void begin_scene(struct scene *scene, keep_session *sender)
{
    scene->packets = new_pages(2 * sizeof *scene->packets);
    for (int i = 0; i < 2; i++) {
        seal(sender, "text", &scene->datagrams[i]);
        scene->list[i] = (keep_bytes){ scene->datagrams[i].bytes, scene->datagrams[i].len };
    }
    scene->out = (keep_packet_open_out)KEEP_PACKET_OPEN_OUT_INIT;
    scene->out.data = scene->data;
    scene->out.cap = sizeof scene->data;
    scene->out.events = scene->events;
    scene->out.event_cap = 2;
    scene->out.packets = scene->packets;
}

static void replace_second(void *ctx)
{
    struct scene *scene = ctx;

    scene->list[1] = (keep_bytes){ scene->other.bytes, scene->other.len };
}

/* Longer than the second, or with more events in as many bytes. */
START_TEST(a_datagram_that_grows_meanwhile_has_no_room)
{
    static const keep_bytes longer = { "long text", 9 };
    static const keep_bytes several[] = { { "", 0 }, { "", 0 } };
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    keep_packet_request request = request_of(_i == 0 ? &longer : several);
    struct scene scene;

    request.event_count = _i == 0 ? 1 : 2;
    begin_scene(&scene, sender);
    assert_ok(keep_packet_seal_into(sender, &request, scene.other.bytes, sizeof scene.other.bytes, &scene.other.len));
    before_write(scene.packets, 2 * sizeof *scene.packets, replace_second, &scene);
    assert_status(keep_packet_open_batch(receiver, scene.list, 2, &scene.out), KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert(scene.packets[0].status == KEEP_OK && scene.packets[1].status == KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(scene.out.opened_count, 1);
}
END_TEST

static void begin_purge(void *unused)
{
    (void)unused;
    keep__guard_new_epoch();
}

/* packet R12 */
START_TEST(an_opening_that_a_purge_overlaps_leaves_nothing)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct scene scene;

    begin_scene(&scene, sender);
    before_write(scene.packets, 2 * sizeof *scene.packets, begin_purge, NULL);
    assert_status(keep_packet_open_batch(receiver, scene.list, 2, &scene.out), KEEP_ERR_PURGED);
    ck_assert(are_all(scene.data, 0, sizeof scene.data) && are_all(scene.events, 0, sizeof scene.events));
    for (int i = 0; i < 2; i++)
        ck_assert(scene.packets[i].status == KEEP_ERR_PURGED && scene.packets[i].payload.len == 0);
    ck_assert_uint_eq(scene.out.opened_count, 0);
}
END_TEST

START_TEST(no_room_is_told_from_no_output)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    keep_packet_request heartbeat = { .event_count = 0 };
    struct datagram datagram;
    keep_packet_info info;
    struct scene scene;

    begin_scene(&scene, sender);
    scene.out.cap = 0;
    scene.out.event_cap = 0;
    scene.out.data = NULL;
    scene.out.events = NULL;
    assert_status(keep_packet_open_batch(receiver, scene.list, 2, &scene.out), KEEP_ERR_BUFFER_TOO_SMALL);
    assert_ok(keep_packet_seal_into(sender, &heartbeat, datagram.bytes, sizeof datagram.bytes, &datagram.len));
    assert_ok(keep_packet_open_into(receiver, datagram.bytes, datagram.len, &scene.out));
    scene.out.packets = NULL;
    assert_status(keep_packet_open_batch(receiver, scene.list, 2, &scene.out), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_parse(NULL, 0, &info), KEEP_ERR_PACKET_SHORT);
}
END_TEST

START_TEST(output_on_less_than_a_header_is_refused)
{
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct scene scene = { .packets = NULL };
    keep_packet_opened packet;

    scene.out = (keep_packet_open_out)KEEP_PACKET_OPEN_OUT_INIT;
    scene.out.data = scene.data + 4;
    scene.out.cap = 4;
    scene.out.packets = &packet;
    assert_status(keep_packet_open_into(receiver, scene.data, 8, &scene.out), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

/* Seals any payload under a header with any count of events, which is also its counter. */
static void seal_frames(const void *payload, size_t len, size_t count, struct datagram *out)
{
    static const keep_packet_settings settings;
    static const uint8_t key[KEY_LEN] = { 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0,
                                          1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0 }; /* key_of(1) */
    keep_packet_request request = { .event_count = count };
    keep__header_values values = { SESSION_ID, count, len, &settings };
    uint8_t aad[KEEP__PACKET_AAD_LEN];
    uint8_t *body = out->bytes + KEEP_PACKET_HEADER_LEN;
    keep__cipher_job job = { key, out->bytes + 12, aad, sizeof aad, payload, body, len, body + len };

    keep__frame_write_header(&request, &values, out->bytes);
    keep__frame_aad(out->bytes, aad);
    keep__sodium_seal_combined(&job);
    out->len = KEEP_PACKET_OVERHEAD_LEN + len;
}

START_TEST(wrong_frames_are_told_erased_and_cost_their_counter)
{
    static const struct {
        const char *payload;
        size_t len, count;
        keep_status status;
    } cases[] = {
        { "\1\0\0\0a", 5, 1, KEEP_OK },
        { "\1\0\0\0a", 5, 2, KEEP_ERR_PACKET_EVENTS },
        { "\2\0\0\0a", 5, 3, KEEP_ERR_PACKET_EVENTS },
        { "abc", 3, 4, KEEP_ERR_PACKET_EVENTS },
        { "\1\0\0\0a!", 6, 5, KEEP_ERR_PACKET_EVENTS },
        { "left over", 9, 0, KEEP_ERR_PACKET_TRAILING },
    };
    KEEP_AUTO(keep_session) receiver = new_receiver(1);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct datagram datagram;
        struct opening opening;

        seal_frames(cases[i].payload, cases[i].len, cases[i].count, &datagram);
        assert_status(try_open_bytes(receiver, datagram.bytes, datagram.len, &opening), cases[i].status);
        if (cases[i].status != KEEP_OK)
            ck_assert(are_all(opening.data, 0, cases[i].len) && opening.packet.event_count == 0);
        assert_status(try_open(receiver, &datagram), KEEP_ERR_REPLAY);
    }
    ck_assert_uint_eq(session_stats_of(receiver).malformed, 5);
    ck_assert_uint_eq(session_stats_of(receiver).replayed, 6);
}
END_TEST

/* --- faults --- */

/* A datagram with all its faults, the session that gets it, and the room for it. */
struct trial {
    const char *payload;
    size_t payload_len, count;
    struct datagram datagram;
    keep_session *receiver;
    size_t cap;
};

static void be_short(struct trial *trial)
{
    trial->datagram.len = KEEP_PACKET_HEADER_LEN - 1;
}

static void be_no_packet(struct trial *trial)
{
    trial->datagram.bytes[0] ^= 1;
}

static void be_of_another_version(struct trial *trial)
{
    trial->datagram.bytes[2] = 9;
}

static void tell_a_long_payload(struct trial *trial)
{
    memset(trial->datagram.bytes + 64, 0xFF, 2);
}

static void tell_many_events(struct trial *trial)
{
    memset(trial->datagram.bytes + 66, 0xFF, 2);
}

static void lose_a_byte(struct trial *trial)
{
    trial->datagram.len--;
}

static void be_a_handshake_frame(struct trial *trial)
{
    trial->datagram.bytes[3] |= 0x10;
    trial->datagram.len -= KEEP_PACKET_TAG_LEN;
}

static void be_of_another_session(struct trial *trial)
{
    trial->datagram.bytes[24] ^= 1;
}

/* The limit of this receiver is one forged packet. */
static void open_one_too_many(struct trial *trial)
{
    struct datagram forged;

    seal_frames("", 0, 0, &forged);
    forged.bytes[forged.len - 1] ^= 1;
    assert_status(try_open(trial->receiver, &forged), KEEP_ERR_AUTH);
}

static void have_no_room(struct trial *trial)
{
    trial->cap = 0;
}

static void be_forged(struct trial *trial)
{
    trial->datagram.bytes[KEEP_PACKET_HEADER_LEN] ^= 1;
}

static void use_the_counter(struct trial *trial)
{
    static const uint8_t empty_events[9 * 4];
    struct datagram first;

    seal_frames(empty_events, trial->count * 4, trial->count, &first);
    assert_ok(try_open(trial->receiver, &first));
}

static void lack_events(struct trial *trial)
{
    trial->count = 9;
}

static void have_something_left_over(struct trial *trial)
{
    trial->payload_len++;
}

/* In the order of packet R19. Some come before the packet is sealed. */
static const struct fault {
    void (*before)(struct trial *trial);
    void (*after)(struct trial *trial);
    keep_status status;
} faults[] = {
    { NULL, be_short, KEEP_ERR_PACKET_SHORT },
    { NULL, be_no_packet, KEEP_ERR_PACKET_MAGIC },
    { NULL, be_of_another_version, KEEP_ERR_PACKET_VERSION },
    { NULL, tell_a_long_payload, KEEP_ERR_PACKET_TOO_LARGE },
    { NULL, tell_many_events, KEEP_ERR_PACKET_TOO_MANY_EVENTS },
    { NULL, lose_a_byte, KEEP_ERR_PACKET_LENGTH },
    { NULL, be_a_handshake_frame, KEEP_ERR_PACKET_HANDSHAKE },
    { NULL, be_of_another_session, KEEP_ERR_PACKET_SESSION },
    { NULL, open_one_too_many, KEEP_ERR_REKEY },
    { NULL, have_no_room, KEEP_ERR_BUFFER_TOO_SMALL },
    { NULL, be_forged, KEEP_ERR_AUTH },
    { use_the_counter, NULL, KEEP_ERR_REPLAY },
    { lack_events, NULL, KEEP_ERR_PACKET_EVENTS },
    { have_something_left_over, NULL, KEEP_ERR_PACKET_TRAILING },
};
enum {
    FAULTS = sizeof faults / sizeof *faults
};

static keep_status open_with_faults(const struct fault *first, const struct fault *second)
{
    const struct fault *both[] = { first, second };
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    struct trial trial = { .payload = "\1\0\0\0a!", .payload_len = 5, .count = 1, .cap = KEEP_MAX_PAYLOAD_LEN };
    struct opening opening;
    keep_status st;

    options.max_failed_opens = 1;
    trial.receiver = session_with(0, 1, options);
    for (int i = 1; i >= 0; i--) { /* the later one first: the count of events is the counter too */
        if (both[i] != NULL && both[i]->before != NULL)
            both[i]->before(&trial);
    }
    seal_frames(trial.payload, trial.payload_len, trial.count, &trial.datagram);
    for (int i = 0; i < 2; i++) {
        if (both[i] != NULL && both[i]->after != NULL)
            both[i]->after(&trial);
    }
    (void)try_open_bytes(trial.receiver, NULL, 0, &opening);
    opening.out.cap = trial.cap;
    st = keep_packet_open_into(trial.receiver, trial.datagram.bytes, trial.datagram.len, &opening.out);
    keep_session_free(&trial.receiver);
    return st;
}

/* packet T7 */
START_TEST(of_two_faults_the_earlier_one_is_told)
{
    assert_ok(open_with_faults(NULL, NULL));
    assert_status(open_with_faults(&faults[_i], NULL), faults[_i].status);
    for (int later = _i + 1; later < FAULTS; later++)
        assert_status(open_with_faults(&faults[_i], &faults[later]), faults[_i].status);
}
END_TEST

/* packet R17: what the session is comes before what the datagram is */
START_TEST(a_session_that_cannot_open_says_so_first)
{
    static const uint8_t noise[3];
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct opening opening;

    assert_status(try_open_bytes(sender, noise, sizeof noise, &opening), KEEP_ERR_STATE);
    assert_ok(keep_purge(NULL));
    assert_status(try_open_bytes(sender, noise, sizeof noise, &opening), KEEP_ERR_PURGED);
    assert_status(try_open_bytes(receiver, noise, sizeof noise, &opening), KEEP_ERR_PURGED);
}
END_TEST

RUN_SUITE("open", ONCE(wrong_frames_are_told_erased_and_cost_their_counter),
          TIMES(of_two_faults_the_earlier_one_is_told, FAULTS), ONCE(a_session_that_cannot_open_says_so_first),
          TIMES(a_datagram_that_grows_meanwhile_has_no_room, 2), ONCE(an_opening_that_a_purge_overlaps_leaves_nothing),
          ONCE(no_room_is_told_from_no_output), ONCE(output_on_less_than_a_header_is_refused))
