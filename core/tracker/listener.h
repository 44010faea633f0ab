/* SPDX-License-Identifier: MIT */
/*
 * Listeners: the sockets of an observer, and receiving from them in batches.
 */
#ifndef KEEP_TRACKER_LISTENER_H
#define KEEP_TRACKER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/error.h"
#include "keep/observer.h"
#include "keep/status.h"

#define KEEP__BATCH 32
#define KEEP__PATH_CAP 108 /* of a Unix socket's address */

typedef struct keep__listener {
    int fd;
    uint32_t source, marks;       /* of every datagram; see keep_datagram */
    uint64_t device, inode;       /* of the path, which is unlinked if it still has them; 0: no path */
    char path[KEEP__PATH_CAP];
} keep__listener;

/* Room to receive KEEP__BATCH datagrams in; its owner allocates keep__batch_len() bytes and sets it up once. */
typedef struct keep__batch keep__batch;
size_t keep__batch_len(void);
void keep__batch_init(keep__batch *batch);

/* INVALID_ARGUMENT, BUSY: somebody listens there, SYSTEM. A failure leaves nothing behind. */
keep_status keep__listener_open(const keep_listen_options *options, keep__listener *out, keep_error *err);

/*
 * Receives what is there, up to `max` datagrams, and says how many; then keep__batch_datagram tells of each. Never
 * blocks. *out_errno is 0, or why nothing could be received.
 */
size_t keep__listener_receive(const keep__listener *listener, keep__batch *batch, size_t max, int *out_errno);

/* A received datagram, and when it was sent by the clock since 1970; 0: unknown. Valid until the next batch. */
keep_datagram keep__batch_datagram(keep__batch *batch, size_t at, uint64_t *out_sent_ns);

/* Closes the socket. */
void keep__listener_close(keep__listener *listener);

/* Unlinks the path, if it still is the socket's. */
void keep__listener_unlink(const keep__listener *listener);

#endif
