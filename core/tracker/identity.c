/* SPDX-License-Identifier: MIT */
/*
 * Identity: the seam of pidfd_open. The descriptor is opened first and asked last: if its process is still alive then,
 * everything that was read in between is of that process.
 */
#include "tracker/identity.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/printer.h"
#include "base/units.h"
#include "tracker/procfs.h"
#include "base/banned.h"

#define PATH_CAP 64
#define STAT_CAP 1024

static void path_of(uint32_t pid, const char *name, char out[PATH_CAP])
{
    keep__printer printer = keep__printer_of(out, PATH_CAP);

    keep__print(&printer, "/proc/");
    keep__print_u64(&printer, pid);
    keep__print(&printer, name);
    (void)keep__print_end(&printer);
}

static int32_t open_pidfd(uint32_t pid)
{
    return (int32_t)syscall(SYS_pidfd_open, (pid_t)pid, 0);
}

bool keep__identity_supported(void)
{
    uint64_t major;
    uint64_t minor;
    const char *rest;
    char text[PATH_CAP];

    if (!keep__file_read("/proc/sys/kernel/osrelease", text, sizeof text))
        return true;
    rest = keep__parse_u64(text, 10, &major);
    if (rest == NULL || *rest != '.' || keep__parse_u64(rest + 1, 10, &minor) == NULL)
        return true;
    return major > 5 || (major == 5 && minor >= 3);
}

static bool read_stat(uint32_t pid, keep__life *out)
{
    char path[PATH_CAP];
    char text[STAT_CAP];

    path_of(pid, "/stat", path);
    return keep__file_read(path, text, sizeof text) &&
           keep__procfs_stat(text, &out->generation, out->comm, sizeof out->comm);
}

static uint64_t read_namespace(const char *path)
{
    char text[PATH_CAP];

    return keep__file_link(path, text, sizeof text) ? keep__procfs_inode(text) : 0;
}

/* Whether a process that started at `ticks` can have sent something at `sent_ns`. */
static bool started_before(uint64_t ticks, uint64_t sent_ns)
{
    long hertz = sysconf(_SC_CLK_TCK);

    return hertz <= 0 || ticks <= sent_ns / (KEEP__NS_PER_S / (uint64_t)hertz);
}

bool keep__identity_look(uint32_t pid, uint64_t sent_ns, bool may_pin, keep__life *out)
{
    char path[PATH_CAP];
    bool is_gone;

    *out = (keep__life){ .pid = pid, .pidfd = KEEP__NO_PIDFD };
    if (may_pin)
        out->pidfd = open_pidfd(pid);
    if (may_pin && out->pidfd < 0 && errno == ESRCH)
        return false;
    out->is_unwatched = out->pidfd < 0;
    if (!read_stat(pid, out))
        out->generation = 0;
    path_of(pid, "/ns/pid", path);
    out->ns_inode = read_namespace(path);
    is_gone = (out->pidfd >= 0 && keep__identity_ended(out->pidfd)) || !started_before(out->generation, sent_ns);
    if (is_gone && out->pidfd >= 0)
        keep__identity_release(out->pidfd);
    return !is_gone;
}

uint64_t keep__identity_start(uint32_t pid)
{
    keep__life life;

    return read_stat(pid, &life) ? life.generation : 0;
}

bool keep__identity_ended(int32_t pidfd)
{
    struct pollfd poller = { .fd = pidfd, .events = POLLIN };

    return poll(&poller, 1, 0) == 1;
}

void keep__identity_release(int32_t pidfd)
{
    (void)close(pidfd);
}

uint64_t keep__identity_own_namespace(void)
{
    return read_namespace("/proc/self/ns/pid");
}

static uint64_t read_kernel_number(const char *path)
{
    uint64_t number;
    char text[PATH_CAP];

    if (!keep__file_read(path, text, sizeof text) || keep__parse_u64(text, 10, &number) == NULL)
        return 0;
    return number;
}

uint32_t keep__identity_pid_max(void)
{
    return (uint32_t)read_kernel_number("/proc/sys/kernel/pid_max");
}

uint64_t keep__identity_queue_limit(void)
{
    return read_kernel_number("/proc/sys/net/unix/max_dgram_qlen");
}

uint64_t keep__identity_max_files(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

uint32_t keep__identity_user(void)
{
    return getuid();
}
