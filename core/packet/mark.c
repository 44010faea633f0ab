/* SPDX-License-Identifier: MIT */
/*
 * Mark. Keys are compared by a fingerprint under a random key of the process, which a child inherits with the list. The
 * list lies outside the part of the state that a child loses; its lock inside, so that it is free in the child. A mark
 * becomes live only when it is whole, and marks are only ever pushed in front, so a fork finds the list in order at any
 * moment.
 */
#include "packet/mark.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/crypto.h"
#include "base/heap.h"
#include "base/lock.h"
#include "base/random.h"
#include "base/trace.h"
#include "memory/guard.h"
#include "base/banned.h"

struct keep__tx_mark {
    struct keep__tx_mark *next;
    _Atomic bool is_live;
    uint8_t fingerprint[KEEP__FINGERPRINT_LEN];
};

struct marks {
    keep__lock lock;
};

static struct keep__tx_mark *_Atomic first;
static uint8_t fingerprint_key[32];
static _Atomic bool has_key;

static void begin_marks(void *state)
{
    struct marks *marks = state;

    keep__lock_init(&marks->lock, KEEP__RANK_SESSIONS);
}

/* A key for those who find none, drawn before the lock is taken. */
static keep_status draw_fingerprint_key(keep__key32 *out)
{
    return atomic_load(&has_key) ? KEEP_OK : keep__random(out->bytes, sizeof out->bytes);
}

static void need_fingerprint_key_locked(struct marks *marks, const keep__key32 *drawn) KEEP_HOLDS(marks->lock)
{
    (void)marks;
    if (atomic_load(&has_key))
        return;
    memcpy(fingerprint_key, drawn->bytes, sizeof fingerprint_key);
    atomic_store(&has_key, true);
}

/* Finds a live mark with this fingerprint, and one that is not used any more. */
static bool search(const uint8_t *fingerprint, struct keep__tx_mark **out_unused)
{
    *out_unused = NULL;
    for (struct keep__tx_mark *mark = atomic_load(&first); mark != NULL; mark = mark->next) {
        if (!atomic_load(&mark->is_live))
            *out_unused = mark;
        else if (keep__equal(mark->fingerprint, fingerprint, KEEP__FINGERPRINT_LEN))
            return true;
    }
    return false;
}

static struct keep__tx_mark *push(void)
{
    struct keep__tx_mark *mark = keep__heap_new(sizeof *mark);

    if (mark == NULL)
        return NULL;
    mark->next = atomic_load(&first);
    atomic_store(&first, mark);
    return mark;
}

static keep_status set_mark_locked(struct marks *marks, const uint8_t *tx_bytes, struct keep__tx_mark **out_mark)
    KEEP_HOLDS(marks->lock)
{
    uint8_t fingerprint[KEEP__FINGERPRINT_LEN];
    struct keep__tx_mark *mark;

    (void)marks;
    keep__fingerprint(fingerprint_key, tx_bytes, 32, fingerprint);
    if (search(fingerprint, &mark))
        return keep__trace(KEEP_ERR_STATE);
    if (mark == NULL)
        mark = push();
    if (mark == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    memcpy(mark->fingerprint, fingerprint, sizeof fingerprint);
    atomic_store(&mark->is_live, true);
    *out_mark = mark;
    return KEEP_OK;
}

keep_status keep__mark_set(const uint8_t *key, struct keep__tx_mark **out_mark)
{
    KEEP__KEY32(drawn);
    void *state;
    struct marks *marks;
    keep_status st = keep__guard_part(KEEP__PART_SESSIONS, sizeof(struct marks), begin_marks, &state);

    if (st == KEEP_OK)
        st = draw_fingerprint_key(&drawn);
    if (st != KEEP_OK)
        return st;
    marks = state;
    keep__lock_acquire(&marks->lock);
    need_fingerprint_key_locked(marks, &drawn);
    st = set_mark_locked(marks, key, out_mark);
    keep__lock_release(&marks->lock);
    return st;
}

void keep__mark_end(struct keep__tx_mark *mark)
{
    if (mark != NULL)
        atomic_store(&mark->is_live, false);
}
