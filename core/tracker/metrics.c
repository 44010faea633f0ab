/* SPDX-License-Identifier: MIT */
/*
 * Metrics. A family is a HELP and a TYPE line, then its samples; so agents are walked once per family.
 */
#include "tracker/metrics.h"

#include <string.h>

#include "base/checked.h"
#include "base/units.h"
#include "base/banned.h"

/* A counter in one of the two structs. */
struct counter {
    const char *name, *help;
    size_t offset;
};

static const struct counter tracker_counters[] = {
    { "beats", "Beats accepted.", offsetof(struct keep_tracker_stats, beats) },
    { "stalls", "Agents that stalled.", offsetof(struct keep_tracker_stats, stalls) },
    { "recoveries", "Stalled agents that beat again.", offsetof(struct keep_tracker_stats, recoveries) },
    { "evictions", "Agents that went for others.", offsetof(struct keep_tracker_stats, evictions) },
    { "capacity_exceeded", "Agents that found the ledger full.",
      offsetof(struct keep_tracker_stats, capacity_exceeded) },
    { "out_of_order", "Beats that did not go on from the last one.",
      offsetof(struct keep_tracker_stats, out_of_order) },
    { "nonce_wraps", "Streams that began again at their end.", offsetof(struct keep_tracker_stats, nonce_wraps) },
    { "origin_conflicts", "Beats of a lower origin than the agent's.",
      offsetof(struct keep_tracker_stats, origin_conflicts) },
    { "namespace_conflicts", "Beats of another pid namespace.",
      offsetof(struct keep_tracker_stats, namespace_conflicts) },
    { "recycles", "Pids that passed to another process.", offsetof(struct keep_tracker_stats, recycles) },
    { "goodbyes", "Agents that said goodbye.", offsetof(struct keep_tracker_stats, goodbyes) },
    { "exits", "Agents whose process ended.", offsetof(struct keep_tracker_stats, exits) },
    { "deletes", "Agents that an operator removed.", offsetof(struct keep_tracker_stats, deletes) },
    { "clock_regressions", "Times that were before the clock.",
      offsetof(struct keep_tracker_stats, clock_regressions) },
    { "outages", "Times in which the observer did not run.", offsetof(struct keep_tracker_stats, outages) },
    { "outage_ns", "Nanoseconds of them that are nobody's silence.", offsetof(struct keep_tracker_stats, outage_ns) },
};

static const struct counter observer_counters[] = {
    { "datagrams", "Datagrams received.", offsetof(struct keep_observer_stats, datagrams) },
    { "bad_length", "Datagrams of no known length.", offsetof(struct keep_observer_stats, bad_length) },
    { "uid_refused", "Datagrams of users that are not allowed.", offsetof(struct keep_observer_stats, uid_refused) },
    { "no_credentials", "Datagrams without credentials.", offsetof(struct keep_observer_stats, no_credentials) },
    { "decode_errors", "Frames that do not decode.", offsetof(struct keep_observer_stats, decode_errors) },
    { "auth_failures", "Frames of another pid than the kernel's.",
      offsetof(struct keep_observer_stats, auth_failures) },
    { "pid_above_max", "Frames of pids that cannot be.", offsetof(struct keep_observer_stats, pid_above_max) },
    { "limited_pid", "Beats above the rate of one agent.", offsetof(struct keep_observer_stats, limited_pid) },
    { "limited_global", "Datagrams above the rate of all.", offsetof(struct keep_observer_stats, limited_global) },
    { "posthumous", "Datagrams of processes that had ended unknown.",
      offsetof(struct keep_observer_stats, posthumous) },
    { "after_goodbye", "Beats after a goodbye.", offsetof(struct keep_observer_stats, after_goodbye) },
    { "notify_unattested", "Messages whose sender is not attested.",
      offsetof(struct keep_observer_stats, notify_unattested) },
    { "notice_refused", "Notices of agents that others vouch for.",
      offsetof(struct keep_observer_stats, notice_refused) },
    { "decrypt_failures", "Sealed frames that do not open.", offsetof(struct keep_observer_stats, decrypt_failures) },
    { "replay_refused", "Sealed frames that were heard before.", offsetof(struct keep_observer_stats, replay_refused) },
    { "senders_evicted", "Senders of sealed frames that were forgotten.",
      offsetof(struct keep_observer_stats, senders_evicted) },
    { "foreign_namespace", "Datagrams of other pid namespaces.",
      offsetof(struct keep_observer_stats, foreign_namespace) },
    { "pidfd_unavailable", "Agents whose end is not seen at once.",
      offsetof(struct keep_observer_stats, pidfd_unavailable) },
    { "io_errors", "What the system refused to an observer that polled.",
      offsetof(struct keep_observer_stats, io_errors) },
};

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

static void print_family(keep__printer *printer, const char *const name[2], const char *type, const char *help)
{
    keep__print(printer, "# HELP ");
    keep__print(printer, name[0]);
    keep__print(printer, name[1]);
    keep__print(printer, " ");
    keep__print(printer, help);
    keep__print(printer, "\n# TYPE ");
    keep__print(printer, name[0]);
    keep__print(printer, name[1]);
    keep__print(printer, " ");
    keep__print(printer, type);
    keep__print(printer, "\n");
}

/* A family of one sample without labels. */
static void print_single(keep__printer *printer, const char *const name[2], const char *type, const char *help,
                         uint64_t number)
{
    print_family(printer, name, type, help);
    keep__print(printer, name[0]);
    keep__print(printer, name[1]);
    keep__print(printer, " ");
    keep__print_u64(printer, number);
    keep__print(printer, "\n");
}

static void print_counters(keep__printer *printer, const char *prefix, const struct counter *counters, size_t count,
                           const void *stats)
{
    char name[40];
    uint64_t number;

    for (size_t i = 0; i < count; i++) {
        keep__printer namer = keep__printer_of(name, sizeof name);

        keep__print(&namer, counters[i].name);
        keep__print(&namer, "_total");
        (void)keep__print_end(&namer);
        memcpy(&number, (const uint8_t *)stats + counters[i].offset, sizeof number);
        print_single(printer, (const char *const[]){ prefix, name }, "counter", counters[i].help, number);
    }
}

static void print_states(keep__printer *printer, const keep__ledger *ledger)
{
    static const char *const name[] = { "keep_tracker_", "agents" };
    static const char *const words[] = {
        [KEEP_AGENT_UNARMED] = "unarmed", [KEEP_AGENT_REGISTERED] = "registered", [KEEP_AGENT_STARTING] = "starting",
        [KEEP_AGENT_ALIVE] = "alive",     [KEEP_AGENT_STALLED] = "stalled",
    };
    uint64_t counts[COUNT_OF(words)] = { 0 };

    for (uint32_t at = 0; at < ledger->used; at++) {
        if (ledger->slots[at].pid != 0)
            counts[keep__slot_state(&ledger->slots[at])]++;
    }
    print_family(printer, name, "gauge", "Agents by state.");
    for (size_t state = KEEP_AGENT_UNARMED; state < COUNT_OF(words); state++) {
        keep__print(printer, "keep_tracker_agents{state=\"");
        keep__print(printer, words[state]);
        keep__print(printer, "\"} ");
        keep__print_u64(printer, counts[state]);
        keep__print(printer, "\n");
    }
}

/* --- agents --- */

/* A number of every agent: so many of `scale`. */
struct series {
    const char *name, *labels; /* labels besides the pid */
    const char *type, *help;   /* NULL: the family of the one before */
    uint64_t scale;
    bool needs_statistics;
    uint64_t (*value)(const keep__ledger *ledger, uint32_t at);
};

static uint64_t state_value(const keep__ledger *ledger, uint32_t at)
{
    return keep__slot_state(&ledger->slots[at]);
}

static uint64_t health_value(const keep__ledger *ledger, uint32_t at)
{
    return ledger->slots[at].health;
}

static uint64_t beats_value(const keep__ledger *ledger, uint32_t at)
{
    return ledger->slots[at].beats;
}

static uint64_t silence_value(const keep__ledger *ledger, uint32_t at)
{
    return ledger->time - keep__slot_mark(&ledger->slots[at]);
}

static uint64_t phi_value(const keep__ledger *ledger, uint32_t at)
{
    return keep__ledger_phi(ledger, at, ledger->time);
}

static uint64_t median_value(const keep__ledger *ledger, uint32_t at)
{
    return keep__intervals_quantile(&ledger->intervals[at], 50);
}

static uint64_t tail_value(const keep__ledger *ledger, uint32_t at)
{
    return keep__intervals_quantile(&ledger->intervals[at], 99);
}

static const struct series series[] = {
    { "state", "", "gauge", "1 unarmed, 2 registered, 3 starting, 4 alive, 5 stalled.", 1, false, state_value },
    { "health", "", "gauge", "0 ok, 1 degraded, 2 critical, as the agent said last.", 1, false, health_value },
    { "beats_total", "", "counter", "Beats accepted.", 1, false, beats_value },
    { "silence_seconds", "", "gauge", "Time since the last beat.", KEEP__NS_PER_S, false, silence_value },
    { "phi", "", "gauge", "Suspicion that it is not only late.", 1000, true, phi_value },
    { "interval_seconds", ",quantile=\"0.5\"", "gauge", "Time between beats.", KEEP__NS_PER_S, true, median_value },
    { "interval_seconds", ",quantile=\"0.99\"", NULL, NULL, KEEP__NS_PER_S, true, tail_value },
};

static void print_agent(keep__printer *printer, const struct series *one, const keep__ledger *ledger, uint32_t at)
{
    keep__print(printer, "keep_agent_");
    keep__print(printer, one->name);
    keep__print(printer, "{pid=\"");
    keep__print_u64(printer, ledger->slots[at].pid);
    keep__print(printer, "\"");
    keep__print(printer, one->labels);
    keep__print(printer, "} ");
    keep__print_scaled(printer, one->value(ledger, at), one->scale);
    keep__print(printer, "\n");
}

/* The slot after the last one shown; the agents beyond it are only counted. */
static uint32_t end_of_shown(const keep__intake *intake)
{
    uint32_t left = intake->options.max_series;
    uint32_t at;

    for (at = 0; at < intake->ledger->used && left > 0; at++)
        left -= intake->ledger->slots[at].pid != 0;
    return at;
}

static void print_series(keep__printer *printer, const keep__ledger *ledger, uint32_t end)
{
    for (size_t i = 0; i < COUNT_OF(series); i++) {
        const struct series *one = &series[i];

        if (one->help != NULL)
            print_family(printer, (const char *const[]){ "keep_agent_", one->name }, one->type, one->help);
        for (uint32_t at = 0; at < end; at++) {
            if (ledger->slots[at].pid != 0 && (!one->needs_statistics || ledger->intervals != NULL))
                print_agent(printer, one, ledger, at);
        }
    }
}

/* A name that a process gave itself, as the value of a label. */
static void print_comm(keep__printer *printer, const char *comm)
{
    for (; *comm != '\0'; comm++) {
        bool is_plain = *comm >= 0x20 && *comm < 0x7F;

        if (*comm == '"' || *comm == '\\')
            keep__print(printer, "\\");
        keep__print_bytes(printer, is_plain ? comm : "?", 1);
    }
}

static const char *origin_word(uint8_t origin)
{
    static const char *const words[] = {
        [KEEP_ORIGIN_NETWORK] = "network",
        [KEEP_ORIGIN_SOCKET_MODE] = "socket_mode",
        [KEEP_ORIGIN_OPERATOR] = "operator",
        [KEEP_ORIGIN_KERNEL] = "kernel",
    };

    return origin < COUNT_OF(words) ? words[origin] : "none";
}

static void print_info(keep__printer *printer, const keep__intake *intake, uint32_t at)
{
    const keep__slot *slot = &intake->ledger->slots[at];
    const keep__life *life = keep__intake_life(intake, at);

    keep__print(printer, "keep_agent_info{pid=\"");
    keep__print_u64(printer, slot->pid);
    keep__print(printer, "\",uid=\"");
    if (life != NULL)
        keep__print_u64(printer, life->uid);
    keep__print(printer, "\",comm=\"");
    if (life != NULL)
        print_comm(printer, life->comm);
    keep__print(printer, "\",origin=\"");
    keep__print(printer, origin_word(slot->origin));
    keep__print(printer, "\"} 1\n");
}

static void print_agents(keep__printer *printer, const keep__intake *intake)
{
    static const char *const info[] = { "keep_agent_", "info" };
    static const char *const hidden[] = { "keep_agents_", "not_shown" };
    const keep__ledger *ledger = intake->ledger;
    uint32_t end = end_of_shown(intake);
    uint64_t shown = 0;

    print_family(printer, info, "gauge", "Who an agent is.");
    for (uint32_t at = 0; at < end; at++) {
        if (ledger->slots[at].pid != 0) {
            print_info(printer, intake, at);
            shown++;
        }
    }
    print_series(printer, ledger, end);
    print_single(printer, hidden, "gauge", "Agents that have no series here.", ledger->counts.agents - shown);
}

void keep__metrics_print(keep__printer *printer, const keep__intake *intake, uint64_t queue_limit)
{
    static const char *const capacity[] = { "keep_tracker_", "capacity" };
    static const char *const limit[] = { "keep_observer_", "queue_limit" };

    print_counters(printer, "keep_tracker_", tracker_counters, COUNT_OF(tracker_counters), &intake->ledger->counts);
    print_counters(printer, "keep_observer_", observer_counters, COUNT_OF(observer_counters), &intake->counts);
    print_states(printer, intake->ledger);
    print_single(printer, capacity, "gauge", "Agents that the ledger has room for.", intake->ledger->options.capacity);
    print_single(printer, limit, "gauge", "Datagrams that the kernel keeps for a socket.", queue_limit);
    print_agents(printer, intake);
}
