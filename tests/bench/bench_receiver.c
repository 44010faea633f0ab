/* SPDX-License-Identifier: MIT */
/*
 * The least that an observer does in a crowd: bench_receiver SENDERS [SECONDS]
 *
 * It waits and receives, in batches, with the credentials and the time of each datagram, and looks at none.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"
#include "crowd.h"

#define BATCH 32

static int inbox;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static struct mmsghdr messages[BATCH];
static struct iovec pieces[BATCH];
static char folder[64], data[BATCH][64], control[BATCH][256];
static size_t heard;

static size_t receive_batch(void)
{
    struct pollfd poller = { .fd = inbox, .events = POLLIN };
    int count;

    for (size_t i = 0; i < BATCH; i++) {
        pieces[i] = (struct iovec){ data[i], sizeof data[i] };
        messages[i].msg_hdr = (struct msghdr){
            .msg_iov = &pieces[i], .msg_iovlen = 1, .msg_control = control[i], .msg_controllen = sizeof control[i]
        };
    }
    BENCH_CHECK(poll(&poller, 1, -1) == 1);
    count = recvmmsg(inbox, messages, BATCH, MSG_DONTWAIT, NULL);
    BENCH_CHECK(count > 0);
    return (size_t)count;
}

static void hear(void *state, size_t count)
{
    (void)state;
    while (heard < count)
        heard += receive_batch();
    heard -= count;
}

static struct crowd_hearer open_inbox(void)
{
    const char *parent = getenv("TMPDIR");
    const int on = 1;

    (void)snprintf(folder, sizeof folder, "%s/keep-XXXXXX", parent == NULL ? "/tmp" : parent);
    BENCH_CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/receiver", folder);
    inbox = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    BENCH_CHECK(bind(inbox, (const struct sockaddr *)&address, sizeof address) == 0);
    BENCH_CHECK(setsockopt(inbox, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    BENCH_CHECK(setsockopt(inbox, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0);
    heard = 0;
    return (struct crowd_hearer){ .path = address.sun_path, .hear_all = hear, .hear = hear };
}

static void close_inbox(void)
{
    (void)close(inbox);
    BENCH_CHECK(unlink(address.sun_path) == 0 && rmdir(folder) == 0);
}

int main(int argc, char **argv)
{
    struct crowd_call call = crowd_read(argc, argv);

    crowd_measure(&call, open_inbox, close_inbox);
    return 0;
}
