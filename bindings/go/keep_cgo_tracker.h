/* SPDX-License-Identifier: MIT */
/*
 * What Go calls of trackers, observers and beacons: see keep_cgo.h. Options with texts and tables with pointers are put
 * together here, since no Go memory with Go pointers may cross.
 */
#ifndef KEEP_CGO_TRACKER_H
#define KEEP_CGO_TRACKER_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>

/* A datagram without its bytes, which end at `end` in those of all; they begin where the one before ends. */
typedef struct keep_go_datagram {
    uint64_t ns_inode, generation;
    size_t end;
    uint32_t kernel_pid, uid, source, marks;
} keep_go_datagram;

static inline keep_status
keep_go_tracker_known_answer(const char *name, const uint8_t *in, size_t in_len, uint8_t *out, size_t cap,
                             size_t *out_len)
{
    return keep_tracker_known_answer(name, in, in_len, out, cap, out_len);
}

static inline keep_status
keep_go_observer_new(const keep_observer_options *given, const uint32_t *uids, keep_tracker *tracker,
                     keep_observer **out_observer, keep_error *err)
{
    keep_observer_options options = *given;

    options.uids = uids;
    return keep_observer_new(&options, tracker, out_observer, err);
}

static inline keep_status
keep_go_observer_listen(keep_observer *observer, const keep_listen_options *given, const char *path,
                        const char *address, keep_error *err)
{
    keep_listen_options options = *given;

    options.path = path;
    options.address = address;
    return keep_observer_listen(observer, &options, err);
}

static inline keep_status
keep_go_observer_feed(keep_observer *observer, const keep_go_datagram *given, size_t count, const uint8_t *data,
                      uint64_t now_ns, keep_event *out_events, size_t cap, size_t *out_count)
{
    keep_datagram datagrams[KEEP_MAX_BATCH];
    size_t begin = 0;

    if (count > KEEP_MAX_BATCH)
        return KEEP_ERR_INVALID_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        size_t len = given[i].end - begin;

        datagrams[i] = (keep_datagram){
            .data = { len == 0 ? NULL : data + begin, len },
            .ns_inode = given[i].ns_inode,
            .generation = given[i].generation,
            .kernel_pid = given[i].kernel_pid,
            .uid = given[i].uid,
            .source = given[i].source,
            .marks = given[i].marks,
        };
        begin = given[i].end;
    }
    return keep_observer_feed(observer, count == 0 ? NULL : datagrams, count, now_ns, out_events, cap, out_count);
}

/* A duplicate of the descriptor to wait on, which the caller closes. */
static inline keep_status keep_go_observer_duplicate(keep_observer *observer, int *out_fd, keep_error *err)
{
    int fd = -1;
    keep_status status = keep_observer_fd(observer, &fd);

    if (status != KEEP_OK)
        return status;
    *out_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (*out_fd >= 0)
        return KEEP_OK;
    err->layer = KEEP_LAYER_ERRNO;
    err->code = errno;
    return KEEP_ERR_SYSTEM;
}

/* Whether a descriptor is readable now; one that poll(2) does not take counts as ready, for its user to see why. */
static inline bool keep_go_is_ready(int fd)
{
    struct pollfd one = { fd, POLLIN, 0 };

    return poll(&one, 1, 0) != 0;
}

static inline keep_status
keep_go_beacon_new(const keep_beacon_options *given, const char *path, const char *host, keep_beacon **out_beacon,
                   keep_error *err)
{
    keep_beacon_options options = *given;

    options.path = path;
    options.host = host;
    return keep_beacon_new(&options, out_beacon, err);
}

#endif
