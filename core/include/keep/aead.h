/* SPDX-License-Identifier: MIT */
/*
 * The back ends of ChaCha20-Poly1305 (RFC 8439) that packets are sealed with. Each one that this machine has is proved
 * once per process against known answers before it is used; one that fails is never used, and its report says so. All
 * give equal bytes: only time differs.
 *
 * Lifetime: nothing here makes a handle.
 * Threads: locked
 * Limits: one context per online processor, 2 to 64, for a back end that needs one.
 *
 * KEEP_AEAD_AUTO takes ipsec-mb where the processor has AVX-512 with IFMA, else OpenSSL from 2048 bytes of payload on,
 * else libsodium. No environment variable steers cryptography.
 */
#ifndef KEEP_AEAD_H
#define KEEP_AEAD_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/status.h>

KEEP_BEGIN_DECLS

/* Back ends, for keep_session_options and keep_aead_report. */
enum {
    KEEP_AEAD_AUTO = 0,
    KEEP_AEAD_SODIUM = 1, /* always there */
    KEEP_AEAD_OPENSSL = 2,
    KEEP_AEAD_IPSEC_MB = 3
};

/* What a back end is on this machine. */
enum {
    KEEP_AEAD_USABLE = 0,
    KEEP_AEAD_NOT_BUILT = 1,       /* libkeep was built without it */
    KEEP_AEAD_NOT_FOUND = 2,       /* its library or a symbol of it is missing */
    KEEP_AEAD_TOO_OLD = 3,         /* its library is older than the headers, or of another major version */
    KEEP_AEAD_SELF_TEST_FAILED = 4,
    KEEP_AEAD_DISABLED = 5         /* it failed in use and is not used any more */
};

/* KEEP_AEAD_REPORT_INIT. Texts end with NUL. */
struct keep_aead_report {
    size_t size;
    uint32_t state;          /* KEEP_AEAD_USABLE ... */
    uint32_t contexts;       /* made so far */
    uint64_t bytes;          /* of memory for them */
    uint32_t auto_min_len;   /* payload lengths for which KEEP_AEAD_AUTO takes it; */
    uint32_t auto_max_len;   /* min above max: none */
    char name[16];           /* "sodium", "openssl", "ipsec-mb" */
    char version[32];        /* of its library, or empty */
    char form[32];           /* of the processor's instructions it uses, as far as it tells */
};

#define KEEP_AEAD_REPORT_INIT KEEP_SIZED(struct keep_aead_report)

/*
 * Tells what one back end is on this machine; the first call proves it.
 *
 * which        KEEP_AEAD_SODIUM, _OPENSSL or _IPSEC_MB
 * out_report   KEEP_AEAD_REPORT_INIT
 *
 * KEEP_OK                    the report is filled, also of a back end that cannot be used
 * KEEP_ERR_INVALID_ARGUMENT  correct the call
 * KEEP_ERR_NO_MEMORY         memory was refused: free some
 * KEEP_ERR_UNSUPPORTED       libsodium itself does not run here
 */
KEEP_API KEEP_MUST_USE keep_status keep_aead_report(uint32_t which, struct keep_aead_report *out_report);

KEEP_END_DECLS

#endif
