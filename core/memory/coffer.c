/* SPDX-License-Identifier: MIT */
/*
 * Coffer. The halves are read without a lock: `sequence` is odd while somebody writes them, and a reader that saw it
 * odd or changed reads again, so it never joins an old half with a new one. Loads of the halves acquire and stores
 * release, which orders them against `sequence` without a fence.
 *
 * A purge begins its epoch before it wipes the halves, and every view's caller compares the epoch after: bytes made
 * under half-wiped or zero halves never leave the library.
 */
#include "memory/coffer.h"

#include "base/clock.h"
#include "base/die.h"
#include "base/random.h"
#include "base/thread.h"
#include "base/trace.h"
#include "memory/guard.h"
#include "memory/pool.h"
#include "base/banned.h"

#define SCRATCH_LEN ((size_t)64) /* a key on a cache line of its own: 32 of them fit into a page */
#define ALL_FREE UINT64_C(0xFFFFFFFF)
#define ONE_VIEW (UINT64_C(1) << 32)
#define RESPLIT_NS UINT64_C(500000000)

static keep__half *half_in(const keep__pages *pages)
{
    return (keep__half *)(void *)pages->data;
}

/* Begins writing the halves: from even to odd. */
static void write_begin(keep__coffer *coffer)
{
    uint64_t sequence = atomic_load(&coffer->sequence) & ~UINT64_C(1);

    while (!atomic_compare_exchange_weak(&coffer->sequence, &sequence, sequence + 1)) {
        sequence &= ~UINT64_C(1);
        keep__thread_yield();
    }
}

static void write_end(keep__coffer *coffer)
{
    atomic_fetch_add(&coffer->sequence, 1);
}

/* half = keep * half XOR change: keep is all ones to change a half, zero to set it. */
static void write_half(keep__half *half, uint64_t keep, const uint64_t *change)
{
    for (size_t i = 0; i < KEEP__KEY_WORDS; i++) {
        uint64_t before = atomic_load_explicit(&half->word[i], memory_order_relaxed);

        atomic_store_explicit(&half->word[i], (before & keep) ^ change[i], memory_order_release);
    }
}

static void write_halves(keep__coffer *coffer, uint64_t keep, const uint64_t *left, const uint64_t *right)
{
    write_begin(coffer);
    write_half(half_in(&coffer->left), keep, left);
    write_half(half_in(&coffer->right), keep, right);
    write_end(coffer);
}

static void unmap_regions(keep_pool *pool)
{
    keep__pool_unmap(pool, &pool->coffer.left);
    keep__pool_unmap(pool, &pool->coffer.right);
    keep__pool_unmap(pool, &pool->coffer.scratch);
}

static keep_status map_regions(keep_pool *pool)
{
    keep__coffer *coffer = &pool->coffer;
    keep__pages *const pages[] = { &coffer->left, &coffer->right, &coffer->scratch };

    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        keep_status st = pages[i]->len != 0 ? KEEP_OK : keep__pool_map(pool, keep__page_size(), pages[i]);

        if (st != KEEP_OK) {
            unmap_regions(pool);
            return st;
        }
    }
    return KEEP_OK;
}

/* A new key for the epoch: right is random, left = key XOR right, and so random too. */
static keep_status draw_key(keep__coffer *coffer, uint64_t epoch)
{
    KEEP__KEY64(drawn);
    keep_status st = keep__random(drawn.words, sizeof drawn.words);

    if (st != KEEP_OK)
        return st;
    write_halves(coffer, 0, drawn.words, drawn.words + KEEP__KEY_WORDS);
    atomic_fetch_and(&coffer->scratch_word, ALL_FREE);
    atomic_store(&coffer->last_resplit_ns, keep__clock_coarse_ns());
    atomic_store(&coffer->key_epoch, epoch + 1);
    return KEEP_OK;
}

static keep_status make_key_locked(keep_pool *pool, uint64_t epoch) KEEP_HOLDS(pool->coffer.lock)
{
    uint64_t key_epoch = atomic_load(&pool->coffer.key_epoch);
    keep_status st;

    if (key_epoch == epoch + 1)
        return KEEP_OK;
    if (key_epoch > epoch + 1) /* a purge came while this thread waited, and others go on with a newer key */
        return keep__trace(KEEP_ERR_PURGED);
    st = map_regions(pool);
    return st != KEEP_OK ? st : draw_key(&pool->coffer, epoch);
}

static keep_status need_key(keep_pool *pool, uint64_t epoch)
{
    keep_status st;

    if (KEEP__LIKELY(atomic_load(&pool->coffer.key_epoch) == epoch + 1))
        return KEEP_OK;
    keep__lock_acquire(&pool->coffer.lock);
    st = make_key_locked(pool, epoch);
    keep__lock_release(&pool->coffer.lock);
    return st;
}

/* Whether `resplit_views` views, this one apart, or half a second went by since the last re-split. */
static bool is_due(keep_pool *pool, uint64_t views, uint64_t now_ns)
{
    uint64_t last_ns = atomic_load_explicit(&pool->coffer.last_resplit_ns, memory_order_relaxed);

    return views > pool->resplit_views || (now_ns > last_ns && now_ns - last_ns >= RESPLIT_NS);
}

/*
 * Changes both halves by the same random bytes, unless another view did so meanwhile. Without random bytes the next view
 * tries again.
 */
static void resplit(keep_pool *pool, uint64_t now_ns)
{
    keep__coffer *coffer = &pool->coffer;
    uint64_t views;
    KEEP__KEY64(drawn);

    if (keep__random(drawn.words, KEEP__AEAD_KEY_LEN) != KEEP_OK)
        return;
    write_begin(coffer);
    views = atomic_load(&coffer->scratch_word) / ONE_VIEW;
    if (is_due(pool, views, now_ns)) {
        atomic_fetch_sub(&coffer->scratch_word, (views - 1) * ONE_VIEW); /* this view counts from here */
        atomic_store(&coffer->last_resplit_ns, now_ns);
        write_half(half_in(&coffer->left), UINT64_MAX, drawn.words);
        write_half(half_in(&coffer->right), UINT64_MAX, drawn.words);
        atomic_fetch_add(&pool->resplits, 1);
    }
    write_end(coffer);
}

/* Takes a free scratch slot and counts the view; tells the views with this one. */
static unsigned take_scratch(keep__coffer *coffer, uint64_t *out_views)
{
    uint64_t word = atomic_load_explicit(&coffer->scratch_word, memory_order_relaxed);
    uint64_t bit;

    do {
        while ((word & ALL_FREE) == 0) {
            keep__thread_yield();
            word = atomic_load_explicit(&coffer->scratch_word, memory_order_relaxed);
        }
        bit = word & (~word + 1);
    } while (!atomic_compare_exchange_weak_explicit(&coffer->scratch_word, &word, word - bit + ONE_VIEW,
                                                    memory_order_acquire, memory_order_relaxed));
    *out_views = word / ONE_VIEW + 1;
    return (unsigned)__builtin_ctzll(bit);
}

static uint8_t *scratch_at(const keep__coffer *coffer, unsigned slot)
{
    return coffer->scratch.data + slot * SCRATCH_LEN;
}

static void give_scratch(keep__coffer *coffer, unsigned slot)
{
    keep__wipe(scratch_at(coffer, slot), KEEP__AEAD_KEY_LEN);
    (void)atomic_fetch_or_explicit(&coffer->scratch_word, UINT64_C(1) << slot, memory_order_seq_cst);
}

/* Writes left XOR right to `key` and tells whether the two belong together. */
static bool join_once(keep__coffer *coffer, uint64_t *key)
{
    keep__half *left = half_in(&coffer->left);
    keep__half *right = half_in(&coffer->right);
    uint64_t sequence = atomic_load_explicit(&coffer->sequence, memory_order_acquire);

    for (size_t i = 0; i < KEEP__KEY_WORDS; i++) {
        key[i] = atomic_load_explicit(&left->word[i], memory_order_acquire) ^
                 atomic_load_explicit(&right->word[i], memory_order_acquire);
    }
    return (sequence & 1) == 0 && atomic_load_explicit(&coffer->sequence, memory_order_relaxed) == sequence;
}

/* Joins the key in a scratch slot, which the caller gives back. */
static unsigned view_begin(keep_pool *pool)
{
    keep__coffer *coffer = &pool->coffer;
    uint64_t now_ns = keep__clock_coarse_ns();
    uint64_t views;
    unsigned slot = take_scratch(coffer, &views);

    if (KEEP__UNLIKELY(is_due(pool, views, now_ns)))
        resplit(pool, now_ns);
    while (!join_once(coffer, (uint64_t *)(void *)scratch_at(coffer, slot)))
        keep__thread_yield();
    return slot;
}

void keep__coffer_init(keep__coffer *coffer)
{
    keep__lock_init(&coffer->lock, KEEP__RANK_COFFER);
    atomic_store(&coffer->scratch_word, ALL_FREE);
}

keep_status keep__coffer_seal(keep_pool *pool, uint64_t epoch, keep__aead aead, keep_bytes plaintext, uint8_t *out)
{
    keep_status st = need_key(pool, epoch);
    unsigned slot;

    if (st != KEEP_OK)
        return st;
    slot = view_begin(pool);
    aead.key = scratch_at(&pool->coffer, slot);
    keep__aead_seal(&aead, plaintext.data, plaintext.len, out);
    give_scratch(&pool->coffer, slot);
    return KEEP_OK;
}

keep_status keep__coffer_open(keep_pool *pool, uint64_t epoch, keep__aead aead, keep_bytes sealed, uint8_t *out)
{
    keep_status st;
    unsigned slot;

    if (atomic_load(&pool->coffer.key_epoch) != epoch + 1)
        return keep__trace(KEEP_ERR_PURGED);
    slot = view_begin(pool);
    aead.key = scratch_at(&pool->coffer, slot);
    st = keep__aead_open(&aead, sealed.data, sealed.len - KEEP__AEAD_TAG_LEN, out);
    give_scratch(&pool->coffer, slot);
    return st;
}

static void forget_key_locked(keep__coffer *coffer) KEEP_HOLDS(coffer->lock)
{
    static const uint64_t zeros[KEEP__KEY_WORDS];

    if (atomic_exchange(&coffer->key_epoch, 0) != 0)
        write_halves(coffer, 0, zeros, zeros);
}

/* Waits until each view that may hold the former key has wiped it. */
static void outwait_views(keep__coffer *coffer)
{
    uint64_t busy = ~atomic_load(&coffer->scratch_word) & ALL_FREE;

    while (busy != 0) {
        keep__thread_yield();
        busy &= ~atomic_load(&coffer->scratch_word);
    }
}

/* Somebody may have sealed since the epoch began: that key is not this purge's to wipe. */
void keep__coffer_purge(keep__coffer *coffer, uint64_t new_epoch)
{
    keep__lock_acquire(&coffer->lock);
    if (atomic_load(&coffer->key_epoch) != new_epoch + 1)
        forget_key_locked(coffer);
    keep__lock_release(&coffer->lock);
    outwait_views(coffer);
}

void keep__coffer_end(keep_pool *pool)
{
    keep__coffer *coffer = &pool->coffer;

    keep__assert((atomic_load(&coffer->scratch_word) & ALL_FREE) == ALL_FREE);
    keep__lock_acquire(&coffer->lock);
    forget_key_locked(coffer);
    unmap_regions(pool);
    keep__lock_release(&coffer->lock);
}
