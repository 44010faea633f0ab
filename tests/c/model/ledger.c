/* SPDX-License-Identifier: MIT */
#include "model/ledger.h"

#include <stdbool.h>
#include <string.h>

#include <keep/tracker.h>

enum {
    PIDS = 12,
    MAX_CAPACITY = 8,
    OPERATION_LEN = 8,
    HEAD_LEN = 8
};

#define NEVER KEEP_TIME_NEVER
#define TERMINAL UINT64_MAX

/* An agent as the rules speak of it. */
struct agent {
    uint32_t pid, claimed_pid, payload;
    bool is_there, has_beaten, has_nonce, has_terminal, ended_terminal, is_unarmed, is_stalled;
    uint64_t nonce, terminal_ns, last_ns, beat_at, start, threshold, grace, limit, inode, generation, beats, disorder;
    uint8_t health, origin;
};

struct oracle {
    keep_tracker_options options;
    struct agent agents[MAX_CAPACITY];
    uint64_t clock, time;
    bool has_begun;
    struct keep_tracker_stats counts;
};

struct model {
    keep_tracker *tracker;
    struct oracle oracle;
    const char *wrong;
};

static void must(struct model *model, bool condition, const char *what)
{
    if (!condition && model->wrong == NULL)
        model->wrong = what;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a + b < a ? UINT64_MAX : a + b;
}

static uint64_t times(uint64_t a, uint64_t b)
{
    return a != 0 && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

/* --- the oracle --- */

static void move(struct oracle *oracle, uint64_t now)
{
    uint64_t gap = oracle->options.max_gap_ns, step = now - oracle->clock;

    if (!oracle->has_begun) {
        oracle->has_begun = true;
        oracle->clock = oracle->time = now;
        return;
    }
    if (now < oracle->clock) {
        oracle->counts.clock_regressions++;
        return;
    }
    if (gap != 0 && step > gap) {
        oracle->counts.outages++;
        oracle->counts.outage_ns += step - gap;
        step = gap;
    }
    oracle->clock = now;
    oracle->time += step;
}

static struct agent *find(struct oracle *oracle, uint32_t pid)
{
    for (size_t i = 0; i < oracle->options.capacity; i++) {
        if (oracle->agents[i].is_there && oracle->agents[i].pid == pid)
            return &oracle->agents[i];
    }
    return NULL;
}

static uint64_t mark_of(const struct agent *agent)
{
    return agent->has_beaten && agent->beat_at > agent->start ? agent->beat_at : agent->start;
}

static uint64_t deadline_of(const struct agent *agent)
{
    uint64_t by_limit = plus(mark_of(agent), agent->limit), by_grace = plus(agent->start, agent->grace);

    if (agent->is_unarmed)
        return NEVER;
    return by_limit > by_grace ? by_limit : by_grace;
}

/* Of those that `is_stalled` fits, the one with the least deadline, then the least pid. */
static struct agent *first_of(struct oracle *oracle, bool is_stalled)
{
    struct agent *first = NULL;

    for (size_t i = 0; i < oracle->options.capacity; i++) {
        struct agent *agent = &oracle->agents[i];

        if (!agent->is_there || agent->is_stalled != is_stalled || agent->is_unarmed)
            continue;
        if (first == NULL || deadline_of(agent) < deadline_of(first) ||
            (deadline_of(agent) == deadline_of(first) && agent->pid < first->pid))
            first = agent;
    }
    return first;
}

static bool may_go(const struct oracle *oracle, const struct agent *agent)
{
    uint64_t limit = times(oracle->options.threshold_ns, oracle->options.misses);

    return agent != NULL && oracle->time > deadline_of(agent) && oracle->time - deadline_of(agent) > times(9, limit);
}

static void configure(const struct oracle *oracle, struct agent *agent, const keep_agent_settings *settings)
{
    agent->threshold = settings->threshold_ns != 0 ? settings->threshold_ns : oracle->options.threshold_ns;
    agent->grace = settings->grace_ns != 0 ? settings->grace_ns : oracle->options.grace_ns;
    agent->limit = times(agent->threshold, settings->misses != 0 ? settings->misses : oracle->options.misses);
    agent->start = oracle->time;
}

/* Room for a pid that is not there, with default settings; NULL: there is none. */
static struct agent *make_room(struct oracle *oracle, uint32_t pid, uint32_t *evicted)
{
    static const keep_agent_settings defaults;
    struct agent *victim = first_of(oracle, true), *place = NULL;

    for (size_t i = 0; i < oracle->options.capacity; i++) {
        if (!oracle->agents[i].is_there)
            place = &oracle->agents[i];
    }
    if (place == NULL && !may_go(oracle, victim))
        victim = oracle->options.policy == KEEP_POLICY_BALANCED ? first_of(oracle, false) : NULL;
    if (place == NULL && may_go(oracle, victim)) {
        oracle->counts.evictions++;
        *evicted = victim->pid;
        place = victim;
    }
    if (place == NULL) {
        oracle->counts.capacity_exceeded++;
        return NULL;
    }
    *place = (struct agent){
        .pid = pid,
        .claimed_pid = pid,
        .is_there = true,
        .last_ns = oracle->clock,
        .origin = (uint8_t)KEEP_ORIGIN_NONE,
    };
    configure(oracle, place, &defaults);
    return place;
}

static bool is_last_word(const keep_sighting *sighting)
{
    return sighting->flags == 0 && sighting->nonce == TERMINAL && sighting->health == KEEP_HEALTH_CRITICAL;
}

static bool differ(uint64_t one, uint64_t other)
{
    return one != 0 && other != 0 && one != other;
}

static void accept(struct oracle *oracle, struct agent *agent, const keep_sighting *sighting, keep_admission *out)
{
    agent->health = sighting->health;
    agent->payload = sighting->payload;
    agent->claimed_pid = sighting->claimed_pid != 0 ? sighting->claimed_pid : sighting->pid;
    agent->ended_terminal = is_last_word(sighting);
    if (is_last_word(sighting)) {
        agent->has_terminal = true;
        agent->terminal_ns = sighting->timestamp_ns;
        out->flags |= KEEP_ADMISSION_TERMINAL;
    } else if (sighting->flags == 0) {
        agent->has_nonce = true;
        agent->nonce = sighting->nonce;
    }
    if (agent->is_stalled) {
        out->flags |= KEEP_ADMISSION_RECOVERED;
        oracle->counts.recoveries++;
    }
    agent->is_stalled = false;
    agent->is_unarmed = false;
    agent->has_beaten = true;
    agent->beat_at = oracle->time;
    agent->last_ns = oracle->clock;
    agent->beats++;
    oracle->counts.beats++;
}

static void identify(struct agent *agent, const keep_sighting *sighting)
{
    agent->origin = sighting->origin;
    agent->inode = sighting->ns_inode;
    agent->generation = sighting->generation;
}

static void recycle(struct oracle *oracle, struct agent *agent, const keep_sighting *sighting, keep_admission *out)
{
    static const keep_agent_settings defaults;

    *agent = (struct agent){ .pid = sighting->pid, .is_there = true };
    configure(oracle, agent, &defaults);
    identify(agent, sighting);
    oracle->counts.recycles++;
    out->flags |= KEEP_ADMISSION_RECYCLED;
    accept(oracle, agent, sighting, out);
}

static bool begins_anew(const struct oracle *oracle, const struct agent *agent, const keep_sighting *sighting)
{
    bool is_remote = sighting->origin == KEEP_ORIGIN_NETWORK || sighting->origin == KEEP_ORIGIN_OPERATOR;

    return agent->generation == 0 && sighting->generation == 0 && is_remote && agent->origin == sighting->origin &&
           !is_last_word(sighting) && sighting->flags == 0 && agent->has_nonce && sighting->nonce <= agent->nonce &&
           oracle->time - mark_of(agent) >= agent->limit;
}

/* Whether the order of an agent's beats refuses a sighting; a wrap is noted. */
static bool is_disordered(struct oracle *oracle, const struct agent *agent, const keep_sighting *sighting,
                          keep_admission *out)
{
    if (is_last_word(sighting))
        return agent->has_terminal && sighting->timestamp_ns <= agent->terminal_ns;
    if (sighting->flags != 0 || !agent->has_nonce || sighting->nonce > agent->nonce)
        return false;
    if (agent->nonce < UINT64_MAX - (1 << 20) || sighting->nonce > 1 << 20)
        return true;
    oracle->counts.nonce_wraps++;
    out->flags |= KEEP_ADMISSION_WRAPPED;
    return false;
}

static void record_known(struct oracle *oracle, struct agent *agent, const keep_sighting *sighting, keep_admission *out)
{
    out->verdict = KEEP_VERDICT_INSERTED;
    if (!agent->has_beaten) {
        identify(agent, sighting);
        accept(oracle, agent, sighting, out);
    } else if (differ(agent->generation, sighting->generation) || begins_anew(oracle, agent, sighting)) {
        recycle(oracle, agent, sighting, out);
    } else if (sighting->origin > agent->origin) {
        identify(agent, sighting);
        agent->has_nonce = agent->has_terminal = false;
        agent->beats = agent->disorder = 0;
        out->flags = KEEP_ADMISSION_UPGRADED;
        out->verdict = KEEP_VERDICT_REFRESHED;
        accept(oracle, agent, sighting, out);
    } else if (sighting->origin < agent->origin) {
        out->verdict = KEEP_VERDICT_ORIGIN_CONFLICT;
        oracle->counts.origin_conflicts++;
    } else if (differ(agent->inode, sighting->ns_inode) ||
               (agent->inode != 0 && sighting->ns_inode == 0 && !is_last_word(sighting))) {
        out->verdict = KEEP_VERDICT_NAMESPACE_CONFLICT;
        oracle->counts.namespace_conflicts++;
    } else if (is_disordered(oracle, agent, sighting, out)) {
        out->verdict = KEEP_VERDICT_OUT_OF_ORDER;
        agent->disorder++;
        oracle->counts.out_of_order++;
    } else {
        out->verdict = KEEP_VERDICT_REFRESHED;
        agent->inode = agent->inode != 0 ? agent->inode : sighting->ns_inode;
        agent->generation = agent->generation != 0 ? agent->generation : sighting->generation;
        accept(oracle, agent, sighting, out);
    }
}

static keep_admission record_in_oracle(struct oracle *oracle, const keep_sighting *sighting)
{
    struct agent *agent = find(oracle, sighting->pid);
    keep_admission out = { 0 };

    if (agent != NULL) {
        record_known(oracle, agent, sighting, &out);
        return out;
    }
    agent = make_room(oracle, sighting->pid, &out.evicted_pid);
    if (agent == NULL) {
        out.verdict = KEEP_VERDICT_CAPACITY_EXCEEDED;
        return out;
    }
    out.flags = out.evicted_pid != 0 ? KEEP_ADMISSION_EVICTED : 0;
    identify(agent, sighting);
    accept(oracle, agent, sighting, &out);
    return out;
}

static uint64_t nonce_of(const struct agent *agent)
{
    if (agent->ended_terminal && agent->has_terminal)
        return TERMINAL;
    return agent->has_nonce ? agent->nonce : 0;
}

/* --- operations --- */

/* What an operation's bytes choose from. */
static const uint64_t steps[] = { 0, 1, 2, 3, 7, 9, 10, 11, 19, 20, 21, 50, 89, 90, 91, 200 };

static uint64_t time_of(const struct oracle *oracle, uint8_t choice)
{
    return choice == 255 && oracle->clock > 0 ? oracle->clock - 1 : oracle->clock + steps[choice % 16];
}

static keep_sighting sighting_of(const struct oracle *oracle, const uint8_t *op)
{
    static const uint64_t nonces[] = {
        0, 1, 1 << 20, (1 << 20) + 1, UINT64_MAX - (1 << 20), UINT64_MAX - (1 << 20) - 1, UINT64_MAX - 1, UINT64_MAX
    };
    struct agent *agent = find((struct oracle *)(uintptr_t)oracle, 1 + op[1] % PIDS);
    keep_sighting sighting = {
        .nonce = op[3] < 200 ? (agent == NULL ? 1 : agent->nonce + op[3] % 4) : nonces[op[3] % 8],
        .timestamp_ns = op[4] % 4,
        .ns_inode = op[5] % 8 == 0 ? op[5] / 8 % 3 : 1,
        .generation = op[6] % 8 == 0 ? op[6] / 8 % 3 : 1,
        .pid = 1 + op[1] % PIDS,
        .claimed_pid = op[7] % 2 == 0 ? 0 : op[7],
        .payload = op[7],
        .health = op[4] / 4 % 3,
        .origin = op[7] % 4 == 0 ? op[7] / 4 % 4 : KEEP_ORIGIN_KERNEL,
    };

    if (sighting.origin < KEEP_ORIGIN_KERNEL)
        sighting.generation = 0;
    else if (op[4] >= 230)
        sighting.flags = KEEP_SIGHTING_UNNUMBERED;
    if (sighting.nonce == TERMINAL)
        sighting.health = KEEP_HEALTH_CRITICAL;
    return sighting;
}

static void record_both(struct model *model, const uint8_t *op)
{
    keep_sighting sighting = sighting_of(&model->oracle, op);
    uint64_t now = time_of(&model->oracle, op[2]);
    keep_admission got, wanted;

    must(model, keep_tracker_record(model->tracker, &sighting, 1, now, &got) == KEEP_OK, "record is refused");
    move(&model->oracle, now);
    wanted = record_in_oracle(&model->oracle, &sighting);
    must(model, got.verdict == wanted.verdict, "another verdict");
    must(model, got.flags == wanted.flags, "other flags");
    must(model, got.evicted_pid == wanted.evicted_pid, "another victim");
}

static bool is_alarm_of(const keep_alarm *alarm, const struct agent *agent, const struct oracle *oracle)
{
    uint64_t silence = oracle->time - mark_of(agent);

    return alarm->pid == agent->pid && alarm->nonce == nonce_of(agent) && alarm->last_ns == agent->last_ns &&
           alarm->silence_ns == silence && alarm->limit_ns == agent->limit && alarm->ns_inode == agent->inode &&
           alarm->generation == agent->generation && alarm->claimed_pid == agent->claimed_pid &&
           alarm->payload == agent->payload && alarm->misses == silence / agent->threshold &&
           alarm->health == agent->health && alarm->origin == agent->origin;
}

static uint64_t count_agents(const struct oracle *oracle, bool only_stalled)
{
    uint64_t count = 0;

    for (size_t i = 0; i < oracle->options.capacity; i++)
        count += oracle->agents[i].is_there && (!only_stalled || oracle->agents[i].is_stalled);
    return count;
}

static void drain_both(struct model *model, const uint8_t *op)
{
    struct oracle *oracle = &model->oracle;
    uint64_t now = time_of(oracle, op[2]);
    keep_alarm alarms[MAX_CAPACITY];
    size_t cap = 1 + op[3] % MAX_CAPACITY, count = 0, wanted = 0;
    struct agent *due;

    must(model, keep_tracker_drain(model->tracker, now, alarms, cap, &count) == KEEP_OK, "drain is refused");
    move(oracle, now);
    while (wanted < cap && (due = first_of(oracle, false)) != NULL && oracle->time >= deadline_of(due)) {
        must(model, wanted < count && is_alarm_of(&alarms[wanted], due, oracle), "another alarm");
        due->is_stalled = true;
        oracle->counts.stalls++;
        wanted++;
    }
    must(model, count == wanted, "more alarms");
    for (size_t i = 0; i < count; i++)
        must(model, alarms[i].stalled == count_agents(oracle, true) && alarms[i].agents == count_agents(oracle, false),
             "another share");
}

static void put_both(struct model *model, const uint8_t *op)
{
    struct oracle *oracle = &model->oracle;
    keep_agent_settings settings = KEEP_AGENT_SETTINGS_INIT;
    uint32_t pid = 1 + op[1] % PIDS, evicted = 0, wanted = 0;
    uint64_t now = time_of(oracle, op[2]);
    struct agent *agent = find(oracle, pid);
    keep_status status;

    settings.threshold_ns = op[3] % 4 == 0 ? 0 : op[3];
    settings.grace_ns = op[4] % 2 == 0 ? 0 : op[4];
    settings.misses = op[5] % 3;
    settings.unarmed = op[6] % 4 == 0;
    status = keep_tracker_put(model->tracker, pid, &settings, now, &evicted);
    move(oracle, now);
    if (agent == NULL)
        agent = make_room(oracle, pid, &wanted);
    must(model, status == (agent == NULL ? KEEP_ERR_EXHAUSTED : KEEP_OK) && evicted == wanted, "put does otherwise");
    if (agent == NULL)
        return;
    configure(oracle, agent, &settings);
    agent->is_stalled = false;
    agent->is_unarmed = settings.unarmed != 0;
}

static void delete_both(struct model *model, const uint8_t *op)
{
    struct oracle *oracle = &model->oracle;
    uint64_t *const counters[] = { &oracle->counts.goodbyes, &oracle->counts.exits, &oracle->counts.recycles,
                                   &oracle->counts.deletes };
    uint64_t now = time_of(oracle, op[2]);
    uint32_t pid = 1 + op[1] % PIDS;
    struct agent *agent = find(oracle, pid);
    keep_status status = keep_tracker_delete(model->tracker, pid, 1 + op[3] % 4, now);

    move(oracle, now);
    must(model, status == (agent == NULL ? KEEP_ERR_NOT_FOUND : KEEP_OK), "delete does otherwise");
    if (agent == NULL)
        return;
    ++*counters[op[3] % 4];
    *agent = (struct agent){ .is_there = false };
}

static void compare_deadline(struct model *model)
{
    struct oracle *oracle = &model->oracle;
    const struct agent *first = first_of(oracle, false);
    uint64_t got = 0, wanted = first == NULL ? NEVER : deadline_of(first);

    if (wanted != NEVER)
        wanted = wanted > oracle->time ? plus(oracle->clock, wanted - oracle->time) : oracle->clock;
    must(model, keep_tracker_next_deadline(model->tracker, &got) == KEEP_OK && got == wanted, "another deadline");
}

static void compare_agent(struct model *model, uint32_t pid)
{
    struct oracle *oracle = &model->oracle;
    const struct agent *agent = find(oracle, pid);
    keep_agent_info info = KEEP_AGENT_INFO_INIT;
    keep_status status = keep_tracker_get(model->tracker, pid, oracle->clock, &info);

    must(model, status == (agent == NULL ? KEEP_ERR_NOT_FOUND : KEEP_OK), "somebody came or went");
    if (agent == NULL || status != KEEP_OK)
        return;
    must(model, info.beats == agent->beats && info.out_of_order == agent->disorder, "other counts of an agent");
    must(model, info.silence_ns == oracle->time - mark_of(agent) && info.last_ns == agent->last_ns, "another silence");
    must(model, info.nonce == nonce_of(agent) && info.origin == agent->origin, "another identity");
    must(model, (info.state == KEEP_AGENT_STALLED) == agent->is_stalled, "another state");
}

static void compare_counts(struct model *model)
{
    struct keep_tracker_stats stats = KEEP_TRACKER_STATS_INIT;
    struct oracle *oracle = &model->oracle;

    oracle->counts.size = sizeof stats;
    oracle->counts.agents = count_agents(oracle, false);
    oracle->counts.stalled = count_agents(oracle, true);
    must(model,
         keep_tracker_stats(model->tracker, &stats) == KEEP_OK && memcmp(&stats, &oracle->counts, sizeof stats) == 0,
         "other counters");
}

static void run(struct model *model, const uint8_t *op)
{
    switch (op[0] % 16) {
    case 0:
    case 1:
        put_both(model, op);
        break;
    case 2:
        delete_both(model, op);
        break;
    case 3:
    case 4:
    case 5:
        drain_both(model, op);
        break;
    case 6:
        compare_deadline(model);
        compare_agent(model, 1 + op[1] % PIDS);
        compare_counts(model);
        break;
    default:
        record_both(model, op);
        break;
    }
}

static keep_tracker_options options_of(const uint8_t *head)
{
    keep_tracker_options options = KEEP_TRACKER_OPTIONS_INIT;

    options.capacity = 1 + head[0] % MAX_CAPACITY;
    options.misses = 1 + head[1] % 3;
    options.policy = head[2] % 2;
    options.threshold_ns = 10;
    options.grace_ns = head[3] % 3 == 0 ? 25 : 0;
    options.max_gap_ns = head[4] % 3 == 0 ? 20 : 0;
    options.statistics = head[5] % 2;
    options.hash_key[0] = 1;
    return options;
}

size_t model_ledger_operations(size_t len)
{
    return len < HEAD_LEN ? 0 : (len - HEAD_LEN) / OPERATION_LEN;
}

const char *model_ledger(const uint8_t *bytes, size_t len)
{
    struct model model = { .wrong = NULL };

    if (len < HEAD_LEN)
        return NULL;
    model.oracle.options = options_of(bytes);
    if (keep_tracker_new(&model.oracle.options, &model.tracker) != KEEP_OK)
        return "no ledger";
    for (size_t i = 0; i < model_ledger_operations(len) && model.wrong == NULL; i++)
        run(&model, bytes + HEAD_LEN + i * OPERATION_LEN);
    for (uint32_t pid = 1; pid <= PIDS; pid++)
        compare_agent(&model, pid);
    compare_deadline(&model);
    compare_counts(&model);
    keep_tracker_free(&model.tracker);
    return model.wrong;
}
