/* SPDX-License-Identifier: MIT */
/*
 * Probe: the seam of pipes and of process_vm_readv. /dev/null would not do: it reads nothing of what is written to it.
 */
#include "memory/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/attributes.h"
#include "base/crypto.h"
#include "base/banned.h"

static const uint8_t ordinary_byte = 1;

static keep__probed judge_result(ssize_t result)
{
    if (result == 1)
        return KEEP__PROBED_READABLE;
    return result < 0 && errno == EFAULT ? KEEP__PROBED_UNREADABLE : KEEP__PROBED_UNKNOWN;
}

keep__probed keep__probe_write(const uint8_t *byte)
{
    keep__probed probed = KEEP__PROBED_UNKNOWN;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return probed;
    KEEP__UNPOISON(byte, 1); /* checkers would take the question for an access */
    if (judge_result(write(ends[1], &ordinary_byte, 1)) == KEEP__PROBED_READABLE)
        probed = judge_result(write(ends[1], byte, 1));
    (void)close(ends[0]);
    (void)close(ends[1]);
    return probed;
}

static keep__probed read_foreign(const uint8_t *byte)
{
    uint8_t copy = 0;
    struct iovec local = { &copy, 1 };
    struct iovec remote = { (void *)(uintptr_t)byte, 1 };
    keep__probed probed = judge_result(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));

    keep__wipe(&copy, sizeof copy);
    return probed;
}

keep__probed keep__probe_foreign(const uint8_t *byte)
{
    return read_foreign(&ordinary_byte) == KEEP__PROBED_READABLE ? read_foreign(byte) : KEEP__PROBED_UNKNOWN;
}
