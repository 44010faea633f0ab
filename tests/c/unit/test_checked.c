/* SPDX-License-Identifier: MIT */
/*
 * Checked: sums and products at the edge of what fits.
 */
#include "base/checked.h"

#include "support/suite.h"

START_TEST(a_sum_or_product_that_does_not_fit_is_told_and_writes_nothing)
{
    size_t out = 7;

    ck_assert(!keep__size_add(SIZE_MAX, 1, &out));
    ck_assert(!keep__size_mul(SIZE_MAX / 2 + 1, 2, &out));
    ck_assert(!keep__size_round_up(SIZE_MAX - 14, 16, &out));
    ck_assert_uint_eq(out, 7);
    ck_assert(keep__size_add(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
    ck_assert(keep__size_mul(SIZE_MAX / 2, 2, &out) && out == SIZE_MAX - 1);
    ck_assert(keep__size_round_up(SIZE_MAX - 15, 16, &out) && out == SIZE_MAX - 15);
    ck_assert(keep__size_round_up(1, 16, &out) && out == 16);
}
END_TEST

START_TEST(a_capped_sum_or_product_stops_at_the_largest_number)
{
    ck_assert_uint_eq(keep__u64_add_capped(UINT64_MAX, 1), UINT64_MAX);
    ck_assert_uint_eq(keep__u64_add_capped(UINT64_MAX - 1, 1), UINT64_MAX);
    ck_assert_uint_eq(keep__u64_add_capped(2, 3), 5);
    ck_assert_uint_eq(keep__u64_mul_capped(UINT64_C(1) << 32, UINT64_C(1) << 32), UINT64_MAX);
    ck_assert_uint_eq(keep__u64_mul_capped(2, 3), 6);
}
END_TEST

START_TEST(a_range_fits_up_to_the_last_byte)
{
    ck_assert(keep__range_fits(0, 10, 10) && keep__range_fits(10, 0, 10) && keep__range_fits(3, 7, 10));
    ck_assert(!keep__range_fits(3, 8, 10) && !keep__range_fits(11, 0, 10) && !keep__range_fits(1, SIZE_MAX, 10));
}
END_TEST

START_TEST(the_lesser_and_the_greater_are_found_on_either_side)
{
    ck_assert(keep__size_min(1, 2) == 1 && keep__size_min(2, 1) == 1);
    ck_assert(keep__size_max(1, 2) == 2 && keep__size_max(2, 1) == 2);
    ck_assert(keep__u64_min(1, 2) == 1 && keep__u64_min(2, 1) == 1);
    ck_assert(keep__u64_max(1, 2) == 2 && keep__u64_max(2, 1) == 2);
}
END_TEST

RUN_SUITE("checked", ONCE(a_sum_or_product_that_does_not_fit_is_told_and_writes_nothing),
          ONCE(a_capped_sum_or_product_stops_at_the_largest_number), ONCE(a_range_fits_up_to_the_last_byte),
          ONCE(the_lesser_and_the_greater_are_found_on_either_side))
