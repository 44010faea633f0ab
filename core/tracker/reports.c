/* SPDX-License-Identifier: MIT */
/*
 * Reports. Invariant: the `count` reports from `first` on, around the end, have events that were not given yet.
 */
#include "tracker/reports.h"

#include "base/die.h"
#include "base/banned.h"

void keep__report_say(keep__report *report, unsigned kind)
{
    keep__assert(report->count < KEEP__REPORT_EVENTS);
    report->kinds[report->count++] = (uint8_t)kind;
}

void keep__reports_add(keep__reports *reports, const keep__report *report)
{
    if (report->count == 0)
        return;
    keep__assert(reports->count < KEEP__REPORTS);
    reports->queue[(reports->first + reports->count) % KEEP__REPORTS] = *report;
    reports->count++;
}

void keep__reports_say(keep__reports *reports, const keep_event *event)
{
    keep__report report = { .event = *event };

    keep__report_say(&report, event->kind);
    keep__reports_add(reports, &report);
}

static keep_event next_event(keep__report *report)
{
    uint32_t kind = report->kinds[report->given++];

    if (kind == KEEP_EVENT_EVICTED) {
        return (keep_event){
            .at_ns = report->event.at_ns,
            .kind = kind,
            .pid = report->evicted_pid,
            .origin = (uint8_t)KEEP_ORIGIN_NONE,
        };
    }
    report->event.kind = kind;
    return report->event;
}

size_t keep__reports_give(keep__reports *reports, keep_event *out, size_t cap)
{
    size_t given = 0;

    while (given < cap && reports->count > 0) {
        keep__report *report = &reports->queue[reports->first];

        out[given++] = next_event(report);
        if (report->given == report->count) {
            reports->first = (reports->first + 1) % KEEP__REPORTS;
            reports->count--;
        }
    }
    return given;
}
