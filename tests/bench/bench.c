/* SPDX-License-Identifier: MIT */
/*
 * Measuring. A round lasts at least ROUND_NS; how many calls that takes is found by doubling.
 */
#include "bench.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 101
#define THREAD_ROUNDS 25
#define ROUND_NS 2.5e5 /* much less than a scheduler gives at a time: most rounds are then undisturbed */
#define THREADS_MAX 8

static double now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double bench_time(bench_body body, void *state, size_t count)
{
    double start = now_ns();

    body(state, count);
    return now_ns() - start;
}

/* What is measured: `body`, in bursts if `prepare` must run before each. */
struct work {
    bench_body body, prepare;
    void *state;
    size_t burst;
};

static double time_of_bursts(const struct work *work, size_t count)
{
    double time = 0;

    if (work->prepare == NULL)
        return bench_time(work->body, work->state, count);
    for (size_t done = 0; done < count; done += work->burst) {
        work->prepare(work->state, work->burst);
        time += bench_time(work->body, work->state, work->burst);
    }
    return time;
}

/* One that was disturbed would end the search for a count too early. */
static double fastest_of_three(const struct work *work, size_t count)
{
    double fastest = time_of_bursts(work, count);

    for (int i = 0; i < 2; i++) {
        double time = time_of_bursts(work, count);

        fastest = time < fastest ? time : fastest;
    }
    return fastest;
}

static size_t count_for_a_round(const struct work *work)
{
    size_t count = work->burst;

    while (fastest_of_three(work, count) < ROUND_NS)
        count *= 2;
    return count;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return values[count / 2];
}

void bench_tell(const char *name, double value)
{
    (void)printf("%s %.2f\n", name, value);
}

void bench_check(int is_right, const char *what)
{
    if (is_right)
        return;
    (void)fprintf(stderr, "bench: not so: %s\n", what);
    exit(1);
}

static void run_rounds(const char *name, const struct work *work)
{
    size_t count = count_for_a_round(work);
    double rounds[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++)
        rounds[i] = time_of_bursts(work, count) / (double)count;
    bench_tell(name, median(rounds, ROUNDS));
}

void bench_run(const char *name, bench_body body, void *state)
{
    run_rounds(name, &(struct work){ .body = body, .state = state, .burst = 1 });
}

void bench_run_bursts(const char *name, struct bench_bursts bursts, void *state)
{
    run_rounds(name, &(struct work){ bursts.body, bursts.prepare, state, bursts.burst });
}

struct runner {
    pthread_t thread;
    pthread_barrier_t *start;
    bench_body body;
    void *state;
    size_t count;
    double began, ended; /* told by itself: who waits for it may be the last to run */
};

static void *run(void *given)
{
    struct runner *runner = given;

    (void)pthread_barrier_wait(runner->start);
    runner->began = now_ns();
    runner->body(runner->state, runner->count);
    runner->ended = now_ns();
    return NULL;
}

/* From the first one's begin to the last one's end. */
static double time_of_threads(struct runner *runners, size_t threads)
{
    pthread_barrier_t start;
    double began, ended;

    (void)pthread_barrier_init(&start, NULL, (unsigned)threads);
    for (size_t i = 0; i < threads; i++) {
        runners[i].start = &start;
        bench_check(pthread_create(&runners[i].thread, NULL, run, &runners[i]) == 0, "a thread starts");
    }
    for (size_t i = 0; i < threads; i++)
        (void)pthread_join(runners[i].thread, NULL);
    (void)pthread_barrier_destroy(&start);
    began = runners[0].began;
    ended = runners[0].ended;
    for (size_t i = 1; i < threads; i++) {
        began = runners[i].began < began ? runners[i].began : began;
        ended = runners[i].ended > ended ? runners[i].ended : ended;
    }
    return ended - began;
}

void bench_run_threads(const char *name, bench_body body, void *const *states, size_t threads)
{
    struct work work = { .body = body, .state = states[0], .burst = 1 };
    size_t count = 32 * count_for_a_round(&work); /* starting threads must not count */
    struct runner runners[THREADS_MAX];
    double rounds[THREAD_ROUNDS];

    bench_check(threads <= THREADS_MAX, "few enough threads");
    for (size_t i = 0; i < threads; i++)
        runners[i] = (struct runner){ .body = body, .state = states[i], .count = count };
    for (size_t i = 0; i < THREAD_ROUNDS; i++)
        rounds[i] = time_of_threads(runners, threads) / (double)(count * threads);
    bench_tell(name, median(rounds, THREAD_ROUNDS));
}
