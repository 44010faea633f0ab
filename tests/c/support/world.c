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

bool has_pid_namespaces(void)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(!leave_pid_namespace());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (status != 0)
        skip_test("pid namespaces");
    return status == 0;
}

static void run_as_first(void (*body)(void))
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mount("proc", "/proc", "proc", 0, NULL) == 0)
        body();
    else
        skip_test("/proc of one's own");
    _exit(0);
}

void in_world(void (*body)(void))
{
    int status = -1;
    pid_t pid;

    if (!has_pid_namespaces())
        return;
    ck_assert(unshare_as_user(CLONE_NEWPID | CLONE_NEWNS));
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        run_as_first(body);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

pid_t fork_as(pid_t pid)
{
    struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1 };

    return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}
