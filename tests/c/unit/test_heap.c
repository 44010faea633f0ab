/* SPDX-License-Identifier: MIT */
/*
 * Heap, white box: what comes is zero and aligned, what goes is wiped.
 */
#include "base/heap.h"

#include <stdint.h>
#include <string.h>

#include "support/suite.h"

void __real_free(void *ptr);
void __wrap_free(void *ptr);

static const void *watched;
static size_t watched_len;
static bool was_zero;

/* The last look at memory before it goes. */
void __wrap_free(void *ptr)
{
    if (ptr != NULL && ptr == watched)
        was_zero = are_all(ptr, 0, watched_len);
    __real_free(ptr);
}

START_TEST(new_memory_is_zero_and_aligned)
{
    for (size_t len = 1; len < 300; len += 7) {
        void *plain = keep__heap_new(len);
        void *line = keep__heap_new_line(len);

        ck_assert(are_all(plain, 0, len) && are_all(line, 0, len));
        ck_assert_uint_eq((uintptr_t)plain % 16, 0);
        ck_assert_uint_eq((uintptr_t)line % 64, 0);
        keep__heap_free(plain, len);
        keep__heap_free(line, len);
    }
}
END_TEST

START_TEST(memory_is_wiped_before_it_goes)
{
    void *bytes = keep__heap_new_raw(100);

    memset(bytes, 0x77, 100);
    watched = bytes;
    watched_len = 100;
    keep__heap_free(bytes, 100);
    ck_assert(was_zero);
}
END_TEST

START_TEST(what_cannot_be_had_is_null)
{
    ck_assert_ptr_null(keep__heap_new(SIZE_MAX / 4));
    ck_assert_ptr_null(keep__heap_new_raw(SIZE_MAX / 4));
    ck_assert_ptr_null(keep__heap_new_line(SIZE_MAX / 4));
    ck_assert_ptr_null(keep__heap_new_line(SIZE_MAX));
    keep__heap_free(NULL, 100);
}
END_TEST

RUN_SUITE("heap", ONCE(new_memory_is_zero_and_aligned), ONCE(memory_is_wiped_before_it_goes),
          ONCE(what_cannot_be_had_is_null))
