/* SPDX-License-Identifier: MIT */
/*
 * The tour in C: makes a secret, seals it, opens it again, and tells what protects it.
 *
 *     cc tour.c $(pkg-config --cflags --libs keep) -o tour
 */
#include <inttypes.h>
#include <stdio.h>

#include <keep/keep.h>

static const char *backing_name(uint32_t backing)
{
    return backing == KEEP_BACKING_MEMFD_SECRET ? "memory that not even the kernel maps" : "locked memory";
}

static keep_status tell_where_it_lives(const keep_secret *secret)
{
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;
    keep_status st = keep_secret_info(secret, &info);

    if (st != KEEP_OK)
        return st;
    printf("  made    %" PRIu64 " random bytes, in %s, %s\n", info.len, backing_name(info.backing),
           info.locked ? "never swapped out" : "but it may be swapped out");
    return KEEP_OK;
}

static keep_status tell_how_it_is_sealed(const keep_sealed *sealed)
{
    struct keep_sealed_info info = KEEP_SEALED_INFO_INIT;
    keep_status st = keep_sealed_info(sealed, &info);

    if (st != KEEP_OK)
        return st;
    printf("  sealed  into %" PRIu64 " bytes of ordinary memory, under a key in two halves\n", info.stored_len);
    return KEEP_OK;
}

static keep_status seal_and_open(void)
{
    KEEP_AUTO(keep_secret) secret = NULL;
    KEEP_AUTO(keep_sealed) sealed = NULL;
    KEEP_AUTO(keep_secret) opened = NULL;
    int is_equal = 0;
    keep_status st = keep_secret_generate(NULL, 32, &secret);

    if (st == KEEP_OK)
        st = tell_where_it_lives(secret);
    if (st == KEEP_OK)
        st = keep_sealed_from_secret(secret, 0, &sealed);
    if (st == KEEP_OK)
        st = tell_how_it_is_sealed(sealed);
    if (st == KEEP_OK)
        st = keep_sealed_open(sealed, NULL, &opened);
    if (st == KEEP_OK)
        st = keep_secret_equal(secret, opened, &is_equal);
    if (st == KEEP_OK)
        printf("  opened  %s\n", is_equal ? "the same bytes" : "other bytes");
    return st;
}

static void tell_checks(uint32_t passed)
{
    static const struct {
        uint32_t check;
        const char *words;
    } rows[] = {
        { KEEP_CHECK_LOCKED, "locked" },
        { KEEP_CHECK_NOT_DUMPED, "absent from core dumps" },
        { KEEP_CHECK_FORK_SAFE, "absent from children" },
        { KEEP_CHECK_GUARDS, "between guard pages" },
        { KEEP_CHECK_HIDDEN, "hidden from debuggers" },
        { KEEP_CHECK_WIPED, "wiped when freed" },
        { KEEP_CHECK_SEALING, "sealed by the published cipher" },
    };

    printf("  proved ");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (passed & rows[i].check)
            printf("%s %s", passed & (rows[i].check - 1) ? "," : "", rows[i].words);
    }
    printf("\n");
}

static keep_status ask_the_kernel(void)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    struct keep_memory_report report = KEEP_MEMORY_REPORT_INIT;
    keep_status st = keep_memory_report(&options, &report);

    if (st == KEEP_OK)
        tell_checks(report.passed);
    return st;
}

int main(void)
{
    uint32_t version = keep_version_number();
    keep_status st;

    printf("C: libkeep %u.%u.%u\n", version / 1000000, version / 1000 % 1000, version % 1000);
    st = seal_and_open();
    if (st == KEEP_OK)
        st = ask_the_kernel();
    if (st != KEEP_OK)
        fprintf(stderr, "tour: %s\n", keep_status_sentence(st));
    return st == KEEP_OK ? 0 : 1;
}
