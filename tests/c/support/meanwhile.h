/* SPDX-License-Identifier: MIT */
/*
 * What another thread does in the middle of a call, in one thread and in every run: a deed is done before the call goes
 * on. Either pages lose an access, and the call's next one of that kind faults; or the call calls what a test wraps.
 */
#ifndef SUPPORT_MEANWHILE_H
#define SUPPORT_MEANWHILE_H

#include <stddef.h>

typedef void (*meanwhile_deed)(void *ctx);

/* Pages of zeros. They stay until the process ends. */
void *new_pages(size_t len);

/* Before the next write to the pages that hold `len` bytes from `at` on: does the deed, which may write there. */
void before_write(void *at, size_t len, meanwhile_deed deed, void *ctx);

/* The same before the next access. */
void before_access(void *at, size_t len, meanwhile_deed deed, void *ctx);

/* The same before the next call of a function whose wrapper begins with `do_awaited`. Deeds may await further ones. */
void before_call(const char *name, meanwhile_deed deed, void *ctx);
void do_awaited(const char *name);

#endif
