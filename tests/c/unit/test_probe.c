/* SPDX-License-Identifier: MIT */
/*
 * Asking the kernel whether a byte can be read (memory R60).
 */
#include "memory/probe.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory/pages.h"
#include "support/calls.h"
#include "support/suite.h"

ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);

static const uint8_t ordinary = 7;
static bool takes_nothing;

/* Not a refused call: who counts branches writes too. */
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
    return takes_nothing ? 0 : __real_write(fd, bytes, len);
}

static keep__pages page_of(uint32_t backing)
{
    keep__pages_wish wish = { .backing = backing, .lock_policy = KEEP_LOCK_REQUIRE };
    keep__pages pages;

    assert_ok(keep__pages_map(keep__page_size(), wish, &pages));
    return pages;
}

START_TEST(an_ordinary_byte_can_be_read_both_ways)
{
    ck_assert_int_eq(keep__probe_write(&ordinary), KEEP__PROBED_READABLE);
    ck_assert_int_eq(keep__probe_foreign(&ordinary), KEEP__PROBED_READABLE);
}
END_TEST

START_TEST(a_byte_without_access_cannot_be_read)
{
    keep__pages pages = page_of(KEEP_BACKING_LOCKED);

    ck_assert_int_eq(keep__probe_write(pages.data), KEEP__PROBED_READABLE);
    assert_ok(keep__pages_protect(&pages, KEEP__ACCESS_NONE));
    ck_assert_int_eq(keep__probe_write(pages.data), KEEP__PROBED_UNREADABLE);
    ck_assert_int_eq(keep__probe_write(pages.data + pages.len), KEEP__PROBED_UNREADABLE);
    keep__pages_unmap(&pages);
}
END_TEST

START_TEST(secret_memory_is_read_by_its_process_and_not_by_a_debugger)
{
    keep__pages pages;

    if (!keep__pages_has_memfd_secret())
        return;
    pages = page_of(KEEP_BACKING_MEMFD_SECRET);
    ck_assert_int_eq(keep__probe_write(pages.data), KEEP__PROBED_READABLE);
    ck_assert_int_eq(keep__probe_foreign(pages.data), KEEP__PROBED_UNREADABLE);
    keep__pages_unmap(&pages);
}
END_TEST

START_TEST(without_descriptors_nothing_is_known)
{
    struct rlimit limit;
    keep__probed probed;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 0, limit.rlim_max }), 0);
    probed = keep__probe_write(&ordinary);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(probed, KEEP__PROBED_UNKNOWN);
}
END_TEST

START_TEST(where_pipes_take_nothing_nothing_is_known)
{
    keep__pages pages = page_of(KEEP_BACKING_LOCKED);

    assert_ok(keep__pages_protect(&pages, KEEP__ACCESS_NONE));
    takes_nothing = true;
    ck_assert_int_eq(keep__probe_write(pages.data), KEEP__PROBED_UNKNOWN);
    takes_nothing = false;
    keep__pages_unmap(&pages);
}
END_TEST

START_TEST(where_debuggers_are_refused_nothing_is_known)
{
    if (!refuse_call(SYS_process_vm_readv, EPERM))
        return;
    ck_assert_int_eq(keep__probe_foreign(&ordinary), KEEP__PROBED_UNKNOWN);
}
END_TEST

RUN_SUITE("probe", ONCE(an_ordinary_byte_can_be_read_both_ways), ONCE(a_byte_without_access_cannot_be_read),
          ONCE(secret_memory_is_read_by_its_process_and_not_by_a_debugger), ONCE(without_descriptors_nothing_is_known),
          ONCE(where_pipes_take_nothing_nothing_is_known), ONCE(where_debuggers_are_refused_nothing_is_known))
