/* SPDX-License-Identifier: MIT */
/*
 * Aead: the back ends of a process, which of them a session uses, and their reports.
 *
 * Invariant: a back end is used only after it gave libsodium's bytes for every length of the proof and refused every
 * flipped bit of a tag.
 */
#include "packet/aead.h"

#include <string.h>

#include "base/attributes.h"
#include "base/crypto.h"
#include "base/lock.h"
#include "base/openssl.h"
#include "base/options.h"
#include "base/trace.h"
#include "keep/aead.h"
#include "keep/packet.h"
#include "memory/guard.h"
#include "packet/ipsec.h"
#include "packet/sodium.h"
#include "base/banned.h"

#define BACKENDS (KEEP_AEAD_IPSEC_MB + 1)

struct aeads {
    keep__lock lock;
    bool is_proved;                   /* guarded by lock */
    keep__backend backends[BACKENDS]; /* by KEEP_AEAD_... */
};

static void begin_aeads(void *state)
{
    struct aeads *aeads = state;

    keep__lock_init(&aeads->lock, KEEP__RANK_AEAD);
}

static keep_status need_aeads(struct aeads **out)
{
    void *state = NULL;
    keep_status st = keep__guard_part(KEEP__PART_AEAD, sizeof **out, begin_aeads, &state);

    *out = state;
    return st;
}

static keep_status prove_all_locked(struct aeads *aeads) KEEP_HOLDS(aeads->lock)
{
    static const keep__cipher_form *const forms[BACKENDS] = {
        [KEEP_AEAD_SODIUM] = &keep__sodium_cipher,
        [KEEP_AEAD_OPENSSL] = &keep__openssl_cipher,
        [KEEP_AEAD_IPSEC_MB] = &keep__ipsec_cipher,
    };
    keep_status st = KEEP_OK;

    for (uint32_t i = KEEP_AEAD_SODIUM; !aeads->is_proved && st == KEEP_OK && i < BACKENDS; i++)
        st = keep__backend_begin(&aeads->backends[i], forms[i]);
    aeads->is_proved = st == KEEP_OK;
    return st;
}

/* What KEEP_AEAD_AUTO takes. */
static keep__cipher_choice choose_locked(struct aeads *aeads) KEEP_HOLDS(aeads->lock)
{
    keep__backend *ipsec = &aeads->backends[KEEP_AEAD_IPSEC_MB];
    keep__backend *openssl = &aeads->backends[KEEP_AEAD_OPENSSL];

    if (keep__backend_is_usable(ipsec) && keep__ipsec_is_fast())
        return (keep__cipher_choice){ ipsec, ipsec };
    return (keep__cipher_choice){ NULL, keep__backend_is_usable(openssl) ? openssl : NULL };
}

static keep_status choose_demanded_locked(struct aeads *aeads, uint32_t aead, keep__cipher_choice *out)
    KEEP_HOLDS(aeads->lock)
{
    keep__backend *backend = &aeads->backends[aead];

    if (!keep__backend_is_usable(backend))
        return keep__trace(KEEP_ERR_UNSUPPORTED);
    if (aead == KEEP_AEAD_SODIUM)
        backend = NULL;
    *out = (keep__cipher_choice){ backend, backend };
    return KEEP_OK;
}

static keep_status prepare_cipher_locked(struct aeads *aeads, uint32_t aead, keep__cipher_choice *out)
    KEEP_HOLDS(aeads->lock)
{
    keep_status st = prove_all_locked(aeads);

    if (st == KEEP_OK && !keep__backend_is_usable(&aeads->backends[KEEP_AEAD_SODIUM]))
        st = keep__trace(KEEP_ERR_UNSUPPORTED);
    if (st != KEEP_OK)
        return st;
    if (aead == KEEP_AEAD_AUTO)
        *out = choose_locked(aeads);
    else
        st = choose_demanded_locked(aeads, aead, out);
    if (st == KEEP_OK && out->longer != NULL)
        st = keep__backend_grow(out->longer); /* `shorter` is the same, or libsodium */
    return st;
}

keep_status keep__cipher_prepare(uint32_t aead, keep__cipher_choice *out_choice)
{
    struct aeads *aeads;
    keep_status st = aead < BACKENDS ? need_aeads(&aeads) : KEEP_ERR_INVALID_ARGUMENT;

    if (st != KEEP_OK)
        return st;
    keep__lock_acquire(&aeads->lock);
    st = prepare_cipher_locked(aeads, aead, out_choice);
    keep__lock_release(&aeads->lock);
    return st;
}

/* A context for a payload; NULL: libsodium does it. */
static keep__backend_slot *need_slot(keep__cipher *cipher, size_t len)
{
    keep__backend *wanted = len < KEEP__LONG_PAYLOAD_LEN ? cipher->choice.shorter : cipher->choice.longer;

    if (wanted == NULL)
        return NULL;
    if (cipher->slot == NULL) {
        cipher->slot = keep__backend_borrow(wanted);
        cipher->backend = wanted;
    }
    return cipher->slot;
}

static void fail_backend(keep__cipher *cipher)
{
    keep__backend_disable(cipher->backend);
    keep__cipher_end(cipher);
}

keep_status keep__cipher_seal(keep__cipher *cipher, const keep__cipher_job *job)
{
    keep__backend_slot *slot = need_slot(cipher, job->len);
    keep_status st = KEEP_OK;

    if (slot == NULL)
        keep__sodium_seal(job);
    else
        st = cipher->backend->form->seal(slot->context, job);
    if (KEEP__UNLIKELY(st != KEEP_OK))
        fail_backend(cipher);
    return st;
}

static keep_status open_with_libsodium(const keep__cipher_job *job)
{
    return keep__sodium_open(job) ? KEEP_OK : KEEP_ERR_AUTH;
}

keep_status keep__cipher_open(keep__cipher *cipher, const keep__cipher_job *job)
{
    keep__backend_slot *slot = need_slot(cipher, job->len);
    keep_status st;

    if (slot == NULL)
        return open_with_libsodium(job);
    st = cipher->backend->form->open(slot->context, job);
    if (KEEP__LIKELY(st == KEEP_OK))
        return KEEP_OK;
    keep__wipe(job->out, job->len);
    if (st == KEEP_ERR_AUTH)
        return st;
    fail_backend(cipher);
    /* opened in place, the datagram is gone */
    return job->in == job->out ? KEEP_ERR_AUTH : open_with_libsodium(job);
}

void keep__cipher_end(keep__cipher *cipher)
{
    if (cipher->slot != NULL)
        keep__backend_give_back(cipher->backend, cipher->slot);
    cipher->slot = NULL;
}

static void copy_text(char *out, size_t cap, const char *text)
{
    size_t len = strnlen(text, cap - 1);

    memcpy(out, text, len);
    out[len] = '\0';
}

/* Which payloads KEEP_AEAD_AUTO gives to a back end. */
static void tell_range_locked(struct aeads *aeads, uint32_t which, struct keep_aead_report *out) KEEP_HOLDS(aeads->lock)
{
    keep__cipher_choice choice = choose_locked(aeads);
    keep__backend *backend = which == KEEP_AEAD_SODIUM ? NULL : &aeads->backends[which];

    out->auto_min_len = 1; /* none */
    out->auto_max_len = 0;
    if (choice.longer == backend) {
        out->auto_min_len = KEEP__LONG_PAYLOAD_LEN;
        out->auto_max_len = KEEP_MAX_PAYLOAD_LEN;
    }
    if (choice.shorter == backend) {
        out->auto_max_len = choice.longer == backend ? KEEP_MAX_PAYLOAD_LEN : KEEP__LONG_PAYLOAD_LEN - 1;
        out->auto_min_len = 0;
    }
}

static void tell_backend_locked(struct aeads *aeads, uint32_t which, struct keep_aead_report *out)
    KEEP_HOLDS(aeads->lock)
{
    keep__backend *backend = &aeads->backends[which];

    out->state = atomic_load(&backend->state);
    out->contexts = atomic_load(&backend->count);
    out->bytes = (uint64_t)out->contexts * backend->form->context_len;
    copy_text(out->name, sizeof out->name, backend->form->name);
    tell_range_locked(aeads, which, out);
    if (out->state != KEEP_AEAD_USABLE)
        return;
    copy_text(out->version, sizeof out->version, backend->form->version());
    copy_text(out->form, sizeof out->form, backend->form->instructions());
}

keep_status keep_aead_report(uint32_t which, struct keep_aead_report *out_report)
{
    struct keep_aead_report report = KEEP_AEAD_REPORT_INIT;
    struct aeads *aeads;
    keep_status st = keep__report_check(out_report, KEEP__SIZE_UP_TO(struct keep_aead_report, form));

    if (st == KEEP_OK && (which == KEEP_AEAD_AUTO || which >= BACKENDS))
        st = KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK)
        st = keep__guard_enter();
    if (st == KEEP_OK)
        st = need_aeads(&aeads);
    if (st != KEEP_OK)
        return st;
    keep__lock_acquire(&aeads->lock);
    st = prove_all_locked(aeads);
    if (st == KEEP_OK)
        tell_backend_locked(aeads, which, &report);
    keep__lock_release(&aeads->lock);
    if (st == KEEP_OK)
        keep__report_fill(out_report, &report, sizeof report);
    return st;
}
