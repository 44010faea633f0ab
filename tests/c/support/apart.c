/* SPDX-License-Identifier: MIT */
/*
 * Apart: a thread on a mapping.
 */
#include "support/apart.h"

#include <pthread.h>
#include <sys/mman.h>

#include <check.h>

/* A call on a stack that stays mapped after its thread has ended. */
struct apart {
    void (*call)(void *ctx);
    void *ctx;
};

static void *run_apart(void *ctx)
{
    const struct apart *apart = ctx;

    apart->call(apart->ctx);
    return NULL;
}

void *on_own_stack(void (*call)(void *ctx), void *ctx)
{
    void *stack = mmap(NULL, STACK_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    struct apart apart = { call, ctx };
    pthread_attr_t attributes;
    pthread_t thread;

    ck_assert_ptr_ne(stack, MAP_FAILED);
    ck_assert_int_eq(pthread_attr_init(&attributes), 0);
    ck_assert_int_eq(pthread_attr_setstack(&attributes, stack, STACK_LEN), 0);
    ck_assert_int_eq(pthread_create(&thread, &attributes, run_apart, &apart), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    return stack;
}
