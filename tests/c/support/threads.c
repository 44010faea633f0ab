/* SPDX-License-Identifier: MIT */
/*
 * Threads: a crew that begins at a barrier.
 */
#include "support/threads.h"

#include <stdlib.h>

#include <check.h>

#include "support/forked.h"

void crew_add(struct crew *crew, int count, crew_work work, void *shared)
{
    if (crew->count == 0)
        crew->workers[0].stream = stream_begin();
    for (int i = 0; i < count; i++) {
        struct worker *worker = &crew->workers[crew->count];

        ck_assert_int_lt(crew->count, MAX_THREADS);
        worker->crew = crew;
        worker->index = i;
        worker->stream.state = crew->workers[0].stream.state + (uint64_t)crew->count * 0x10001;
        worker->shared = shared;
        crew->works[crew->count++] = work;
    }
}

static void *run_worker(void *ctx)
{
    struct worker *worker = ctx;
    struct crew *crew = worker->crew;

    pthread_barrier_wait(&crew->barrier);
    crew->works[worker - crew->workers](worker);
    return NULL;
}

void crew_run(struct crew *crew, int first_background)
{
    ck_assert_int_eq(pthread_barrier_init(&crew->barrier, NULL, (unsigned)crew->count), 0);
    for (int i = 0; i < crew->count; i++)
        ck_assert_int_eq(pthread_create(&crew->threads[i], NULL, run_worker, &crew->workers[i]), 0);
    for (int i = 0; i < crew->count; i++) {
        if (i == first_background)
            atomic_store(&crew->is_over, true);
        ck_assert_int_eq(pthread_join(crew->threads[i], NULL), 0);
    }
    pthread_barrier_destroy(&crew->barrier);
}

int rounds(int count)
{
#ifdef __SANITIZE_THREAD__
    int divisor = 200;
#else
    int divisor = 20;
#endif
    const char *share = getenv("KEEP_TEST_SHARE");

    if (share != NULL)
        divisor = atoi(share);
    return divisor <= 1 || count <= divisor ? count : count / divisor;
}

int all_rounds(int count)
{
#if defined(__SANITIZE_THREAD__) || defined(KEEP_VALGRIND)
    return rounds(count);
#else
    return finds_stray_accesses() ? rounds(count) : count;
#endif
}
