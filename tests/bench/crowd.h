/* SPDX-License-Identifier: MIT */
/*
 * Measuring what receives beats, beside processes that beat as fast as it takes them (bench_senders): few and many, where
 * the scheduler puts everybody, and with a processor for the receiver alone.
 */
#ifndef KEEP_TESTS_CROWD_H
#define KEEP_TESTS_CROWD_H

#include <stddef.h>

#include "bench.h"

#define CROWD_AGENTS 4096 /* at most */

/* What receives: at a path, from then on. */
struct crowd_hearer {
    const char *path;
    void (*hear_all)(void *state, size_t agents); /* until each of so many has beaten */
    bench_body hear;                              /* so many beats, or some more */
    void *state;
};

/* The arguments of a program: SENDERS [SECONDS]. */
struct crowd_call {
    const char *senders;
    double seconds;
};

struct crowd_call crowd_read(int argc, char **argv);

/* Tells the time from one beat to the next, for each crowd: each has a hearer of its own between open and close. */
void crowd_measure(const struct crowd_call *call, struct crowd_hearer (*open)(void), void (*close)(void));

#endif
