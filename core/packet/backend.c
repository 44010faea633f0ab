/* SPDX-License-Identifier: MIT */
/*
 * Backend. Each context has a line and a flag of its own, and each thread looks first at the one of its number: threads on
 * as many processors do not meet. Borrowing is one exchange, giving back one store.
 */
#include "packet/backend.h"

#include "base/attributes.h"
#include "base/thread.h"
#include "packet/proof.h"
#include "base/banned.h"

/* What a library says of itself, or a context that shows it does not work. */
static keep_status judge_library(const keep__cipher_form *form, keep__cipher_context **out_context, uint32_t *out_state)
{
    keep_status st;

    *out_state = form->state();
    if (*out_state != KEEP_AEAD_USABLE)
        return KEEP_OK;
    st = form->make(out_context);
    if (st != KEEP_ERR_UNSUPPORTED)
        return st;
    *out_state = KEEP_AEAD_SELF_TEST_FAILED;
    return KEEP_OK;
}

keep_status keep__backend_begin(keep__backend *backend, const keep__cipher_form *form)
{
    keep__cipher_context *context = NULL;
    uint32_t state;
    bool is_right = true;
    keep_status st = judge_library(form, &context, &state);

    if (st != KEEP_OK)
        return st;
    if (state == KEEP_AEAD_USABLE) {
        st = keep__proof_run(form, context, &is_right);
        form->end(context);
    }
    backend->form = form;
    atomic_store(&backend->state, is_right ? state : KEEP_AEAD_SELF_TEST_FAILED);
    return st;
}

keep_status keep__backend_grow(keep__backend *backend)
{
    uint32_t wanted = keep__thread_processors();
    uint32_t count = atomic_load(&backend->count);

    if (wanted < KEEP__CONTEXTS_MIN)
        wanted = KEEP__CONTEXTS_MIN;
    if (wanted > KEEP__CONTEXTS_MAX)
        wanted = KEEP__CONTEXTS_MAX;
    for (; count < wanted && keep__backend_is_usable(backend); count++) {
        keep_status st = backend->form->make(&backend->slots[count].context);

        if (st != KEEP_OK)
            return st;
        atomic_store_explicit(&backend->count, count + 1, memory_order_release);
    }
    return KEEP_OK;
}

keep__backend_slot *keep__backend_borrow(keep__backend *backend)
{
    uint32_t count = atomic_load_explicit(&backend->count, memory_order_acquire);
    uint32_t at = keep__thread_number();

    if (KEEP__UNLIKELY(!keep__backend_is_usable(backend)))
        return NULL;
    if (at >= count && count != 0)
        at %= count;
    for (uint32_t tried = 0; tried < count; tried++) {
        keep__backend_slot *slot = &backend->slots[at];

        if (!atomic_load_explicit(&slot->is_borrowed, memory_order_relaxed) &&
            !atomic_exchange_explicit(&slot->is_borrowed, true, memory_order_acquire))
            return slot;
        at = at + 1 < count ? at + 1 : 0;
    }
    return NULL;
}

void keep__backend_give_back(keep__backend *backend, keep__backend_slot *slot)
{
    backend->form->forget(slot->context);
    atomic_store_explicit(&slot->is_borrowed, false, memory_order_release);
}

void keep__backend_disable(keep__backend *backend)
{
    atomic_store(&backend->state, KEEP_AEAD_DISABLED);
}
