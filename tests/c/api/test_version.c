/* SPDX-License-Identifier: MIT */
/*
 * keep/version.h from outside.
 */
#include <keep/version.h>

#include "support/suite.h"

/* bindings R10 */
START_TEST(the_library_is_of_the_version_of_its_headers)
{
    ck_assert_uint_eq(keep_version_number(), KEEP_VERSION_NUMBER);
}
END_TEST

RUN_SUITE("version", ONCE(the_library_is_of_the_version_of_its_headers))
