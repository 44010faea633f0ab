/* SPDX-License-Identifier: MIT */
/*
 * A consumer: a program outside the repository that keeps one secret. It is built in each way that a consumer may find
 * the library (bindings T29); -DKEEP_CORE_H is the amalgamation's.
 */
#ifdef KEEP_CORE_H
#include KEEP_CORE_H
#else
#include <keep/keep.h>
#endif

#include <stdio.h>

static keep_status seal_and_open(int *out_equal)
{
    KEEP_AUTO(keep_secret) secret = NULL;
    KEEP_AUTO(keep_secret) opened = NULL;
    KEEP_AUTO(keep_sealed) sealed = NULL;
    keep_status st = keep_secret_generate(NULL, 32, &secret);

    if (st == KEEP_OK)
        st = keep_sealed_from_secret(secret, 7, &sealed);
    if (st == KEEP_OK)
        st = keep_sealed_open(sealed, NULL, &opened);
    if (st == KEEP_OK)
        st = keep_secret_equal(secret, opened, out_equal);
    return st;
}

int main(void)
{
    int is_equal = 0;
    keep_status st = seal_and_open(&is_equal);

    printf("libkeep %u: %s\n", (unsigned)keep_version_number(), keep_status_sentence(st));
    return st == KEEP_OK && is_equal && keep_version_number() == KEEP_VERSION_NUMBER ? 0 : 1;
}
