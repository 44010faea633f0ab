/* SPDX-License-Identifier: MIT */
/*
 * Open, white box: authentic packets whose frames are wrong (packet R20), which no session of ours seals.
 */
#include "keep/packet.h"

#include "packet/frame.h"
#include "packet/sodium.h"

#include "support/packets.h"

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

RUN_SUITE("open", ONCE(wrong_frames_are_told_erased_and_cost_their_counter))
