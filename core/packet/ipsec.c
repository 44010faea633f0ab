/* SPDX-License-Identifier: MIT */
/*
 * Ipsec: the seam of intel-ipsec-mb. Where libkeep is built without its header everything says "not built". The library
 * must be of the header's major version and not older: jobs are structs that both know.
 */
#include "packet/ipsec.h"

#include <string.h>

#include "base/loader.h"
#include "base/trace.h"
#include "keep/aead.h"

#if __has_include(<intel-ipsec-mb.h>)

#include <intel-ipsec-mb.h>
#include <stdatomic.h>

#include "base/banned.h"

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

static uint32_t load(void)
{
    void *library = keep__loader_open(LIBRARY);

    if (library == NULL || !FIND(library, alloc_mb_mgr) || !FIND(library, free_mb_mgr) ||
        !FIND(library, init_mb_mgr_auto) || !FIND(library, imb_get_version) || !FIND(library, imb_get_version_str))
        return KEEP_AEAD_NOT_FOUND;
    if (MAJOR(api.imb_get_version()) != MAJOR(IMB_VERSION_NUM) || api.imb_get_version() < IMB_VERSION_NUM)
        return KEEP_AEAD_TOO_OLD;
    return KEEP_AEAD_USABLE;
}

static IMB_MGR *manager_of(keep__ipsec *ipsec)
{
    return (IMB_MGR *)(void *)ipsec;
}

uint32_t keep__ipsec_state(void)
{
    static _Atomic uint32_t state; /* + 1; 0: not loaded yet. Loading twice does no harm */

    if (atomic_load(&state) == 0)
        atomic_store(&state, load() + 1);
    return atomic_load(&state) - 1;
}

const char *keep__ipsec_version(void)
{
    return api.imb_get_version_str();
}

const char *keep__ipsec_form(bool *out_is_fast)
{
    uint64_t has = atomic_load(&features);

    *out_is_fast = (has & FAST) == FAST;
    if (*out_is_fast)
        return "avx512-ifma";
    if ((has & IMB_FEATURE_AVX512_SKX) == IMB_FEATURE_AVX512_SKX)
        return "avx512";
    return (has & IMB_FEATURE_AVX2) != 0 ? "avx2" : "sse";
}

keep_status keep__ipsec_new(keep__ipsec **out_ipsec)
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
    *out_ipsec = (keep__ipsec *)(void *)manager;
    return KEEP_OK;
}

void keep__ipsec_free(keep__ipsec *ipsec)
{
    api.free_mb_mgr(manager_of(ipsec));
}

size_t keep__ipsec_bytes(void)
{
    return sizeof(IMB_MGR);
}

/* A job must not keep a pointer to a key: the manager lives as long as the process. */
static void forget(IMB_JOB *job)
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

keep_status keep__ipsec_run(keep__ipsec *ipsec, const keep__cipher_job *job, bool is_sealing, uint8_t *out_tag)
{
    IMB_MGR *manager = manager_of(ipsec);
    IMB_JOB *next = IMB_GET_NEXT_JOB(manager);
    keep_status st;

    describe(next, job);
    next->cipher_direction = is_sealing ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    next->chain_order = is_sealing ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    next->auth_tag_output = out_tag;
    next->auth_tag_output_len_in_bytes = KEEP__CIPHER_TAG_LEN;
    next = IMB_SUBMIT_JOB(manager);
    if (next == NULL)
        next = IMB_FLUSH_JOB(manager);
    if (next == NULL)
        return keep__trace(KEEP_ERR_SYSTEM);
    st = next->status == IMB_STATUS_COMPLETED ? KEEP_OK : keep__trace(KEEP_ERR_SYSTEM);
    forget(next);
    return st;
}

#else

#include "base/banned.h"

uint32_t keep__ipsec_state(void)
{
    return KEEP_AEAD_NOT_BUILT;
}

const char *keep__ipsec_version(void)
{
    return "";
}

const char *keep__ipsec_form(bool *out_is_fast)
{
    *out_is_fast = false;
    return "";
}

keep_status keep__ipsec_new(keep__ipsec **out_ipsec)
{
    (void)out_ipsec;
    return keep__trace(KEEP_ERR_UNSUPPORTED);
}

void keep__ipsec_free(keep__ipsec *ipsec)
{
    (void)ipsec;
}

size_t keep__ipsec_bytes(void)
{
    return 0;
}

keep_status keep__ipsec_run(keep__ipsec *ipsec, const keep__cipher_job *job, bool is_sealing, uint8_t *out_tag)
{
    (void)ipsec;
    (void)job;
    (void)is_sealing;
    (void)out_tag;
    return keep__trace(KEEP_ERR_UNSUPPORTED);
}

#endif
