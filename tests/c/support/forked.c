/* SPDX-License-Identifier: MIT */
/*
 * Forked: children whose standard error is a pipe.
 */
#include "support/forked.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ASAN_EXIT = 86, /* support/sanitizers.c */
    CHILD_FAILED = 87
};

bool finds_stray_accesses(void)
{
#ifdef __SANITIZE_ADDRESS__
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return true;
#endif
#endif
    return false;
}

/* Where branches are counted, a child's count too, also if it dies. */
#ifdef KEEP_COVERAGE
void __gcov_dump(void);

/* Its complaints, as when nobody may write where the counts are, are not what the child says. */
static void dump_counts(void)
{
    (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
    __gcov_dump();
}

static void count_then_die(int number)
{
    dump_counts();
    (void)signal(number, SIG_DFL);
    raise(number);
}

static void count_also_if_aborted(void)
{
    (void)signal(SIGABRT, count_then_die);
}
#else
static void dump_counts(void)
{
}

static void count_also_if_aborted(void)
{
}
#endif

void leave_child(int status)
{
    dump_counts();
    _exit(status);
}

static void run_body(forked_body body, void *ctx, const int *pipe_ends)
{
    struct rlimit no_core = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)dup2(pipe_ends[1], STDERR_FILENO);
    (void)close(pipe_ends[0]);
    (void)close(pipe_ends[1]);
    count_also_if_aborted();
    body(ctx);
    leave_child(0);
}

static void read_all(int fd, char *text, size_t cap)
{
    char rest[256];
    size_t len = 0;
    ssize_t got;

    while (len < cap - 1 && (got = read(fd, text + len, cap - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = '\0';
    while (read(fd, rest, sizeof rest) > 0)
        ;
}

struct outcome run_forked(forked_body body, void *ctx)
{
    struct outcome outcome = { 0 };
    int pipe_ends[2];
    int status;
    pid_t child;

    ck_assert_int_eq(pipe(pipe_ends), 0);
    fflush(NULL);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        run_body(body, ctx, pipe_ends);
    close(pipe_ends[1]);
    read_all(pipe_ends[0], outcome.said, sizeof outcome.said);
    close(pipe_ends[0]);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    outcome.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    outcome.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
}

void child_needs_at(bool condition, const char *text, int line)
{
    if (condition)
        return;
    fprintf(stderr, "line %d: not so: %s\n", line, text);
    fflush(stderr);
    leave_child(CHILD_FAILED);
}

void child_leaves(void *handle)
{
    static void *volatile left[8];
    static size_t count;

    child_needs(count < sizeof left / sizeof *left);
    left[count++] = handle;
}

void assert_returns(forked_body body, void *ctx)
{
    struct outcome outcome = run_forked(body, ctx);

    ck_assert_msg(outcome.signal == 0 && outcome.exit_status == 0, "signal %d, exit status %d: %s", outcome.signal,
                  outcome.exit_status, outcome.said);
}

static bool is_report(const struct outcome *outcome)
{
    return finds_stray_accesses() && outcome->signal == 0 && outcome->exit_status == ASAN_EXIT;
}

void assert_faults(forked_body body, void *ctx)
{
    struct outcome outcome = run_forked(body, ctx);

    ck_assert_msg(outcome.signal == SIGSEGV || is_report(&outcome), "signal %d, exit status %d: %s", outcome.signal,
                  outcome.exit_status, outcome.said);
}

void assert_damage_is_found(forked_body body, void *ctx)
{
    struct outcome outcome = run_forked(body, ctx);

    if (is_report(&outcome))
        return;
    ck_assert_msg(outcome.signal == SIGABRT, "signal %d, exit status %d: %s", outcome.signal, outcome.exit_status,
                  outcome.said);
    ck_assert_str_eq(outcome.said, "libkeep: guarded memory damaged\n");
}
