/* SPDX-License-Identifier: MIT */
/*
 * Frame of packets, white box: what bytes say, byte by byte.
 */
#include "packet/frame.h"

#include <string.h>

#include "support/suite.h"

static const keep_packet_settings settings = { 0x4142434445464748, 0x31323334, 0x2122, 0x51, 0x52 };

static void write_header(uint8_t *out)
{
    keep_packet_request request = {
        .stream_id = 0x0102030405060708,
        .sequence = 0x1112131415161718,
        .subprotocol_id = 0x6162,
        .flags = 0xC9,
        .event_count = 3,
    };
    keep__header_values values = { .session_id = 0x7172737475767778,
                                   .counter = 0x8182838485868788,
                                   .payload_len = 0x0910,
                                   .settings = &settings };

    keep__frame_write_header(&request, &values, out);
}

/* packet §4 */
START_TEST(each_field_of_a_header_has_its_place)
{
    static const uint8_t wanted[KEEP_PACKET_HEADER_LEN] = {
        0x45, 0x4e, 1,    0xC9, 0x51, 0x52, 0,    0,    0x62, 0x61, 0x22, 0x21, 0x0c, 0x04, 0x04, 0x04, 0x88,
        0x87, 0x86, 0x85, 0x84, 0x83, 0x82, 0x81, 0x78, 0x77, 0x76, 0x75, 0x74, 0x73, 0x72, 0x71, 8,    7,
        6,    5,    4,    3,    2,    1,    0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11, 0x48, 0x47, 0x46,
        0x45, 0x44, 0x43, 0x42, 0x41, 0x34, 0x33, 0x32, 0x31, 0,    0,    0,    0,    0x10, 9,    3,    0,
    };
    uint8_t header[KEEP_PACKET_HEADER_LEN];

    write_header(header);
    assert_bytes(header, wanted, sizeof wanted);
}
END_TEST

START_TEST(all_but_hops_and_nonce_is_authenticated)
{
    uint8_t header[KEEP_PACKET_HEADER_LEN];
    uint8_t aad[KEEP__PACKET_AAD_LEN];
    uint8_t changed[KEEP__PACKET_AAD_LEN];

    write_header(header);
    keep__frame_aad(header, aad);
    for (size_t i = 0; i < sizeof header; i++) {
        bool is_free = i == 6 || (i >= 12 && i < 24);

        header[i] ^= 0x80;
        keep__frame_aad(header, changed);
        ck_assert((memcmp(aad, changed, sizeof aad) == 0) == is_free);
        header[i] ^= 0x80;
    }
}
END_TEST

/* packet R19: a header of one byte wrong, and the length that it would have */
START_TEST(a_parser_reads_no_more_than_it_was_given)
{
    uint8_t header[KEEP_PACKET_HEADER_LEN];
    keep_packet_info info;

    write_header(header);
    for (size_t len = 0; len < sizeof header; len++)
        assert_status(keep__frame_parse(header, len, &info), KEEP_ERR_PACKET_SHORT);
    assert_status(keep__frame_parse(header, 0x0910 + KEEP_PACKET_OVERHEAD_LEN - 1, &info), KEEP_ERR_PACKET_LENGTH);
    assert_status(keep__frame_parse(header, SIZE_MAX, &info), KEEP_ERR_PACKET_LENGTH);
    assert_ok(keep__frame_parse(header, 0x0910 + KEEP_PACKET_OVERHEAD_LEN, &info));
    ck_assert_uint_eq(info.stream_id, 0x0102030405060708);
    ck_assert_uint_eq(info.subnet_id, 0x31323334);
}
END_TEST

/* packet R21 */
START_TEST(a_hostile_count_asks_for_no_more_spans_than_the_payload_can_hold)
{
    keep_packet_info info = { .payload_len = 11, .event_count = 2027 };

    ck_assert_uint_eq(keep__frame_span_count(&info), 2);
    info.event_count = 1;
    ck_assert_uint_eq(keep__frame_span_count(&info), 1);
}
END_TEST

static keep_status read_frames(const char *bytes, size_t len, size_t count, keep_span *out)
{
    return keep__frame_read_events((keep_bytes){ bytes, len }, 100, count, out);
}

START_TEST(frames_are_exactly_the_payload)
{
    static const char two[] = "\1\0\0\0a\0\0\0\0";
    keep_span spans[3] = { { 0, 0 } };

    assert_ok(read_frames(two, 9, 2, spans));
    ck_assert(spans[0].offset == 104 && spans[0].len == 1 && spans[1].offset == 109 && spans[1].len == 0);
    assert_ok(read_frames("", 0, 0, spans));
    assert_status(read_frames(two, 9, 1, spans), KEEP_ERR_PACKET_TRAILING);
    assert_status(read_frames(two, 9, 0, spans), KEEP_ERR_PACKET_TRAILING);
    assert_status(read_frames(two, 9, 3, spans), KEEP_ERR_PACKET_EVENTS);
    for (size_t len = 0; len < 9; len++)
        assert_status(read_frames(two, len, 2, spans), KEEP_ERR_PACKET_EVENTS);
    assert_status(read_frames("\xff\xff\xff\xff....", 8, 1, spans), KEEP_ERR_PACKET_EVENTS);
    assert_status(read_frames("\5\0\0\0....", 8, 1, spans), KEEP_ERR_PACKET_EVENTS);
}
END_TEST

/* packet R3, D6 */
START_TEST(measuring_never_wraps)
{
    static const keep_bytes halves[] = { { "", SIZE_MAX / 2 + 1 }, { "", SIZE_MAX / 2 + 1 } };
    static const keep_bytes nothing = { NULL, 1 };
    keep_bytes events[KEEP_MAX_PACKET_EVENTS + 1];
    size_t len = 77;

    memset(events, 0, sizeof events);
    assert_ok(keep__frame_measure(events, KEEP_MAX_PACKET_EVENTS, &len));
    ck_assert_uint_eq(len, KEEP_MAX_PAYLOAD_LEN);
    assert_status(keep__frame_measure(events, KEEP_MAX_PACKET_EVENTS + 1, &len), KEEP_ERR_PACKET_TOO_MANY_EVENTS);
    assert_status(keep__frame_measure(halves, 2, &len), KEEP_ERR_PACKET_TOO_LARGE);
    assert_status(keep__frame_measure(&nothing, 1, &len), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_uint_eq(len, KEEP_MAX_PAYLOAD_LEN);
}
END_TEST

RUN_SUITE("frame", ONCE(each_field_of_a_header_has_its_place), ONCE(all_but_hops_and_nonce_is_authenticated),
          ONCE(a_parser_reads_no_more_than_it_was_given),
          ONCE(a_hostile_count_asks_for_no_more_spans_than_the_payload_can_hold), ONCE(frames_are_exactly_the_payload),
          ONCE(measuring_never_wraps))
