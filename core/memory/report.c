/* SPDX-License-Identifier: MIT */
/*
 * Report: what the machine and the process allow. Each fact is asked alone, and is -1 if there is no answer.
 */
#include "keep/protect.h"

#include <stdbool.h>

#include "base/file.h"
#include "base/options.h"
#include "base/trace.h"
#include "memory/harden.h"
#include "memory/pages.h"
#include "memory/selftest.h"
#include "base/banned.h"

#define CAP_IPC_LOCK 14
#define STATUS_FILE "/proc/thread-self/status"

/* A number in a file of the kernel: on the first line that begins with `prefix`, in `unit`s. */
static int64_t read_number(const char *path, const char *prefix, uint64_t unit)
{
    char text[KEEP__LINE_CAP];
    uint64_t number;

    if (!keep__file_find(path, prefix, text) || keep__parse_u64(text, 10, &number) == NULL)
        return -1;
    return number > INT64_MAX / unit ? -1 : (int64_t)(number * unit);
}

/* Whether a line of uid_map maps all numbers to themselves. */
static bool is_whole_map(const char *line)
{
    static const uint64_t wanted[] = { 0, 0, UINT32_MAX };

    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        uint64_t number;

        line = keep__parse_u64(line, 10, &number);
        if (line == NULL || number != wanted[i])
            return false;
    }
    return true;
}

/* Only in the first user namespace do capabilities lift limits. */
static bool is_in_first_namespace(void)
{
    keep__lines lines;
    bool is_first;

    if (keep__lines_open("/proc/thread-self/uid_map", &lines) != KEEP_OK)
        return true; /* a kernel without user namespaces */
    is_first = keep__lines_next(&lines) && is_whole_map(lines.line);
    keep__lines_close(&lines);
    return is_first;
}

static int64_t may_lock_all(void)
{
    char text[KEEP__LINE_CAP];
    uint64_t capabilities;

    if (!keep__file_find(STATUS_FILE, "CapEff:", text) || keep__parse_u64(text, 16, &capabilities) == NULL)
        return -1;
    return (capabilities >> CAP_IPC_LOCK & 1) != 0 && is_in_first_namespace();
}

static int64_t read_core_pattern(void)
{
    char text[KEEP__LINE_CAP];

    if (!keep__file_find("/proc/sys/kernel/core_pattern", "", text))
        return -1;
    /* | starts a program, @ (Linux 6.16) connects to one */
    return text[0] == '|' || text[0] == '@' ? KEEP_CORE_PATTERN_PIPE : KEEP_CORE_PATTERN_FILE;
}

/* Pages that hold no secret get no other advice than all others. */
static int64_t has_wipe_on_fork(void)
{
    keep__pages_wish wish = { .backing = KEEP__BACKING_PLAIN };
    keep__pages pages;
    keep_status st = keep__pages_map(keep__page_size(), wish, &pages);

    keep__pages_unmap(&pages);
    if (st == KEEP_OK)
        return 1;
    return st == KEEP_ERR_UNSUPPORTED ? 0 : -1;
}

static void tell_process(struct keep_memory_report *out)
{
    keep__process process;

    keep__process_read(&process);
    out->memlock_soft = process.memlock.soft;
    out->memlock_hard = process.memlock.hard;
    out->hardening = keep__process_hardening(&process);
    out->core_limit = process.core.soft;
    out->dumpable = process.dumpable;
    out->no_new_privs = process.no_new_privs;
    out->no_new_code = process.no_new_code;
    out->locked_bytes = read_number(STATUS_FILE, "VmLck:", 1024);
    out->cap_ipc_lock = may_lock_all();
}

static void tell_machine(struct keep_memory_report *out)
{
    out->page_size = (int64_t)keep__page_size();
    out->memfd_secret = keep__pages_has_memfd_secret();
    out->wipe_on_fork = has_wipe_on_fork();
    out->core_pattern = read_core_pattern();
    out->yama_scope = read_number("/proc/sys/kernel/yama/ptrace_scope", "", 1);
    out->swap_bytes = read_number("/proc/meminfo", "SwapTotal:", 1024);
}

static keep_status test_memory(const keep_pool_options *options, struct keep_memory_report *out)
{
    keep__findings findings;
    keep_status st = keep__selftest_run(options, &findings);

    if (st != KEEP_OK)
        return st;
    out->backing = findings.backing;
    out->checked = findings.checked;
    out->failed = findings.failed;
    out->passed = findings.checked & ~findings.failed;
    return findings.failed == 0 ? KEEP_OK : keep__trace(KEEP_ERR_SYSTEM);
}

keep_status keep_memory_report(const keep_pool_options *options, struct keep_memory_report *out_report)
{
    struct keep_memory_report report = KEEP_MEMORY_REPORT_INIT;
    keep_status st = keep__report_check(out_report, KEEP__SIZE_UP_TO(struct keep_memory_report, failed));

    if (st != KEEP_OK)
        return st;
    tell_machine(&report);
    tell_process(&report);
    if (options != NULL)
        st = test_memory(options, &report);
    if (st != KEEP_ERR_INVALID_ARGUMENT)
        keep__report_fill(out_report, &report, sizeof report);
    return st;
}
