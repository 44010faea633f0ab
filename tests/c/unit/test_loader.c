/* SPDX-License-Identifier: MIT */
/*
 * Loader, white box.
 */
#include "base/loader.h"

#include "support/suite.h"

START_TEST(what_is_not_there_is_null)
{
    ck_assert_ptr_null(keep__loader_open("libkeep-no-such-library.so.1"));
}
END_TEST

START_TEST(functions_are_found_by_name)
{
    void *library = keep__loader_open("libsodium.so.23");
    keep__function found;
    int (*init)(void);

    if (library == NULL)
        return; /* another version */
    found = keep__loader_find(library, "sodium_init");
    ck_assert(found != NULL);
    init = (int (*)(void))found;
    ck_assert_int_ge(init(), 0);
    ck_assert(keep__loader_find(library, "no_such_function") == NULL);
}
END_TEST

RUN_SUITE("loader", ONCE(what_is_not_there_is_null), ONCE(functions_are_found_by_name))
