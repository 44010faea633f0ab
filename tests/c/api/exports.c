/* SPDX-License-Identifier: MIT */
/*
 * keep/keep.h brings every header; each exported function is declared, and is there to be linked.
 */
#include <keep/keep.h>

#include "support/suite.h"

typedef void (*any_function)(void);

/* EXPORTS, EXPORT(name) for each, comes with the call of the compiler. */
#define EXPORT(name) { #name, (any_function)name },

static const struct {
    const char *name;
    any_function address;
} exports[] = { EXPORTS };

START_TEST(every_export_is_declared_and_linked)
{
    for (size_t i = 0; i < sizeof exports / sizeof *exports; i++) {
        ck_assert_msg(exports[i].address != NULL, "%s", exports[i].name);
        for (size_t other = 0; other < i; other++)
            ck_assert_ptr_ne((void *)exports[i].address, (void *)exports[other].address);
    }
}
END_TEST

START_TEST(the_loaded_library_has_the_version_of_its_headers)
{
    ck_assert_uint_eq(keep_version_number(), KEEP_VERSION_NUMBER);
}
END_TEST

RUN_SUITE("exports", ONCE(every_export_is_declared_and_linked), ONCE(the_loaded_library_has_the_version_of_its_headers))
