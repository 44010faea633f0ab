/* SPDX-License-Identifier: MIT */
/*
 * User: root becomes nobody, whose files of /proc are readable again; an ordinary user stays what he is.
 */
#include "support/user.h"

#include <grp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    NOBODY = 65534
};

void set_lock_limit(size_t lock_limit)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
        abort();
    limit.rlim_cur = lock_limit;
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0)
        abort();
}

/* CAP_IPC_LOCK may be there without being root. */
static bool is_bound_by_limit(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *probe = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool is_bound;

    set_lock_limit(0);
    is_bound = mlock(probe, page) != 0;
    munmap(probe, page);
    return is_bound;
}

bool become_ordinary(size_t lock_limit)
{
    bool is_bound;

    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        return false;
    (void)prctl(PR_SET_DUMPABLE, 1);
    is_bound = is_bound_by_limit();
    set_lock_limit(lock_limit);
    return is_bound;
}
