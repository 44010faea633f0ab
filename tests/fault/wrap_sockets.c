/* SPDX-License-Identifier: MIT */
/*
 * The wrappers of sockets, of what is waited on, and of signals.
 */
#include "wrap.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/types.h>

/* WRAP(call, (parameters), (arguments), errors...): a call that gives -1 when it fails. */
#define WRAP(result, name, parameters, arguments, ...) \
    result __real_##name parameters; \
    result __wrap_##name parameters; \
    result __wrap_##name parameters \
    { \
        static const int errors[VARIANTS] = { __VA_ARGS__ }; \
\
        return is_to_fail(#name, errors) ? -1 : __real_##name arguments; \
    }

WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), EMFILE, ENOBUFS, EACCES)
WRAP(int, bind, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len), EADDRINUSE, EACCES, ENOENT)
WRAP(int, connect, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len), ECONNREFUSED, EACCES,
     ENOENT)
WRAP(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len), (fd, level, name, value, len),
     ENOPROTOOPT, ENOMEM, EPERM)
WRAP(ssize_t, send, (int fd, const void *bytes, size_t len, int flags), (fd, bytes, len, flags), EAGAIN, ENOBUFS, EIO)
WRAP(int, recvmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *limit),
     (fd, messages, count, flags, limit), EIO, ENOMEM, ENOBUFS)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), EPERM, EIO, EROFS)
WRAP(int, dup3, (int from, int to, int flags), (from, to, flags), EBUSY, EMFILE, EBADF)
WRAP(int, epoll_create1, (int flags), (flags), EMFILE, ENFILE, ENOMEM)
WRAP(int, epoll_ctl, (int set, int what, int fd, struct epoll_event *event), (set, what, fd, event), ENOSPC, ENOMEM,
     EPERM)
WRAP(int, epoll_wait, (int set, struct epoll_event *events, int cap, int limit), (set, events, cap, limit), EBADF,
     EINVAL, EFAULT)
WRAP(int, timerfd_create, (int clock, int flags), (clock, flags), EMFILE, ENODEV, ENOMEM)
WRAP(int, timerfd_settime, (int fd, int flags, const struct itimerspec *wanted, struct itimerspec *before),
     (fd, flags, wanted, before), ECANCELED, EINVAL, EBADF)
WRAP(int, sigaction, (int signal, const struct sigaction *wanted, struct sigaction *before), (signal, wanted, before),
     EINVAL, EFAULT, EPERM)
WRAP(int, sigaltstack, (const stack_t *wanted, stack_t *before), (wanted, before), ENOMEM, EPERM, EINVAL)
