/* SPDX-License-Identifier: MIT */
/*
 * What smaps says of pages (memory R60), held against pages of which it is known.
 */
#include "memory/maps.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keep/protect.h"
#include "support/files.h"
#include "support/suite.h"

#define ALL (KEEP_CHECK_LOCKED | KEEP_CHECK_NOT_DUMPED | KEEP_CHECK_FORK_SAFE)

static keep__pages pages_of(uint32_t backing, size_t count)
{
    keep__pages_wish wish = { .backing = backing, .lock_policy = KEEP_LOCK_REQUIRE };
    keep__pages pages;

    assert_ok(keep__pages_map(count * keep__page_size(), wish, &pages));
    return pages;
}

static uint32_t holding_of(const keep__pages *pages, size_t count)
{
    uint32_t holding;

    ck_assert(keep__maps_ask(pages, count, &holding));
    return holding;
}

START_TEST(locked_pages_have_all_there_is)
{
    keep__pages pages = pages_of(KEEP_BACKING_LOCKED, 2);

    ck_assert_uint_eq(holding_of(&pages, 1), ALL);
    keep__pages_unmap(&pages);
}
END_TEST

START_TEST(secret_memory_has_all_there_is)
{
    keep__pages pages;

    if (!keep__pages_has_memfd_secret())
        return;
    pages = pages_of(KEEP_BACKING_MEMFD_SECRET, 2);
    ck_assert_uint_eq(holding_of(&pages, 1), ALL);
    keep__pages_unmap(&pages);
}
END_TEST

START_TEST(pages_that_hold_no_secret_are_not_locked)
{
    keep__pages pages = pages_of(KEEP__BACKING_PLAIN, 1);

    ck_assert_uint_eq(holding_of(&pages, 1), KEEP_CHECK_NOT_DUMPED | KEEP_CHECK_FORK_SAFE);
    keep__pages_unmap(&pages);
}
END_TEST

START_TEST(ordinary_memory_has_nothing)
{
    keep__pages pages = { .len = keep__page_size() };

    pages.data = mmap(NULL, pages.len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(pages.data != MAP_FAILED);
    ck_assert_uint_eq(holding_of(&pages, 1), 0);
    ck_assert_int_eq(munmap(pages.data, pages.len), 0);
}
END_TEST

START_TEST(what_one_page_lacks_all_of_them_lack)
{
    keep__pages pages = pages_of(KEEP_BACKING_LOCKED, 3);

    /* not munlock, which sanitizers turn into nothing */
    ck_assert_int_eq(syscall(SYS_munlock, pages.data + keep__page_size(), keep__page_size()), 0);
    ck_assert_uint_eq(holding_of(&pages, 1), KEEP_CHECK_NOT_DUMPED | KEEP_CHECK_FORK_SAFE);
    ck_assert_int_eq(madvise(pages.data + 2 * keep__page_size(), keep__page_size(), MADV_DODUMP), 0);
    ck_assert_uint_eq(holding_of(&pages, 1), KEEP_CHECK_FORK_SAFE);
    ck_assert_int_eq(madvise(pages.data, keep__page_size(), MADV_KEEPONFORK), 0);
    ck_assert_uint_eq(holding_of(&pages, 1), 0);
    keep__pages_unmap(&pages);
}
END_TEST

START_TEST(what_one_of_several_lacks_all_of_them_lack)
{
    keep__pages pages[2] = { pages_of(KEEP_BACKING_LOCKED, 1), pages_of(KEEP__BACKING_PLAIN, 1) };

    ck_assert_uint_eq(holding_of(pages, 2), KEEP_CHECK_NOT_DUMPED | KEEP_CHECK_FORK_SAFE);
    keep__pages_unmap(&pages[0]);
    keep__pages_unmap(&pages[1]);
}
END_TEST

START_TEST(of_pages_that_are_not_all_mapped_nothing_holds)
{
    keep__pages pages = pages_of(KEEP_BACKING_LOCKED, 3);

    ck_assert_int_eq(munmap(pages.data + keep__page_size(), keep__page_size()), 0);
    ck_assert_uint_eq(holding_of(&pages, 1), 0);
    keep__pages_unmap(&pages);
}
END_TEST

START_TEST(where_the_files_of_the_kernel_are_hidden_nothing_is_told)
{
    keep__pages pages = pages_of(KEEP_BACKING_LOCKED, 1);
    uint32_t holding;

    hide_files();
    ck_assert(!keep__maps_ask(&pages, 1, &holding));
    keep__pages_unmap(&pages);
}
END_TEST

/* What smaps says of pages at 0x1000 to 0x3000, and what of it holds; UINT32_MAX: nothing is told. */
static const struct {
    const char *text;
    uint32_t holding;
} texts[] = {
    { "1000-3000 rw-p 0 0:0 0\nSize: 8 kB\nVmFlags: rd wr lo dc dd\n", ALL },
    { "1000-3000 rw-p 0 0:0 0\nVmFlags: wf dd lo\n3000-4000 r--p 0 0:0 0\nVmFlags: rd\n", ALL },
    { "0-2000 rw-p 0 0:0 0\nVmFlags: lo dd wf\n2000-9000 rw-p 0 0:0 0\nVmFlags: lo dd dc\n", ALL },
    { "0-2000 rw-p 0 0:0 0\nVmFlags: lo dd wf\n2000-9000 rw-p 0 0:0 0\nVmFlags: lo dc\n",
      KEEP_CHECK_LOCKED | KEEP_CHECK_FORK_SAFE },
    { "1000-3000 rw-p 0 0:0 0\nVmFlags: rd wr\n", 0 },
    { "1000-2000 rw-p 0 0:0 0\nVmFlags: lo dd wf\n", 0 }, /* the rest is not mapped */
    { "1000x3000 rw-p 0 0:0 0\nVmFlags: lo dd wf\n", 0 }, /* no range */
    { "1000-x rw-p 0 0:0 0\nVmFlags: lo dd wf\n", 0 },
    { "1000-3000 rw-p 0 0:0 0\nSize: 8 kB\n", UINT32_MAX }, /* a kernel without flags */
    { "", UINT32_MAX },
};

START_TEST(flags_are_read_as_the_kernel_writes_them)
{
    keep__pages pages = { .data = (uint8_t *)0x1000, .len = 0x2000 };
    uint32_t holding;

    replace_file("/proc/thread-self/smaps", texts[_i].text);
    if (!keep__maps_ask(&pages, 1, &holding))
        holding = UINT32_MAX;
    ck_assert_uint_eq(holding, texts[_i].holding);
}
END_TEST

RUN_SUITE("maps", ONCE(locked_pages_have_all_there_is), ONCE(secret_memory_has_all_there_is),
          ONCE(pages_that_hold_no_secret_are_not_locked), ONCE(ordinary_memory_has_nothing),
          ONCE(what_one_page_lacks_all_of_them_lack), ONCE(what_one_of_several_lacks_all_of_them_lack),
          ONCE(of_pages_that_are_not_all_mapped_nothing_holds),
          ONCE(where_the_files_of_the_kernel_are_hidden_nothing_is_told),
          TIMES(flags_are_read_as_the_kernel_writes_them, sizeof texts / sizeof *texts))
