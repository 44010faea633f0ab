/* SPDX-License-Identifier: MIT */
/*
 * Sealed: bytes encrypted in ordinary memory under the key of their pool's coffer. Stored are nonce(24) ‖ ciphertext ‖
 * tag(16), and 24 fresh random nonce bytes per seal: a restored machine image would repeat a counter.
 *
 * Every use of the key compares the purge epoch before and after: what overlapped a purge is wiped, and PURGED.
 */
#include "memory/sealed.h"

#include <string.h>

#include "base/checked.h"
#include "base/crypto.h"
#include "base/heap.h"
#include "base/options.h"
#include "base/random.h"
#include "base/trace.h"
#include "memory/place.h"
#include "memory/pool.h"
#include "base/banned.h"

_Static_assert(KEEP_SEALED_OVERHEAD == KEEP__AEAD_NONCE_LEN + KEEP__AEAD_TAG_LEN, "nonce and tag");

static size_t block_len(size_t len)
{
    return sizeof(keep_sealed) + len + KEEP_SEALED_OVERHEAD;
}

static uint64_t next_id(void)
{
    return atomic_fetch_add(&keep__guard_root()->sealed_count, 1) + 1;
}

static keep_status epoch_check(uint64_t epoch)
{
    return KEEP__LIKELY(keep__guard_epoch() == epoch) ? KEEP_OK : keep__trace(KEEP_ERR_PURGED);
}

/* Writes nonce, ciphertext and tag. */
static keep_status encrypt_and_store(keep_sealed *sealed, const uint8_t *bytes)
{
    uint8_t aad[KEEP__AAD_LEN];
    keep__aead aead = { .nonce = sealed->stored, .aad = aad, .aad_len = sizeof aad };
    keep_bytes plaintext = { bytes, sealed->binding.len };
    keep_status st = keep__random(sealed->stored, KEEP__AEAD_NONCE_LEN);

    if (st != KEEP_OK)
        return st;
    keep__layout_aad(&sealed->binding, aad);
    st = keep__coffer_seal(sealed->pool, sealed->binding.epoch, aead, plaintext, sealed->stored + KEEP__AEAD_NONCE_LEN);
    return st != KEEP_OK ? st : epoch_check(sealed->binding.epoch);
}

/* Decrypts into `binding.len` bytes. What does not authenticate because the key is going is PURGED, and no attack. */
static keep_status decrypt_stored(const keep_sealed *sealed, uint8_t *out)
{
    uint8_t aad[KEEP__AAD_LEN];
    keep__aead aead = { .nonce = sealed->stored, .aad = aad, .aad_len = sizeof aad };
    keep_bytes bytes = { sealed->stored + KEEP__AEAD_NONCE_LEN, sealed->binding.len + KEEP__AEAD_TAG_LEN };
    keep_status st;
    keep_status current;

    keep__layout_aad(&sealed->binding, aad);
    st = keep__coffer_open(sealed->pool, sealed->binding.epoch, aead, bytes, out);
    current = epoch_check(sealed->binding.epoch);
    return current != KEEP_OK ? current : st;
}

/* `pool` is resolved and stays alive during the call; `epoch` was current before the bytes were read. */
static keep_status seal(keep_pool *pool, keep_bytes bytes, uint32_t type, uint64_t epoch, keep_sealed **out_sealed)
{
    keep_sealed *sealed = keep__heap_new_raw(block_len(bytes.len));
    keep_status st;

    if (sealed == NULL)
        return keep__trace(KEEP_ERR_NO_MEMORY);
    sealed->stamp = keep__guard_stamp();
    sealed->pool = pool;
    sealed->cached.entry = NULL;
    sealed->binding = (keep__binding){ type, next_id(), bytes.len, epoch };
    st = encrypt_and_store(sealed, bytes.data);
    if (st != KEEP_OK) {
        keep__heap_free(sealed, block_len(bytes.len));
        return st;
    }
    keep__pool_retain(pool);
    *out_sealed = sealed;
    return KEEP_OK;
}

/* Checks a sealed handle: INVALID_ARGUMENT FORKED. */
static keep_status check(const keep_sealed *sealed)
{
    return sealed == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__guard_check(sealed->stamp);
}

/* The tier whose slots are exactly as long as the secret, if the pool has a hot cache; else NULL. */
static keep__tier *exact_tier(const keep_sealed *sealed, uint32_t flags)
{
    keep__tier *tier;

    if (sealed->pool->cache.cap == 0 || (flags & KEEP_ACQUIRE_GUARDED) != 0)
        return NULL;
    tier = keep__pool_tier(sealed->pool, sealed->binding.len);
    return tier != NULL && tier->slot_len == sealed->binding.len ? tier : NULL;
}

/* Claims a place and decrypts into it. */
static keep_status open_anew(const keep_sealed *sealed, const keep_acquire_options *options, keep__spot *out)
{
    keep_status st = keep__pool_claim(sealed->pool, sealed->binding.len, options, out);

    if (st != KEEP_OK)
        return st;
    st = decrypt_stored(sealed, keep__place_bytes(*out));
    if (st != KEEP_OK)
        keep__place_clear_and_give(*out);
    return st;
}

/* The same, through the cache. */
static keep_status open_cached(keep_sealed *sealed, keep__tier *tier, const keep_acquire_options *options,
                               keep__spot *out)
{
    keep__cache *cache = &sealed->pool->cache;
    keep_status st;

    if (keep__cache_take(cache, &sealed->cached, out))
        return KEEP_OK;
    st = open_anew(sealed, options, out);
    if (st != KEEP_OK)
        return st;
    keep__cache_count_miss(cache);
    keep__cache_keep(cache, tier, &sealed->cached, keep__place_bytes(*out));
    return KEEP_OK;
}

/*
 * Hands the place out first and looks at the epoch then: a purge that began before has found the place live, or is seen
 * here. What the cache was given meanwhile goes too.
 */
static keep_status hand_out_opened(keep_sealed *sealed, keep__spot spot, keep_secret **out_secret)
{
    keep_status st = keep__place_hand_out(&spot, sealed->binding.len, KEEP__FROZEN);

    if (st != KEEP_OK) {
        keep__place_clear_and_give(spot);
        return st;
    }
    keep__slab_publish(spot);
    st = epoch_check(sealed->binding.epoch);
    if (st != KEEP_OK) {
        (void)keep__place_free(spot);
        keep__cache_forget(&sealed->pool->cache, &sealed->cached);
        return st;
    }
    *out_secret = keep__place_handle(spot);
    return KEEP_OK;
}

keep_status keep_sealed_new(keep_pool *pool, const void *bytes, size_t len, uint32_t type, keep_sealed **out_sealed)
{
    keep_status st;

    if (out_sealed == NULL || len > KEEP_MAX_SECRET_LEN || (bytes == NULL && len != 0))
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__pool_resolve(pool, &pool);
    return st != KEEP_OK ? st : seal(pool, (keep_bytes){ bytes, len }, type, keep__guard_epoch(), out_sealed);
}

keep_status keep_sealed_from_secret(const keep_secret *secret, uint32_t type, keep_sealed **out_sealed)
{
    const uint8_t *data;
    size_t len;
    keep__spot spot;
    uint64_t epoch;
    keep_sealed *sealed = NULL;
    keep_status st = out_sealed == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__place_find(secret, &spot);

    if (st != KEEP_OK)
        return st;
    epoch = keep__guard_settled_epoch();
    st = keep__place_read_begin(spot, &data, &len);
    if (st != KEEP_OK)
        return st;
    st = keep__place_end_after(spot, seal(keep__place_pool(spot), (keep_bytes){ data, len }, type, epoch, &sealed));
    if (st == KEEP_OK)
        *out_sealed = sealed;
    else
        keep_sealed_free(&sealed);
    return st;
}

keep_status keep_sealed_open(const keep_sealed *sealed, const keep_acquire_options *options, keep_secret **out_secret)
{
    keep_sealed *opened = (keep_sealed *)(uintptr_t)sealed; /* what the cache remembers of it changes under its lock */
    keep_acquire_options read;
    keep__tier *tier;
    keep__spot spot;
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;

    if (sealed != NULL && out_secret != NULL)
        st = keep__pool_read_options(options, &read);
    if (st == KEEP_OK)
        st = check(sealed);
    if (st == KEEP_OK)
        st = epoch_check(sealed->binding.epoch);
    if (st != KEEP_OK)
        return st;
    tier = exact_tier(sealed, read.flags);
    st = tier == NULL ? open_anew(sealed, &read, &spot) : open_cached(opened, tier, &read, &spot);
    return st != KEEP_OK ? st : hand_out_opened(opened, spot, out_secret);
}

/* Within the write window: the secret gets length and bytes, or is all zero with its old length. */
static keep_status open_in_window(const keep_sealed *sealed, keep__spot spot, uint8_t *data, size_t before)
{
    size_t len = sealed->binding.len;
    keep_status st;

    keep__place_set_len(spot, keep__size_max(len, before));
    st = decrypt_stored(sealed, data);
    if (st != KEEP_OK)
        keep__wipe(data, keep__size_max(len, before));
    keep__place_set_len(spot, st == KEEP_OK ? len : before);
    return st;
}

keep_status keep_sealed_open_into(const keep_sealed *sealed, keep_secret *secret)
{
    uint8_t *data;
    size_t before;
    keep__spot spot;
    keep_status st = secret == NULL ? KEEP_ERR_INVALID_ARGUMENT : check(sealed);

    if (st == KEEP_OK)
        st = keep__place_find(secret, &spot);
    if (st == KEEP_OK)
        st = keep__slab_check_closed(spot);
    if (st == KEEP_OK)
        st = epoch_check(sealed->binding.epoch);
    if (st == KEEP_OK)
        st = keep__slab_check_writable(spot);
    if (st == KEEP_OK && !keep__place_holds(spot, sealed->binding.len))
        st = KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK)
        st = keep__place_write_begin(spot, &data, &before);
    return st != KEEP_OK ? st : keep__place_end_after(spot, open_in_window(sealed, spot, data, before));
}

keep_status keep_sealed_info(const keep_sealed *sealed, struct keep_sealed_info *out_info)
{
    struct keep_sealed_info info = KEEP_SEALED_INFO_INIT;
    keep_status st = keep__report_check(out_info, KEEP__SIZE_UP_TO(struct keep_sealed_info, purged));

    if (st == KEEP_OK)
        st = check(sealed);
    if (st != KEEP_OK)
        return st;
    info.id = sealed->binding.id;
    info.len = sealed->binding.len;
    info.stored_len = sealed->binding.len + KEEP_SEALED_OVERHEAD;
    info.type = sealed->binding.type;
    info.purged = keep__guard_epoch() != sealed->binding.epoch;
    keep__report_fill(out_info, &info, sizeof info);
    return KEEP_OK;
}

void keep_sealed_free(keep_sealed **sealed)
{
    keep_sealed *freed = sealed == NULL ? NULL : *sealed;
    keep_pool *pool;

    if (freed == NULL)
        return;
    *sealed = NULL;
    if (keep__guard_check(freed->stamp) != KEEP_OK)
        return;
    pool = freed->pool;
    if (pool->cache.cap != 0)
        keep__cache_forget(&pool->cache, &freed->cached);
    keep__heap_free(freed, block_len(freed->binding.len));
    keep__pool_release(pool);
}
