/* SPDX-License-Identifier: MIT */
/*
 * A commit to the replay window, in sequence, under its lock: what every opened packet needs beside its decryption.
 */
#include <stdint.h>

#include "base/lock.h"
#include "bench.h"
#include "packet/window.h"

enum {
    WIDTH = 1024
};

struct guarded_window {
    keep__lock lock;
    keep__window window;
    uint64_t ring[WIDTH / 64 + 1];
};

static void commit(void *state, size_t count)
{
    struct guarded_window *guarded = state;

    for (size_t i = 0; i < count; i++) {
        keep__lock_acquire(&guarded->lock);
        BENCH_CHECK(keep__window_commit(&guarded->window, guarded->window.next));
        keep__lock_release(&guarded->lock);
    }
}

int main(void)
{
    static struct guarded_window guarded;

    keep__lock_init(&guarded.lock, KEEP__RANK_WINDOW);
    keep__window_init(&guarded.window, WIDTH, guarded.ring);
    bench_run("commit", commit, &guarded);
    keep__lock_end(&guarded.lock);
    return 0;
}
