/* SPDX-License-Identifier: MIT */
/*
 * Observers and the processes they watch, for tests: a socket path in a folder of its own, children that do what they
 * are told, and events that are waited for.
 */
#ifndef SUPPORT_AGENTS_H
#define SUPPORT_AGENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <keep/beacon.h>
#include <keep/observer.h>
#include <keep/tracker.h>

#define AGENT_EVENTS 4096

/* An observer, and the events it gave and nobody looked at yet. */
struct post {
    keep_tracker *tracker;
    keep_observer *observer;
    char folder[64], path[80];
    keep_event events[AGENT_EVENTS];
    size_t count;
};

/* An observer that listens on a path of its own and reports beats; threshold in milliseconds. */
void post_open(struct post *post, uint32_t threshold_ms);
void post_open_with(struct post *post, const keep_tracker_options *tracker, const keep_observer_options *observer);
void post_close(struct post *post);

/* Polls for so long, and once at least; all events are kept. */
void post_poll(struct post *post, unsigned ms);

/* Waits for an event, at most some seconds, and takes it. */
keep_event post_await(struct post *post, uint32_t kind, pid_t pid);

/* Whether ends of processes can be told at once. Valgrind knows no process descriptors: a line says so. */
bool has_process_descriptors(void);

/* Waits until the end of a process is told, where it can be. */
void post_await_exit(struct post *post, pid_t pid);

/* Whether such an event is among those kept. */
bool post_has(const struct post *post, uint32_t kind, pid_t pid);

struct keep_observer_stats post_stats(struct post *post);
struct keep_tracker_stats ledger_stats(struct post *post);

/* A connected beacon. */
keep_beacon *beacon_to(const struct post *post);

/* A bare socket that is connected to the observer. */
int bare_socket(const struct post *post);

/* The frame of a beat, as somebody else's client may send it; its timestamp is its nonce. */
void write_beat(uint32_t pid, uint64_t nonce, uint8_t frame[KEEP_BEAT_LEN]);

/* What became of one beat. */
uint32_t beat(keep_beacon *beacon);

/* A child with a beacon that runs `body`, then leaves with 0. */
typedef void (*agent_body)(keep_beacon *beacon, void *ctx);
pid_t agent_start(const struct post *post, agent_body body, void *ctx);

/* Waits for a child and gives its wait status. */
int agent_end(pid_t pid);

/* Bodies: beats every so many milliseconds, for ever; beats once, then waits for ever. */
void beat_for_ever(keep_beacon *beacon, void *ms);
void beat_once(keep_beacon *beacon, void *unused);

void sleep_ms(unsigned ms);

#endif
