/* SPDX-License-Identifier: MIT */
/*
 * Ipsec, white box: the library is missing, lacks a function, is older than its header, or does not work (packet T15).
 */
#include "packet/ipsec.h"

#include <string.h>

#include "base/loader.h"
#include "keep/aead.h"

#include "support/suite.h"

#if __has_include(<intel-ipsec-mb.h>)
#include <intel-ipsec-mb.h>
#endif

void *__real_keep__loader_open(const char *name);
void *__wrap_keep__loader_open(const char *name);
keep__function __real_keep__loader_find(void *library, const char *symbol);
keep__function __wrap_keep__loader_find(void *library, const char *symbol);

static bool has_library = true;
static const char *replaced = ""; /* the function that is another one */
static keep__function replacement;

void *__wrap_keep__loader_open(const char *name)
{
    return has_library ? __real_keep__loader_open(name) : NULL;
}

keep__function __wrap_keep__loader_find(void *library, const char *symbol)
{
    return strcmp(symbol, replaced) == 0 ? replacement : __real_keep__loader_find(library, symbol);
}

/* Of the library itself; NULL: it is not here. */
static keep__function function_of(const char *symbol)
{
    void *library = __real_keep__loader_open("libIPSec_MB.so.1");

    return library == NULL ? NULL : __real_keep__loader_find(library, symbol);
}

/* Whether there is something to look at: the header when libkeep was built, and the library. */
static bool is_here(void)
{
    return keep__ipsec_cipher.context_len != 0 && function_of("alloc_mb_mgr") != NULL;
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
    replaced = functions[_i];
    ck_assert_uint_eq(keep__ipsec_cipher.state(), KEEP_AEAD_NOT_FOUND);
}
END_TEST

static unsigned get_old_version(void)
{
    return 0x10000; /* 1.0.0 */
}

static unsigned get_other_version(void)
{
    return 0xFF0000; /* 255.0.0 */
}

START_TEST(a_library_older_than_its_header_or_of_another_kind_is_too_old)
{
    if (!is_here())
        return;
    replaced = "imb_get_version";
    replacement = (keep__function)(_i == 0 ? get_old_version : get_other_version);
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

#ifdef IMB_VERSION_NUM

static IMB_MGR *make_no_manager(uint64_t flags)
{
    (void)flags;
    return NULL;
}

START_TEST(a_library_without_memory_is_a_status)
{
    keep__cipher_context *context = NULL;

    if (!is_here())
        return;
    replaced = "alloc_mb_mgr";
    replacement = (keep__function)make_no_manager;
    ck_assert_uint_eq(keep__ipsec_cipher.state(), KEEP_AEAD_USABLE);
    assert_status(keep__ipsec_cipher.make(&context), KEEP_ERR_NO_MEMORY);
    ck_assert_ptr_null(context);
}
END_TEST

#define WORKING (IMB_FEATURE_SELF_TEST | IMB_FEATURE_SELF_TEST_PASS | IMB_FEATURE_SAFE_DATA)

/* What a machine and its library have, and what becomes of it. */
static const struct {
    uint64_t features;
    const char *instructions; /* NULL: unsupported */
} machines[] = {
    { WORKING | IMB_FEATURE_AVX2 | IMB_FEATURE_AVX512_SKX | IMB_FEATURE_AVX512_IFMA, "avx512-ifma" },
    { WORKING | IMB_FEATURE_AVX2 | IMB_FEATURE_AVX512_SKX, "avx512" },
    { WORKING | IMB_FEATURE_AVX2, "avx2" },
    { WORKING, "sse" },
    { WORKING & ~IMB_FEATURE_SAFE_DATA, NULL },
    { WORKING & ~IMB_FEATURE_SELF_TEST_PASS, NULL },
};

static uint64_t features;

static void begin_on_machine(IMB_MGR *manager, IMB_ARCH *arch)
{
    ((void (*)(IMB_MGR *, IMB_ARCH *))function_of("init_mb_mgr_auto"))(manager, arch);
    manager->features = features;
}

START_TEST(a_machine_is_what_its_features_say)
{
    keep__cipher_context *context = NULL;

    if (!is_here())
        return;
    features = machines[_i].features;
    replaced = "init_mb_mgr_auto";
    replacement = (keep__function)begin_on_machine;
    ck_assert_uint_eq(keep__ipsec_cipher.state(), KEEP_AEAD_USABLE);
    if (machines[_i].instructions == NULL) {
        assert_status(keep__ipsec_cipher.make(&context), KEEP_ERR_UNSUPPORTED);
        return;
    }
    assert_ok(keep__ipsec_cipher.make(&context));
    ck_assert_str_eq(keep__ipsec_cipher.instructions(), machines[_i].instructions);
    ck_assert(keep__ipsec_is_fast() == (_i == 0));
    keep__ipsec_cipher.end(context);
}
END_TEST

static IMB_JOB *give_no_job(IMB_MGR *manager)
{
    (void)manager;
    return NULL;
}

static IMB_JOB failed_job;

static IMB_JOB *give_failed_job(IMB_MGR *manager)
{
    (void)manager;
    failed_job.status = IMB_STATUS_ERROR;
    return &failed_job;
}

/* The job comes back at once, when asked for again, or never; and it may have failed. */
START_TEST(a_job_that_does_not_come_back_done_is_a_failure)
{
    static const uint8_t key[32], nonce[12], aad[56];
    uint8_t bytes[50] = { 0 };
    uint8_t tag[16];
    keep__cipher_job job = { key, nonce, aad, sizeof aad, bytes, bytes, sizeof bytes, tag };
    keep__cipher_context *context = NULL;
    IMB_MGR *manager;

    if (!is_here())
        return;
    ck_assert_uint_eq(keep__ipsec_cipher.state(), KEEP_AEAD_USABLE);
    assert_ok(keep__ipsec_cipher.make(&context));
    manager = (IMB_MGR *)(void *)context;
    manager->submit_job_nocheck = _i == 0 ? give_failed_job : give_no_job;
    manager->flush_job = _i == 1 ? give_failed_job : give_no_job;
    assert_status(keep__ipsec_cipher.seal(context, &job), KEEP_ERR_SYSTEM);
    assert_status(keep__ipsec_cipher.open(context, &job), KEEP_ERR_SYSTEM);
    keep__ipsec_cipher.end(context);
}
END_TEST

#define WITH_HEADER \
    ONCE(a_library_without_memory_is_a_status), \
        TIMES(a_machine_is_what_its_features_say, sizeof machines / sizeof *machines), \
        TIMES(a_job_that_does_not_come_back_done_is_a_failure, 3),

#else
#define WITH_HEADER
#endif

RUN_SUITE("ipsec", ONCE(a_missing_library_is_not_found), TIMES(a_library_that_lacks_a_function_is_not_found, 5),
          TIMES(a_library_older_than_its_header_or_of_another_kind_is_too_old, 2),
          WITH_HEADER ONCE(the_library_itself_is_usable))
