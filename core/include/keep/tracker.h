/* SPDX-License-Identifier: MIT */
/*
 * The ledger: who beat when. It has no socket, no clock and no thread; time is an argument, and every decision follows
 * from what it was told. An observer feeds one from sockets; a program with another source of beats uses it alone.
 *
 * Lifetime: one allocation when it is made, none later. Whoever made it frees it; an observer retains its tracker.
 * Threads: one at a time
 * Limits: KEEP_MAX_AGENTS agents; KEEP_MAX_BATCH items in a call. Times are nanoseconds of any clock that moves forward;
 * sums of times saturate, and a deadline of KEEP_TIME_NEVER never comes. Counters saturate too.
 *
 * The clock is the highest `now_ns` of record, drain, put, delete and feed. Ledger time moves as the clock does, but in
 * one call by at most max_gap_ns: time in which the caller did not run, the machine slept or the clock jumped is nobody's
 * silence.
 *
 * Every function may return KEEP_ERR_INVALID_ARGUMENT (correct the call, nothing changed) and KEEP_ERR_FORKED (the
 * parent's: make your own).
 */
#ifndef KEEP_TRACKER_H
#define KEEP_TRACKER_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/pool.h>
#include <keep/status.h>

KEEP_BEGIN_DECLS

#define KEEP_BEAT_LEN 32
#define KEEP_BEAT_SHARED_LEN 60
#define KEEP_BEAT_MASTER_LEN 64
#define KEEP_MAX_AGENTS 65536
#define KEEP_DEFAULT_AGENTS 256
#define KEEP_PID_UNKNOWN UINT32_MAX
#define KEEP_TIME_NEVER UINT64_MAX

typedef struct keep_tracker keep_tracker;

/* How an agent says that it is. */
enum {
    KEEP_HEALTH_OK = 0,
    KEEP_HEALTH_DEGRADED = 1,
    KEEP_HEALTH_CRITICAL = 2
};

/* Who vouches for a beat's pid, lowest first: the number is the rank. */
enum {
    KEEP_ORIGIN_NETWORK = 0,
    KEEP_ORIGIN_SOCKET_MODE = 1,
    KEEP_ORIGIN_OPERATOR = 2,
    KEEP_ORIGIN_KERNEL = 3,
    KEEP_ORIGIN_NONE = 255 /* nobody yet: the agent was registered and has not beaten */
};

/* What became of a sighting. */
enum {
    KEEP_VERDICT_INSERTED = 0,
    KEEP_VERDICT_REFRESHED = 1,
    KEEP_VERDICT_OUT_OF_ORDER = 2,
    KEEP_VERDICT_CAPACITY_EXCEEDED = 3,
    KEEP_VERDICT_ORIGIN_CONFLICT = 4,
    KEEP_VERDICT_NAMESPACE_CONFLICT = 5
};

/* What else an accepted sighting did. */
enum {
    KEEP_ADMISSION_EVICTED = 1,   /* another agent went; its pid stands in evicted_pid */
    KEEP_ADMISSION_RECOVERED = 2, /* the agent had stalled */
    KEEP_ADMISSION_RECYCLED = 4,  /* the pid belongs to a new process */
    KEEP_ADMISSION_TERMINAL = 8,  /* a crash's last word */
    KEEP_ADMISSION_UPGRADED = 16, /* somebody of higher rank vouches for it */
    KEEP_ADMISSION_WRAPPED = 32   /* the nonce began again */
};

/* Who may be evicted from a full ledger. */
enum {
    KEEP_POLICY_STRICT = 0,  /* agents that stalled long ago */
    KEEP_POLICY_BALANCED = 1 /* also those that are due long ago and were not drained */
};

/* Why an agent is deleted. */
enum {
    KEEP_REASON_GOODBYE = 1,
    KEEP_REASON_EXITED = 2,
    KEEP_REASON_RECYCLED = 3,
    KEEP_REASON_OPERATOR = 4
};

/* How an agent is; the first that holds, from the highest number. */
enum {
    KEEP_AGENT_UNARMED = 1,    /* it cannot stall */
    KEEP_AGENT_REGISTERED = 2, /* it has not beaten yet */
    KEEP_AGENT_STARTING = 3,   /* its grace is running */
    KEEP_AGENT_ALIVE = 4,
    KEEP_AGENT_STALLED = 5
};

#define KEEP_SIGHTING_UNNUMBERED 1 /* the beat has no nonce: from the kernel's side only */

/* One beat, as somebody saw it. */
typedef struct keep_sighting {
    uint64_t nonce;        /* 2^64 - 1 with critical health: terminal */
    uint64_t timestamp_ns;
    uint64_t ns_inode;     /* pid namespace; 0: unknown */
    uint64_t generation;   /* start time of the process; 0: unknown */
    uint32_t pid;
    uint32_t claimed_pid;  /* what the beat itself said; 0: the same */
    uint32_t payload;
    uint8_t health, origin, flags;
} keep_sighting;

typedef struct keep_admission {
    uint32_t verdict, flags, evicted_pid;
} keep_admission;

/* A stall. */
typedef struct keep_alarm {
    uint64_t nonce;      /* the last one observed */
    uint64_t last_ns;    /* when */
    uint64_t silence_ns, limit_ns, ns_inode, generation;
    uint32_t pid, claimed_pid, payload;
    uint32_t misses;          /* silence / threshold */
    uint32_t stalled, agents; /* so many of so many: if most, look at the machine first */
    uint8_t health, origin;
} keep_alarm;

/* KEEP_TRACKER_OPTIONS_INIT: the values in brackets. */
typedef struct keep_tracker_options {
    size_t size;
    uint32_t capacity;     /* [256] 1 to KEEP_MAX_AGENTS */
    uint32_t misses;       /* [1] 1 to 1000 thresholds of silence are the limit */
    uint32_t policy;       /* [strict] */
    uint32_t statistics;   /* [0] 1: intervals, their quantiles, suspicion */
    uint64_t threshold_ns; /* [5 s] at least 1 */
    uint64_t grace_ns;     /* [0] time to start in */
    uint64_t max_gap_ns;   /* [0] 0: off */
    uint8_t hash_key[16];  /* zeros: random, so that nobody chooses pids that collide */
} keep_tracker_options;

#define KEEP_TRACKER_OPTIONS_INIT \
    { sizeof(keep_tracker_options), KEEP_DEFAULT_AGENTS, 1, KEEP_POLICY_STRICT, 0, 5000000000, 0, 0, { 0 } }

/* KEEP_AGENT_SETTINGS_INIT: zeros, which mean the ledger's. */
typedef struct keep_agent_settings {
    size_t size;
    uint64_t threshold_ns, grace_ns;
    uint32_t misses;
    uint8_t unarmed; /* 1: it cannot stall until it beats */
} keep_agent_settings;

#define KEEP_AGENT_SETTINGS_INIT KEEP_SIZED(keep_agent_settings)

/* KEEP_AGENT_INFO_INIT. In an array the first one's `size` is the stride. */
typedef struct keep_agent_info {
    size_t size;
    uint64_t nonce, last_ns, silence_ns, limit_ns, grace_ns, ns_inode, generation, beats, out_of_order;
    uint64_t intervals, min_ns, max_ns, mean_ns, jitter_ns, p50_ns, p99_ns; /* 0 without statistics */
    uint32_t pid, claimed_pid, payload;
    uint32_t phi_milli; /* suspicion: -log10 of the chance that it only is late, in thousandths */
    uint8_t state, origin, health;
} keep_agent_info;

#define KEEP_AGENT_INFO_INIT KEEP_SIZED(keep_agent_info)

/* KEEP_TRACKER_STATS_INIT. Two numbers of now, then counters that never reset. */
struct keep_tracker_stats {
    size_t size;
    uint64_t agents, stalled;
    uint64_t beats, stalls, recoveries, evictions, capacity_exceeded, out_of_order, nonce_wraps, origin_conflicts;
    uint64_t namespace_conflicts, recycles, goodbyes, exits, deletes, clock_regressions, outages, outage_ns;
};

#define KEEP_TRACKER_STATS_INIT KEEP_SIZED(struct keep_tracker_stats)

/*
 * Makes a ledger.
 *
 * options   NULL: the defaults
 *
 * KEEP_OK               the caller frees it with keep_tracker_free
 * KEEP_ERR_NO_MEMORY    ask for a smaller capacity
 * KEEP_ERR_SYSTEM       no random bytes could be had for the hash key
 * KEEP_ERR_UNSUPPORTED  the kernel cannot wipe pages in a forked child
 */
KEEP_API KEEP_MUST_USE keep_status
keep_tracker_new(const keep_tracker_options *KEEP_NULLABLE options, KEEP_OWN keep_tracker **out_tracker);

/*
 * Tells the ledger of beats, in order. A refused sighting is KEEP_OK with its verdict.
 *
 * count            1 to KEEP_MAX_BATCH
 * out_admissions   room for `count`
 *
 * KEEP_OK   every sighting has its admission
 */
KEEP_API KEEP_MUST_USE keep_status
keep_tracker_record(keep_tracker *tracker, const keep_sighting *sightings, size_t count, uint64_t now_ns,
                    keep_admission *out_admissions);

/*
 * Takes the agents that are due, by deadline, then pid: each is stalled from now on, and gives one alarm.
 *
 * out_alarms   room for `cap`
 * out_count    if it is `cap`, call again: others may be due
 *
 * KEEP_OK   `*out_count` alarms were given
 */
KEEP_API KEEP_MUST_USE keep_status
keep_tracker_drain(keep_tracker *tracker, uint64_t now_ns, keep_alarm *KEEP_NULLABLE out_alarms, size_t cap,
                   size_t *out_count);

/*
 * When to drain next.
 *
 * out_ns   the clock at which the first deadline comes, the clock itself if one is due; KEEP_TIME_NEVER: there is none
 *
 * KEEP_OK   always, with right arguments
 */
KEEP_API KEEP_MUST_USE keep_status keep_tracker_next_deadline(keep_tracker *tracker, uint64_t *out_ns);

/*
 * Registers an agent before it beats, or gives a known one new settings and a new start.
 *
 * settings          NULL: the ledger's
 * out_evicted_pid   NULL, or who went for it; 0: nobody
 *
 * KEEP_OK             it is in the ledger
 * KEEP_ERR_EXHAUSTED  the ledger is full and nobody may go
 */
KEEP_API KEEP_MUST_USE keep_status
keep_tracker_put(keep_tracker *tracker, uint32_t pid, const keep_agent_settings *KEEP_NULLABLE settings,
                 uint64_t now_ns, uint32_t *KEEP_NULLABLE out_evicted_pid);

/*
 * Removes an agent.
 *
 * reason   KEEP_REASON_...: which counter grows
 *
 * KEEP_OK             its slot is free
 * KEEP_ERR_NOT_FOUND  nobody has this pid
 */
KEEP_API KEEP_MUST_USE keep_status
keep_tracker_delete(keep_tracker *tracker, uint32_t pid, uint32_t reason, uint64_t now_ns);

/*
 * Tells of one agent, as if asked at `now_ns`; changes nothing.
 *
 * out_info   KEEP_AGENT_INFO_INIT
 *
 * KEEP_OK             the struct is filled
 * KEEP_ERR_NOT_FOUND  nobody has this pid
 */
KEEP_API KEEP_MUST_USE keep_status
keep_tracker_get(const keep_tracker *tracker, uint32_t pid, uint64_t now_ns, keep_agent_info *out_info);

/*
 * Tells of all agents, piece by piece, at the ledger's clock.
 *
 * cursor      0 at first; moved by each call
 * out_infos   `cap` structs, the first one's size set
 * out_count   0: the end
 *
 * KEEP_OK   `*out_count` structs were filled
 */
KEEP_API KEEP_MUST_USE keep_status
keep_tracker_list(const keep_tracker *tracker, uint64_t *cursor, keep_agent_info *out_infos, size_t cap,
                  size_t *out_count);

/*
 * Tells the counters.
 *
 * out_stats   KEEP_TRACKER_STATS_INIT
 *
 * KEEP_OK   the struct is filled
 */
KEEP_API KEEP_MUST_USE keep_status
keep_tracker_stats(const keep_tracker *tracker, struct keep_tracker_stats *out_stats);

/*
 * Computes a published known answer, so that a build can be checked in every language. It touches no ledger and no key.
 *
 * name      crc32c, beat.encode, beat.decode, beat.fault, notice.encode, notice.decode, notice.fault, iv.prefix,
 *           beat.seal or beat.open
 * in        NULL only if `in_len` is 0
 * out       room for `cap` bytes; untouched unless KEEP_OK is returned
 * out_len   the answer's length, also when `cap` is too small
 *
 * KEEP_OK                    the answer is written
 * KEEP_ERR_INVALID_ARGUMENT  an unknown name, or input that the function does not take
 * KEEP_ERR_MALFORMED         the frame does not decode
 * KEEP_ERR_AUTH              the frame does not open
 * KEEP_ERR_BUFFER_TOO_SMALL  call again with `*out_len` bytes
 * KEEP_ERR_UNSUPPORTED       libsodium does not run here
 */
KEEP_API KEEP_MUST_USE keep_status
keep_tracker_known_answer(const char *name, const void *KEEP_NULLABLE in, size_t in_len, void *KEEP_NULLABLE out,
                          size_t cap, size_t *out_len);

/*
 * Frees the ledger and nulls the handle; a null handle is nothing. Cannot fail.
 */
KEEP_API void keep_tracker_free(keep_tracker **tracker);

KEEP_END_DECLS

#endif
