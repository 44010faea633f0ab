/* SPDX-License-Identifier: MIT */
/*
 * What protects the process as a whole: wiping every secret at once, hardening the process, and a report that asks the
 * kernel what is true.
 *
 * Lifetime: nothing here makes a handle. What keep_harden changes lasts as long as the process.
 * Threads: locked
 * Limits: none
 *
 * Nothing but keep_harden changes the process, and nothing in the library calls it. No exit or signal handler is
 * installed: a program calls keep_purge where it ends.
 */
#ifndef KEEP_PROTECT_H
#define KEEP_PROTECT_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/pool.h>
#include <keep/status.h>

KEEP_BEGIN_DECLS

/* Measures of keep_harden. */
enum {
    KEEP_HARDEN_NO_CORE = 1,      /* RLIMIT_CORE 0, for good; a core_pattern that pipes ignores it */
    KEEP_HARDEN_NO_DUMP = 2,      /* not dumpable: no core, no ptrace, gdb or perf by the same user; undone by exec */
    KEEP_HARDEN_NO_NEW_PRIVS = 4, /* for good, in this thread and all it starts: no sudo, no ping there */
    KEEP_HARDEN_NO_NEW_CODE = 8,  /* no new executable pages (Linux 6.3): breaks JIT compilers, so Node; inherited */
    KEEP_HARDEN_RECOMMENDED = 3
};

/* KEEP_HARDEN_REPORT_INIT. */
struct keep_harden_report {
    size_t size;
    uint32_t requested, active, failed; /* KEEP_HARDEN_...; `active` as read back, also what nobody asked for */
    int32_t error[8];                   /* errno per bit number, 0 where nothing failed */
};

#define KEEP_HARDEN_REPORT_INIT KEEP_SIZED(struct keep_harden_report)

/* What keep_memory_report proves about a private pool. */
enum {
    KEEP_CHECK_LOCKED = 1,     /* the kernel counts its pages as locked */
    KEEP_CHECK_NOT_DUMPED = 2, /* they are excluded from core dumps */
    KEEP_CHECK_FORK_SAFE = 4,  /* they are wiped in, or absent from, a child */
    KEEP_CHECK_GUARDS = 8,     /* the bytes before and after cannot be read */
    KEEP_CHECK_HIDDEN = 16,    /* another way into the process cannot read them; memfd_secret only */
    KEEP_CHECK_WIPED = 32,     /* a freed slot is zero */
    KEEP_CHECK_SEALING = 64    /* round trip, one flipped bit, published answers */
};

/* Kinds of core_pattern. */
enum {
    KEEP_CORE_PATTERN_FILE = 0,
    KEEP_CORE_PATTERN_PIPE = 1 /* the kernel hands cores to a program, whatever RLIMIT_CORE says */
};

#define KEEP_UNLIMITED INT64_MAX

/*
 * KEEP_MEMORY_REPORT_INIT. What cannot be read is -1; a limit that is none is KEEP_UNLIMITED; what is there or not is
 * 1 or 0.
 */
struct keep_memory_report {
    size_t size;
    int64_t page_size;
    int64_t memlock_soft, memlock_hard; /* RLIMIT_MEMLOCK in bytes */
    int64_t locked_bytes;               /* of the process */
    int64_t cap_ipc_lock;               /* 1: RLIMIT_MEMLOCK does not bind it */
    int64_t memfd_secret, wipe_on_fork; /* the kernel has them */
    int64_t hardening;                  /* KEEP_HARDEN_... that are active */
    int64_t core_limit, core_pattern;   /* RLIMIT_CORE in bytes; KEEP_CORE_PATTERN_... */
    int64_t dumpable, no_new_privs, no_new_code;
    int64_t yama_scope;                 /* /proc/sys/kernel/yama/ptrace_scope */
    int64_t swap_bytes;                 /* swap space of the machine */
    uint32_t backing;                   /* of the tested pool; 0: not tested */
    uint32_t checked, passed, failed;   /* KEEP_CHECK_...; 0 without options */
};

#define KEEP_MEMORY_REPORT_INIT KEEP_SIZED(struct keep_memory_report)

/*
 * Wipes every secret of the process now: those in use, in every pool, are zeroed and marked purged, the keys of sealed
 * secrets and the hot caches are gone. Memory stays mapped, so a window open in another thread reads zeros. New secrets
 * can be made at once.
 *
 * out_open_windows   NULL, or how many windows were open
 *
 * KEEP_OK          all secrets that existed are gone
 * KEEP_ERR_SYSTEM  all but a guarded buffer whose pages the kernel refused to open: it is marked purged, and stays
 *                  inaccessible; `*out_open_windows` is set
 *
 * Binding: blocks
 */
KEEP_API KEEP_MUST_USE keep_status keep_purge(uint64_t *KEEP_NULLABLE out_open_windows);

/*
 * Tries each measure, also after another failed, and reads each back. A program calls it once, early, if it wants it.
 *
 * flags        KEEP_HARDEN_...; 0 only reports
 * out_report   KEEP_HARDEN_REPORT_INIT, or NULL; filled also with KEEP_ERR_SYSTEM
 *
 * KEEP_OK                    all that was requested is active
 * KEEP_ERR_INVALID_ARGUMENT  an unknown bit: nothing was done
 * KEEP_ERR_SYSTEM            something requested failed: look at `failed` and `error`
 */
KEEP_API KEEP_MUST_USE keep_status
keep_harden(uint32_t flags, struct keep_harden_report *KEEP_NULLABLE out_report);

/*
 * Reports what the machine and the process allow. With options it also makes a private pool with them and asks the
 * kernel whether what was promised holds. It neither forks nor catches signals.
 *
 * options      NULL: facts only
 * out_report   KEEP_MEMORY_REPORT_INIT; filled also with KEEP_ERR_SYSTEM
 *
 * KEEP_OK                    nothing failed; without /proc fewer things are checked
 * KEEP_ERR_INVALID_ARGUMENT  correct the call
 * KEEP_ERR_SYSTEM            a check failed: do not trust this memory
 * acquiring                  the private pool could not be made; the facts are filled
 */
KEEP_API KEEP_MUST_USE keep_status
keep_memory_report(const keep_pool_options *KEEP_NULLABLE options, struct keep_memory_report *out_report);

/*
 * Computes a published known answer, so that a build can be checked in every language. It touches no pool and no key.
 *
 * name      sealed.aad, sealed.encode, sealed.decode, coffer.split, coffer.join, coffer.resplit, guarded.layout or
 *           region.plan; each one's input is the fixed-size fields of its formula, then the variable one
 * in        NULL only if `in_len` is 0
 * out       room for `cap` bytes; untouched unless KEEP_OK is returned
 * out_len   the answer's length, also when `cap` is too small
 *
 * KEEP_OK                    the answer is written
 * KEEP_ERR_INVALID_ARGUMENT  an unknown name, or input that the function does not take
 * KEEP_ERR_AUTH              sealed.decode: the bytes do not authenticate
 * KEEP_ERR_UNSUPPORTED       libsodium does not run here
 * KEEP_ERR_BUFFER_TOO_SMALL  call again with `*out_len` bytes
 */
KEEP_API KEEP_MUST_USE keep_status
keep_memory_known_answer(const char *name, const void *KEEP_NULLABLE in, size_t in_len, void *KEEP_NULLABLE out,
                         size_t cap, size_t *out_len);

KEEP_END_DECLS

#endif
