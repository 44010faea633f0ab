/* SPDX-License-Identifier: MIT */
/*
 * Ipsec, white box: the library is missing, lacks a function, or is older than its header (packet T15).
 */
#include "packet/ipsec.h"

#include <string.h>

#include "base/loader.h"
#include "keep/aead.h"

#include "support/suite.h"

void *__real_keep__loader_open(const char *name);
void *__wrap_keep__loader_open(const char *name);
keep__function __real_keep__loader_find(void *library, const char *symbol);
keep__function __wrap_keep__loader_find(void *library, const char *symbol);

static bool has_library = true;
static const char *missing = "";
static bool is_old;

void *__wrap_keep__loader_open(const char *name)
{
    return has_library ? __real_keep__loader_open(name) : NULL;
}

static unsigned old_version(void)
{
    return 0x10000; /* 1.0.0 */
}

keep__function __wrap_keep__loader_find(void *library, const char *symbol)
{
    if (strcmp(symbol, missing) == 0)
        return NULL;
    if (is_old && strcmp(symbol, "imb_get_version") == 0)
        return (keep__function)old_version;
    return __real_keep__loader_find(library, symbol);
}

/* Whether there is something to look at: the header when libkeep was built, and the library. */
static bool is_here(void)
{
    void *library = __real_keep__loader_open("libIPSec_MB.so.1");

    return library != NULL && __real_keep__loader_find(library, "alloc_mb_mgr") != NULL &&
           keep__ipsec_cipher.context_len != 0;
}

START_TEST(a_missing_library_is_not_found)
{
    if (!is_here())
        return;
    has_library = false;
    ck_assert_uint_eq(keep__ipsec_cipher.state(), KEEP_AEAD_NOT_FOUND);
}
END_TEST

START_TEST(a_library_that_lacks_a_function_is_not_found)
{
    static const char *const functions[] = { "alloc_mb_mgr", "free_mb_mgr", "init_mb_mgr_auto", "imb_get_version",
                                             "imb_get_version_str" };

    if (!is_here())
        return;
    missing = functions[_i];
    ck_assert_uint_eq(keep__ipsec_cipher.state(), KEEP_AEAD_NOT_FOUND);
}
END_TEST

START_TEST(a_library_older_than_its_header_is_too_old)
{
    if (!is_here())
        return;
    is_old = true;
    ck_assert_uint_eq(keep__ipsec_cipher.state(), KEEP_AEAD_TOO_OLD);
}
END_TEST

START_TEST(the_library_itself_is_usable)
{
    keep__cipher_context *context = NULL;

    if (!is_here())
        return;
    ck_assert_uint_eq(keep__ipsec_cipher.state(), KEEP_AEAD_USABLE);
    assert_ok(keep__ipsec_cipher.make(&context));
    ck_assert(keep__ipsec_cipher.version()[0] != '\0' && keep__ipsec_cipher.instructions()[0] != '\0');
    keep__ipsec_cipher.end(context);
}
END_TEST

RUN_SUITE("ipsec", ONCE(a_missing_library_is_not_found), TIMES(a_library_that_lacks_a_function_is_not_found, 5),
          ONCE(a_library_older_than_its_header_is_too_old), ONCE(the_library_itself_is_usable))
