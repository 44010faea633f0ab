/* SPDX-License-Identifier: MIT */
/*
 * Admit, white box: what a sighting may be, and the windows of nonces and silence (tracker R10, R11).
 */
#include "tracker/ledger.h"

#include <string.h>

#include "support/suite.h"

static _Alignas(16) uint8_t memory[4096];
static keep__ledger ledger;

static void begin(void)
{
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;

    options.capacity = 2;
    options.threshold_ns = 100;
    options.statistics = 1;
    ck_assert_uint_le(keep__ledger_len(&options), sizeof memory);
    memset(memory, 0, sizeof memory);
    keep__ledger_init(&ledger, &options, memory);
    keep__ledger_move(&ledger, 1000);
}

static keep_admission admit(keep_sighting sighting)
{
    keep_admission admission;

    sighting.pid = 5;
    ck_assert(keep__sighting_allowed(&sighting));
    keep__ledger_record(&ledger, &sighting, &admission);
    return admission;
}

#define KERNEL(...) ((keep_sighting){ .origin = KEEP_ORIGIN_KERNEL, __VA_ARGS__ })
#define NETWORK(...) ((keep_sighting){ .origin = KEEP_ORIGIN_NETWORK, __VA_ARGS__ })
#define LAST_WORD .nonce = UINT64_MAX, .health = KEEP_HEALTH_CRITICAL

START_TEST(sightings_that_cannot_be_are_refused)
{
    static const struct {
        keep_sighting sighting;
        bool is_allowed;
    } cases[] = {
        { { .pid = 1 }, true },
        { { .pid = 0 }, false },
        { { .pid = 1, .health = 2 }, true },
        { { .pid = 1, .health = 3 }, false },
        { { .pid = 1, .origin = KEEP_ORIGIN_KERNEL }, true },
        { { .pid = 1, .origin = KEEP_ORIGIN_KERNEL + 1 }, false },
        { { .pid = 1, .origin = (uint8_t)KEEP_ORIGIN_NONE }, false },
        { { .pid = 1, .flags = 2 }, false },
        { { .pid = 1, .flags = 1, .origin = KEEP_ORIGIN_KERNEL, .nonce = UINT64_MAX }, true },
        { { .pid = 1, .flags = 1, .origin = KEEP_ORIGIN_OPERATOR }, false },
        { { .pid = 1, .nonce = UINT64_MAX }, false },
        { { .pid = 1, LAST_WORD }, true },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(keep__sighting_allowed(&cases[i].sighting) == cases[i].is_allowed, "case %zu", i);
}
END_TEST

START_TEST(a_nonce_wraps_from_its_window_into_its_window)
{
    static const uint64_t window = 1 << 20;
    static const struct {
        uint64_t before, after;
        bool wraps;
    } cases[] = {
        { UINT64_MAX - window, window, true },
        { UINT64_MAX - window - 1, window, false },
        { UINT64_MAX - window, window + 1, false },
        { UINT64_MAX - 1, 0, true },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        keep_admission admission;

        begin();
        (void)admit(KERNEL(.nonce = cases[i].before));
        admission = admit(KERNEL(.nonce = cases[i].after));
        ck_assert_uint_eq(admission.verdict, cases[i].wraps ? KEEP_VERDICT_REFRESHED : KEEP_VERDICT_OUT_OF_ORDER);
        ck_assert_uint_eq(admission.flags, cases[i].wraps ? KEEP_ADMISSION_WRAPPED : 0);
    }
}
END_TEST

START_TEST(a_network_stream_begins_again_after_a_limit_of_silence)
{
    begin();
    (void)admit(NETWORK(.nonce = 50));
    keep__ledger_move(&ledger, 1099);
    ck_assert_uint_eq(admit(NETWORK(.nonce = 1)).verdict, KEEP_VERDICT_OUT_OF_ORDER);
    keep__ledger_move(&ledger, 1100);
    ck_assert_uint_eq(admit(NETWORK(.nonce = 50)).flags, KEEP_ADMISSION_RECYCLED);
    keep__ledger_move(&ledger, 1200);
    ck_assert_uint_eq(admit(NETWORK(.nonce = 51)).flags, 0);
}
END_TEST

START_TEST(a_last_word_leaves_the_stream_alone)
{
    begin();
    (void)admit(KERNEL(.nonce = 7));
    ck_assert_uint_eq(admit(KERNEL(LAST_WORD, .timestamp_ns = 0)).flags, KEEP_ADMISSION_TERMINAL);
    ck_assert_uint_eq(keep__slot_nonce(&ledger.slots[0]), UINT64_MAX);
    ck_assert_uint_eq(admit(KERNEL(LAST_WORD, .timestamp_ns = 0)).verdict, KEEP_VERDICT_OUT_OF_ORDER);
    ck_assert_uint_eq(admit(KERNEL(LAST_WORD, .timestamp_ns = 1)).verdict, KEEP_VERDICT_REFRESHED);
    ck_assert_uint_eq(admit(KERNEL(.nonce = 8)).verdict, KEEP_VERDICT_REFRESHED);
    ck_assert_uint_eq(keep__slot_nonce(&ledger.slots[0]), 8);
}
END_TEST

START_TEST(a_refused_sighting_teaches_nothing)
{
    begin();
    (void)admit(KERNEL(.nonce = 7));
    ck_assert_uint_eq(admit(KERNEL(.nonce = 7, .ns_inode = 3, .generation = 4)).verdict, KEEP_VERDICT_OUT_OF_ORDER);
    ck_assert_uint_eq(ledger.slots[0].generation, 0);
    ck_assert_uint_eq(ledger.slots[0].ns_inode, 0);
    (void)admit(KERNEL(.nonce = 8, .ns_inode = 3, .generation = 4));
    ck_assert_uint_eq(ledger.slots[0].generation, 4);
    ck_assert_uint_eq(ledger.slots[0].ns_inode, 3);
}
END_TEST

START_TEST(an_upgrade_forgets_the_stream)
{
    begin();
    (void)admit(NETWORK(.nonce = 70));
    ck_assert_uint_eq(admit(NETWORK(.nonce = 70)).verdict, KEEP_VERDICT_OUT_OF_ORDER);
    ck_assert_uint_eq(admit(KERNEL(.nonce = 1)).flags, KEEP_ADMISSION_UPGRADED);
    ck_assert_uint_eq(ledger.slots[0].beats, 1);
    ck_assert_uint_eq(ledger.slots[0].out_of_order, 0);
    ck_assert_uint_eq(admit(NETWORK(.nonce = 71)).verdict, KEEP_VERDICT_ORIGIN_CONFLICT);
}
END_TEST

START_TEST(only_intervals_of_the_rhythm_are_sampled)
{
    static const keep_agent_settings none;
    uint32_t evicted;

    begin();
    (void)admit(KERNEL(.nonce = 1));
    keep__ledger_move(&ledger, 1010);
    (void)admit(KERNEL(.nonce = 2));
    ck_assert_uint_eq(ledger.intervals[0].count, 1);
    (void)admit(KERNEL(LAST_WORD));
    (void)admit(KERNEL(.nonce = 3)); /* after a last word */
    ck_assert_uint_eq(ledger.intervals[0].count, 1);
    keep__ledger_move(&ledger, 1011);
    assert_ok(keep__ledger_put(&ledger, 5, &none, &evicted));
    (void)admit(KERNEL(.nonce = 4)); /* across a put */
    ck_assert_uint_eq(ledger.intervals[0].count, 1);
    (void)admit(KERNEL(.flags = KEEP_SIGHTING_UNNUMBERED));
    ck_assert_uint_eq(ledger.intervals[0].count, 2);
}
END_TEST

RUN_SUITE("admit", ONCE(sightings_that_cannot_be_are_refused), ONCE(a_nonce_wraps_from_its_window_into_its_window),
          ONCE(a_network_stream_begins_again_after_a_limit_of_silence), ONCE(a_last_word_leaves_the_stream_alone),
          ONCE(a_refused_sighting_teaches_nothing), ONCE(an_upgrade_forgets_the_stream),
          ONCE(only_intervals_of_the_rhythm_are_sampled))
