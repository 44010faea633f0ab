/* SPDX-License-Identifier: MIT */
/*
 * Pages, white box. Their flags are read back in tests/c/kernel, failing calls stand in tests/fault.
 */
#include "memory/pages.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include "support/forked.h"
#include "support/maps.h"
#include "support/suite.h"

static keep__pages map(uint32_t backing, size_t len)
{
    keep__pages_wish wish = { .backing = backing };
    keep__pages pages;

    assert_ok(keep__pages_map(len, wish, &pages));
    return pages;
}

static uint32_t backing_of(int i)
{
    static const uint32_t backings[] = { KEEP_BACKING_LOCKED, KEEP__BACKING_PLAIN, KEEP_BACKING_AUTO };

    return backings[i];
}

START_TEST(pages_are_zero_writable_and_as_many_as_asked)
{
    size_t page = keep__page_size();

    for (size_t count = 1; count <= 40; count += 13) {
        keep__pages pages = map(backing_of(_i), count * page);

        ck_assert_uint_eq(pages.len, count * page);
        ck_assert(are_all(pages.data, 0, pages.len));
        pages.data[0] = pages.data[pages.len - 1] = 1;
        keep__pages_unmap(&pages);
        ck_assert(pages.len == 0 && pages.data == NULL);
    }
}
END_TEST

START_TEST(pages_tell_what_they_are)
{
    keep__pages pages = map(backing_of(_i), keep__page_size());

    ck_assert_uint_eq(pages.locked, backing_of(_i) != KEEP__BACKING_PLAIN);
    if (backing_of(_i) == KEEP_BACKING_AUTO)
        ck_assert_uint_eq(pages.backing,
                          keep__pages_has_memfd_secret() ? KEEP_BACKING_MEMFD_SECRET : KEEP_BACKING_LOCKED);
    else
        ck_assert_uint_eq(pages.backing, backing_of(_i));
    ck_assert_int_eq(pages.lock_errno, 0);
    ck_assert(keep__pages_hold(&pages, pages.data) && keep__pages_hold(&pages, pages.data + pages.len - 1));
    ck_assert(!keep__pages_hold(&pages, pages.data - 1) && !keep__pages_hold(&pages, pages.data + pages.len));
    keep__pages_unmap(&pages);
}
END_TEST

struct touch {
    uint32_t backing;
    keep__access access;
    bool is_write;
    long at;
};

static volatile uint8_t seen; /* a value that nobody uses is not even read under valgrind */

static void touch_pages(void *ctx)
{
    const struct touch *touch = ctx;
    keep__pages pages = map(touch->backing, keep__page_size());
    volatile uint8_t *byte = pages.data + touch->at;

    child_needs(keep__pages_protect(&pages, touch->access) == KEEP_OK);
    if (touch->is_write)
        *byte = 1;
    else
        seen = *byte;
}

START_TEST(protection_is_what_was_asked_for)
{
    struct touch touch = { .backing = backing_of(_i) };

    assert_faults(touch_pages, &touch);
    touch.access = KEEP__ACCESS_READ;
    assert_returns(touch_pages, &touch);
    touch.is_write = true;
    assert_faults(touch_pages, &touch);
    touch.access = KEEP__ACCESS_WRITE;
    assert_returns(touch_pages, &touch);
}
END_TEST

/* memory R31 */
START_TEST(the_bytes_before_and_behind_fault)
{
    struct touch touch = { .backing = backing_of(_i), .access = KEEP__ACCESS_WRITE, .at = -1 };

    assert_faults(touch_pages, &touch);
    touch.at = (long)keep__page_size();
    assert_faults(touch_pages, &touch);
}
END_TEST

/* The descriptor that pages were last mapped from, and its flags then. */
static int mapped_fd = -1, mapped_flags;

int __real_ftruncate(int fd, off_t len);
int __wrap_ftruncate(int fd, off_t len);

int __wrap_ftruncate(int fd, off_t len)
{
    mapped_fd = fd;
    mapped_flags = fcntl(fd, F_GETFD);
    return __real_ftruncate(fd, len);
}

/* memory R32 */
START_TEST(no_program_inherits_the_descriptor_of_secret_memory)
{
    keep__pages pages = map(KEEP_BACKING_AUTO, keep__page_size());

    ck_assert_int_eq(mapped_fd >= 0, keep__pages_has_memfd_secret());
    if (mapped_fd >= 0) {
        ck_assert_int_eq(mapped_flags, FD_CLOEXEC);
        ck_assert_int_eq(fcntl(mapped_fd, F_GETFD), -1);
    }
    keep__pages_unmap(&pages);
}
END_TEST

START_TEST(unmapping_nothing_is_nothing)
{
    keep__pages pages = { 0 };

    keep__pages_unmap(&pages);
    ck_assert_uint_eq(pages.len, 0);
}
END_TEST

START_TEST(what_cannot_be_mapped_leaves_nothing)
{
    keep__pages_wish wish = { .backing = KEEP_BACKING_LOCKED };
    size_t mappings = count_mappings();
    keep__pages pages;

    ck_assert_int_ne(keep__pages_map(SIZE_MAX / 4 / keep__page_size() * keep__page_size(), wish, &pages), KEEP_OK);
    assert_status(keep__pages_map((SIZE_MAX / keep__page_size()) * keep__page_size(), wish, &pages),
                  KEEP_ERR_NO_MEMORY);
    ck_assert_uint_eq(pages.len, 0);
    ck_assert_uint_le(count_mappings(), mappings + 1); /* the heap's own */
}
END_TEST

RUN_SUITE("pages", TIMES(pages_are_zero_writable_and_as_many_as_asked, 3), TIMES(pages_tell_what_they_are, 3),
          TIMES(protection_is_what_was_asked_for, 3), TIMES(the_bytes_before_and_behind_fault, 3),
          ONCE(no_program_inherits_the_descriptor_of_secret_memory), ONCE(unmapping_nothing_is_nothing),
          ONCE(what_cannot_be_mapped_leaves_nothing))
