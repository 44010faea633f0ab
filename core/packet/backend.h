/* SPDX-License-Identifier: MIT */
/*
 * A back end: a library, whether it may be used, and its contexts. A call borrows a context and never waits for one.
 */
#ifndef KEEP_PACKET_BACKEND_H
#define KEEP_PACKET_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cipher.h"
#include "keep/aead.h"
#include "keep/status.h"

#define KEEP__CONTEXTS_MIN 2
#define KEEP__CONTEXTS_MAX 64

/* A context, on a line of its own. */
typedef struct keep__backend_slot {
    _Alignas(64) _Atomic bool is_borrowed;
    keep__cipher_context *context;
} keep__backend_slot;

/* `count` and what is below only grow, under the caller's lock; the rest is read without. */
typedef struct keep__backend {
    const keep__cipher_form *form;
    _Atomic uint32_t state; /* KEEP_AEAD_..., only ever away from usable */
    _Atomic uint32_t count; /* of slots that may be borrowed */
    keep__backend_slot slots[KEEP__CONTEXTS_MAX];
} keep__backend;

static inline bool keep__backend_is_usable(keep__backend *backend)
{
    return atomic_load_explicit(&backend->state, memory_order_relaxed) == KEEP_AEAD_USABLE;
}

/* Finds out what the back end is on this machine, and proves it: NO_MEMORY. */
keep_status keep__backend_begin(keep__backend *backend, const keep__cipher_form *form);

/* Makes contexts until there is one per online processor: NO_MEMORY. */
keep_status keep__backend_grow(keep__backend *backend);

/* A context for this thread; NULL: none is free, or the back end is not used any more. */
keep__backend_slot *keep__backend_borrow(keep__backend *backend);

/* Takes the key out of it first. */
void keep__backend_give_back(keep__backend *backend, keep__backend_slot *slot);

/* It failed in use. */
void keep__backend_disable(keep__backend *backend);

#endif
