/* SPDX-License-Identifier: MIT */
/*
 * `keep doctor`: what keep_memory_report and keep_aead_report say, in words, and what to do about it; and how many beats
 * the kernel keeps for an observer that is busy.
 */
#include "command.h"

#include <inttypes.h>
#include <keep/keep.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_CAP 48
#define UNKNOWN (-1)

/* Writes what a value means. */
typedef void (*text_function)(int64_t value, char text[TEXT_CAP]);

struct fact {
    const char *label;
    int64_t value;
    text_function write;
};

/* A sentence that is printed if it applies. */
struct advice {
    bool applies;
    const char *sentence;
};

static void write_number(int64_t value, char text[TEXT_CAP])
{
    (void)snprintf(text, TEXT_CAP, "%" PRId64, value);
}

static void write_bytes(int64_t value, char text[TEXT_CAP])
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
    size_t unit = 0;

    if (value == KEEP_UNLIMITED) {
        (void)snprintf(text, TEXT_CAP, "no limit");
        return;
    }
    while (value != 0 && value % 1024 == 0 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    (void)snprintf(text, TEXT_CAP, "%" PRId64 " %s", value, units[unit]);
}

static void write_yes_no(int64_t value, char text[TEXT_CAP])
{
    (void)snprintf(text, TEXT_CAP, "%s", value != 0 ? "yes" : "no");
}

static void write_dumpable(int64_t value, char text[TEXT_CAP])
{
    static const char *const meanings[] = { "no", "yes", "for root only" };

    (void)snprintf(text, TEXT_CAP, "%s", value < 3 ? meanings[value] : "yes");
}

static void write_core_pattern(int64_t value, char text[TEXT_CAP])
{
    (void)snprintf(text, TEXT_CAP, "%s", value == KEEP_CORE_PATTERN_PIPE ? "a program" : "a file");
}

static void print_facts(const char *title, const struct fact *facts, size_t count)
{
    char text[TEXT_CAP];

    printf("%s\n", title);
    for (size_t i = 0; i < count; i++) {
        if (facts[i].value == UNKNOWN)
            (void)snprintf(text, sizeof text, "unknown");
        else
            facts[i].write(facts[i].value, text);
        printf("  %-32s %s\n", facts[i].label, text);
    }
    puts("");
}

/* The kernel's limit for every Unix datagram socket. */
static int64_t queue_limit(void)
{
    FILE *file = fopen("/proc/sys/net/unix/max_dgram_qlen", "re");
    char text[TEXT_CAP] = "";
    char *end = text;
    int64_t limit = UNKNOWN;

    if (file == NULL)
        return UNKNOWN;
    if (fgets(text, sizeof text, file) != NULL)
        limit = strtoll(text, &end, 10);
    (void)fclose(file);
    return end != text && *end == '\n' ? limit : UNKNOWN;
}

static void print_machine(const struct keep_memory_report *report)
{
    const struct fact facts[] = {
        { "page size", report->page_size, write_bytes },
        { "memfd_secret", report->memfd_secret, write_yes_no },
        { "pages wiped in a forked child", report->wipe_on_fork, write_yes_no },
        { "swap space", report->swap_bytes, write_bytes },
        { "core dumps go to", report->core_pattern, write_core_pattern },
        { "ptrace scope (Yama)", report->yama_scope, write_number },
        { "datagrams that a socket queues", queue_limit(), write_number },
    };

    print_facts("The machine", facts, sizeof facts / sizeof *facts);
}

static void print_process(const struct keep_memory_report *report)
{
    const struct fact facts[] = {
        { "may lock (RLIMIT_MEMLOCK)", report->memlock_soft, write_bytes },
        { "may raise that to", report->memlock_hard, write_bytes },
        { "exempt from it (CAP_IPC_LOCK)", report->cap_ipc_lock, write_yes_no },
        { "locked", report->locked_bytes, write_bytes },
        { "largest core (RLIMIT_CORE)", report->core_limit, write_bytes },
        { "dumpable", report->dumpable, write_dumpable },
        { "no new privileges", report->no_new_privs, write_yes_no },
        { "no new code (MDWE)", report->no_new_code, write_yes_no },
    };

    print_facts("A process started from here", facts, sizeof facts / sizeof *facts);
}

static const char *verdict_on(const struct keep_memory_report *report, uint32_t check)
{
    if ((report->failed & check) != 0)
        return "FAILED";
    return (report->passed & check) != 0 ? "passed" : "not checked";
}

static void print_checks(const struct keep_memory_report *report)
{
    static const struct {
        uint32_t check;
        const char *sentence;
    } checks[] = {
        { KEEP_CHECK_LOCKED, "secrets are never swapped out" },
        { KEEP_CHECK_NOT_DUMPED, "they are in no core dump" },
        { KEEP_CHECK_FORK_SAFE, "a forked child does not get them" },
        { KEEP_CHECK_GUARDS, "pages without access lie before and after them" },
        { KEEP_CHECK_HIDDEN, "nobody reads them from outside the process" },
        { KEEP_CHECK_WIPED, "freed ones are zero" },
        { KEEP_CHECK_SEALING, "sealed ones open again, changed ones do not" },
    };

    printf("Self-test, in %s\n",
           report->backing == KEEP_BACKING_MEMFD_SECRET ? "memory of memfd_secret" : "locked memory");
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        printf("  %-11s %s\n", verdict_on(report, checks[i].check), checks[i].sentence);
    puts("");
}

static void print_self_test(keep_status st, const struct keep_memory_report *report)
{
    if (report->checked != 0)
        print_checks(report);
    else
        printf("Self-test\n  not possible: %s (%s)\n\n", keep_status_sentence(st), keep_status_name(st));
}

/* One line: "  ipsec-mb    usable, 1.3.0, avx512-ifma: payloads of 0 to 8108 bytes". */
static void print_cipher(const struct keep_aead_report *report)
{
    static const char *const states[] = {
        [KEEP_AEAD_USABLE] = "usable",
        [KEEP_AEAD_NOT_BUILT] = "not built in",
        [KEEP_AEAD_NOT_FOUND] = "not found",
        [KEEP_AEAD_TOO_OLD] = "too old",
        [KEEP_AEAD_SELF_TEST_FAILED] = "FAILED its self-test",
        [KEEP_AEAD_DISABLED] = "FAILED in use",
    };
    bool is_used = report->state == KEEP_AEAD_USABLE && report->auto_min_len <= report->auto_max_len;

    printf("  %-11s %s", report->name, states[report->state]);
    if (report->version[0] != '\0')
        printf(", %s", report->version);
    if (report->form[0] != '\0')
        printf(", %s", report->form);
    if (is_used)
        printf(": payloads of %" PRIu32 " to %" PRIu32 " bytes", report->auto_min_len, report->auto_max_len);
    puts("");
}

static void print_ciphers(void)
{
    puts("What packets are sealed with");
    for (uint32_t which = KEEP_AEAD_SODIUM; which <= KEEP_AEAD_IPSEC_MB; which++) {
        struct keep_aead_report report = KEEP_AEAD_REPORT_INIT;
        keep_status st = keep_aead_report(which, &report);

        if (st == KEEP_OK)
            print_cipher(&report);
        else
            printf("  unknown: %s (%s)\n", keep_status_sentence(st), keep_status_name(st));
    }
    puts("");
}

static void print_advice(const char *title, const struct advice *advice, size_t count)
{
    printf("%s\n", title);
    for (size_t i = 0; i < count; i++) {
        if (advice[i].applies)
            printf("  - %s\n", advice[i].sentence);
    }
}

static void print_protection(const struct keep_memory_report *report)
{
    const struct advice advice[] = {
        { report->memfd_secret == 1,
          "memfd_secret: secrets are outside the kernel's own map, and nobody reads them from outside the process" },
        { report->memfd_secret != 1, "no memfd_secret: it takes Linux 5.14, and before 6.5 secretmem.enable=1 at boot; "
                                     "secrets lie in locked memory" },
        { report->wipe_on_fork == 0, "no MADV_WIPEONFORK: locked memory takes Linux 4.14" },
        { report->swap_bytes > 0, "swap: secrets are never in it; what a program copies out of them may be" },
        { report->core_pattern == KEEP_CORE_PATTERN_PIPE,
          "cores go to a program, which RLIMIT_CORE does not stop: use keep_harden with KEEP_HARDEN_NO_DUMP" },
        { report->core_pattern != KEEP_CORE_PATTERN_PIPE && report->core_limit != 0,
          "cores are written: what a program copied out of secrets may be in them; KEEP_HARDEN_NO_CORE ends that" },
        { report->yama_scope <= 0 && report->memfd_secret != 1,
          "debuggers of the same user may read locked memory: use keep_harden with KEEP_HARDEN_NO_DUMP" },
    };

    print_advice("What protects secrets here", advice, sizeof advice / sizeof *advice);
    puts("");
}

static void print_limits(const struct keep_memory_report *report)
{
    bool is_bound = report->cap_ipc_lock != 1 && report->memlock_soft != KEEP_UNLIMITED;
    const struct advice advice[] = {
        { !is_bound, "not needed: nothing binds a process started from here" },
        { is_bound, "in a shell, up to the hard limit: ulimit -l KIB" },
        { is_bound, "for a service: LimitMEMLOCK=64M in its systemd unit" },
        { is_bound, "for a user: a line `USER - memlock 65536` in /etc/security/limits.conf, and a new login" },
        { is_bound, "for a container: --ulimit memlock=67108864:67108864" },
        { is_bound, "for one program, without a limit: setcap cap_ipc_lock=ep PROGRAM" },
    };

    print_advice("To lock more memory", advice, sizeof advice / sizeof *advice);
}

static void print_liveness(void)
{
    int64_t limit = queue_limit();
    const struct advice advice[] = {
        { limit == UNKNOWN, "unknown: the kernel does not say how many datagrams a socket queues" },
        { limit != UNKNOWN && limit < KEEP_DEFAULT_AGENTS,
          "a socket queues fewer beats than an observer has agents, by default: of many that beat at once some are "
          "dropped; sysctl net.unix.max_dgram_qlen=512 ends that" },
        { limit >= KEEP_DEFAULT_AGENTS, "not needed: a socket queues a beat of each of the default number of agents" },
    };

    puts("");
    print_advice("To watch many agents", advice, sizeof advice / sizeof *advice);
}

int command_doctor(char *const *arguments)
{
    static const keep_pool_options defaults = KEEP_POOL_OPTIONS_INIT;
    struct keep_memory_report report = KEEP_MEMORY_REPORT_INIT;
    bool has_test = arguments[0] == NULL || strcmp(arguments[0], "--facts") != 0;
    keep_status st;

    if (arguments[0] != NULL && (has_test || arguments[1] != NULL))
        return command_refuse("unexpected argument", has_test ? arguments[0] : arguments[1]);
    st = keep_memory_report(has_test ? &defaults : NULL, &report);
    print_machine(&report);
    print_process(&report);
    if (has_test)
        print_self_test(st, &report);
    print_ciphers();
    print_protection(&report);
    print_limits(&report);
    print_liveness();
    return st == KEEP_OK ? COMMAND_OK : COMMAND_FAILED;
}
