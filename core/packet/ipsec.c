/* SPDX-License-Identifier: MIT */
/*
 * Ipsec: the seam of intel-ipsec-mb. Where libkeep is built without its header everything says "not built". The library
 * must be of the header's major version and not older: jobs are structs that both know.
 */
#include "packet/ipsec.h"

#if __has_include(<intel-ipsec-mb.h>)
#include <intel-ipsec-mb.h>
#define IS_BUILT 1
#else
#define IS_BUILT 0
#endif
#include <stdatomic.h>

#include "base/crypto.h"
#include "base/loader.h"
#include "base/trace.h"
#include "keep/aead.h"
#include "base/banned.h"

#if IS_BUILT

#define LIBRARY "libIPSec_MB.so.1"
#define MAJOR(version) ((version) >> 16)
#define SELF_TESTED (IMB_FEATURE_SELF_TEST | IMB_FEATURE_SELF_TEST_PASS)
#define FAST (IMB_FEATURE_AVX512_SKX | IMB_FEATURE_AVX512_IFMA)

static struct {
    IMB_MGR *(*alloc_mb_mgr)(uint64_t flags);
    void (*free_mb_mgr)(IMB_MGR *manager);
    void (*init_mb_mgr_auto)(IMB_MGR *manager, IMB_ARCH *arch);
    unsigned (*imb_get_version)(void);
    const char *(*imb_get_version_str)(void);
} api;

static _Atomic uint64_t features; /* of the first manager */

#define FIND(library, name) ((api.name = (__typeof__(api.name))keep__loader_find(library, #name)) != NULL)

static uint32_t load_ipsec(void)
{
    void *library = keep__loader_open(LIBRARY);

    if (library == NULL || !FIND(library, alloc_mb_mgr) || !FIND(library, free_mb_mgr) ||
        !FIND(library, init_mb_mgr_auto) || !FIND(library, imb_get_version) || !FIND(library, imb_get_version_str))
        return KEEP_AEAD_NOT_FOUND;
    if (MAJOR(api.imb_get_version()) != MAJOR(IMB_VERSION_NUM) || api.imb_get_version() < IMB_VERSION_NUM)
        return KEEP_AEAD_TOO_OLD;
    return KEEP_AEAD_USABLE;
}

static IMB_MGR *manager_of(keep__cipher_context *context)
{
    return (IMB_MGR *)(void *)context;
}

static uint32_t ipsec_state(void)
{
    static _Atomic uint32_t state; /* + 1; 0: not loaded yet. Loading twice does no harm */

    if (atomic_load(&state) == 0)
        atomic_store(&state, load_ipsec() + 1);
    return atomic_load(&state) - 1;
}

static const char *ipsec_version(void)
{
    return api.imb_get_version_str();
}

bool keep__ipsec_is_fast(void)
{
    return (atomic_load(&features) & FAST) == FAST;
}

static const char *ipsec_instructions(void)
{
    uint64_t has = atomic_load(&features);

    if (keep__ipsec_is_fast())
        return "avx512-ifma";
    if ((has & IMB_FEATURE_AVX512_SKX) == IMB_FEATURE_AVX512_SKX)
        return "avx512";
    return (has & IMB_FEATURE_AVX2) != 0 ? "avx2" : "sse";
}

static keep_status make_manager(keep__cipher_context **out_context)
{
    IMB_MGR *manager = api.alloc_mb_mgr(0);

    if (manager == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    api.init_mb_mgr_auto(manager, NULL);
    if ((manager->features & SELF_TESTED) != SELF_TESTED || (manager->features & IMB_FEATURE_SAFE_DATA) == 0) {
        api.free_mb_mgr(manager);
        return keep__trace(KEEP_ERR_UNSUPPORTED);
    }
    atomic_store(&features, manager->features);
    *out_context = (keep__cipher_context *)(void *)manager;
    return KEEP_OK;
}

static void end_manager(keep__cipher_context *context)
{
    api.free_mb_mgr(manager_of(context));
}

static void forget_nothing(keep__cipher_context *context)
{
    (void)context; /* each job was forgotten when it was done */
}

/* A job must not keep a pointer to a key: the manager lives as long as the process. */
static void forget_job(IMB_JOB *job)
{
    job->enc_keys = NULL;
    job->dec_keys = NULL;
    job->iv = NULL;
    job->src = NULL;
    job->dst = NULL;
    job->auth_tag_output = NULL;
}

static void describe(IMB_JOB *job, const keep__cipher_job *what)
{
    job->enc_keys = what->key;
    job->dec_keys = what->key;
    job->key_len_in_bytes = 32;
    job->iv = what->nonce;
    job->iv_len_in_bytes = 12;
    job->u.CHACHA20_POLY1305.aad = what->aad;
    job->u.CHACHA20_POLY1305.aad_len_in_bytes = what->aad_len;
    job->src = what->in;
    job->dst = what->out;
    job->cipher_start_src_offset_in_bytes = 0;
    job->hash_start_src_offset_in_bytes = 0;
    job->msg_len_to_cipher_in_bytes = what->len;
    job->msg_len_to_hash_in_bytes = what->len;
    job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
    job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
}

/* Does one job, and writes the tag that it computes. */
static keep_status run_job(keep__cipher_context *context, const keep__cipher_job *what, bool is_sealing,
                           uint8_t *out_tag)
{
    IMB_MGR *manager = manager_of(context);
    IMB_JOB *job = IMB_GET_NEXT_JOB(manager);
    keep_status st;

    describe(job, what);
    job->cipher_direction = is_sealing ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    job->chain_order = is_sealing ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    job->auth_tag_output = out_tag;
    job->auth_tag_output_len_in_bytes = KEEP__CIPHER_TAG_LEN;
    job = IMB_SUBMIT_JOB_NOCHECK(manager); /* all of it was described here */
    if (job == NULL)
        job = IMB_FLUSH_JOB(manager);
    if (job == NULL)
        return keep__trace(KEEP_ERR_SYSTEM);
    st = job->status == IMB_STATUS_COMPLETED ? KEEP_OK : keep__trace(KEEP_ERR_SYSTEM);
    forget_job(job);
    return st;
}

static keep_status seal_with_ipsec(keep__cipher_context *context, const keep__cipher_job *job)
{
    return run_job(context, job, true, job->tag);
}

static keep_status open_with_ipsec(keep__cipher_context *context, const keep__cipher_job *job)
{
    uint8_t tag[KEEP__CIPHER_TAG_LEN];
    keep_status st = run_job(context, job, false, tag);

    if (st != KEEP_OK)
        return st;
    return keep__equal(tag, job->tag, sizeof tag) ? KEEP_OK : KEEP_ERR_AUTH;
}

#define CONTEXT_LEN sizeof(IMB_MGR)

#else

#define CONTEXT_LEN 0

static uint32_t ipsec_state(void)
{
    return KEEP_AEAD_NOT_BUILT;
}

static const char *ipsec_version(void)
{
    return "";
}

bool keep__ipsec_is_fast(void)
{
    return false;
}

static const char *ipsec_instructions(void)
{
    return "";
}

static keep_status make_manager(keep__cipher_context **out_context)
{
    (void)out_context;
    return keep__trace(KEEP_ERR_UNSUPPORTED);
}

static void end_manager(keep__cipher_context *context)
{
    (void)context;
}

static void forget_nothing(keep__cipher_context *context)
{
    (void)context;
}

static keep_status seal_with_ipsec(keep__cipher_context *context, const keep__cipher_job *job)
{
    (void)context;
    (void)job;
    return keep__trace(KEEP_ERR_UNSUPPORTED);
}

static keep_status open_with_ipsec(keep__cipher_context *context, const keep__cipher_job *job)
{
    return seal_with_ipsec(context, job);
}

#endif

const keep__cipher_form keep__ipsec_cipher = {
    .name = "ipsec-mb",
    .state = ipsec_state,
    .make = make_manager,
    .end = end_manager,
    .seal = seal_with_ipsec,
    .open = open_with_ipsec,
    .forget = forget_nothing,
    .version = ipsec_version,
    .instructions = ipsec_instructions,
    .context_len = CONTEXT_LEN,
};
