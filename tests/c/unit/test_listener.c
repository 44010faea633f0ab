/* SPDX-License-Identifier: MIT */
/*
 * Listener, white box: addresses of every kind, a system that fails between two steps, and control messages that no
 * kernel sends. What paths do is in tests/c/api/test_observer.c.
 */
#include "tracker/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/heap.h"
#include "support/suite.h"
#include "support/wrapped.h"

WRAP(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode), -1)
WRAP(int, fstat, (int fd, struct stat *out), (fd, out), -1)
WRAP(int, lstat, (const char *path, struct stat *out), (path, out), -1)
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode), -1)
WRAP(int, unlink, (const char *path), (path), -1)
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1)
WRAP(int, bind, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len), -1)
WRAP(int, fcntl, (int fd, int what, long arg), (fd, what, arg), -1)
WRAP(int, getsockname, (int fd, struct sockaddr *out, socklen_t *len), (fd, out, len), -1)
WRAP(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len), (fd, level, name, value, len),
     -1)

static char folder[64], path[80];

static void make_folder(void)
{
    const char *parent = getenv("TMPDIR");

    (void)snprintf(folder, sizeof folder, "%s/keep-XXXXXX", parent == NULL ? "/tmp" : parent);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/observer", folder);
}

static void remove_folder(void)
{
    (void)__real_unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static keep_listen_options options_of(const char *listen_path)
{
    keep_listen_options options = KEEP_LISTEN_OPTIONS_INIT;

    options.path = listen_path;
    return options;
}

/* Opens a listener and, if it comes, closes it again. */
static keep_status try_listener(keep_listen_options options)
{
    keep__listener listener;
    keep_status st = keep__listener_open(&options, &listener, NULL);

    if (st == KEEP_OK)
        keep__listener_unlink(&listener);
    keep__listener_close(&listener);
    ck_assert_int_eq(listener.fd, -1);
    return st;
}

/* --- paths --- */

START_TEST(an_abstract_name_is_no_file_and_may_be_taken)
{
    char name[40];
    keep__listener listener;
    keep_listen_options options;

    (void)snprintf(name, sizeof name, "@keep-test-%d", getpid());
    options = options_of(name);
    assert_ok(keep__listener_open(&options, &listener, NULL));
    ck_assert_uint_eq(listener.inode, 0);
    assert_status(try_listener(options), KEEP_ERR_BUSY);
    keep__listener_close(&listener);
    assert_status(try_listener(options_of("")), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

static const struct {
    const char *name;
    int calls_before, error;
    bool is_left; /* what it cannot look at it does not unlink */
} failures[] = {
    { "socket", 0, EMFILE, false }, { "setsockopt", 0, EPERM, false }, { "setsockopt", 1, EPERM, false },
    { "bind", 0, EACCES, false },   { "lstat", 0, EIO, true },         { "open", 0, EMFILE, false },
    { "fstat", 0, EIO, false },     { "chmod", 0, EPERM, false },
};

START_TEST(a_path_whose_making_fails_is_told)
{
    mode_t before;

    make_folder();
    before = umask(0777); /* so that the mode is to be set */
    fail_call(failures[_i].name, failures[_i].calls_before, failures[_i].error);
    assert_status(try_listener(options_of(path)), KEEP_ERR_SYSTEM);
    (void)umask(before);
    ck_assert((access(path, F_OK) == 0) == failures[_i].is_left);
    remove_folder();
}
END_TEST

/* Also a file of the same number on another device. */
START_TEST(a_path_of_another_file_is_not_unlinked)
{
    keep_listen_options options;
    keep__listener listener, other;

    make_folder();
    options = options_of(path);
    assert_ok(keep__listener_open(&options, &listener, NULL));
    other = listener;
    other.device++;
    keep__listener_unlink(&other);
    other = listener;
    other.inode++;
    keep__listener_unlink(&other);
    ck_assert_int_eq(access(path, F_OK), 0);
    keep__listener_unlink(&listener);
    ck_assert_int_ne(access(path, F_OK), 0);
    keep__listener_close(&listener);
    remove_folder();
}
END_TEST

/* A path at which nobody listens any more. */
static void leave_stale_socket(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = __real_socket(AF_UNIX, SOCK_DGRAM, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(__real_bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(close(fd), 0);
}

static const struct {
    const char *name;
    int calls_before, error;
    keep_status st;
} stale_failures[] = {
    { "open", 0, EACCES, KEEP_ERR_SYSTEM },  { "fstat", 0, EIO, KEEP_ERR_SYSTEM },
    { "socket", 1, EMFILE, KEEP_ERR_BUSY },  { "lstat", 0, EIO, KEEP_ERR_SYSTEM },
    { "unlink", 0, EPERM, KEEP_ERR_SYSTEM }, { "bind", 1, EADDRINUSE, KEEP_ERR_BUSY },
    { "bind", 1, EACCES, KEEP_ERR_SYSTEM },
};

START_TEST(a_stale_path_that_cannot_be_cleared_is_told)
{
    make_folder();
    leave_stale_socket();
    fail_call(stale_failures[_i].name, stale_failures[_i].calls_before, stale_failures[_i].error);
    assert_status(try_listener(options_of(path)), stale_failures[_i].st);
    remove_folder();
}
END_TEST

static void remove_path(void *unused)
{
    (void)unused;
    ck_assert_int_eq(__real_unlink(path), 0);
}

static void replace_path(void *unused)
{
    int fd;

    remove_path(unused);
    fd = __real_open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_eq(close(fd), 0);
}

/* Somebody else clears the stale path, or puts something in its place. */
START_TEST(a_path_that_changes_meanwhile_is_left_alone)
{
    make_folder();
    leave_stale_socket();
    before_call("open", remove_path, NULL);
    assert_ok(try_listener(options_of(path)));
    leave_stale_socket();
    before_call("lstat", replace_path, NULL);
    assert_status(try_listener(options_of(path)), KEEP_ERR_SYSTEM);
    ck_assert_int_eq(access(path, F_OK), 0);
    remove_folder();
}
END_TEST

/* Before it is looked at, or before it gets its mode. */
START_TEST(a_file_in_place_of_the_new_path_is_left_alone)
{
    static const char *const calls[] = { "lstat", "open" };

    make_folder();
    (void)umask(0777);
    before_call(calls[_i], replace_path, NULL);
    assert_status(try_listener(options_of(path)), KEEP_ERR_SYSTEM);
    ck_assert_int_eq(access(path, F_OK), 0);
    remove_folder();
}
END_TEST

static void note_mode(void *out_mode)
{
    struct stat status;

    ck_assert_int_eq(__real_lstat(path, &status), 0);
    *(mode_t *)out_mode = status.st_mode & 0777;
}

/* tracker R26 */
START_TEST(a_path_is_never_open_to_more_than_its_mode)
{
    static const mode_t masks[] = { 0, 022, 0777 };
    mode_t at_birth = 0777;
    keep_listen_options options;

    make_folder();
    (void)umask(masks[_i]);
    options = options_of(path);
    options.mode = 0620;
    before_call("lstat", note_mode, &at_birth);
    assert_ok(try_listener(options));
    ck_assert_uint_eq(at_birth & ~options.mode, 0);
    remove_folder();
}
END_TEST

/* --- supervisors' sockets --- */

static keep_status try_adopting(int fd)
{
    keep_listen_options options = KEEP_LISTEN_OPTIONS_INIT;

    options.fd = fd;
    return try_listener(options);
}

START_TEST(only_a_bound_unix_datagram_socket_is_adopted)
{
    struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int stream = socket(AF_UNIX, SOCK_STREAM, 0);
    int unbound = socket(AF_UNIX, SOCK_DGRAM, 0);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);

    make_folder();
    assert_status(try_adopting(1 << 20), KEEP_ERR_INVALID_ARGUMENT); /* no descriptor at all */
    assert_status(try_adopting(stream), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(try_adopting(unbound), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert_int_eq(bind(udp, (struct sockaddr *)&loopback, sizeof loopback), 0);
    assert_status(try_adopting(udp), KEEP_ERR_INVALID_ARGUMENT);
    memcpy(address.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(bind(unbound, (struct sockaddr *)&address, sizeof address), 0);
    fail_call("getsockname", 0, EIO);
    assert_status(try_adopting(unbound), KEEP_ERR_INVALID_ARGUMENT);
    fail_call("fcntl", 0, EMFILE);
    assert_status(try_adopting(unbound), KEEP_ERR_SYSTEM);
    fail_call("setsockopt", 0, EPERM);
    assert_status(try_adopting(unbound), KEEP_ERR_SYSTEM);
    assert_ok(try_adopting(unbound));
    (void)(close(stream) | close(unbound) | close(udp));
    remove_folder();
}
END_TEST

/* --- UDP --- */

static const struct {
    const char *address;
    bool is_any_allowed, is_sealed, is_plain_allowed;
    keep_status st;
} addresses[] = {
    { "127.0.0.1", false, true, false, KEEP_OK },
    { "127.9.9.9", false, false, true, KEEP_OK },
    { "127.0.0.1", false, false, false, KEEP_ERR_INVALID_ARGUMENT },
    { "0.0.0.0", false, true, false, KEEP_ERR_INVALID_ARGUMENT },
    { "0.0.0.0", true, true, false, KEEP_OK },
    { "::1", false, true, false, KEEP_OK },
    { "::", false, true, false, KEEP_ERR_INVALID_ARGUMENT },
    { "::", true, true, false, KEEP_OK },
    { "::2", false, true, false, KEEP_ERR_INVALID_ARGUMENT },
    { "1::1", false, true, false, KEEP_ERR_INVALID_ARGUMENT },
    { "0:1::1", false, true, false, KEEP_ERR_INVALID_ARGUMENT },
    { "0:0:1::1", false, true, false, KEEP_ERR_INVALID_ARGUMENT },
    { "0:0:0:0:1::1", false, true, false, KEEP_ERR_INVALID_ARGUMENT },
    { "localhost", false, true, false, KEEP_ERR_INVALID_ARGUMENT },
};

static keep_listen_options options_of_address(int i)
{
    keep_listen_options options = KEEP_LISTEN_OPTIONS_INIT;

    options.address = addresses[i].address;
    options.allow_any_address = addresses[i].is_any_allowed;
    options.sealed = addresses[i].is_sealed;
    options.allow_plain = addresses[i].is_plain_allowed;
    return options;
}

static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    bool is_there = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;

    if (fd >= 0)
        (void)close(fd);
    return is_there;
}

/* tracker R26, R41 */
START_TEST(an_address_is_numeric_and_loopback_unless_others_are_allowed)
{
    bool is_v6 = strchr(addresses[_i].address, ':') != NULL;
    keep_status wanted = addresses[_i].st == KEEP_OK && is_v6 && !has_ipv6() ? KEEP_ERR_SYSTEM : addresses[_i].st;

    assert_status(try_listener(options_of_address(_i)), wanted);
}
END_TEST

START_TEST(an_address_that_cannot_be_had_is_told)
{
    keep_listen_options options = options_of_address(0);
    struct sockaddr_in bound;
    socklen_t len = sizeof bound;
    keep__listener listener;

    options.attested = 1;
    assert_ok(keep__listener_open(&options, &listener, NULL));
    ck_assert_uint_eq(listener.marks, KEEP_MARK_ATTESTED);
    ck_assert_int_eq(getsockname(listener.fd, (struct sockaddr *)&bound, &len), 0);
    options.port = ntohs(bound.sin_port);
    assert_status(try_listener(options), KEEP_ERR_BUSY);
    keep__listener_close(&listener);
    fail_call("bind", 0, EACCES);
    assert_status(try_listener(options), KEEP_ERR_SYSTEM);
    fail_call("socket", 0, EMFILE);
    assert_status(try_listener(options), KEEP_ERR_SYSTEM);
}
END_TEST

/* --- receiving --- */

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *limit);

/* What the kernel says of a datagram: one control message. */
static struct {
    int level, type;
    size_t len;
    int fds[2];
} said;

static int interruptions;
static int receive_error; /* 0: one datagram comes */

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *limit)
{
    struct msghdr *head = &messages[0].msg_hdr;

    (void)(fd + flags + (int)count);
    (void)limit;
    errno = interruptions != 0 ? EINTR : receive_error;
    if (interruptions != 0 || receive_error != 0) {
        interruptions -= interruptions != 0;
        return -1;
    }
    messages[0].msg_len = 0;
    head->msg_controllen = said.len == 0 ? 0 : CMSG_SPACE(said.len);
    if (said.len != 0) {
        struct cmsghdr *first = CMSG_FIRSTHDR(head);

        ck_assert_ptr_nonnull(first);
        *first = (struct cmsghdr){ .cmsg_len = CMSG_LEN(said.len), .cmsg_level = said.level, .cmsg_type = said.type };
        memcpy(CMSG_DATA(first), said.fds, said.len);
    }
    return 1;
}

/* One datagram of a Unix listener. */
static keep_datagram receive_one(uint64_t *out_sent_ns)
{
    static const keep__listener listener = { .fd = -1, .source = KEEP_SOURCE_UNIX };
    keep__batch *batch = keep__heap_new(keep__batch_len());
    keep_datagram datagram;
    int code = 7;

    keep__batch_init(batch);
    ck_assert_uint_eq(keep__listener_receive(&listener, batch, 1, &code), 1);
    ck_assert_int_eq(code, 0);
    datagram = keep__batch_datagram(batch, 0, out_sent_ns);
    keep__heap_free(batch, keep__batch_len());
    return datagram;
}

START_TEST(what_the_kernel_says_otherwise_is_no_credential)
{
    static const struct {
        int level, type;
        size_t len;
    } messages[] = {
        { 0, 0, 0 },
        { SOL_SOCKET + 1, SCM_CREDENTIALS, 8 },
        { SOL_SOCKET, SCM_CREDENTIALS, 4 },
        { SOL_SOCKET, SCM_TIMESTAMPNS, 4 },
        { SOL_SOCKET, 99, 4 },
    };
    uint64_t sent_ns;

    said.level = messages[_i].level;
    said.type = messages[_i].type;
    said.len = messages[_i].len;
    ck_assert_uint_eq(receive_one(&sent_ns).marks, KEEP_MARK_NO_CREDENTIALS);
    ck_assert_uint_eq(sent_ns, 0);
}
END_TEST

/* tracker R30 */
START_TEST(a_descriptor_that_comes_all_the_same_is_closed)
{
    uint64_t sent_ns;

    ck_assert_int_eq(pipe(said.fds), 0);
    said.level = SOL_SOCKET;
    said.type = SCM_RIGHTS;
    said.len = sizeof said.fds;
    (void)receive_one(&sent_ns);
    ck_assert_int_eq(close(said.fds[0]), -1);
    ck_assert_int_eq(close(said.fds[1]), -1);
}
END_TEST

START_TEST(an_interrupted_receive_goes_on_and_nothing_there_is_no_error)
{
    static const keep__listener listener = { .fd = -1, .source = KEEP_SOURCE_UDP };
    keep__batch *batch = keep__heap_new(keep__batch_len());
    int code = 7;

    keep__batch_init(batch);
    interruptions = 2;
    ck_assert_uint_eq(keep__listener_receive(&listener, batch, 1, &code), 1);
    receive_error = EAGAIN;
    ck_assert_uint_eq(keep__listener_receive(&listener, batch, 1, &code), 0);
    ck_assert_int_eq(code, 0);
    receive_error = EIO;
    ck_assert_uint_eq(keep__listener_receive(&listener, batch, 1, &code), 0);
    ck_assert_int_eq(code, EIO);
    keep__heap_free(batch, keep__batch_len());
}
END_TEST

RUN_SUITE("listener", ONCE(an_abstract_name_is_no_file_and_may_be_taken),
          TIMES(a_path_whose_making_fails_is_told, sizeof failures / sizeof *failures),
          TIMES(a_stale_path_that_cannot_be_cleared_is_told, sizeof stale_failures / sizeof *stale_failures),
          ONCE(a_path_that_changes_meanwhile_is_left_alone), TIMES(a_file_in_place_of_the_new_path_is_left_alone, 2),
          TIMES(a_path_is_never_open_to_more_than_its_mode, 3), ONCE(only_a_bound_unix_datagram_socket_is_adopted),
          TIMES(an_address_is_numeric_and_loopback_unless_others_are_allowed, sizeof addresses / sizeof *addresses),
          ONCE(an_address_that_cannot_be_had_is_told), TIMES(what_the_kernel_says_otherwise_is_no_credential, 5),
          ONCE(a_descriptor_that_comes_all_the_same_is_closed),
          ONCE(an_interrupted_receive_goes_on_and_nothing_there_is_no_error),
          ONCE(a_path_of_another_file_is_not_unlinked))
