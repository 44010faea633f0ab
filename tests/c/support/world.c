/* SPDX-License-Identifier: MIT */
#include "support/world.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/suite.h"

static void skip_test(const char *what)
{
    printf("skipped: no %s here\n", what);
    fflush(stdout);
}

static void write_to(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

/* Users other than root need a user namespace first, in which they stay who they are: nobody may beat as unmapped. */
static bool unshare_as_user(int flags)
{
    char map[32];
    uid_t user = geteuid();

    (void)snprintf(map, sizeof map, "%u %u 1", user, user);
    if (unshare(user == 0 ? flags : flags | CLONE_NEWUSER) != 0)
        return false;
    if (user != 0)
        write_to("/proc/self/uid_map", map);
    return true;
}

bool leave_pid_namespace(void)
{
    return unshare_as_user(CLONE_NEWPID);
}

static int end_of(pid_t pid)
{
    int status = -1;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

bool has_pid_namespaces(void)
{
    pid_t pid = fork();
    bool can_leave;

    if (pid == 0)
        _exit(!leave_pid_namespace());
    can_leave = end_of(pid) == 0;
    if (!can_leave)
        skip_test("pid namespaces");
    return can_leave;
}

static void run_as_first(void (*body)(void))
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mount("proc", "/proc", "proc", 0, NULL) == 0)
        body();
    else
        skip_test("/proc of one's own");
    _exit(0);
}

/* Leaves; the first one there is a child. Leak checkers could not start their threads in a process that has left. */
static void leave_world(void (*body)(void))
{
    pid_t first;

    ck_assert(unshare_as_user(CLONE_NEWPID | CLONE_NEWNS));
    first = fork();
    ck_assert_int_ge(first, 0);
    if (first == 0)
        run_as_first(body);
    _exit(end_of(first) != 0);
}

void in_world(void (*body)(void))
{
    pid_t leaving;

    if (!has_pid_namespaces())
        return;
    leaving = fork();
    ck_assert_int_ge(leaving, 0);
    if (leaving == 0)
        leave_world(body);
    ck_assert_int_eq(end_of(leaving), 0);
}

pid_t fork_as(pid_t pid)
{
    struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1 };

    return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}
