/* SPDX-License-Identifier: MIT */
/*
 * A place: a slot or a guarded buffer behind one face. What secrets and sealed secrets do with bytes they do here.
 */
#ifndef KEEP_MEMORY_PLACE_H
#define KEEP_MEMORY_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/secret.h"
#include "keep/status.h"
#include "memory/slab.h"

/* Finds what a handle stands for: INVALID_ARGUMENT (NULL) FORKED CLOSED. Whether it still lives is not looked at. */
keep_status keep__place_find(const keep_secret *secret, keep__spot *out);

/* The handle of a live spot. */
keep_secret *keep__place_handle(keep__spot spot);

static inline bool keep__place_is_guarded(keep__spot spot)
{
    return atomic_load_explicit(&spot.group->guarded, memory_order_relaxed) != NULL;
}

/* Of a claimed place, or one with an open window. */
keep_pool *keep__place_pool(keep__spot spot);
uint8_t *keep__place_bytes(keep__spot spot);

/* A slot just claimed must be all zero: ends the process if not. Makes its bytes accessible. */
void keep__place_check_free(keep__spot spot);

/* Makes a claimed place live; flags: 0 or KEEP__FROZEN. SYSTEM: a guarded buffer stays claimed. */
keep_status keep__place_hand_out(keep__spot *spot, size_t len, uint64_t flags);

/* Wipes a claimed slot; it stays claimed. */
void keep__place_clear_slot(keep__spot spot);

/* Wipes a claimed place and gives it back. */
void keep__place_clear_and_give(keep__spot spot);

/* Wipes and gives back a live place: CLOSED BUSY. */
keep_status keep__place_free(keep__spot spot);

/* Windows: CLOSED PURGED STATE BUSY SYSTEM. */
keep_status keep__place_read_begin(keep__spot spot, const uint8_t **out_data, size_t *out_len);
keep_status keep__place_write_begin(keep__spot spot, uint8_t **out_data, size_t *out_len);
keep_status keep__place_end(keep__spot spot);

/* Ends a window, and gives `st` if that is a failure, else what ending gave. */
static inline keep_status keep__place_end_after(keep__spot spot, keep_status st)
{
    keep_status ended = keep__place_end(spot);

    return st != KEEP_OK ? st : ended;
}

/* Whether the capacity of a live place, which may go meanwhile, is at least `len`. */
bool keep__place_holds(keep__spot spot, size_t len);

/* Fills everything but `size`: CLOSED. */
keep_status keep__place_tell(keep__spot spot, struct keep_secret_info *out);

/* Within the write window: the length becomes `len`, which fits; bytes given up are wiped. */
void keep__place_set_len(keep__spot spot, size_t len);

keep_status keep__place_freeze(keep__spot spot);
keep_status keep__place_melt(keep__spot spot);

/* Damage was found: ends the process. The caller has wiped what was damaged. */
#define KEEP__DAMAGED "guarded memory damaged"

#endif
