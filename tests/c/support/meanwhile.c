/* SPDX-License-Identifier: MIT */
/*
 * Meanwhile: the handler of the fault, and one awaited call.
 */
#include "support/meanwhile.h"

#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
    uint8_t *start;
    size_t len;
    meanwhile_deed deed;
    void *ctx;
    struct sigaction before;
} awaited;

static void do_deed(int number)
{
    (void)number;
    (void)mprotect(awaited.start, awaited.len, PROT_READ | PROT_WRITE);
    (void)sigaction(SIGSEGV, &awaited.before, NULL);
    awaited.deed(awaited.ctx);
}

static void await(void *at, size_t len, int left, meanwhile_deed deed, void *ctx)
{
    struct sigaction action = { .sa_handler = do_deed, .sa_flags = SA_NODEFER };
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)at / page * page;

    awaited.start = (uint8_t *)start;
    awaited.len = ((uintptr_t)at + len - start + page - 1) / page * page;
    awaited.deed = deed;
    awaited.ctx = ctx;
    ck_assert_int_eq(sigaction(SIGSEGV, &action, &awaited.before), 0);
    ck_assert_int_eq(mprotect(awaited.start, awaited.len, left), 0);
}

void *new_pages(size_t len)
{
    void *pages = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(pages, MAP_FAILED);
    return pages;
}

void before_write(void *at, size_t len, meanwhile_deed deed, void *ctx)
{
    await(at, len, PROT_READ, deed, ctx);
}

void before_access(void *at, size_t len, meanwhile_deed deed, void *ctx)
{
    await(at, len, PROT_NONE, deed, ctx);
}

static struct {
    const char *name;
    meanwhile_deed deed;
    void *ctx;
} call;

void before_call(const char *name, meanwhile_deed deed, void *ctx)
{
    call.name = name;
    call.deed = deed;
    call.ctx = ctx;
}

void do_awaited(const char *name)
{
    if (call.name == NULL || strcmp(call.name, name) != 0)
        return;
    call.name = NULL;
    call.deed(call.ctx);
}
