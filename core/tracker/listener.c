/* SPDX-License-Identifier: MIT */
/*
 * Listener: a seam of sockets (the other one is beacon.c).
 *
 * A path is bound with the mode of the descriptor, so it is never wider than asked for; umask is of the whole process
 * and not touched. A path that is taken is stale only if it is a socket that refuses connections, and only that very
 * file is unlinked.
 */
#include "tracker/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/printer.h"
#include "base/units.h"
#include "base/banned.h"

#define DATA_CAP (4096 + 1) /* one more than the longest text, to see that it is longer */
#define CONTROL_CAP (CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(struct timespec)))
#define FD_PATH_CAP 40

struct keep__batch {
    struct mmsghdr messages[KEEP__BATCH];
    struct iovec pieces[KEEP__BATCH];
    const keep__listener *listener; /* whose datagrams these are */
    union {
        struct cmsghdr head; /* for its alignment */
        uint8_t bytes[CONTROL_CAP];
    } control[KEEP__BATCH];
    uint8_t data[KEEP__BATCH][DATA_CAP];
};

static keep_status fail_listen(keep_error *err, keep_status status, int code, const char *sentence)
{
    const keep__origin origin = { .layer = KEEP_LAYER_ERRNO, .code = code };

    return keep__error_fill(err, status, &origin, sentence);
}

/* --- Unix sockets --- */

/* The address of a path; its length is 0 if the path is too long. */
static socklen_t unix_address(const char *path, struct sockaddr_un *out)
{
    size_t len = strlen(path);

    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    if (len == 0 || len >= sizeof out->sun_path)
        return 0;
    memcpy(out->sun_path, path, len);
    if (path[0] != '@')
        return (socklen_t)sizeof *out;
    out->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* A name for what a descriptor stands for, whoever moves its path. */
static void name_of_fd(int fd, char out[FD_PATH_CAP])
{
    keep__printer printer = keep__printer_of(out, FD_PATH_CAP);

    keep__print(&printer, "/proc/self/fd/");
    keep__print_u64(&printer, (uint64_t)fd);
    (void)keep__print_end(&printer);
}

static bool ask_for_senders(int fd)
{
    const int on = 1;

    return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
}

/* Whether nobody listens on the socket file of a descriptor: only a refused connection says so. */
static bool refuses_connections(int path_fd)
{
    struct sockaddr_un address;
    char name[FD_PATH_CAP];
    socklen_t len;
    bool is_refused;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    name_of_fd(path_fd, name);
    len = unix_address(name, &address);
    is_refused = connect(fd, (const struct sockaddr *)&address, len) != 0 && errno == ECONNREFUSED;
    (void)close(fd);
    return is_refused;
}

static bool is_file(const struct stat *status, uint64_t device, uint64_t inode)
{
    return status->st_dev == device && status->st_ino == inode;
}

/* Unlinks a path if it is the file that was looked at. */
static bool unlink_same(const char *path, uint64_t device, uint64_t inode)
{
    struct stat status;

    return lstat(path, &status) == 0 && is_file(&status, device, inode) && unlink(path) == 0;
}

/* Makes room at a path that is taken, if it is a stale socket. */
static keep_status clear_stale(const char *path, keep_error *err)
{
    struct stat status;
    keep_status st = KEEP_OK;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? KEEP_OK : fail_listen(err, KEEP_ERR_SYSTEM, errno, "the path cannot be looked at");
    if (fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode))
        st = fail_listen(err, KEEP_ERR_SYSTEM, EEXIST, "the path is no socket");
    else if (!refuses_connections(fd))
        st = fail_listen(err, KEEP_ERR_BUSY, EADDRINUSE, "somebody listens on the path");
    else if (!unlink_same(path, status.st_dev, status.st_ino))
        st = fail_listen(err, KEEP_ERR_SYSTEM, EADDRINUSE, "the stale socket cannot be unlinked");
    (void)close(fd);
    return st;
}

static keep_status bind_path(int fd, const char *path, keep_error *err)
{
    struct sockaddr_un address;
    socklen_t len = unix_address(path, &address);
    keep_status st;

    if (bind(fd, (const struct sockaddr *)&address, len) == 0)
        return KEEP_OK;
    if (errno != EADDRINUSE || path[0] == '@')
        return fail_listen(err, errno == EADDRINUSE ? KEEP_ERR_BUSY : KEEP_ERR_SYSTEM, errno,
                           "the path cannot be bound");
    st = clear_stale(path, err);
    if (st == KEEP_OK && bind(fd, (const struct sockaddr *)&address, len) != 0)
        st = fail_listen(err, errno == EADDRINUSE ? KEEP_ERR_BUSY : KEEP_ERR_SYSTEM, errno, "the path cannot be bound");
    return st;
}

/* Gives the path's file the bits of its mode that the umask took; not another that stands there by now. */
static bool give_mode(const keep__listener *listener, uint32_t mode)
{
    struct stat status;
    char name[FD_PATH_CAP];
    bool is_given;
    int fd = open(listener->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return false;
    name_of_fd(fd, name);
    is_given = fstat(fd, &status) == 0 && is_file(&status, listener->device, listener->inode) && chmod(name, mode) == 0;
    (void)close(fd);
    return is_given;
}

/* Notes which file was bound, so that it can be unlinked whatever fails, and gives it its mode. */
static keep_status settle_path(keep__listener *listener, uint32_t mode, keep_error *err)
{
    struct stat status;

    if (lstat(listener->path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return fail_listen(err, KEEP_ERR_SYSTEM, errno, "the new path cannot be looked at");
    listener->device = status.st_dev;
    listener->inode = status.st_ino;
    if ((status.st_mode & 0777) != mode && !give_mode(listener, mode))
        return fail_listen(err, KEEP_ERR_SYSTEM, errno, "the mode of the path cannot be set");
    return KEEP_OK;
}

static keep_status bind_unix(keep__listener *listener, const keep_listen_options *options, keep_error *err)
{
    keep_status st;

    if (!ask_for_senders(listener->fd))
        return fail_listen(err, KEEP_ERR_SYSTEM, errno, "no credentials can be had");
    if (options->path[0] != '@' && fchmod(listener->fd, options->mode) != 0)
        return fail_listen(err, KEEP_ERR_SYSTEM, errno, "the mode of the socket cannot be set");
    st = bind_path(listener->fd, options->path, err);
    if (st != KEEP_OK || options->path[0] == '@')
        return st;
    memcpy(listener->path, options->path, strlen(options->path) + 1);
    st = settle_path(listener, options->mode, err);
    if (st != KEEP_OK)
        keep__listener_unlink(listener);
    return st;
}

static keep_status open_unix(keep__listener *listener, const keep_listen_options *options, keep_error *err)
{
    struct sockaddr_un address;
    keep_status st;

    if (options->mode > 0777 || unix_address(options->path, &address) == 0)
        return KEEP_ERR_INVALID_ARGUMENT;
    listener->source = KEEP_SOURCE_UNIX;
    listener->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return fail_listen(err, KEEP_ERR_SYSTEM, errno, "no socket");
    st = bind_unix(listener, options, err);
    if (st != KEEP_OK)
        keep__listener_close(listener);
    return st;
}

/* Whether a descriptor is a bound Unix datagram socket. */
static bool is_bound_unix(int fd)
{
    struct sockaddr_un address = { 0 };
    socklen_t address_len = sizeof address;
    socklen_t type_len = sizeof(int);
    int type = 0;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 && type == SOCK_DGRAM &&
           getsockname(fd, (struct sockaddr *)&address, &address_len) == 0 && address.sun_family == AF_UNIX &&
           address_len > offsetof(struct sockaddr_un, sun_path);
}

static keep_status adopt_unix(keep__listener *listener, const keep_listen_options *options, keep_error *err)
{
    keep_status st = KEEP_OK;

    if (!is_bound_unix(options->fd))
        return KEEP_ERR_INVALID_ARGUMENT;
    listener->source = KEEP_SOURCE_UNIX;
    listener->fd = fcntl(options->fd, F_DUPFD_CLOEXEC, 0);
    if (listener->fd < 0 || !ask_for_senders(listener->fd))
        st = fail_listen(err, KEEP_ERR_SYSTEM, errno, "the supervisor's socket cannot be used");
    if (st != KEEP_OK)
        keep__listener_close(listener);
    return st;
}

/* --- UDP --- */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* The length of a numeric address; 0: it is none, or it is beyond loopback and that is not allowed. */
static socklen_t udp_address(const keep_listen_options *options, union address *out)
{
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, options->address, &out->v4.sin_addr) == 1) {
        bool is_loopback = ntohl(out->v4.sin_addr.s_addr) >> 24 == 127;

        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(options->port);
        return is_loopback || options->allow_any_address != 0 ? (socklen_t)sizeof out->v4 : 0;
    }
    if (inet_pton(AF_INET6, options->address, &out->v6.sin6_addr) == 1) {
        bool is_loopback = IN6_IS_ADDR_LOOPBACK(&out->v6.sin6_addr);

        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(options->port);
        return is_loopback || options->allow_any_address != 0 ? (socklen_t)sizeof out->v6 : 0;
    }
    return 0;
}

static keep_status open_udp(keep__listener *listener, const keep_listen_options *options, keep_error *err)
{
    union address address;
    socklen_t len = udp_address(options, &address);
    keep_status st = KEEP_OK;

    if (len == 0 || (options->sealed == 0 && options->allow_plain == 0))
        return KEEP_ERR_INVALID_ARGUMENT;
    listener->source = options->sealed != 0 ? KEEP_SOURCE_UDP_SEALED : KEEP_SOURCE_UDP;
    listener->marks = options->attested != 0 ? KEEP_MARK_ATTESTED : 0;
    listener->fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return fail_listen(err, KEEP_ERR_SYSTEM, errno, "no socket");
    if (bind(listener->fd, &address.any, len) != 0)
        st = fail_listen(err, errno == EADDRINUSE ? KEEP_ERR_BUSY : KEEP_ERR_SYSTEM, errno,
                         "the address cannot be bound");
    if (st != KEEP_OK)
        keep__listener_close(listener);
    return st;
}

keep_status keep__listener_open(const keep_listen_options *options, keep__listener *out, keep_error *err)
{
    int ways = (options->path != NULL) + (options->fd >= 0) + (options->address != NULL);

    *out = (keep__listener){ .fd = -1 };
    if (ways != 1)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (options->path != NULL)
        return open_unix(out, options, err);
    return options->fd >= 0 ? adopt_unix(out, options, err) : open_udp(out, options, err);
}

void keep__listener_close(keep__listener *listener)
{
    if (listener->fd >= 0)
        (void)close(listener->fd);
    listener->fd = -1;
}

void keep__listener_unlink(const keep__listener *listener)
{
    if (listener->inode != 0)
        (void)unlink_same(listener->path, listener->device, listener->inode);
}

/* --- receiving --- */

size_t keep__batch_len(void)
{
    return sizeof(keep__batch);
}

void keep__batch_init(keep__batch *batch)
{
    for (size_t i = 0; i < KEEP__BATCH; i++) {
        batch->pieces[i] = (struct iovec){ batch->data[i], DATA_CAP };
        batch->messages[i].msg_hdr.msg_iov = &batch->pieces[i];
        batch->messages[i].msg_hdr.msg_iovlen = 1;
        batch->messages[i].msg_hdr.msg_control = batch->control[i].bytes;
    }
}

size_t keep__listener_receive(const keep__listener *listener, keep__batch *batch, size_t max, int *out_errno)
{
    size_t cap = keep__size_min(max, KEEP__BATCH);
    int count;

    batch->listener = listener;
    for (size_t i = 0; i < cap; i++)
        batch->messages[i].msg_hdr.msg_controllen = listener->source == KEEP_SOURCE_UNIX ? CONTROL_CAP : 0;
    do {
        count = recvmmsg(listener->fd, batch->messages, (unsigned)cap, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
    } while (count < 0 && errno == EINTR);
    *out_errno = count >= 0 || errno == EAGAIN ? 0 : errno;
    return count < 0 ? 0 : (size_t)count;
}

/* There is no room for passed descriptors, so the kernel discards them; one that came all the same is closed. */
static void close_passed(const struct cmsghdr *head)
{
    size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    int fd;

    for (size_t i = 0; i < count; i++) {
        memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
        (void)close(fd);
    }
}

static void read_control(struct msghdr *message, keep_datagram *datagram, uint64_t *out_sent_ns)
{
    struct timespec sent;
    struct ucred sender;

    datagram->marks |= KEEP_MARK_NO_CREDENTIALS;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET)
            continue;
        if (head->cmsg_type == SCM_CREDENTIALS && head->cmsg_len >= CMSG_LEN(sizeof sender)) {
            memcpy(&sender, CMSG_DATA(head), sizeof sender);
            datagram->kernel_pid = (uint32_t)sender.pid;
            datagram->uid = sender.uid;
            datagram->marks &= ~(uint32_t)KEEP_MARK_NO_CREDENTIALS;
        } else if (head->cmsg_type == SCM_TIMESTAMPNS && head->cmsg_len >= CMSG_LEN(sizeof sent)) {
            memcpy(&sent, CMSG_DATA(head), sizeof sent);
            *out_sent_ns = (uint64_t)sent.tv_sec * KEEP__NS_PER_S + (uint64_t)sent.tv_nsec;
        } else if (head->cmsg_type == SCM_RIGHTS) {
            close_passed(head);
        }
    }
}

keep_datagram keep__batch_datagram(keep__batch *batch, size_t at, uint64_t *out_sent_ns)
{
    struct mmsghdr *message = &batch->messages[at];
    keep_datagram datagram = {
        .data = { batch->data[at], message->msg_len },
        .source = batch->listener->source,
        .marks = batch->listener->marks,
    };

    *out_sent_ns = 0;
    if ((message->msg_hdr.msg_flags & MSG_TRUNC) != 0)
        datagram.marks |= KEEP_MARK_TRUNCATED;
    if (datagram.source == KEEP_SOURCE_UNIX)
        read_control(&message->msg_hdr, &datagram, out_sent_ns);
    return datagram;
}
