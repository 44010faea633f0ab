/* SPDX-License-Identifier: MIT */
/*
 * Guard. Order of making a root: the page is published first and is empty; one thread of those that find `stamp` zero
 * sets `making`, fills root, then sets the stamp; the others wait for it. In a child all of this is zero again, and the
 * parent's root is garbage nobody can reach.
 *
 * Formula of the stamp: forks seen so far + 1. The count stands outside the page, so that it survives the fork.
 */
#include "memory/guard.h"

#include "base/attributes.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/random.h"
#include "base/thread.h"
#include "base/trace.h"
#include "memory/pages.h"
#include "base/banned.h"

_Atomic(keep__guard *) keep__guard_page;

/* Where leak checkers find the roots of this process and its ancestors: they do not look into mapped pages. */
static keep__root *volatile newest_root;

static _Atomic uint32_t last_stamp; /* of this process or its nearest ancestor that had one */
static keep__guard unwiped_page;    /* where the kernel wipes no page in a child: the hook of fork does */

static void wipe_in_child(void)
{
    keep__wipe(&unwiped_page, sizeof unwiped_page);
}

static keep_status map_page(keep__guard **out)
{
    keep__pages_wish wish = { .backing = KEEP__BACKING_PLAIN };
    keep__pages pages;
    keep_status st = keep__pages_map(keep__page_size(), wish, &pages);

    if (st == KEEP_ERR_UNSUPPORTED) {
        *out = &unwiped_page;
        return keep__thread_at_fork(wipe_in_child);
    }
    if (st == KEEP_OK)
        *out = (keep__guard *)(void *)pages.data;
    return st;
}

static void unmap_page(keep__guard *guard)
{
    keep__pages pages = { .data = (uint8_t *)guard, .len = keep__page_size() };

    if (guard != &unwiped_page)
        keep__pages_unmap(&pages);
}

static keep_status publish_page(keep__guard **out)
{
    keep__guard *expected = NULL;
    keep__guard *made = NULL;
    keep_status st = map_page(&made);

    if (st != KEEP_OK)
        return st;
    if (atomic_compare_exchange_strong(&keep__guard_page, &expected, made)) {
        KEEP__REACHES(made, sizeof *made);
        *out = made;
        return KEEP_OK;
    }
    unmap_page(made);
    *out = expected;
    return KEEP_OK;
}

static keep_status make_root(keep__guard *guard)
{
    keep__root *root;
    keep_status st = keep__crypto_init();

    if (st != KEEP_OK)
        return st;
    root = keep__heap_new(sizeof *root);
    if (root == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    keep__lock_init(&root->directory, KEEP__RANK_DIRECTORY);
    keep__lock_init(&root->purge, KEEP__RANK_PURGE);
    keep__lock_init(&root->listing, KEEP__RANK_POOLS);
    keep__lock_init(&root->making_default, KEEP__RANK_DEFAULT);
    root->ancestor = newest_root;
    newest_root = root;
    guard->root = root;
    return KEEP_OK;
}

keep_status keep__guard_enter(void)
{
    keep__guard *guard = atomic_load_explicit(&keep__guard_page, memory_order_acquire);
    keep_status st = KEEP_OK;

    if (KEEP__LIKELY(keep__guard_stamp() != 0))
        return KEEP_OK;
    if (guard == NULL)
        st = publish_page(&guard);
    if (st != KEEP_OK)
        return st;
    while (atomic_exchange(&guard->making, 1) != 0)
        keep__thread_yield();
    if (atomic_load(&guard->stamp) == 0) {
        st = make_root(guard);
        if (st == KEEP_OK)
            atomic_store(&guard->stamp, atomic_fetch_add(&last_stamp, 1) + 1);
    }
    atomic_store(&guard->making, 0);
    return st;
}

keep_status keep__guard_part(keep__part part, size_t len, void (*begin)(void *state), void **out_state)
{
    _Atomic(void *) *known = &keep__guard_root()->parts[part];
    void *expected = NULL;
    void *made;

    *out_state = atomic_load_explicit(known, memory_order_acquire);
    if (KEEP__LIKELY(*out_state != NULL))
        return KEEP_OK;
    made = keep__heap_new_line(len);
    if (made == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    begin(made);
    *out_state = made;
    if (!atomic_compare_exchange_strong(known, &expected, made)) { /* another thread was faster */
        keep__heap_free(made, len);
        *out_state = expected;
    }
    return KEEP_OK;
}

uint64_t keep__guard_settled_epoch(void)
{
    keep__root *root = keep__guard_root();
    uint64_t epoch = keep__guard_epoch();

    if (KEEP__LIKELY(atomic_load(&root->purge_count) == epoch))
        return epoch;
    keep__lock_acquire(&root->purge);
    epoch = keep__guard_epoch();
    keep__lock_release(&root->purge);
    return epoch;
}

void keep__guard_new_epoch(void)
{
    (void)atomic_fetch_add(&atomic_load(&keep__guard_page)->epoch, 1);
}

bool keep__guard_has_ancestor(uint32_t fork)
{
    uint32_t stamp = keep__guard_stamp();
    uint32_t ancestors = stamp != 0 ? stamp - 1 : atomic_load(&last_stamp);

    for (uint32_t i = 0; i < ancestors && i <= KEEP__FORK_MASK; i++) {
        if (((ancestors - i) & (uint32_t)KEEP__FORK_MASK) == fork)
            return true;
    }
    return false;
}

/* A place's first generation is random: the fork bits of handles wrap. */
static keep_status randomize_generations(keep__group *group)
{
    uint64_t random[KEEP__GROUP_PLACES];
    keep_status st = keep__random(random, sizeof random);

    for (uint32_t i = 0; st == KEEP_OK && i < KEEP__GROUP_PLACES; i++)
        atomic_init(&group->word[i], random[i] & KEEP__GENERATION_MASK << KEEP__GENERATION_SHIFT);
    return st;
}

static keep_status make_group(keep__group **out_group)
{
    keep__group *group = keep__heap_new_line(sizeof *group);
    keep_status st = group == NULL ? keep__trace(KEEP_ERR_NO_MEMORY) : randomize_generations(group);

    if (st != KEEP_OK) {
        keep__heap_free(group, sizeof *group);
        return st;
    }
    *out_group = group;
    return KEEP_OK;
}

static keep__group *pop_free_group(keep__root *root)
{
    keep__group *group;

    keep__lock_acquire(&root->directory);
    group = root->free_groups;
    if (group != NULL)
        root->free_groups = group->next;
    keep__lock_release(&root->directory);
    return group;
}

static keep_status number_group(keep__root *root, keep__group *group)
{
    keep_status st = KEEP_ERR_EXHAUSTED;

    keep__lock_acquire(&root->directory);
    group->number = atomic_load_explicit(&root->group_count, memory_order_relaxed);
    if (group->number < KEEP__GROUPS) {
        atomic_store_explicit(&root->groups[group->number], group, memory_order_release);
        atomic_store_explicit(&root->group_count, group->number + 1, memory_order_release);
        st = KEEP_OK;
    }
    keep__lock_release(&root->directory);
    return st;
}

keep_status keep__guard_new_group(keep__group **out_group)
{
    keep__root *root = keep__guard_root();
    keep__group *group = pop_free_group(root);
    keep_status st;

    if (group == NULL) {
        st = make_group(&group);
        if (st != KEEP_OK)
            return st;
        st = number_group(root, group);
        if (st != KEEP_OK) {
            keep__heap_free(group, sizeof *group);
            return keep__trace(st);
        }
    }
    group->next = NULL;
    *out_group = group;
    return KEEP_OK;
}

void keep__guard_take_back(keep__group *groups)
{
    keep__root *root = keep__guard_root();

    while (groups != NULL) {
        keep__group *next = groups->next;

        atomic_store(&groups->tier, NULL);
        atomic_store(&groups->base, NULL);
        keep__lock_acquire(&root->directory);
        groups->next = root->free_groups;
        root->free_groups = groups;
        keep__lock_release(&root->directory);
        groups = next;
    }
}
