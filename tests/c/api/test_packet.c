/* SPDX-License-Identifier: MIT */
/*
 * keep/packet.h from outside.
 */
#include <keep/packet.h>

#include <stdlib.h>

#include "support/packets.h"
#include "support/stream.h"

static const uint8_t zeros[KEEP_MAX_EVENT_LEN + 1];

/* --- building --- */

static void assert_seal_refused(keep_session *session, const keep_packet_request *request, keep_status wanted)
{
    uint64_t before = session_stats_of(session).next_counter;
    uint8_t out[KEEP_MAX_PACKET_LEN];
    size_t len = 77;

    memset(out, 0xA5, sizeof out);
    assert_status(keep_packet_seal_into(session, request, out, sizeof out, &len), wanted);
    ck_assert(are_all(out, 0xA5, sizeof out) && len == 77);
    ck_assert_uint_eq(session_stats_of(session).next_counter, before);
}

/* packet D5 */
START_TEST(what_is_too_large_is_refused_and_uses_no_counter)
{
    static const size_t lens[] = { 8105, 65532, (size_t)1 << 32, SIZE_MAX - 3, SIZE_MAX };
    const keep_bytes both[] = { { zeros, 4050 }, { zeros, 4051 } };
    KEEP_AUTO(keep_session) sender = new_sender(1);
    keep_packet_request request = { .events = both, .event_count = 2 };

    assert_seal_refused(sender, &request, KEEP_ERR_PACKET_TOO_LARGE);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        keep_bytes event = { zeros, lens[i] };
        size_t len = 0;

        request = request_of(&event);
        assert_seal_refused(sender, &request, KEEP_ERR_PACKET_TOO_LARGE);
        assert_status(keep_packet_measure(&event, 1, &len), KEEP_ERR_PACKET_TOO_LARGE);
        ck_assert_uint_eq(keep_packet_max_events(lens[i]), 0);
    }
}
END_TEST

/* packet D6 */
START_TEST(too_many_events_are_refused_and_use_no_counter)
{
    static const size_t counts[] = { 2028, 65537 };
    keep_bytes *events = calloc(65537, sizeof *events);
    KEEP_AUTO(keep_session) sender = new_sender(1);

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        keep_packet_request request = { .events = events, .event_count = counts[i] };

        assert_seal_refused(sender, &request, KEEP_ERR_PACKET_TOO_MANY_EVENTS);
    }
    free(events);
}
END_TEST

/* packet R1, R5, R6, R7 */
START_TEST(a_request_of_the_wrong_form_is_refused)
{
    keep_bytes event = { zeros, 1 };
    keep_bytes nothing = { NULL, 1 };
    const keep_packet_request wrong[] = {
        { .events = &event, .event_count = 1, .kind = 3 },
        { .events = NULL, .event_count = 1 },
        { .events = &nothing, .event_count = 1 },
        { .flags = 0x10 },
        { .flags = 0x20 },
        { .kind = KEEP_PACKET_HEARTBEAT, .events = &event, .event_count = 1 },
        { .kind = KEEP_PACKET_HEARTBEAT, .flags = KEEP_PACKET_FIN },
        { .kind = KEEP_PACKET_HEARTBEAT, .stream_id = 1 },
        { .kind = KEEP_PACKET_HEARTBEAT, .sequence = 1 },
        { .kind = KEEP_PACKET_HEARTBEAT, .subprotocol_id = 1 },
        { .kind = KEEP_PACKET_HANDSHAKE, .events = &event, .event_count = 1 },
    };
    KEEP_AUTO(keep_session) sender = new_sender(1);
    uint8_t out[KEEP_MAX_PACKET_LEN];
    size_t len;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_seal_refused(sender, &wrong[i], KEEP_ERR_INVALID_ARGUMENT);
    assert_seal_refused(sender, NULL, KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_seal_into(sender, &wrong[0], NULL, 1, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_seal_into(sender, &wrong[0], out, sizeof out, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_seal_into(NULL, &(keep_packet_request){ 0 }, out, sizeof out, &len),
                  KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

/* packet R7 */
START_TEST(a_handshake_frame_holds_one_message_in_the_clear)
{
    keep_bytes two[] = { { "hello", 5 }, { "you", 3 } };
    keep_packet_request request = { .kind = KEEP_PACKET_HANDSHAKE, .events = two, .event_count = 1 };
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct datagram frame;
    keep_packet_info info;

    assert_ok(keep_packet_seal_into(NULL, &request, frame.bytes, sizeof frame.bytes, &frame.len));
    ck_assert_uint_eq(frame.len, KEEP_PACKET_HEADER_LEN + 5);
    assert_bytes(frame.bytes + KEEP_PACKET_HEADER_LEN, "hello", 5);
    assert_ok(keep_packet_parse(frame.bytes, frame.len, &info));
    ck_assert_uint_eq(info.kind, KEEP_PACKET_HANDSHAKE);
    assert_status(try_open(receiver, &frame), KEEP_ERR_PACKET_HANDSHAKE);
    request.event_count = 2;
    assert_status(keep_packet_seal_into(NULL, &request, frame.bytes, sizeof frame.bytes, &frame.len),
                  KEEP_ERR_INVALID_ARGUMENT);
    request.event_count = 1;
    two[0] = (keep_bytes){ NULL, 5 };
    assert_status(keep_packet_seal_into(NULL, &request, frame.bytes, sizeof frame.bytes, &frame.len),
                  KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

/* packet T10 */
START_TEST(a_buffer_that_is_too_small_costs_no_counter)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_bytes event = { "text", 4 };
    keep_packet_request request = request_of(&event);
    KEEP_AUTO(keep_session) sender = NULL;
    struct datagram datagram;

    options.first_counter = UINT64_MAX - 1;
    sender = session_with(1, 0, options);
    for (size_t cap = 0; cap < KEEP_PACKET_OVERHEAD_LEN + 8; cap++) {
        assert_status(keep_packet_seal_into(sender, &request, datagram.bytes, cap, &datagram.len),
                      KEEP_ERR_BUFFER_TOO_SMALL);
        ck_assert_uint_eq(datagram.len, KEEP_PACKET_OVERHEAD_LEN + 8);
    }
    seal(sender, "text", &datagram);
    assert_status(try_seal(sender, "text", 4, &datagram), KEEP_ERR_REKEY);
}
END_TEST

/* --- batches --- */

enum {
    BATCH = 16
};

struct batch {
    keep_packet_request requests[BATCH];
    uint8_t data[BATCH * 128];
    size_t offsets[BATCH + 1];
    keep_status statuses[BATCH];
    keep_packet_seal_out out;
};

static void fill_batch(struct batch *batch)
{
    static const keep_bytes event = { "text", 4 };

    for (size_t i = 0; i < BATCH; i++)
        batch->requests[i] = request_of(&event);
    batch->out = (keep_packet_seal_out)KEEP_PACKET_SEAL_OUT_INIT;
    batch->out.data = batch->data;
    batch->out.cap = sizeof batch->data;
    batch->out.offsets = batch->offsets;
    batch->out.statuses = batch->statuses;
}

/* packet T4 */
START_TEST(a_batch_seals_all_but_the_bad_with_consecutive_counters)
{
    static const keep_bytes long_event = { zeros, KEEP_MAX_EVENT_LEN + 1 };
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct batch batch;
    uint64_t counter = 0;

    fill_batch(&batch);
    batch.requests[2].flags = 0x10;
    batch.requests[7].events = &long_event;
    batch.requests[11].kind = KEEP_PACKET_HANDSHAKE;
    assert_status(keep_packet_seal_batch(sender, batch.requests, BATCH, &batch.out), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_uint_eq(batch.out.sealed_count, 13);
    ck_assert_uint_eq(batch.statuses[2], KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_uint_eq(batch.statuses[7], KEEP_ERR_PACKET_TOO_LARGE);
    ck_assert_uint_eq(batch.statuses[11], KEEP_ERR_INVALID_ARGUMENT);
    for (size_t i = 0; i < BATCH; i++) {
        size_t len = batch.offsets[i + 1] - batch.offsets[i];
        struct datagram one = { .len = len };
        keep_packet_info info;

        if (batch.statuses[i] != KEEP_OK) {
            ck_assert_uint_eq(len, 0);
            continue;
        }
        memcpy(one.bytes, batch.data + batch.offsets[i], len);
        assert_ok(keep_packet_parse(one.bytes, len, &info));
        ck_assert_uint_eq(info.counter, counter++);
        ck_assert(opens_as(receiver, &one, "text"));
    }
    ck_assert_uint_eq(counter, 13);
    ck_assert_uint_eq(batch.offsets[BATCH], batch.out.data_len);
}
END_TEST

START_TEST(a_batch_without_room_tells_the_need_and_seals_nothing)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    size_t need = BATCH * (KEEP_PACKET_OVERHEAD_LEN + 8);
    struct batch batch;

    fill_batch(&batch);
    batch.out.cap = need - 1;
    memset(batch.data, 0xA5, sizeof batch.data);
    assert_status(keep_packet_seal_batch(sender, batch.requests, BATCH, &batch.out), KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(batch.out.data_len, need);
    ck_assert(are_all(batch.data, 0xA5, sizeof batch.data));
    ck_assert_uint_eq(session_stats_of(sender).next_counter, 0);
    batch.out.cap = need;
    assert_ok(keep_packet_seal_batch(sender, batch.requests, BATCH, &batch.out));
}
END_TEST

/* packet T3 */
START_TEST(a_batch_with_too_few_counters_left_takes_none)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    KEEP_AUTO(keep_session) sender = NULL;
    struct datagram datagram;
    struct batch batch;

    options.first_counter = UINT64_MAX - 1;
    sender = session_with(1, 0, options);
    fill_batch(&batch);
    assert_status(keep_packet_seal_batch(sender, batch.requests, 2, &batch.out), KEEP_ERR_REKEY);
    ck_assert_uint_eq(batch.statuses[0], KEEP_ERR_REKEY);
    ck_assert_uint_eq(batch.statuses[1], KEEP_ERR_REKEY);
    ck_assert_uint_eq(batch.out.data_len, 0);
    seal(sender, "the last", &datagram);
    assert_status(try_seal(sender, "x", 1, &datagram), KEEP_ERR_REKEY);
}
END_TEST

START_TEST(a_batch_has_1_to_1024_packets)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    struct batch batch;
    keep_bytes datagram = { zeros, 1 };
    struct opening opening = { .out = KEEP_PACKET_OPEN_OUT_INIT };

    fill_batch(&batch);
    assert_status(keep_packet_seal_batch(sender, batch.requests, 0, &batch.out), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_seal_batch(sender, batch.requests, 1025, &batch.out), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_seal_batch(sender, NULL, 1, &batch.out), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_seal_batch(sender, batch.requests, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    opening.out.packets = &opening.packet;
    assert_status(keep_packet_open_batch(sender, &datagram, 0, &opening.out), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_open_batch(sender, &datagram, 1025, &opening.out), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_open_batch(sender, NULL, 1, &opening.out), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

/* packet R23: duplicates within a batch, and what is forged among what is not */
START_TEST(a_batch_opens_as_one_after_the_other)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct datagram datagrams[3];
    keep_bytes list[4];
    keep_packet_opened packets[4];
    keep_span events[4];
    uint8_t data[64];
    keep_packet_open_out out = KEEP_PACKET_OPEN_OUT_INIT;

    seal(sender, "first", &datagrams[0]);
    seal(sender, "second", &datagrams[1]);
    seal(sender, "third", &datagrams[2]);
    datagrams[1].bytes[75] ^= 1;
    for (size_t i = 0; i < 3; i++)
        list[i] = (keep_bytes){ datagrams[i].bytes, datagrams[i].len };
    list[3] = list[0];
    memset(data, 0xA5, sizeof data);
    out.data = data;
    out.cap = sizeof data;
    out.events = events;
    out.event_cap = 4;
    out.packets = packets;
    assert_status(keep_packet_open_batch(receiver, list, 4, &out), KEEP_ERR_AUTH);
    ck_assert_uint_eq(out.opened_count, 2);
    ck_assert_uint_eq(packets[0].status, KEEP_OK);
    ck_assert_uint_eq(packets[1].status, KEEP_ERR_AUTH);
    ck_assert_uint_eq(packets[2].status, KEEP_OK);
    ck_assert_uint_eq(packets[3].status, KEEP_ERR_REPLAY);
    assert_bytes(data + events[packets[2].first_event].offset, "third", 5);
    ck_assert(are_all(data + 9, 0, 10)); /* the part of the second */
    ck_assert(are_all(data + 28, 0, 9) && data[37] == 0xA5); /* and of the last */
    ck_assert(are_all(&packets[1].info, 0, sizeof packets[1].info) && packets[1].event_count == 0);
}
END_TEST

/* --- opening --- */

/* packet T6 */
START_TEST(every_flipped_bit_is_noticed_but_in_bytes_that_a_receiver_derives)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    struct datagram datagram;

    seal(sender, "twelve bytes", &datagram);
    ck_assert_uint_eq(datagram.len, 100);
    for (size_t bit = 0; bit < 8 * datagram.len; bit++) {
        KEEP_AUTO(keep_session) receiver = new_receiver(1);
        size_t at = bit / 8;
        bool is_free = at == 6 || (at >= 12 && at < 16);
        keep_status st;

        datagram.bytes[at] ^= (uint8_t)(1U << bit % 8);
        st = try_open(receiver, &datagram);
        ck_assert_msg((st == KEEP_OK) == is_free, "byte %zu gave %s", at, keep_status_name(st));
        datagram.bytes[at] ^= (uint8_t)(1U << bit % 8);
        assert_status(try_open(receiver, &datagram), is_free ? KEEP_ERR_REPLAY : KEEP_OK);
    }
}
END_TEST

START_TEST(what_is_too_short_is_told_first)
{
    static const uint8_t noise[KEEP_PACKET_HEADER_LEN] = { 1, 2, 3 };
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct opening opening;
    keep_packet_info info;

    for (size_t len = 0; len < KEEP_PACKET_HEADER_LEN; len++) {
        assert_status(try_open_bytes(receiver, noise, len, &opening), KEEP_ERR_PACKET_SHORT);
        assert_status(keep_packet_parse(noise, len, &info), KEEP_ERR_PACKET_SHORT);
    }
    assert_status(try_open_bytes(receiver, NULL, 0, &opening), KEEP_ERR_PACKET_SHORT);
    assert_status(try_open_bytes(receiver, NULL, 1, &opening), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_parse(NULL, 1, &info), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_parse(noise, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

static void set_counter(struct datagram *datagram, uint64_t counter)
{
    for (size_t i = 0; i < 8; i++)
        datagram->bytes[16 + i] = (uint8_t)(counter >> 8 * i);
}

/* packet T8 */
START_TEST(a_forged_packet_learns_and_changes_nothing)
{
    static const uint64_t counters[] = { UINT64_C(1) << 63, 1 };
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct datagram first;
    struct datagram second;

    seal(sender, "first", &first);
    seal(sender, "second", &second);
    assert_ok(try_open(receiver, &second));
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        struct datagram forged = first;
        struct opening opening;

        set_counter(&forged, counters[i]);
        memset(opening.data, 0xA5, sizeof opening.data);
        assert_status(try_open_bytes(receiver, forged.bytes, forged.len, &opening), KEEP_ERR_AUTH);
        ck_assert(are_all(opening.data, 0, 9) && opening.data[9] == 0xA5);
        opening.out.data = forged.bytes + KEEP_PACKET_HEADER_LEN;
        opening.out.cap = forged.len - KEEP_PACKET_HEADER_LEN;
        assert_status(keep_packet_open_into(receiver, forged.bytes, forged.len, &opening.out), KEEP_ERR_AUTH);
        ck_assert(are_all(forged.bytes + KEEP_PACKET_HEADER_LEN, 0, 9));
    }
    ck_assert_uint_eq(session_stats_of(receiver).highest_counter, 1);
    ck_assert(opens_as(receiver, &first, "first"));
}
END_TEST

/* packet R22 */
START_TEST(output_is_apart_from_the_datagram_or_in_its_place)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct datagram datagram;
    struct opening opening;
    keep_bytes one;

    seal(sender, "text", &datagram);
    one = (keep_bytes){ datagram.bytes, datagram.len };
    (void)try_open_bytes(receiver, NULL, 0, &opening);
    for (size_t at = 0; at < datagram.len; at++) {
        if (at == KEEP_PACKET_HEADER_LEN)
            continue;
        opening.out.data = datagram.bytes + at;
        opening.out.cap = sizeof datagram.bytes - at;
        assert_status(keep_packet_open_into(receiver, one.data, one.len, &opening.out), KEEP_ERR_INVALID_ARGUMENT);
    }
    opening.out.data = datagram.bytes + KEEP_PACKET_HEADER_LEN;
    assert_status(keep_packet_open_batch(receiver, &one, 1, &opening.out), KEEP_ERR_INVALID_ARGUMENT);
    assert_ok(keep_packet_open_into(receiver, one.data, one.len, &opening.out));
    assert_bytes(datagram.bytes + KEEP_PACKET_HEADER_LEN + 4, "text", 4);
}
END_TEST

/* packet R21, R20: a heartbeat opens with nothing, and its count is no promise */
START_TEST(a_heartbeat_is_a_packet_without_events)
{
    keep_packet_request request = { .kind = KEEP_PACKET_HEARTBEAT };
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct datagram datagram;
    struct opening opening;

    assert_ok(keep_packet_seal_into(sender, &request, datagram.bytes, sizeof datagram.bytes, &datagram.len));
    ck_assert_uint_eq(datagram.len, KEEP_PACKET_OVERHEAD_LEN);
    assert_ok(try_open_bytes(receiver, datagram.bytes, datagram.len, &opening));
    ck_assert_uint_eq(opening.packet.info.kind, KEEP_PACKET_HEARTBEAT);
    ck_assert_uint_eq(opening.packet.event_count, 0);
    ck_assert_uint_eq(session_stats_of(receiver).opened, 1);
}
END_TEST

START_TEST(every_length_goes_there_and_back_with_each_back_end)
{
    static const size_t lens[] = { 0, 1, 59, 60, 61, 187, 188, 443, 444, 445, 508, 2043, 2044, 2045, 8103, 8104 };
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    struct stream stream = stream_begin();
    KEEP_AUTO(keep_session) sender = NULL;
    KEEP_AUTO(keep_session) receiver = NULL;
    uint8_t bytes[KEEP_MAX_EVENT_LEN];

    options.aead = (uint32_t)_i;
    if (try_session(1, 0, options, &sender) == KEEP_ERR_UNSUPPORTED)
        return;
    receiver = session_with(0, 1, options);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct datagram datagram;
        struct opening opening;

        stream_fill(&stream, bytes, lens[i]);
        assert_ok(try_seal(sender, bytes, lens[i], &datagram));
        assert_ok(try_open_bytes(receiver, datagram.bytes, datagram.len, &opening));
        ck_assert_uint_eq(opening.events[0].len, lens[i]);
        assert_bytes(opening.data + opening.events[0].offset, bytes, lens[i]);
    }
}
END_TEST

/* --- what is no call at all --- */

START_TEST(outputs_that_are_none_are_refused)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct batch batch;
    struct opening opening;
    struct datagram datagram;
    keep_bytes event = { "text", 4 };
    keep_bytes bad = { NULL, 4 };
    size_t len = 77;

    seal(sender, "text", &datagram);
    for (int i = 0; i < 4; i++) {
        (void)try_open_bytes(receiver, NULL, 0, &opening);
        opening.out.size = i == 0 ? 8 : opening.out.size;
        opening.out.packets = i == 1 ? NULL : opening.out.packets;
        opening.out.data = i == 2 ? NULL : opening.out.data;
        opening.out.events = i == 3 ? NULL : opening.out.events;
        assert_status(keep_packet_open_into(receiver, datagram.bytes, datagram.len, &opening.out),
                      KEEP_ERR_INVALID_ARGUMENT);
        fill_batch(&batch);
        batch.out.size = i == 0 ? 8 : batch.out.size;
        batch.out.offsets = i == 1 ? NULL : batch.out.offsets;
        batch.out.statuses = i == 2 ? NULL : batch.out.statuses;
        batch.out.data = i == 3 ? NULL : batch.out.data;
        assert_status(keep_packet_seal_batch(sender, batch.requests, BATCH, &batch.out), KEEP_ERR_INVALID_ARGUMENT);
    }
    assert_status(keep_packet_open_into(receiver, datagram.bytes, datagram.len, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_measure(&event, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_measure(NULL, 1, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_packet_measure(&bad, 1, &len), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_uint_eq(len, 77);
    assert_ok(keep_packet_measure(NULL, 0, &len));
    ck_assert_uint_eq(len, KEEP_PACKET_OVERHEAD_LEN);
}
END_TEST

START_TEST(batches_need_their_key_too)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct batch batch;
    struct opening opening;
    struct datagram datagram;
    keep_bytes list[2];

    seal(sender, "text", &datagram);
    list[0] = (keep_bytes){ NULL, 4 };
    list[1] = (keep_bytes){ datagram.bytes, datagram.len };
    (void)try_open_bytes(receiver, NULL, 0, &opening);
    assert_status(keep_packet_open_batch(sender, list, 1, &opening.out), KEEP_ERR_STATE);
    assert_status(keep_packet_open_batch(receiver, list, 1, &opening.out), KEEP_ERR_INVALID_ARGUMENT);
    assert_ok(keep_packet_open_batch(receiver, list + 1, 1, &opening.out));
    fill_batch(&batch);
    assert_status(keep_packet_seal_batch(receiver, batch.requests, BATCH, &batch.out), KEEP_ERR_STATE);
    batch.requests[0].flags = 0x20;
    assert_status(keep_packet_seal_batch(sender, batch.requests, 1, &batch.out), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_uint_eq(session_stats_of(sender).next_counter, 1);
}
END_TEST

/* packet R21 */
START_TEST(room_for_bytes_and_for_events_is_needed_both)
{
    static const keep_bytes events[] = { { "one", 3 }, { "two", 3 } };
    const keep_packet_settings settings = { 1, 2, 3, 4, 5 };
    keep_packet_request request = { .events = events, .event_count = 2, .settings = &settings };
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct datagram datagram;
    struct opening opening;
    keep_bytes one;

    assert_ok(keep_packet_seal_into(sender, &request, datagram.bytes, sizeof datagram.bytes, &datagram.len));
    one = (keep_bytes){ datagram.bytes, datagram.len };
    for (int i = 0; i < 2; i++) {
        (void)try_open_bytes(receiver, NULL, 0, &opening);
        opening.out.cap = i == 0 ? 13 : 14;
        opening.out.event_cap = i == 0 ? 2 : 1;
        assert_status(keep_packet_open_batch(receiver, &one, 1, &opening.out), KEEP_ERR_BUFFER_TOO_SMALL);
        ck_assert(opening.out.data_len == 14 && opening.out.event_count == 2);
    }
    opening.out.event_cap = 2;
    assert_ok(keep_packet_open_batch(receiver, &one, 1, &opening.out));
    ck_assert_uint_eq(opening.packet.info.hop_ttl, 5);
}
END_TEST

/* packet R7 */
START_TEST(a_handshake_frame_carries_nothing_else)
{
    static const keep_packet_settings none, some[] = {
        { .origin_hash = 1 }, { .subnet_id = 1 }, { .channel_hash = 1 }, { .priority = 1 }, { .hop_ttl = 1 },
    };
    keep_bytes message = { "hello", 5 };
    keep_packet_request frame = { .kind = KEEP_PACKET_HANDSHAKE, .events = &message, .event_count = 1 };
    struct datagram out;

    frame.settings = &none;
    assert_ok(keep_packet_seal_into(NULL, &frame, out.bytes, sizeof out.bytes, &out.len));
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        frame.settings = &some[i];
        assert_status(keep_packet_seal_into(NULL, &frame, out.bytes, sizeof out.bytes, &out.len),
                      KEEP_ERR_INVALID_ARGUMENT);
    }
}
END_TEST

/* packet R7 */
START_TEST(handshake_frames_have_lengths_of_their_own)
{
    static const uint8_t bytes[KEEP_MAX_PAYLOAD_LEN + 1];
    keep_bytes message = { bytes, 0 };
    keep_packet_request request = { .kind = KEEP_PACKET_HANDSHAKE, .events = &message, .event_count = 1 };
    struct datagram frame;

    assert_ok(keep_packet_seal_into(NULL, &request, frame.bytes, sizeof frame.bytes, &frame.len));
    ck_assert_uint_eq(frame.len, KEEP_PACKET_HEADER_LEN);
    message.len = KEEP_MAX_PAYLOAD_LEN;
    assert_status(keep_packet_seal_into(NULL, &request, frame.bytes, 100, &frame.len), KEEP_ERR_BUFFER_TOO_SMALL);
    assert_ok(keep_packet_seal_into(NULL, &request, frame.bytes, frame.len, &frame.len));
    message.len++;
    assert_status(keep_packet_seal_into(NULL, &request, frame.bytes, sizeof frame.bytes, &frame.len),
                  KEEP_ERR_PACKET_TOO_LARGE);
}
END_TEST

RUN_SUITE("packet", ONCE(outputs_that_are_none_are_refused), ONCE(batches_need_their_key_too),
          ONCE(room_for_bytes_and_for_events_is_needed_both), ONCE(handshake_frames_have_lengths_of_their_own),
          ONCE(a_handshake_frame_carries_nothing_else),
          ONCE(what_is_too_large_is_refused_and_uses_no_counter),
          ONCE(too_many_events_are_refused_and_use_no_counter), ONCE(a_request_of_the_wrong_form_is_refused),
          ONCE(a_handshake_frame_holds_one_message_in_the_clear), ONCE(a_buffer_that_is_too_small_costs_no_counter),
          ONCE(a_batch_seals_all_but_the_bad_with_consecutive_counters),
          ONCE(a_batch_without_room_tells_the_need_and_seals_nothing),
          ONCE(a_batch_with_too_few_counters_left_takes_none), ONCE(a_batch_has_1_to_1024_packets),
          ONCE(a_batch_opens_as_one_after_the_other),
          ONCE(every_flipped_bit_is_noticed_but_in_bytes_that_a_receiver_derives),
          ONCE(what_is_too_short_is_told_first), ONCE(a_forged_packet_learns_and_changes_nothing), ONCE(output_is_apart_from_the_datagram_or_in_its_place),
          ONCE(a_heartbeat_is_a_packet_without_events),
          TIMES(every_length_goes_there_and_back_with_each_back_end, KEEP_AEAD_IPSEC_MB + 1))
