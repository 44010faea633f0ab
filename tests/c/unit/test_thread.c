/* SPDX-License-Identifier: MIT */
/*
 * Thread, white box: numbers of threads, the hooks of their ends and of forks, and a system that refuses them.
 */
#include "base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "support/forked.h"
#include "support/suite.h"
#include "support/threads.h"

long __real_sysconf(int name);
long __wrap_sysconf(int name);
int __real_pthread_key_create(pthread_key_t *key, void (*end)(void *value));
int __wrap_pthread_key_create(pthread_key_t *key, void (*end)(void *value));
int __real_pthread_setspecific(pthread_key_t key, const void *value);
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);
int __real_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));
int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

static uint32_t numbers[MAX_THREADS];
static bool is_told;
static enum {
    NOTHING,
    PROCESSORS,
    KEYS,
    VALUES,
    HOOKS
} refused;

long __wrap_sysconf(int name)
{
    return refused == PROCESSORS ? -1 : __real_sysconf(name);
}

int __wrap_pthread_key_create(pthread_key_t *key, void (*end)(void *value))
{
    return refused == KEYS ? EAGAIN : __real_pthread_key_create(key, end);
}

int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
    return refused == VALUES ? ENOMEM : __real_pthread_setspecific(key, value);
}

int __wrap_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    return refused == HOOKS ? ENOMEM : __real_pthread_atfork(prepare, parent, child);
}

static void note_number(struct worker *worker)
{
    numbers[worker->index] = keep__thread_number();
    ck_assert_uint_eq(keep__thread_number(), numbers[worker->index]);
}

START_TEST(every_thread_has_a_number_of_its_own)
{
    struct crew crew = { 0 };

    crew_add(&crew, 8, note_number, NULL);
    crew_run(&crew, 8);
    for (int i = 0; i < 8; i++) {
        for (int other = 0; other < i; other++)
            ck_assert_uint_ne(numbers[i], numbers[other]);
    }
}
END_TEST

static void tell(void)
{
    is_told = true;
}

static void look(void *unused)
{
    (void)unused;
    child_needs(is_told);
}

START_TEST(the_hook_runs_in_a_child)
{
    assert_ok(keep__thread_at_fork(tell));
    assert_returns(look, NULL);
    ck_assert(!is_told);
}
END_TEST

static void note_end(void *value)
{
    *(bool *)value = true;
}

static void *leave_value(void *ended)
{
    return keep__thread_at_exit(note_end, ended) == KEEP_OK ? ended : NULL;
}

START_TEST(a_value_is_given_back_when_its_thread_ends)
{
    bool is_ended = false;
    void *left = NULL;
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, leave_value, &is_ended), 0);
    ck_assert_int_eq(pthread_join(thread, &left), 0);
    ck_assert_ptr_nonnull(left);
    ck_assert(is_ended);
}
END_TEST

START_TEST(a_refused_hook_is_no_memory)
{
    int value = 0;

    refused = HOOKS;
    assert_status(keep__thread_at_fork(tell), KEEP_ERR_NO_MEMORY);
    refused = VALUES;
    assert_status(keep__thread_at_exit(note_end, &value), KEEP_ERR_NO_MEMORY);
}
END_TEST

START_TEST(a_refused_key_is_no_memory)
{
    int value = 0;

    refused = KEYS;
    assert_status(keep__thread_at_exit(note_end, &value), KEEP_ERR_NO_MEMORY);
}
END_TEST

START_TEST(there_is_always_a_processor)
{
    ck_assert_uint_ge(keep__thread_processors(), 1);
    refused = PROCESSORS;
    ck_assert_uint_eq(keep__thread_processors(), 1);
}
END_TEST

START_TEST(yielding_returns)
{
    for (int i = 0; i < 100; i++)
        keep__thread_yield();
}
END_TEST

RUN_SUITE("thread", ONCE(every_thread_has_a_number_of_its_own), ONCE(the_hook_runs_in_a_child),
          ONCE(a_value_is_given_back_when_its_thread_ends), ONCE(a_refused_hook_is_no_memory),
          ONCE(a_refused_key_is_no_memory), ONCE(there_is_always_a_processor), ONCE(yielding_returns))
