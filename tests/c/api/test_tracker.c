/* SPDX-License-Identifier: MIT */
/*
 * keep/tracker.h from outside. What beats do to a ledger is in tests/c/vectors and tests/c/model; here is the rest.
 */
#include <keep/tracker.h>

#include <stdlib.h>
#include <string.h>

#include "support/forked.h"
#include "support/suite.h"

static keep_tracker *tracker_of(uint32_t capacity)
{
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;
    keep_tracker *tracker = NULL;

    options.capacity = capacity;
    assert_ok(keep_tracker_new(&options, &tracker));
    return tracker;
}

static void record_pids(keep_tracker *tracker, uint32_t first, uint32_t last)
{
    for (uint32_t pid = first; pid <= last; pid++) {
        keep_sighting sighting = { .pid = pid, .nonce = 1, .origin = KEEP_ORIGIN_KERNEL };
        keep_admission admission;

        assert_ok(keep_tracker_record(tracker, &sighting, 1, 1, &admission));
        ck_assert_uint_eq(admission.verdict, KEEP_VERDICT_INSERTED);
    }
}

START_TEST(a_batch_is_refused_whole)
{
    KEEP_AUTO(keep_tracker) tracker = tracker_of(4);
    static keep_sighting sightings[KEEP_MAX_BATCH + 1];
    static keep_admission admissions[KEEP_MAX_BATCH + 1];
    struct keep_tracker_stats stats = KEEP_TRACKER_STATS_INIT;

    for (size_t i = 0; i <= KEEP_MAX_BATCH; i++)
        sightings[i] = (keep_sighting){ .pid = 5, .nonce = i };
    assert_status(keep_tracker_record(tracker, sightings, 0, 1, admissions), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_record(tracker, sightings, KEEP_MAX_BATCH + 1, 1, admissions),
                  KEEP_ERR_INVALID_ARGUMENT);
    sightings[KEEP_MAX_BATCH - 1].pid = 0;
    assert_status(keep_tracker_record(tracker, sightings, KEEP_MAX_BATCH, 1, admissions), KEEP_ERR_INVALID_ARGUMENT);
    assert_ok(keep_tracker_stats(tracker, &stats));
    ck_assert_uint_eq(stats.beats, 0);
    sightings[KEEP_MAX_BATCH - 1].pid = 5;
    assert_ok(keep_tracker_record(tracker, sightings, KEEP_MAX_BATCH, 1, admissions));
    assert_ok(keep_tracker_stats(tracker, &stats));
    ck_assert_uint_eq(stats.beats, KEEP_MAX_BATCH);
    ck_assert_uint_eq(stats.agents, 1);
}
END_TEST

START_TEST(a_listing_tells_each_agent_once)
{
    KEEP_AUTO(keep_tracker) tracker = tracker_of(10);
    keep_agent_info infos[3] = { KEEP_AGENT_INFO_INIT };
    bool seen[11] = { false };
    uint64_t cursor = 0;
    size_t count;

    record_pids(tracker, 1, 10);
    assert_ok(keep_tracker_delete(tracker, 4, KEEP_REASON_OPERATOR, 1));
    do {
        assert_ok(keep_tracker_list(tracker, &cursor, infos, 3, &count));
        for (size_t i = 0; i < count; i++) {
            ck_assert_uint_eq(infos[i].size, sizeof infos[i]);
            ck_assert(!seen[infos[i].pid]);
            seen[infos[i].pid] = true;
        }
    } while (count > 0);
    for (uint32_t pid = 1; pid <= 10; pid++)
        ck_assert_int_eq(seen[pid], pid != 4);
    assert_status(keep_tracker_list(tracker, &cursor, infos, 0, &count), KEEP_ERR_INVALID_ARGUMENT);
    infos[0].size = 8;
    assert_status(keep_tracker_list(tracker, &cursor, infos, 3, &count), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(a_full_ledger_puts_nobody)
{
    KEEP_AUTO(keep_tracker) tracker = tracker_of(2);
    uint32_t evicted = 77;

    record_pids(tracker, 1, 2);
    assert_status(keep_tracker_put(tracker, 3, NULL, 1, &evicted), KEEP_ERR_EXHAUSTED);
    ck_assert_uint_eq(evicted, 77);
    assert_ok(keep_tracker_put(tracker, 2, NULL, 1, &evicted));
    ck_assert_uint_eq(evicted, 0);
}
END_TEST

START_TEST(a_drain_without_room_tells_nobody)
{
    KEEP_AUTO(keep_tracker) tracker = tracker_of(2);
    keep_alarm alarms[2];
    size_t count = 7;

    record_pids(tracker, 1, 2);
    assert_ok(keep_tracker_drain(tracker, KEEP_TIME_NEVER - 1, NULL, 0, &count));
    ck_assert_uint_eq(count, 0);
    assert_ok(keep_tracker_drain(tracker, KEEP_TIME_NEVER - 1, alarms, 2, &count));
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(alarms[0].pid, 1);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    KEEP_AUTO(keep_tracker) tracker = tracker_of(2);
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;
    keep_agent_settings settings = KEEP_AGENT_SETTINGS_INIT;
    keep_agent_info info = KEEP_AGENT_INFO_INIT;
    keep_tracker *other = NULL;
    uint64_t next;

    options.capacity = KEEP_MAX_AGENTS + 1;
    assert_status(keep_tracker_new(&options, &other), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_new(NULL, NULL), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_ptr_null(other);
    settings.misses = 1001;
    assert_status(keep_tracker_put(tracker, 5, &settings, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_put(tracker, 0, NULL, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_delete(tracker, 5, 0, 1), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_delete(tracker, 5, 5, 1), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_delete(tracker, 5, KEEP_REASON_EXITED, 1), KEEP_ERR_NOT_FOUND);
    assert_status(keep_tracker_get(tracker, 5, 1, &info), KEEP_ERR_NOT_FOUND);
    assert_status(keep_tracker_get(tracker, 5, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_next_deadline(tracker, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_next_deadline(NULL, &next), KEEP_ERR_INVALID_ARGUMENT);
    assert_ok(keep_tracker_next_deadline(tracker, &next));
    ck_assert_uint_eq(next, KEEP_TIME_NEVER);
    keep_tracker_free(NULL);
    keep_tracker_free(&other);
}
END_TEST

static void use_in_child(void *ctx)
{
    keep_tracker **tracker = ctx;
    struct keep_tracker_stats stats = KEEP_TRACKER_STATS_INIT;
    keep_tracker *own = NULL;
    uint64_t next;

    child_needs(keep_tracker_next_deadline(*tracker, &next) == KEEP_ERR_FORKED);
    child_needs(keep_tracker_stats(*tracker, &stats) == KEEP_ERR_FORKED);
    keep_tracker_free(tracker);
    child_needs(keep_tracker_new(NULL, &own) == KEEP_OK);
    keep_tracker_free(&own);
}

START_TEST(a_child_makes_a_ledger_of_its_own)
{
    keep_tracker *tracker = tracker_of(2);

    assert_returns(use_in_child, &tracker);
    record_pids(tracker, 1, 2);
    keep_tracker_free(&tracker);
}
END_TEST

/* Known answers are compared in tests/c/vectors; here is what is none. */
START_TEST(an_answer_needs_its_room_and_its_name)
{
    uint8_t out[4] = { 1, 1, 1, 1 };
    size_t len = 0;

    assert_status(keep_tracker_known_answer("crc32c", "123456789", 9, out, 3, &len), KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(len, 4);
    ck_assert(are_all(out, 1, sizeof out));
    assert_ok(keep_tracker_known_answer("crc32c", "123456789", 9, out, 4, &len));
    ck_assert_mem_eq(out, "\x83\x92\x06\xE3", 4);
    assert_status(keep_tracker_known_answer("crc32", "", 0, out, 4, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_known_answer("beat.encode", out, 3, out, 4, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_known_answer("beat.open", out, 4, out, 4, &len), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_known_answer("beat.decode", out, 4, out, 4, &len), KEEP_ERR_MALFORMED);
}
END_TEST

START_TEST(what_is_no_call_at_all_is_refused)
{
    KEEP_AUTO(keep_tracker) tracker = tracker_of(2);
    keep_tracker_options options = { .size = 1 };
    keep_agent_settings settings = { .size = 1 };
    keep_sighting sighting = { .pid = 5 };
    keep_admission admission;
    keep_agent_info info = KEEP_AGENT_INFO_INIT;
    keep_alarm alarm;
    keep_tracker *other = NULL;
    uint64_t cursor = 0;
    size_t count = 7;

    assert_status(keep_tracker_new(&options, &other), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_record(NULL, &sighting, 1, 1, &admission), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_record(tracker, NULL, 1, 1, &admission), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_record(tracker, &sighting, 1, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_drain(NULL, 1, &alarm, 1, &count), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_drain(tracker, 1, &alarm, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_drain(tracker, 1, NULL, 1, &count), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_put(NULL, 5, NULL, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_put(tracker, 5, &settings, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_delete(NULL, 5, KEEP_REASON_EXITED, 1), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_get(NULL, 5, 1, &info), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_list(NULL, &cursor, &info, 1, &count), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_list(tracker, NULL, &info, 1, &count), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_list(tracker, &cursor, &info, 1, NULL), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_tracker_list(tracker, &cursor, &info, 0, &count), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert(other == NULL && count == 7);
    assert_ok(keep_tracker_put(tracker, 5, NULL, 1, NULL));
    assert_ok(keep_tracker_drain(tracker, 1, NULL, 0, &count));
    ck_assert_uint_eq(count, 0);
}
END_TEST

RUN_SUITE("tracker", ONCE(a_batch_is_refused_whole), ONCE(a_listing_tells_each_agent_once),
          ONCE(a_full_ledger_puts_nobody), ONCE(a_drain_without_room_tells_nobody), ONCE(bad_arguments_are_refused),
          ONCE(a_child_makes_a_ledger_of_its_own), ONCE(an_answer_needs_its_room_and_its_name),
          ONCE(what_is_no_call_at_all_is_refused))
