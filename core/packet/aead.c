/* SPDX-License-Identifier: MIT */
/*
 * Aead: the table of back ends, their proof, and their contexts.
 *
 * Invariant: a back end is KEEP_AEAD_USABLE only after it gave libsodium's bytes for every length of the proof and refused
 * every flipped bit of a tag. `state` only ever moves away from usable.
 */
#include "packet/aead.h"

#include <string.h>

#include "base/crypto.h"
#include "base/heap.h"
#include "base/lock.h"
#include "base/openssl.h"
#include "base/options.h"
#include "base/thread.h"
#include "base/trace.h"
#include "keep/aead.h"
#include "keep/packet.h"
#include "memory/guard.h"
#include "packet/frame.h"
#include "packet/ipsec.h"
#include "packet/sodium.h"
#include "base/banned.h"

#define BACKENDS 4
#define CONTEXTS_MIN 2
#define CONTEXTS_MAX 64

/* From this payload on OpenSSL's kernel makes up for its cost per call; see docs/benchmarks.md. */
#define OPENSSL_MIN_LEN 2048

struct backend {
    _Alignas(64) _Atomic uint64_t free; /* bit i: context i is not borrowed */
    _Atomic uint32_t state;
    uint32_t count;
    void *contexts[CONTEXTS_MAX];
};

struct aeads {
    keep__lock lock;
    _Atomic uint32_t is_proved;
    struct backend backends[BACKENDS]; /* by KEEP_AEAD_... */
};

static const char *const names[BACKENDS] = { "auto", "sodium", "openssl", "ipsec-mb" };

static void begin_aeads(void *state)
{
    struct aeads *aeads = state;

    keep__lock_init(&aeads->lock, KEEP__RANK_AEAD);
}

static keep_status need_aeads(struct aeads **out)
{
    void *state = NULL;
    keep_status st = keep__guard_enter();

    if (st == KEEP_OK)
        st = keep__guard_part(KEEP__PART_AEAD, sizeof **out, begin_aeads, &state);
    *out = state;
    return st;
}

/* Of a process that has prepared a cipher. */
static struct backend *backend_of(uint32_t which)
{
    struct aeads *aeads = atomic_load_explicit(&keep__guard_root()->parts[KEEP__PART_AEAD], memory_order_acquire);

    return &aeads->backends[which];
}

static keep_status new_context(uint32_t which, void **out)
{
    keep__openssl_aead *openssl = NULL;
    keep__ipsec *ipsec = NULL;
    keep_status st;

    if (which == KEEP_AEAD_OPENSSL) {
        st = keep__openssl_aead_new(&openssl);
        *out = openssl;
    } else {
        st = keep__ipsec_new(&ipsec);
        *out = ipsec;
    }
    return st;
}

static void free_context(uint32_t which, void *context)
{
    if (which == KEEP_AEAD_OPENSSL)
        keep__openssl_aead_free(context);
    else
        keep__ipsec_free(context);
}

static keep__openssl_job openssl_job(const keep__cipher_job *job)
{
    return (keep__openssl_job){ job->key, job->nonce, { job->aad, job->aad_len }, job->in, job->out, job->len, job->tag };
}

static keep_status seal_with(uint32_t which, void *context, const keep__cipher_job *job)
{
    if (which == KEEP_AEAD_OPENSSL) {
        keep__openssl_job translated = openssl_job(job);

        return keep__openssl_aead_seal(context, &translated);
    }
    return keep__ipsec_run(context, job, true, job->tag);
}

static keep_status open_with_ipsec(void *context, const keep__cipher_job *job)
{
    uint8_t tag[KEEP__CIPHER_TAG_LEN];
    keep_status st = keep__ipsec_run(context, job, false, tag);

    if (st != KEEP_OK)
        return st;
    return keep__equal(tag, job->tag, sizeof tag) ? KEEP_OK : KEEP_ERR_AUTH;
}

/* AUTH SYSTEM: `out` may hold plaintext. */
static keep_status open_with(uint32_t which, void *context, const keep__cipher_job *job)
{
    if (which == KEEP_AEAD_OPENSSL) {
        keep__openssl_job translated = openssl_job(job);

        return keep__openssl_aead_open(context, &translated);
    }
    return open_with_ipsec(context, job);
}

/* The input of the proof: bytes that are all different from their neighbours, and one key and nonce. */
struct proof {
    uint8_t key[KEEP__CIPHER_KEY_LEN];
    uint8_t nonce[KEEP__CIPHER_NONCE_LEN];
    uint8_t aad[KEEP__CIPHER_MAX_AAD_LEN];
    uint8_t plaintext[KEEP_MAX_PAYLOAD_LEN];
    uint8_t expected[KEEP_MAX_PAYLOAD_LEN];
    uint8_t got[KEEP_MAX_PAYLOAD_LEN];
    uint8_t expected_tag[KEEP__CIPHER_TAG_LEN];
    uint8_t got_tag[KEEP__CIPHER_TAG_LEN];
};

static void fill(struct proof *proof)
{
    uint8_t *bytes = (uint8_t *)proof;

    for (size_t i = 0; i < sizeof *proof; i++)
        bytes[i] = (uint8_t)(i * 167 + (i >> 8));
}

static keep__cipher_job proof_job(struct proof *proof, const uint8_t *in, uint8_t *out, uint8_t *tag, size_t len)
{
    return (keep__cipher_job){ proof->key, proof->nonce, proof->aad, KEEP__PACKET_AAD_LEN, in, out, len, tag };
}

static keep_status seal_any(uint32_t which, void *context, const keep__cipher_job *job)
{
    if (which != KEEP_AEAD_SODIUM)
        return seal_with(which, context, job);
    keep__sodium_seal(job);
    return KEEP_OK;
}

static keep_status open_any(uint32_t which, void *context, const keep__cipher_job *job)
{
    if (which != KEEP_AEAD_SODIUM)
        return open_with(which, context, job);
    return keep__sodium_open(job) ? KEEP_OK : KEEP_ERR_AUTH;
}

/* One length: equal bytes, and back again. */
static bool proves_len(uint32_t which, void *context, struct proof *proof, size_t len)
{
    keep__cipher_job combined = proof_job(proof, proof->plaintext, proof->expected, proof->expected_tag, len);
    keep__cipher_job sealed = proof_job(proof, proof->plaintext, proof->got, proof->got_tag, len);
    keep__cipher_job opened = proof_job(proof, proof->expected, proof->got, proof->expected_tag, len);

    keep__sodium_seal_combined(&combined);
    if (seal_any(which, context, &sealed) != KEEP_OK || keep__compare(proof->got, proof->expected, len) != 0 ||
        keep__compare(proof->got_tag, proof->expected_tag, KEEP__CIPHER_TAG_LEN) != 0)
        return false;
    return open_any(which, context, &opened) == KEEP_OK && keep__compare(proof->got, proof->plaintext, len) == 0;
}

static bool refuses_flipped_tags(uint32_t which, void *context, struct proof *proof, size_t len)
{
    keep__cipher_job sealed = proof_job(proof, proof->plaintext, proof->expected, proof->expected_tag, len);
    keep__cipher_job opened = proof_job(proof, proof->expected, proof->got, proof->expected_tag, len);

    keep__sodium_seal_combined(&sealed);
    for (size_t bit = 0; bit < 8 * KEEP__CIPHER_TAG_LEN; bit++) {
        proof->expected_tag[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (open_any(which, context, &opened) != KEEP_ERR_AUTH)
            return false;
        proof->expected_tag[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    return true;
}

/* RFC 8439 §2.8.2. */
static bool gives_published_answer(uint32_t which, void *context)
{
    static const char text[] = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
                               "sunscreen would be it.";
    static const uint8_t aad[] = { 0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7 };
    static const uint8_t nonce[] = { 0x07, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47 };
    static const uint8_t answer[] = { 0x1a, 0xe1, 0x0b, 0x59, 0x4f, 0x09, 0xe2, 0x6a,
                                      0x7e, 0x90, 0x2e, 0xcb, 0xd0, 0x60, 0x06, 0x91 };
    uint8_t key[KEEP__CIPHER_KEY_LEN];
    uint8_t out[sizeof text - 1];
    uint8_t tag[KEEP__CIPHER_TAG_LEN];
    keep__cipher_job job = { key, nonce, aad, sizeof aad, (const uint8_t *)text, out, sizeof out, tag };

    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(0x80 + i);
    return seal_any(which, context, &job) == KEEP_OK && keep__compare(tag, answer, sizeof answer) == 0;
}

static bool is_proved_with(uint32_t which, void *context, struct proof *proof)
{
    static const size_t longer[] = { 1024, 1300, 1420, 2048, 4096, 8107, 8108 };
    bool is_right = gives_published_answer(which, context);

    fill(proof);
    for (size_t len = 0; is_right && len <= 520; len++)
        is_right = proves_len(which, context, proof, len);
    for (size_t i = 0; is_right && i < sizeof longer / sizeof *longer; i++)
        is_right = proves_len(which, context, proof, longer[i]);
    return is_right && refuses_flipped_tags(which, context, proof, 100) &&
           refuses_flipped_tags(which, context, proof, 1420);
}

/* What a back end is; NO_MEMORY if that cannot be found out. */
static keep_status prove(uint32_t which, struct proof *proof, uint32_t *out_state)
{
    void *context = NULL;
    keep_status st = KEEP_OK;

    *out_state = which == KEEP_AEAD_IPSEC_MB ? keep__ipsec_state() : KEEP_AEAD_USABLE;
    if (*out_state != KEEP_AEAD_USABLE)
        return KEEP_OK;
    if (which != KEEP_AEAD_SODIUM)
        st = new_context(which, &context);
    if (st == KEEP_ERR_UNSUPPORTED)
        *out_state = which == KEEP_AEAD_IPSEC_MB ? KEEP_AEAD_SELF_TEST_FAILED : KEEP_AEAD_NOT_FOUND;
    else if (st == KEEP_OK && !is_proved_with(which, context, proof))
        *out_state = KEEP_AEAD_SELF_TEST_FAILED;
    if (context != NULL)
        free_context(which, context);
    return st == KEEP_ERR_UNSUPPORTED ? KEEP_OK : st;
}

static keep_status prove_all_locked(struct aeads *aeads) KEEP_HOLDS(aeads->lock)
{
    struct proof *proof;
    keep_status st = KEEP_OK;

    if (atomic_load(&aeads->is_proved) != 0)
        return KEEP_OK;
    proof = keep__heap_new(sizeof *proof);
    if (proof == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    for (uint32_t which = KEEP_AEAD_SODIUM; st == KEEP_OK && which < BACKENDS; which++) {
        uint32_t state;

        st = prove(which, proof, &state);
        if (st == KEEP_OK)
            atomic_store(&aeads->backends[which].state, state);
    }
    keep__heap_free(proof, sizeof *proof);
    if (st == KEEP_OK)
        atomic_store(&aeads->is_proved, 1);
    return st;
}

static bool is_usable(const struct backend *backend)
{
    return atomic_load_explicit(&backend->state, memory_order_relaxed) == KEEP_AEAD_USABLE;
}

/* One context per online processor. */
static keep_status make_contexts_locked(struct aeads *aeads, uint32_t which) KEEP_HOLDS(aeads->lock)
{
    struct backend *backend = &aeads->backends[which];
    uint32_t wanted = keep__thread_processors();

    if (wanted < CONTEXTS_MIN)
        wanted = CONTEXTS_MIN;
    if (wanted > CONTEXTS_MAX)
        wanted = CONTEXTS_MAX;
    while (is_usable(backend) && backend->count < wanted) {
        keep_status st = new_context(which, &backend->contexts[backend->count]);

        if (st != KEEP_OK)
            return st;
        atomic_fetch_or(&backend->free, UINT64_C(1) << backend->count++);
    }
    return KEEP_OK;
}

/* Which back ends a choice may use besides libsodium. */
static bool may_use(uint32_t aead, uint32_t which)
{
    bool is_fast;

    if (aead != KEEP_AEAD_AUTO)
        return aead == which;
    if (!is_usable(backend_of(which)))
        return false;
    if (which == KEEP_AEAD_IPSEC_MB)
        return keep__ipsec_form(&is_fast) != NULL && is_fast;
    return !may_use(KEEP_AEAD_AUTO, KEEP_AEAD_IPSEC_MB);
}

static keep_status prepare_cipher_locked(struct aeads *aeads, uint32_t aead) KEEP_HOLDS(aeads->lock)
{
    keep_status st = prove_all_locked(aeads);

    if (st == KEEP_OK && (!is_usable(&aeads->backends[KEEP_AEAD_SODIUM]) ||
                          (aead != KEEP_AEAD_AUTO && !is_usable(&aeads->backends[aead]))))
        st = keep__trace(KEEP_ERR_UNSUPPORTED);
    for (uint32_t which = KEEP_AEAD_OPENSSL; st == KEEP_OK && which < BACKENDS; which++) {
        if (may_use(aead, which))
            st = make_contexts_locked(aeads, which);
    }
    return st;
}

keep_status keep__cipher_prepare(uint32_t aead)
{
    struct aeads *aeads;
    keep_status st;

    if (aead >= BACKENDS)
        return KEEP_ERR_INVALID_ARGUMENT;
    st = need_aeads(&aeads);
    if (st != KEEP_OK)
        return st;
    keep__lock_acquire(&aeads->lock);
    st = prepare_cipher_locked(aeads, aead);
    keep__lock_release(&aeads->lock);
    return st;
}

/* The back end for one payload. */
static uint32_t pick(uint32_t aead, size_t len)
{
    if (aead != KEEP_AEAD_AUTO)
        return aead;
    if (backend_of(KEEP_AEAD_IPSEC_MB)->count != 0 && may_use(KEEP_AEAD_AUTO, KEEP_AEAD_IPSEC_MB))
        return KEEP_AEAD_IPSEC_MB;
    return len >= OPENSSL_MIN_LEN ? KEEP_AEAD_OPENSSL : KEEP_AEAD_SODIUM;
}

/* Borrows a context of the back end; without a free one the cipher is libsodium's for this call. */
static void borrow(keep__cipher *cipher, uint32_t which)
{
    struct backend *backend = backend_of(which);
    uint64_t free = is_usable(backend) ? atomic_load_explicit(&backend->free, memory_order_relaxed) : 0;

    while (free != 0) {
        uint64_t bit = free & (~free + 1);
        uint64_t before = atomic_fetch_and_explicit(&backend->free, ~bit, memory_order_acquire);

        if ((before & bit) != 0) {
            cipher->backend = which;
            cipher->slot = (uint32_t)__builtin_ctzll(bit);
            return;
        }
        free = before;
    }
}

static void give_back(keep__cipher *cipher)
{
    struct backend *backend = backend_of(cipher->backend);

    if (cipher->backend == KEEP_AEAD_OPENSSL && cipher->is_used)
        keep__openssl_aead_forget(backend->contexts[cipher->slot]);
    (void)atomic_fetch_or_explicit(&backend->free, UINT64_C(1) << cipher->slot, memory_order_release);
    cipher->backend = KEEP_AEAD_SODIUM;
    cipher->is_used = 0;
}

/* Has the right context for a payload, or none. */
static void *context_for(keep__cipher *cipher, size_t len)
{
    uint32_t which = pick(cipher->aead, len);

    if (which == KEEP_AEAD_SODIUM)
        return NULL;
    if (cipher->backend != which) {
        keep__cipher_end(cipher);
        borrow(cipher, which);
    }
    return cipher->backend == which ? backend_of(which)->contexts[cipher->slot] : NULL;
}

/* A back end that failed is used no more. */
static void disable(keep__cipher *cipher)
{
    atomic_store(&backend_of(cipher->backend)->state, KEEP_AEAD_DISABLED);
    keep__cipher_end(cipher);
}

keep_status keep__cipher_seal(keep__cipher *cipher, const keep__cipher_job *job)
{
    void *context = context_for(cipher, job->len);
    keep_status st;

    if (context == NULL) {
        keep__sodium_seal(job);
        return KEEP_OK;
    }
    cipher->is_used = 1;
    st = seal_with(cipher->backend, context, job);
    if (st != KEEP_OK)
        disable(cipher);
    return st;
}

keep_status keep__cipher_open(keep__cipher *cipher, const keep__cipher_job *job)
{
    void *context = context_for(cipher, job->len);
    keep_status st;

    if (context == NULL)
        return keep__sodium_open(job) ? KEEP_OK : KEEP_ERR_AUTH;
    cipher->is_used = 1;
    st = open_with(cipher->backend, context, job);
    if (st == KEEP_OK)
        return KEEP_OK;
    keep__wipe(job->out, job->len);
    if (st == KEEP_ERR_AUTH)
        return st;
    disable(cipher);
    if (job->in == job->out) /* the datagram is gone */
        return KEEP_ERR_AUTH;
    return keep__sodium_open(job) ? KEEP_OK : KEEP_ERR_AUTH;
}

void keep__cipher_end(keep__cipher *cipher)
{
    if (cipher->backend != KEEP_AEAD_SODIUM)
        give_back(cipher);
}

static void copy_text(char *out, size_t cap, const char *text)
{
    size_t len = strnlen(text, cap - 1);

    memcpy(out, text, len);
    out[len] = '\0';
}

static void tell_range(uint32_t which, struct keep_aead_report *out)
{
    bool is_ipsec = may_use(KEEP_AEAD_AUTO, KEEP_AEAD_IPSEC_MB);
    bool is_openssl = may_use(KEEP_AEAD_AUTO, KEEP_AEAD_OPENSSL);

    out->auto_min_len = 1; /* none */
    out->auto_max_len = 0;
    if (which == KEEP_AEAD_IPSEC_MB ? !is_ipsec : is_ipsec)
        return;
    if (which == KEEP_AEAD_OPENSSL && !is_openssl)
        return;
    out->auto_min_len = which == KEEP_AEAD_OPENSSL ? OPENSSL_MIN_LEN : 0;
    out->auto_max_len = which == KEEP_AEAD_SODIUM && is_openssl ? OPENSSL_MIN_LEN - 1 : KEEP_MAX_PAYLOAD_LEN;
}

static void tell(uint32_t which, struct keep_aead_report *out)
{
    const struct backend *backend = backend_of(which);
    bool is_fast;

    out->state = atomic_load(&backend->state);
    out->contexts = backend->count;
    copy_text(out->name, sizeof out->name, names[which]);
    tell_range(which, out);
    if (out->state != KEEP_AEAD_USABLE)
        return;
    if (which == KEEP_AEAD_SODIUM)
        copy_text(out->version, sizeof out->version, keep__sodium_version());
    else if (which == KEEP_AEAD_OPENSSL)
        copy_text(out->version, sizeof out->version, keep__openssl_version());
    else
        copy_text(out->version, sizeof out->version, keep__ipsec_version());
    if (which == KEEP_AEAD_IPSEC_MB) {
        copy_text(out->form, sizeof out->form, keep__ipsec_form(&is_fast));
        out->bytes = (uint64_t)backend->count * keep__ipsec_bytes();
    }
}

keep_status keep_aead_report(uint32_t which, struct keep_aead_report *out_report)
{
    struct keep_aead_report report = KEEP_AEAD_REPORT_INIT;
    struct aeads *aeads;
    keep_status st = keep__report_check(out_report, sizeof report);

    if (st == KEEP_OK && (which == KEEP_AEAD_AUTO || which >= BACKENDS))
        st = KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK)
        st = need_aeads(&aeads);
    if (st != KEEP_OK)
        return st;
    keep__lock_acquire(&aeads->lock);
    st = prove_all_locked(aeads);
    if (st == KEEP_OK)
        tell(which, &report);
    keep__lock_release(&aeads->lock);
    if (st == KEEP_OK)
        keep__report_fill(out_report, &report, sizeof report);
    return st;
}
