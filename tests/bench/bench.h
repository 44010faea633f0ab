/* SPDX-License-Identifier: MIT */
/*
 * Measuring: the time of one call, as the median of several rounds, each long enough that the clock does not matter.
 */
#ifndef KEEP_TESTS_BENCH_H
#define KEEP_TESTS_BENCH_H

#include <stddef.h>

/* Runs what is measured `count` times. */
typedef void (*bench_body)(void *state, size_t count);

/* Runs it once: the time it took, in nanoseconds. */
double bench_time(bench_body body, void *state, size_t count);

/* Prints `NAME NANOSECONDS`, the median of the rounds' times per call. */
void bench_run(const char *name, bench_body body, void *state);

/* Before each burst of calls `prepare` runs, outside the measured time. */
struct bench_bursts {
    bench_body body, prepare;
    size_t burst;
};

/* The same in bursts. */
void bench_run_bursts(const char *name, struct bench_bursts bursts, void *state);

/* The same in `threads` threads at once: the time in which one call of any thread ends. Each has `states[i]`. */
void bench_run_threads(const char *name, bench_body body, void *const *states, size_t threads);

/* Prints a number that was found otherwise. */
void bench_tell(const char *name, double value);

/* Ends the program: a benchmark of calls that fail measures nothing. */
void bench_check(int is_right, const char *what);
#define BENCH_CHECK(condition) bench_check((condition), #condition)

#endif
