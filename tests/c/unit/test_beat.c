/* SPDX-License-Identifier: MIT */
/*
 * Frame, sealed and slot, white box: both ways to a checksum, and what is no frame. What frames are is compared in
 * tests/c/vectors.
 */
#include "tracker/frame.h"

#include <string.h>

#include "support/stream.h"
#include "support/suite.h"
#include "tracker/sealed.h"
#include "tracker/slot.h"

START_TEST(processor_and_tables_have_one_checksum)
{
    struct stream stream = stream_begin();
    uint8_t bytes[64];

    ck_assert_uint_eq(keep__crc32c((const uint8_t *)"123456789", 9), 0xE3069283);
    ck_assert_uint_eq(keep__crc32c_by_tables((const uint8_t *)"123456789", 9), 0xE3069283);
    for (int i = 0; i < 1000; i++) {
        stream_fill(&stream, bytes, sizeof bytes);
        for (size_t len = 0; len <= sizeof bytes; len++)
            ck_assert_uint_eq(keep__crc32c(bytes, len), keep__crc32c_by_tables(bytes, len));
    }
}
END_TEST

/* tracker R2, R39 */
START_TEST(what_decoding_would_refuse_is_not_encoded)
{
    static const keep__beat beats[] = {
        { .pid = 0 },
        { .pid = 5, .health = KEEP_HEALTH_CRITICAL + 1 },
        { .pid = 5, .nonce = KEEP__NONCE_TERMINAL },
        { .pid = 5, .nonce = KEEP__NONCE_TERMINAL, .health = KEEP_HEALTH_OK },
    };
    static const keep__notice notices[] = {
        { .op = KEEP__NOTICE_REGISTER, .pid = 1 },
        { .op = 9, .pid = 5 },
        { .op = KEEP__NOTICE_GOODBYE, .pid = 5, .nonce = KEEP__NONCE_TERMINAL },
    };
    uint8_t frame[KEEP_BEAT_LEN] = { 0 };

    for (size_t i = 0; i < sizeof beats / sizeof *beats; i++)
        assert_status(keep__beat_encode(&beats[i], frame), KEEP_ERR_INVALID_ARGUMENT);
    for (size_t i = 0; i < sizeof notices / sizeof *notices; i++)
        assert_status(keep__notice_encode(&notices[i], frame), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert(are_all(frame, 0, sizeof frame));
}
END_TEST

START_TEST(a_last_word_and_a_notice_are_known_by_both_their_marks)
{
    ck_assert(keep__is_terminal(KEEP__NONCE_TERMINAL, KEEP_HEALTH_CRITICAL));
    ck_assert(!keep__is_terminal(KEEP__NONCE_TERMINAL, KEEP_HEALTH_OK));
    ck_assert(!keep__is_terminal(1, KEEP_HEALTH_CRITICAL));
    ck_assert(keep__is_notice((const uint8_t *)"KP"));
    ck_assert(!keep__is_notice((const uint8_t *)"KA") && !keep__is_notice((const uint8_t *)"VP"));
}
END_TEST

/* tracker R4: what is sealed for one pid and says another is refused, and what says none is for the decoder */
START_TEST(a_frame_of_no_form_opens_under_a_master_key)
{
    static const uint8_t key[KEEP__BEAT_KEY_LEN] = { 7 };
    static const char *const begins[] = { "KP", "VA", "" };
    uint8_t agent[KEEP__BEAT_KEY_LEN];
    keep__sealing sealing = { .key = agent, .mode = KEEP_BEAT_MASTER, .pid = 5 };
    uint8_t wire[KEEP_BEAT_MASTER_LEN];
    uint8_t frame[KEEP_BEAT_LEN] = { 0 };
    uint8_t opened[KEEP_BEAT_LEN];

    memcpy(frame, begins[_i], strlen(begins[_i]));
    keep__agent_key(key, sealing.pid, agent);
    keep__sealed_seal(&sealing, frame, wire);
    assert_ok(keep__sealed_open(key, KEEP_BEAT_MASTER, wire, sizeof wire, opened));
    assert_bytes(opened, frame, sizeof frame);
}
END_TEST

START_TEST(who_cannot_stall_has_no_deadline)
{
    keep__slot slot = { .start = 5, .limit_ns = 7, .grace_ns = 3 };

    ck_assert_uint_eq(keep__slot_deadline(&slot), 12);
    slot.marks = KEEP__SLOT_UNARMED;
    ck_assert_uint_eq(keep__slot_deadline(&slot), KEEP_TIME_NEVER);
}
END_TEST

RUN_SUITE("beat", ONCE(processor_and_tables_have_one_checksum), ONCE(what_decoding_would_refuse_is_not_encoded),
          ONCE(a_last_word_and_a_notice_are_known_by_both_their_marks),
          TIMES(a_frame_of_no_form_opens_under_a_master_key, 3), ONCE(who_cannot_stall_has_no_deadline))
