/* SPDX-License-Identifier: MIT */
/*
 * Selftest. Its pool has one of each: a slot, a guarded buffer, and a coffer. It needs no second slot: the options may
 * allow only one. Purges wait until it is through, so what is wiped was wiped by what it tests.
 */
#include "memory/selftest.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/crypto.h"
#include "base/trace.h"
#include "keep/protect.h"
#include "keep/secret.h"
#include "memory/answers.h"
#include "memory/guard.h"
#include "memory/layout.h"
#include "memory/maps.h"
#include "memory/pages.h"
#include "memory/pool.h"
#include "memory/probe.h"
#include "memory/sealed.h"
#include "base/banned.h"

#define GUARDED_LEN 33
#define PATTERN 0xA5

enum {
    PAGES_SLOTS,
    PAGES_GUARDED,
    PAGES_LEFT,
    PAGES_RIGHT,
    PAGES_SCRATCH,
    PAGES_COUNT
};

/* What is tested, with its windows open while pages are looked at. */
struct subject {
    keep_pool *pool;
    keep_secret *slot;
    keep_secret *guarded;
    keep__pages pages[PAGES_COUNT];
};

static void note(keep__findings *findings, uint32_t check, bool holds)
{
    findings->checked |= check;
    if (!holds)
        findings->failed |= check;
}

static void note_unreadable(keep__findings *findings, uint32_t check, keep__probed probed)
{
    if (probed != KEEP__PROBED_UNKNOWN)
        note(findings, check, probed == KEEP__PROBED_UNREADABLE);
}

static void check_kernel_flags(const struct subject *subject, keep__findings *findings)
{
    static const uint32_t told[] = { KEEP_CHECK_LOCKED, KEEP_CHECK_NOT_DUMPED, KEEP_CHECK_FORK_SAFE };
    uint32_t holding;

    if (!keep__maps_ask(subject->pages, PAGES_COUNT, &holding))
        return;
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        note(findings, told[i], (holding & told[i]) != 0);
}

static void check_guards(const struct subject *subject, keep__findings *findings)
{
    for (size_t i = 0; i < PAGES_COUNT; i++) {
        const keep__pages *pages = &subject->pages[i];

        note_unreadable(findings, KEEP_CHECK_GUARDS, keep__probe_write(pages->data - 1));
        note_unreadable(findings, KEEP_CHECK_GUARDS, keep__probe_write(pages->data + pages->len));
    }
}

static void check_hidden(const struct subject *subject, keep__findings *findings)
{
    for (size_t i = 0; i < PAGES_COUNT; i++) {
        if (subject->pages[i].backing == KEEP_BACKING_MEMFD_SECRET)
            note_unreadable(findings, KEEP_CHECK_HIDDEN, keep__probe_foreign(subject->pages[i].data));
    }
}

/* The pages of a guarded buffer, from its layout: the last byte of its data touches the rear guard page. */
static keep_status find_guarded_pages(const uint8_t *data, const keep_secret *guarded, keep__pages *out)
{
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;
    keep__guarded_plan plan;
    keep_status st = keep_secret_info(guarded, &info);

    if (st == KEEP_OK)
        st = keep__layout_guarded(keep__page_size(), GUARDED_LEN, 0, &plan);
    if (st != KEEP_OK)
        return st;
    *out =
        (keep__pages){ .data = (uint8_t *)(uintptr_t)data - plan.offset, .len = plan.inner, .backing = info.backing };
    return KEEP_OK;
}

static keep_status find_pages(struct subject *subject, const uint8_t *slot, const uint8_t *guarded)
{
    const keep__coffer *coffer = &subject->pool->coffer;

    for (uint32_t i = 0; i < subject->pool->plan.count; i++) {
        keep__pages pages = keep__tier_pages(&subject->pool->tiers[i], slot);

        if (pages.len != 0)
            subject->pages[PAGES_SLOTS] = pages;
    }
    subject->pages[PAGES_LEFT] = coffer->left;
    subject->pages[PAGES_RIGHT] = coffer->right;
    subject->pages[PAGES_SCRATCH] = coffer->scratch;
    return find_guarded_pages(guarded, subject->guarded, &subject->pages[PAGES_GUARDED]);
}

/* While the guarded buffer's window is open: pages without access would hide from everybody. */
static keep_status check_pages(struct subject *subject, const uint8_t *slot, keep__findings *findings)
{
    const uint8_t *guarded;
    size_t len;
    keep_status st = keep_secret_read_begin(subject->guarded, &guarded, &len);

    if (st != KEEP_OK)
        return st;
    st = find_pages(subject, slot, guarded);
    if (st == KEEP_OK) {
        findings->backing = subject->pages[PAGES_SLOTS].backing;
        check_kernel_flags(subject, findings);
        check_guards(subject, findings);
        check_hidden(subject, findings);
    }
    return keep_secret_end(subject->guarded) != KEEP_OK ? KEEP_ERR_SYSTEM : st;
}

/* Whether the slot holds nothing but the pattern. */
static bool is_pattern(const uint8_t *slot, size_t len)
{
    bool is_same = true;

    for (size_t i = 0; i < len; i++)
        is_same = is_same && slot[i] == PATTERN;
    return is_same;
}

/* Opens into the slot with one bit of the stored bytes changed, then as they were sealed. */
static keep_status open_changed_and_sealed(keep_sealed *sealed, const struct subject *subject, bool *out_holds)
{
    keep_status changed;
    keep_status same;

    sealed->stored[0] ^= 1;
    changed = keep_sealed_open_into(sealed, subject->slot);
    sealed->stored[0] ^= 1;
    same = keep_sealed_open_into(sealed, subject->slot);
    *out_holds = changed == KEEP_ERR_AUTH && same == KEEP_OK;
    return same == KEEP_ERR_AUTH ? KEEP_OK : same;
}

/* Seals the slot's pattern, clears it, and opens into it again. This makes the coffer, whose pages are looked at later. */
static keep_status check_sealing(const struct subject *subject, const uint8_t *slot, size_t len,
                                 keep__findings *findings)
{
    KEEP_AUTO(keep_sealed) sealed = NULL;
    bool holds = false;
    keep_status st = keep_sealed_from_secret(subject->slot, 0, &sealed);

    if (st == KEEP_OK)
        st = keep_secret_clear(subject->slot);
    if (st == KEEP_OK)
        st = open_changed_and_sealed(sealed, subject, &holds);
    if (st == KEEP_OK)
        note(findings, KEEP_CHECK_SEALING, holds && is_pattern(slot, len) && keep__answers_hold());
    return st;
}

/* Looks at a slot's bytes after its owner is gone. */
static keep_status check_wiped(struct subject *subject, uint8_t *slot, size_t len, keep__findings *findings)
{
    keep_status st = keep_secret_free(&subject->slot);

    if (st != KEEP_OK)
        return st;
    KEEP__UNPOISON(slot, len);
    note(findings, KEEP_CHECK_WIPED, keep__zeros(slot, len));
    KEEP__POISON(slot, len);
    return KEEP_OK;
}

/* The length of a tier that has slots from the start, else of the first: growth may have no room left for others. */
static size_t slot_len_of_pool(const keep_pool *pool)
{
    for (uint32_t i = 0; i < pool->plan.count; i++) {
        if (pool->plan.slots[i] != 0)
            return pool->plan.len[i];
    }
    return pool->plan.len[0];
}

/* Fills the slot and tells where it is. The pointer outlives the window: nobody else has this pool. */
static keep_status fill_slot(struct subject *subject, uint8_t **out_slot, size_t *out_len)
{
    keep_status st = keep_pool_acquire(subject->pool, slot_len_of_pool(subject->pool), NULL, &subject->slot);

    if (st == KEEP_OK)
        st = keep_secret_write_begin(subject->slot, out_slot, out_len);
    if (st != KEEP_OK)
        return st;
    memset(*out_slot, PATTERN, *out_len);
    return keep_secret_end(subject->slot);
}

static keep_status make_guarded(struct subject *subject)
{
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;

    options.flags = KEEP_ACQUIRE_GUARDED;
    return keep_pool_acquire(subject->pool, GUARDED_LEN, &options, &subject->guarded);
}

static keep_status check_all(struct subject *subject, keep__findings *findings)
{
    uint8_t *slot;
    size_t len;
    keep_status st = fill_slot(subject, &slot, &len);

    if (st == KEEP_OK)
        st = make_guarded(subject);
    if (st == KEEP_OK)
        st = check_sealing(subject, slot, len, findings);
    if (st == KEEP_OK)
        st = check_pages(subject, slot, findings);
    return st != KEEP_OK ? st : check_wiped(subject, slot, len, findings);
}

static keep_status make_and_check(const keep_pool_options *options, keep__findings *out)
{
    struct subject subject = { .pool = NULL };
    keep__findings findings = { 0 };
    keep_status st = keep_pool_new(options, &subject.pool);

    if (st == KEEP_OK)
        st = check_all(&subject, &findings);
    (void)keep_secret_free(&subject.slot);
    (void)keep_secret_free(&subject.guarded);
    keep_pool_free(&subject.pool);
    if (st == KEEP_OK)
        *out = findings;
    return st;
}

keep_status keep__selftest_run(const keep_pool_options *options, keep__findings *out)
{
    keep__root *root;
    keep_status st = keep__guard_enter();

    if (st != KEEP_OK)
        return st;
    root = keep__guard_root();
    keep__lock_acquire(&root->purge);
    st = make_and_check(options, out);
    keep__lock_release(&root->purge);
    return st;
}
