/* SPDX-License-Identifier: MIT */
/*
 * Listener, white box: what happens at a path between two looks at it (tracker R26, T8).
 */
#include "tracker/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/suite.h"

int __real_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);
int __real_bind(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t len);

static char folder[64], path[80];
static bool is_replaced;     /* a stale path, right after it was found stale */
static mode_t mode_of_birth; /* of what was bound last */

static int bind_anew(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    ck_assert_int_eq(__real_bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    int result = __real_connect(fd, address, len);
    int code = errno;

    if (is_replaced) {
        ck_assert_int_eq(rename(path, "replaced"), 0); /* so that its inode is not given again */
        (void)close(bind_anew());
    }
    errno = code;
    return result;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t len)
{
    int result = __real_bind(fd, address, len);
    struct stat status;

    if (result == 0 && lstat(path, &status) == 0)
        mode_of_birth = status.st_mode & 0777;
    return result;
}

static void make_folder(void)
{
    const char *parent = getenv("TMPDIR");

    (void)snprintf(folder, sizeof folder, "%s/keep-XXXXXX", parent == NULL ? "/tmp" : parent);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    (void)snprintf(path, sizeof path, "%s/observer", folder);
}

static void remove_folder(void)
{
    (void)unlink(path);
    (void)unlink("replaced");
    ck_assert_int_eq(rmdir(folder), 0);
}

static keep_status listen_at(uint32_t mode, keep__listener *out)
{
    keep_listen_options options = KEEP_LISTEN_OPTIONS_INIT;

    options.path = path;
    options.mode = mode;
    return keep__listener_open(&options, out, NULL);
}

START_TEST(what_came_to_a_stale_path_meanwhile_is_not_unlinked)
{
    keep__listener listener;

    make_folder();
    (void)close(bind_anew());
    is_replaced = true;
    assert_status(listen_at(0600, &listener), KEEP_ERR_SYSTEM);
    ck_assert_int_eq(access(path, F_OK), 0);
    is_replaced = false;
    assert_ok(listen_at(0600, &listener));
    keep__listener_unlink(&listener);
    ck_assert_int_ne(access(path, F_OK), 0);
    keep__listener_close(&listener);
    remove_folder();
}
END_TEST

START_TEST(a_path_is_never_open_to_more_than_its_mode)
{
    static const mode_t masks[] = { 0, 022, 0777 };
    const mode_t mode = 0620;
    keep__listener listener;

    make_folder();
    (void)umask(masks[_i]);
    assert_ok(listen_at(mode, &listener));
    ck_assert_uint_eq(mode_of_birth & ~mode, 0);
    keep__listener_unlink(&listener);
    keep__listener_close(&listener);
    remove_folder();
}
END_TEST

RUN_SUITE("listener", ONCE(what_came_to_a_stale_path_meanwhile_is_not_unlinked),
          TIMES(a_path_is_never_open_to_more_than_its_mode, 3))
