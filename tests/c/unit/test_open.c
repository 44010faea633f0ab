/* SPDX-License-Identifier: MIT */
/*
 * Open, white box: authentic packets whose frames are wrong (packet R20), which no session of ours seals.
 */
#include "keep/packet.h"

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

/* Seals any payload under a header with any count of events. */
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

RUN_SUITE("open", ONCE(wrong_frames_are_told_erased_and_cost_their_counter),
          TIMES(a_datagram_that_grows_meanwhile_has_no_room, 2), ONCE(an_opening_that_a_purge_overlaps_leaves_nothing),
          ONCE(no_room_is_told_from_no_output), ONCE(output_on_less_than_a_header_is_refused))
