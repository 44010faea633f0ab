/* SPDX-License-Identifier: MIT */
/*
 * Random: the seam of getrandom. The kernel gives up to 256 bytes whole; more may come in pieces or be interrupted.
 */
#include "base/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

#include "base/crypto.h"
#include "base/trace.h"
#include "base/banned.h"

keep_status keep__random(void *out, size_t len)
{
    uint8_t *at = out;
    size_t left = len;

    while (left > 0) {
        ssize_t got = getrandom(at, left, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            keep__wipe(out, len);
            return keep__trace(KEEP_ERR_SYSTEM);
        }
        at += got;
        left -= (size_t)got;
    }
    return KEEP_OK;
}
