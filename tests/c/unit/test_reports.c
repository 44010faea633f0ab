/* SPDX-License-Identifier: MIT */
/*
 * Reports, white box: events in order through a queue of any fill.
 */
#include "tracker/reports.h"

#include <string.h>

#include "support/stream.h"
#include "support/suite.h"

static keep__reports reports;

static void add_report(uint32_t pid, unsigned events)
{
    keep__report report = { .event = { .pid = pid }, .evicted_pid = 99 };

    for (unsigned i = 0; i < events; i++)
        keep__report_say(&report, KEEP_EVENT_BEAT + i);
    keep__reports_add(&reports, &report);
}

START_TEST(events_come_out_as_they_went_in)
{
    struct stream stream = stream_begin();
    uint32_t next_in = 0, next_out = 0;
    keep_event events[16];

    for (int i = 0; i < 20000; i++) {
        size_t cap = stream_below(&stream, 16), count;

        if (reports.count < KEEP__REPORTS)
            add_report(next_in++, 1);
        count = keep__reports_give(&reports, events, cap);
        ck_assert_uint_le(count, cap);
        for (size_t j = 0; j < count; j++)
            ck_assert_uint_eq(events[j].pid, next_out++);
        ck_assert_uint_eq(reports.count, next_in - next_out);
    }
}
END_TEST

START_TEST(a_report_is_given_in_parts)
{
    keep_event events[KEEP__REPORT_EVENTS];
    unsigned kind = KEEP_EVENT_BEAT;

    add_report(5, 0);
    ck_assert_uint_eq(reports.count, 0);
    add_report(5, KEEP__REPORT_EVENTS);
    for (size_t cap = 0; reports.count > 0; cap = cap % 3 + 1) {
        size_t count = keep__reports_give(&reports, events, cap);

        for (size_t i = 0; i < count; i++)
            ck_assert_uint_eq(events[i].kind, kind++);
    }
    ck_assert_uint_eq(kind, KEEP_EVENT_BEAT + KEEP__REPORT_EVENTS);
}
END_TEST

START_TEST(who_was_evicted_is_told_by_pid_alone)
{
    keep__report report = { .event = { .at_ns = 7, .pid = 5, .nonce = 8, .origin = KEEP_ORIGIN_KERNEL },
                            .evicted_pid = 4 };
    keep_event events[2];

    keep__report_say(&report, KEEP_EVENT_EVICTED);
    keep__report_say(&report, KEEP_EVENT_BEAT);
    keep__reports_add(&reports, &report);
    ck_assert_uint_eq(keep__reports_give(&reports, events, 2), 2);
    ck_assert_uint_eq(events[0].pid, 4);
    ck_assert_uint_eq(events[0].nonce, 0);
    ck_assert_uint_eq(events[0].at_ns, 7);
    ck_assert_uint_eq(events[0].origin, KEEP_ORIGIN_NONE);
    ck_assert_uint_eq(events[1].pid, 5);
}
END_TEST

RUN_SUITE("reports", ONCE(events_come_out_as_they_went_in), ONCE(a_report_is_given_in_parts),
          ONCE(who_was_evicted_is_told_by_pid_alone))
