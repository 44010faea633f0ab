/* SPDX-License-Identifier: MIT */
/*
 * Identity, white box: kernels that are old, say nothing or say it otherwise, and processes that are gone.
 */
#include "tracker/identity.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/files.h"
#include "support/suite.h"
#include "support/wrapped.h"

WRAP(ssize_t, readlink, (const char *path, char *out, size_t cap), (path, out, cap), -1)
WRAP(long, sysconf, (int name), (name), -1)
WRAP(int, getrlimit, (__rlimit_resource_t what, struct rlimit *out), (what, out), -1)

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __wrap_poll(struct pollfd *pollers, nfds_t count, int limit);

static int pidfd = -1; /* what opening one gives */
static int open_error = ENOSYS;
static bool has_ended;

long __wrap_syscall(long number, ...)
{
    (void)number; /* pidfd_open: there is no other */
    errno = open_error;
    return pidfd;
}

int __wrap_poll(struct pollfd *pollers, nfds_t count, int limit)
{
    (void)pollers;
    (void)count;
    (void)limit;
    return has_ended;
}

static const struct {
    const char *release;
    bool is_supported;
} kernels[] = {
    { "6.1.0-13-amd64\n", true },
    { "5.3\n", true },
    { "5.2.9\n", false },
    { "4.19.0\n", false },
    { NULL, true },
    { "?\n", true },
    { "6\n", true },
    { "6.x\n", true },
};

/* tracker R31: what cannot be read is not held against it */
START_TEST(a_kernel_is_as_old_as_it_says)
{
    replace_file("/proc/sys/kernel/osrelease", kernels[_i].release);
    ck_assert(keep__identity_supported() == kernels[_i].is_supported);
}
END_TEST

static keep__life life_of_self(uint64_t sent_ns, bool may_pin, bool is_there)
{
    keep__life life;

    ck_assert(keep__identity_look((uint32_t)getpid(), sent_ns, may_pin, &life) == is_there);
    ck_assert_uint_eq(life.pid, (uint32_t)getpid());
    return life;
}

START_TEST(a_living_process_is_known_with_and_without_a_descriptor)
{
    keep__life life = life_of_self(UINT64_MAX, true, true);

    ck_assert(life.generation != 0 && life.ns_inode != 0 && life.comm[0] != '\0');
    ck_assert_uint_eq(life.generation, keep__identity_start((uint32_t)getpid()));
    ck_assert(life.is_unwatched && life.pidfd == KEEP__NO_PIDFD);
    ck_assert(life_of_self(UINT64_MAX, false, true).is_unwatched);
    pidfd = dup(STDIN_FILENO);
    life = life_of_self(UINT64_MAX, true, true);
    ck_assert(!life.is_unwatched && life.pidfd == pidfd);
}
END_TEST

START_TEST(a_process_that_is_gone_is_nobody)
{
    open_error = ESRCH;
    (void)life_of_self(UINT64_MAX, true, false);
    pidfd = dup(STDIN_FILENO);
    has_ended = true;
    (void)life_of_self(UINT64_MAX, true, false);
    ck_assert_int_eq(close(pidfd), -1); /* it was given back */
}
END_TEST

/* tracker R31: the pid is another process's by now */
START_TEST(who_started_after_the_sending_did_not_send)
{
    (void)life_of_self(0, false, false);
    fail_call("sysconf", 0, 0); /* without a unit of time nothing is known of that */
    (void)life_of_self(0, false, true);
}
END_TEST

START_TEST(what_proc_does_not_say_is_unknown)
{
    static char path[64];
    keep__life life;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", getpid());
    replace_file(path, _i == 0 ? NULL : "no stat");
    fail_call("readlink", 0, EACCES);
    life = life_of_self(UINT64_MAX, false, true);
    ck_assert(life.generation == 0 && life.ns_inode == 0);
    ck_assert_uint_eq(keep__identity_start((uint32_t)getpid()), 0);
}
END_TEST

START_TEST(limits_that_cannot_be_read_are_zero)
{
    ck_assert_uint_gt(keep__identity_max_files(), 0);
    fail_call("getrlimit", 0, EPERM);
    ck_assert_uint_eq(keep__identity_max_files(), 0);
    replace_file("/proc/sys/kernel/pid_max", "4194304\n");
    ck_assert_uint_eq(keep__identity_pid_max(), 4194304);
    replace_file("/proc/sys/net/unix/max_dgram_qlen", "many");
    ck_assert_uint_eq(keep__identity_queue_limit(), 0);
    hide_files();
    replace_file("/proc/sys/net/unix/max_dgram_qlen", NULL);
    ck_assert_uint_eq(keep__identity_queue_limit(), 0);
}
END_TEST

RUN_SUITE("identity", TIMES(a_kernel_is_as_old_as_it_says, sizeof kernels / sizeof *kernels),
          ONCE(a_living_process_is_known_with_and_without_a_descriptor), ONCE(a_process_that_is_gone_is_nobody),
          ONCE(who_started_after_the_sending_did_not_send), TIMES(what_proc_does_not_say_is_unknown, 2),
          ONCE(limits_that_cannot_be_read_are_zero))
