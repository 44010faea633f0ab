/* SPDX-License-Identifier: MIT */
/*
 * Ledger, white box: each rule of time one nanosecond to either side (tracker R8, R9, R15 to R20).
 */
#include "tracker/ledger.h"

#include <string.h>

#include "support/suite.h"

enum {
    CAPACITY = 4
};

static _Alignas(16) uint8_t memory[8192];
static keep__ledger ledger;

static void begin(uint32_t policy, uint64_t max_gap_ns)
{
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;

    options.capacity = CAPACITY;
    options.policy = policy;
    options.threshold_ns = 100;
    options.max_gap_ns = max_gap_ns;
    ck_assert_uint_le(keep__ledger_len(&options), sizeof memory);
    memset(memory, 0, sizeof memory);
    keep__ledger_init(&ledger, &options, memory);
}

static uint32_t record_at(uint32_t pid, uint64_t nonce, uint64_t now_ns)
{
    keep_sighting sighting = { .pid = pid, .nonce = nonce, .origin = KEEP_ORIGIN_KERNEL };
    keep_admission admission;

    keep__ledger_move(&ledger, now_ns);
    keep__ledger_record(&ledger, &sighting, &admission);
    return admission.verdict;
}

static uint32_t put_at(uint32_t pid, keep_agent_settings settings, uint64_t now_ns)
{
    uint32_t evicted = 0;

    keep__ledger_move(&ledger, now_ns);
    assert_ok(keep__ledger_put(&ledger, pid, &settings, &evicted));
    return evicted;
}

/* The pid that is due at that time; 0: nobody is. */
static uint32_t due_at(uint64_t now_ns)
{
    uint32_t at;

    keep__ledger_move(&ledger, now_ns);
    at = keep__ledger_due(&ledger);
    return at == KEEP__NOBODY ? 0 : ledger.slots[at].pid;
}

static void stall_all_at(uint64_t now_ns)
{
    keep_alarm alarm;
    uint32_t at;

    keep__ledger_move(&ledger, now_ns);
    while ((at = keep__ledger_due(&ledger)) != KEEP__NOBODY)
        keep__ledger_stall(&ledger, at, &alarm);
}

START_TEST(an_agent_is_due_when_its_limit_is_over)
{
    begin(KEEP_POLICY_STRICT, 0);
    (void)record_at(5, 1, 1000);
    ck_assert_uint_eq(keep__ledger_next(&ledger), 1100);
    ck_assert_uint_eq(due_at(1099), 0);
    ck_assert_uint_eq(due_at(1100), 5);
    ck_assert_uint_eq(keep__ledger_next(&ledger), 1100);
    ck_assert_uint_eq(due_at(1101), 5);
    ck_assert_uint_eq(keep__ledger_next(&ledger), 1101);
}
END_TEST

START_TEST(misses_multiply_and_grace_extends)
{
    keep_agent_settings thrice = { .misses = 3 }, graceful = { .grace_ns = 250 };

    begin(KEEP_POLICY_STRICT, 0);
    (void)put_at(5, thrice, 1000);
    ck_assert_uint_eq(due_at(1299), 0);
    ck_assert_uint_eq(due_at(1300), 5);
    (void)put_at(5, graceful, 2000);
    (void)record_at(5, 1, 2149);
    ck_assert_uint_eq(keep__slot_state(&ledger.slots[0]), KEEP_AGENT_STARTING);
    ck_assert_uint_eq(due_at(2249), 0);
    ck_assert_uint_eq(due_at(2250), 5);
    (void)record_at(5, 2, 2150);
    ck_assert_uint_eq(keep__slot_state(&ledger.slots[0]), KEEP_AGENT_ALIVE);
}
END_TEST

START_TEST(a_step_above_the_gap_is_nobodys_silence)
{
    begin(KEEP_POLICY_STRICT, 25);
    (void)record_at(5, 1, 1000);
    keep__ledger_move(&ledger, 1025);
    ck_assert_uint_eq(ledger.counts.outages, 0);
    ck_assert_uint_eq(keep__ledger_time_at(&ledger, 1051), 1050);
    ck_assert_uint_eq(due_at(1051), 0);
    ck_assert_uint_eq(ledger.counts.outages, 1);
    ck_assert_uint_eq(ledger.counts.outage_ns, 1);
    ck_assert_uint_eq(keep__ledger_next(&ledger), 1101);
    ck_assert_uint_eq(due_at(UINT64_MAX - 25), 0);
    ck_assert_uint_eq(due_at(UINT64_MAX), 5);
}
END_TEST

START_TEST(a_clock_that_goes_back_is_held)
{
    begin(KEEP_POLICY_STRICT, 0);
    (void)record_at(5, 1, 1000);
    ck_assert_uint_eq(due_at(999), 0);
    ck_assert_uint_eq(ledger.counts.clock_regressions, 1);
    ck_assert_uint_eq(ledger.clock, 1000);
    ck_assert_uint_eq(due_at(1100), 5);
}
END_TEST

START_TEST(a_victim_is_more_than_nine_limits_overdue)
{
    int balanced = _i;

    begin(balanced ? KEEP_POLICY_BALANCED : KEEP_POLICY_STRICT, 0);
    for (uint32_t pid = 1; pid <= CAPACITY; pid++)
        (void)record_at(pid, 1, 1000);
    if (!balanced)
        stall_all_at(1100);
    ck_assert_uint_eq(record_at(9, 1, 1100 + 900), KEEP_VERDICT_CAPACITY_EXCEEDED);
    ck_assert_uint_eq(record_at(9, 1, 1100 + 901), KEEP_VERDICT_INSERTED);
    ck_assert_uint_eq(keep__ledger_find(&ledger, 1), KEEP__NOBODY);
    ck_assert_uint_eq(ledger.counts.evictions, 1);
    ck_assert_uint_eq(ledger.counts.capacity_exceeded, 1);
}
END_TEST

START_TEST(a_strict_ledger_evicts_nobody_who_was_not_told)
{
    begin(KEEP_POLICY_STRICT, 0);
    for (uint32_t pid = 1; pid <= CAPACITY; pid++)
        (void)record_at(pid, 1, 1000);
    ck_assert_uint_eq(record_at(9, 1, 1000000), KEEP_VERDICT_CAPACITY_EXCEEDED);
}
END_TEST

START_TEST(a_deadline_of_never_does_not_come)
{
    keep_agent_settings endless = { .threshold_ns = UINT64_MAX };

    begin(KEEP_POLICY_BALANCED, 0);
    (void)put_at(5, endless, 1);
    ck_assert_uint_eq(keep__ledger_next(&ledger), KEEP_TIME_NEVER);
    ck_assert_uint_eq(due_at(UINT64_MAX), 0);
    endless.threshold_ns = UINT64_MAX / 2;
    endless.misses = 3;
    begin(KEEP_POLICY_BALANCED, 0);
    (void)put_at(5, endless, 1);
    ck_assert_uint_eq(due_at(UINT64_MAX), 0);
}
END_TEST

START_TEST(an_unarmed_agent_cannot_stall_until_it_beats)
{
    keep_agent_settings unarmed = { .unarmed = 1 };

    begin(KEEP_POLICY_STRICT, 0);
    (void)put_at(5, unarmed, 0);
    ck_assert_uint_eq(keep__ledger_next(&ledger), KEEP_TIME_NEVER);
    ck_assert_uint_eq(due_at(1000000), 0);
    (void)record_at(5, 1, 1000000);
    ck_assert_uint_eq(due_at(1000099), 0);
    ck_assert_uint_eq(due_at(1000100), 5);
}
END_TEST

START_TEST(deleting_counts_by_reason_and_frees_at_once)
{
    static const uint32_t reasons[] = { KEEP_REASON_GOODBYE, KEEP_REASON_EXITED, KEEP_REASON_RECYCLED,
                                        KEEP_REASON_OPERATOR };

    begin(KEEP_POLICY_STRICT, 0);
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t pid = 1; pid <= CAPACITY; pid++)
            ck_assert_uint_eq(record_at(10 * i + pid, 1, 1000), KEEP_VERDICT_INSERTED);
        for (uint32_t pid = CAPACITY; pid >= 1; pid--)
            keep__ledger_delete(&ledger, keep__ledger_find(&ledger, 10 * i + pid), reasons[i]);
    }
    ck_assert_uint_eq(ledger.counts.goodbyes, CAPACITY);
    ck_assert_uint_eq(ledger.counts.exits, CAPACITY);
    ck_assert_uint_eq(ledger.counts.recycles, CAPACITY);
    ck_assert_uint_eq(ledger.counts.deletes, CAPACITY);
    ck_assert_uint_eq(ledger.counts.agents, 0);
    ck_assert_uint_eq(ledger.deadlines.count, 0);
}
END_TEST

START_TEST(options_and_settings_have_their_ranges)
{
    static const struct {
        uint32_t capacity, misses, policy, statistics;
        uint64_t threshold_ns;
        bool is_allowed;
    } cases[] = {
        { 1, 1, 0, 0, 1, true },      { 65536, 1000, 1, 1, UINT64_MAX, true },
        { 0, 1, 0, 0, 1, false },     { 65537, 1, 0, 0, 1, false },
        { 1, 0, 0, 0, 1, false },     { 1, 1001, 0, 0, 1, false },
        { 1, 1, 2, 0, 1, false },     { 1, 1, 0, 2, 1, false },
        { 1, 1, 0, 0, 0, false },
    };
    keep_agent_settings settings = { .misses = 1000, .unarmed = 1 };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        keep_tracker_options options = {
            .capacity = cases[i].capacity,
            .misses = cases[i].misses,
            .policy = cases[i].policy,
            .statistics = cases[i].statistics,
            .threshold_ns = cases[i].threshold_ns,
        };

        ck_assert_int_eq(keep__ledger_allows(&options), cases[i].is_allowed);
    }
    ck_assert(keep__settings_allowed(&settings));
    settings.misses = 1001;
    ck_assert(!keep__settings_allowed(&settings));
    settings = (keep_agent_settings){ .unarmed = 2 };
    ck_assert(!keep__settings_allowed(&settings));
}
END_TEST

RUN_SUITE("ledger", ONCE(an_agent_is_due_when_its_limit_is_over), ONCE(misses_multiply_and_grace_extends),
          ONCE(a_step_above_the_gap_is_nobodys_silence), ONCE(a_clock_that_goes_back_is_held),
          TIMES(a_victim_is_more_than_nine_limits_overdue, 2),
          ONCE(a_strict_ledger_evicts_nobody_who_was_not_told), ONCE(a_deadline_of_never_does_not_come),
          ONCE(an_unarmed_agent_cannot_stall_until_it_beats), ONCE(deleting_counts_by_reason_and_frees_at_once),
          ONCE(options_and_settings_have_their_ranges))
