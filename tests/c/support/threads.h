/* SPDX-License-Identifier: MIT */
/*
 * Threads that begin together, for tests of races. A failing assertion in a thread ends the test like any other.
 */
#ifndef SUPPORT_THREADS_H
#define SUPPORT_THREADS_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "support/stream.h"

enum {
    MAX_THREADS = 67
};

struct crew;

struct worker {
    struct crew *crew;
    int index;
    struct stream stream; /* of its own */
    void *shared;
};

typedef void (*crew_work)(struct worker *worker);

struct crew {
    pthread_t threads[MAX_THREADS];
    struct worker workers[MAX_THREADS];
    crew_work works[MAX_THREADS];
    int count;
    pthread_barrier_t barrier;
    atomic_bool is_over; /* for workers that go on as long as others */
};

/* Adds `count` workers before crew_run. */
void crew_add(struct crew *crew, int count, crew_work work, void *shared);

/* Runs all workers until they return. Those from `first_background` on are told `is_over` when the others are done. */
void crew_run(struct crew *crew, int first_background);

/* How often a loop runs: a share of `count`. KEEP_TEST_SHARE=1 is all of it; without that name it is a small part. */
int rounds(int count);

/* How often a loop runs whose number is promised: all of `count`, a share where a checker slows every step down. */
int all_rounds(int count);

/* Waits until a condition that another thread makes true holds. */
#define wait_until(condition) \
    do { \
        while (!(condition)) \
            sched_yield(); \
    } while (0)

#endif
