/* SPDX-License-Identifier: MIT */
/*
 * Harden: the seam of prctl and of resource limits. What counts is what is read back: a measure that the kernel refused
 * because it was taken before is active, and one that cannot be read is not.
 */
#include "memory/harden.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/options.h"
#include "base/trace.h"
#include "keep/protect.h"
#include "base/banned.h"

/* Linux 6.3; the headers of older systems lack them. */
#define SET_MDWE 65
#define GET_MDWE 66
#define MDWE_REFUSE_EXEC_GAIN 1

#define MEASURES 4U
#define ALL_MEASURES (KEEP_HARDEN_NO_CORE | KEEP_HARDEN_NO_DUMP | KEEP_HARDEN_NO_NEW_PRIVS | KEEP_HARDEN_NO_NEW_CODE)

_Static_assert(ALL_MEASURES == (1 << MEASURES) - 1, "measures are the lowest bits");

static int64_t bytes_of_limit(rlim_t limit)
{
    return limit > (rlim_t)KEEP_UNLIMITED ? KEEP_UNLIMITED : (int64_t)limit;
}

/* What getrlimit gave. */
static keep__limit limit_of(int result, const struct rlimit *limit)
{
    if (result != 0)
        return (keep__limit){ -1, -1 };
    return (keep__limit){ bytes_of_limit(limit->rlim_cur), bytes_of_limit(limit->rlim_max) };
}

static int64_t read_property(int option)
{
    int value = prctl(option, 0UL, 0UL, 0UL, 0UL);

    return value < 0 ? -1 : value;
}

static int set_property(int option, unsigned long value)
{
    return prctl(option, value, 0UL, 0UL, 0UL);
}

static int refuse_cores(void)
{
    static const struct rlimit none = { 0, 0 };

    return setrlimit(RLIMIT_CORE, &none);
}

/* 0, or -1 with errno. */
static int take_measure(uint32_t measure)
{
    switch (measure) {
    case KEEP_HARDEN_NO_CORE:
        return refuse_cores();
    case KEEP_HARDEN_NO_DUMP:
        return set_property(PR_SET_DUMPABLE, 0);
    case KEEP_HARDEN_NO_NEW_PRIVS:
        return set_property(PR_SET_NO_NEW_PRIVS, 1);
    default:
        return set_property(SET_MDWE, MDWE_REFUSE_EXEC_GAIN);
    }
}

/* Takes what is requested; errno of each refusal, ENOTSUP where nobody refused and it may still turn out not to hold. */
static void take_measures(uint32_t requested, int32_t *error)
{
    for (uint32_t bit = 0; bit < MEASURES; bit++) {
        if ((requested >> bit & 1) != 0)
            error[bit] = take_measure(1U << bit) == 0 ? ENOTSUP : errno;
    }
}

void keep__process_read(keep__process *out)
{
    struct rlimit limit;

    out->memlock = limit_of(getrlimit(RLIMIT_MEMLOCK, &limit), &limit);
    out->core = limit_of(getrlimit(RLIMIT_CORE, &limit), &limit);
    out->dumpable = read_property(PR_GET_DUMPABLE);
    out->no_new_privs = read_property(PR_GET_NO_NEW_PRIVS);
    out->no_new_code = read_property(GET_MDWE);
    if (out->no_new_code > 0)
        out->no_new_code &= MDWE_REFUSE_EXEC_GAIN;
}

uint32_t keep__process_hardening(const keep__process *process)
{
    const bool holds[MEASURES] = {
        process->core.soft == 0 && process->core.hard == 0,
        process->dumpable == 0,
        process->no_new_privs == 1,
        process->no_new_code == 1,
    };
    uint32_t active = 0;

    for (uint32_t bit = 0; bit < MEASURES; bit++)
        active |= (uint32_t)holds[bit] << bit;
    return active;
}

keep_status keep_harden(uint32_t flags, struct keep_harden_report *out_report)
{
    struct keep_harden_report report = KEEP_HARDEN_REPORT_INIT;
    keep__process process;

    if (out_report != NULL &&
        keep__report_check(out_report, KEEP__SIZE_UP_TO(struct keep_harden_report, error)) != KEEP_OK)
        return KEEP_ERR_INVALID_ARGUMENT;
    if ((flags & ~(uint32_t)ALL_MEASURES) != 0)
        return KEEP_ERR_INVALID_ARGUMENT;
    take_measures(flags, report.error);
    keep__process_read(&process);
    report.requested = flags;
    report.active = keep__process_hardening(&process);
    report.failed = flags & ~report.active;
    for (uint32_t bit = 0; bit < MEASURES; bit++) {
        if ((report.failed >> bit & 1) == 0)
            report.error[bit] = 0;
    }
    if (out_report != NULL)
        keep__report_fill(out_report, &report, sizeof report);
    return report.failed == 0 ? KEEP_OK : keep__trace(KEEP_ERR_SYSTEM);
}
