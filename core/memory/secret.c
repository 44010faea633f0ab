/* SPDX-License-Identifier: MIT */
/*
 * Secret: the public functions. Order of checks: null pointers and lengths against the constants, fork, closed, purged,
 * state, offset and length against the secret, busy, room. What needs a check between state and busy looks at the word
 * before it takes the window, and again under it.
 */
#include "memory/secret.h"

#include <string.h>

#include "base/checked.h"
#include "base/crypto.h"
#include "base/options.h"
#include "base/random.h"
#include "memory/guarded.h"
#include "memory/place.h"
#include "memory/pool.h"
#include "base/banned.h"

static const keep_acquire_options no_options = KEEP_ACQUIRE_OPTIONS_INIT;

static bool is_run(const void *bytes, size_t len)
{
    return len <= KEEP_MAX_SECRET_LEN && (bytes != NULL || len == 0);
}

/* Gives a claimed place up, or hands it out as a secret. */
static keep_status finish(keep_status st, keep__spot spot, size_t len, keep_secret **out_secret)
{
    if (st == KEEP_OK)
        st = keep__place_hand_out(&spot, len, 0);
    if (st != KEEP_OK) {
        keep__place_clear_and_give(spot);
        return st;
    }
    *out_secret = keep__place_handle(spot);
    return KEEP_OK;
}

keep_status keep_secret_generate(keep_pool *pool, size_t len, keep_secret **out_secret)
{
    keep__spot spot;
    keep_status st;

    if (out_secret == NULL || len > KEEP_MAX_SECRET_LEN)
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__pool_resolve(pool, &pool);
    if (st == KEEP_OK)
        st = keep__pool_claim(pool, len, &no_options, &spot);
    if (st != KEEP_OK)
        return st;
    return finish(keep__random(keep__place_bytes(spot), len), spot, len, out_secret);
}

keep_status keep_secret_from_bytes(keep_pool *pool, const void *bytes, size_t len, keep_secret **out_secret)
{
    keep__spot spot;
    keep_status st;

    if (out_secret == NULL || !is_run(bytes, len))
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__pool_resolve(pool, &pool);
    if (st == KEEP_OK)
        st = keep__pool_claim(pool, len, &no_options, &spot);
    if (st != KEEP_OK)
        return st;
    if (len != 0)
        memcpy(keep__place_bytes(spot), bytes, len);
    return finish(KEEP_OK, spot, len, out_secret);
}

/* Copies what a read window shows into a new secret of the same pool and kind. */
static keep_status copy_place(keep__spot from, const uint8_t *data, size_t len, keep_secret **out_secret)
{
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;
    keep__spot spot;
    keep_status st;

    if (keep__place_is_guarded(from))
        options.flags = KEEP_ACQUIRE_GUARDED | keep__guarded_flags(from);
    st = keep__pool_claim(keep__place_pool(from), len, &options, &spot);
    if (st != KEEP_OK)
        return st;
    memcpy(keep__place_bytes(spot), data, len);
    st = finish(KEEP_OK, spot, len, out_secret);
    if (st == KEEP_OK)
        keep__slab_publish(spot);
    return st;
}

keep_status keep_secret_duplicate(const keep_secret *secret, keep_secret **out_secret)
{
    const uint8_t *data;
    size_t len;
    uint64_t epoch;
    keep__spot spot;
    keep_secret *copy = NULL;
    keep_status st = out_secret == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__place_find(secret, &spot);

    if (st != KEEP_OK)
        return st;
    epoch = keep__guard_settled_epoch();
    st = keep__place_read_begin(spot, &data, &len);
    if (st != KEEP_OK)
        return st;
    st = keep__place_end_after(spot, copy_place(spot, data, len, &copy));
    if (st == KEEP_OK && keep__guard_epoch() != epoch)
        st = KEEP_ERR_PURGED;
    if (st == KEEP_OK)
        *out_secret = copy;
    else
        (void)keep_secret_free(&copy);
    return st;
}

keep_status keep_secret_read_begin(const keep_secret *secret, const uint8_t **out_data, size_t *out_len)
{
    keep__spot spot;
    keep_status st;

    if (out_data == NULL || out_len == NULL)
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__place_find(secret, &spot);
    return st != KEEP_OK ? st : keep__place_read_begin(spot, out_data, out_len);
}

keep_status keep_secret_write_begin(keep_secret *secret, uint8_t **out_data, size_t *out_len)
{
    keep__spot spot;
    keep_status st;

    if (out_data == NULL || out_len == NULL)
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__place_find(secret, &spot);
    return st != KEEP_OK ? st : keep__place_write_begin(spot, out_data, out_len);
}

keep_status keep_secret_end(const keep_secret *secret)
{
    keep__spot spot;
    keep_status st = keep__place_find(secret, &spot);

    return st != KEEP_OK ? st : keep__place_end(spot);
}

keep_status keep_secret_put(keep_secret *secret, size_t offset, const void *bytes, size_t len)
{
    uint8_t *data;
    size_t secret_len;
    keep__spot spot;
    keep_status st = is_run(bytes, len) ? keep__place_find(secret, &spot) : KEEP_ERR_INVALID_ARGUMENT;

    if (st == KEEP_OK)
        st = keep__slab_check_writable(spot);
    if (st == KEEP_OK && !keep__range_fits(offset, len, keep__spot_len(spot)))
        st = KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK)
        st = keep__place_write_begin(spot, &data, &secret_len);
    if (st != KEEP_OK)
        return st;
    st = keep__range_fits(offset, len, secret_len) ? KEEP_OK : KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK && len != 0)
        memcpy(data + offset, bytes, len);
    return keep__place_end_after(spot, st);
}

/* Ends a read window after its bytes were copied out if `st` is OK; a failure leaves no copy. */
static keep_status end_after_copy(keep__spot spot, keep_status st, void *out, size_t len)
{
    keep_status ended = keep__place_end(spot);

    if (st == KEEP_OK && ended != KEEP_OK)
        keep__wipe(out, len);
    return st != KEEP_OK ? st : ended;
}

keep_status keep_secret_get(const keep_secret *secret, size_t offset, void *out, size_t len)
{
    const uint8_t *data;
    size_t secret_len;
    keep__spot spot;
    keep_status st = is_run(out, len) ? keep__place_find(secret, &spot) : KEEP_ERR_INVALID_ARGUMENT;

    if (st == KEEP_OK)
        st = keep__slab_check(spot);
    if (st == KEEP_OK && !keep__range_fits(offset, len, keep__spot_len(spot)))
        st = KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK)
        st = keep__place_read_begin(spot, &data, &secret_len);
    if (st != KEEP_OK)
        return st;
    st = keep__range_fits(offset, len, secret_len) ? KEEP_OK : KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK && len != 0)
        memcpy(out, data + offset, len);
    return end_after_copy(spot, st, out, len);
}

keep_status keep_secret_reveal(const keep_secret *secret, void *out, size_t cap, size_t *out_len)
{
    const uint8_t *data;
    size_t len;
    keep__spot spot;
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;

    if (out_len != NULL && (out != NULL || cap == 0))
        st = keep__place_find(secret, &spot);
    if (st == KEEP_OK)
        st = keep__place_read_begin(spot, &data, &len);
    if (st != KEEP_OK)
        return st;
    if (len > cap)
        st = KEEP_ERR_BUFFER_TOO_SMALL;
    else if (len != 0)
        memcpy(out, data, len);
    st = end_after_copy(spot, st, out, len);
    if (st == KEEP_OK || st == KEEP_ERR_BUFFER_TOO_SMALL)
        *out_len = len;
    return st;
}

keep_status keep_secret_randomize(keep_secret *secret)
{
    uint8_t *data;
    size_t len;
    keep__spot spot;
    keep_status st = keep__place_find(secret, &spot);

    if (st == KEEP_OK)
        st = keep__place_write_begin(spot, &data, &len);
    return st != KEEP_OK ? st : keep__place_end_after(spot, keep__random(data, len));
}

keep_status keep_secret_clear(keep_secret *secret)
{
    uint8_t *data;
    size_t len;
    keep__spot spot;
    keep_status st = keep__place_find(secret, &spot);

    if (st == KEEP_OK)
        st = keep__place_write_begin(spot, &data, &len);
    if (st != KEEP_OK)
        return st;
    keep__wipe(data, len);
    return keep__place_end(spot);
}

keep_status keep_secret_resize(keep_secret *secret, size_t len)
{
    uint8_t *data;
    size_t before;
    keep__spot spot;
    keep_status st = len > KEEP_MAX_SECRET_LEN ? KEEP_ERR_INVALID_ARGUMENT : keep__place_find(secret, &spot);

    if (st == KEEP_OK)
        st = keep__slab_check_writable(spot);
    if (st == KEEP_OK && !keep__place_holds(spot, len))
        st = KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK)
        st = keep__place_write_begin(spot, &data, &before);
    if (st != KEEP_OK)
        return st;
    keep__place_set_len(spot, len);
    return keep__place_end(spot);
}

/* Both lengths are public; the bytes are compared in constant time. */
static int compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    return a_len == b_len && (a_len == 0 || keep__equal(a, b, a_len));
}

/* Compares an open read window's bytes with another secret. */
static keep_status compare_with(const uint8_t *data, size_t len, keep__spot other, int *out_equal)
{
    const uint8_t *other_data;
    size_t other_len;
    keep_status st = keep__place_read_begin(other, &other_data, &other_len);

    if (st != KEEP_OK)
        return st;
    *out_equal = compare(data, len, other_data, other_len);
    return keep__place_end(other);
}

/* CLOSED of either comes before PURGED of either. */
static keep_status check_both(keep__spot spot, keep__spot other)
{
    keep_status st = keep__slab_check_closed(spot);

    if (st == KEEP_OK)
        st = keep__slab_check_closed(other);
    if (st == KEEP_OK)
        st = keep__slab_check(spot);
    return st != KEEP_OK ? st : keep__slab_check(other);
}

keep_status keep_secret_equal(const keep_secret *secret, const keep_secret *other, int *out_equal)
{
    const uint8_t *data;
    size_t len;
    int equal = 0;
    keep__spot spot;
    keep__spot other_spot;
    keep_status st = out_equal == NULL || other == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__place_find(secret, &spot);

    if (st == KEEP_OK)
        st = keep__place_find(other, &other_spot);
    if (st == KEEP_OK)
        st = check_both(spot, other_spot);
    if (st == KEEP_OK)
        st = keep__place_read_begin(spot, &data, &len);
    if (st != KEEP_OK)
        return st;
    st = keep__place_end_after(spot, compare_with(data, len, other_spot, &equal));
    if (st == KEEP_OK)
        *out_equal = equal;
    return st;
}

keep_status keep_secret_equal_bytes(const keep_secret *secret, const void *bytes, size_t len, int *out_equal)
{
    const uint8_t *data;
    size_t secret_len;
    int equal;
    keep__spot spot;
    keep_status st = KEEP_ERR_INVALID_ARGUMENT;

    if (out_equal != NULL && is_run(bytes, len))
        st = keep__place_find(secret, &spot);
    if (st == KEEP_OK)
        st = keep__place_read_begin(spot, &data, &secret_len);
    if (st != KEEP_OK)
        return st;
    equal = compare(data, secret_len, bytes, len);
    st = keep__place_end(spot);
    if (st == KEEP_OK)
        *out_equal = equal;
    return st;
}

keep_status keep_secret_freeze(keep_secret *secret)
{
    keep__spot spot;
    keep_status st = keep__place_find(secret, &spot);

    return st != KEEP_OK ? st : keep__place_freeze(spot);
}

keep_status keep_secret_melt(keep_secret *secret)
{
    keep__spot spot;
    keep_status st = keep__place_find(secret, &spot);

    return st != KEEP_OK ? st : keep__place_melt(spot);
}

keep_status keep_secret_info(const keep_secret *secret, struct keep_secret_info *out_info)
{
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;
    keep__spot spot;
    keep_status st = keep__report_check(out_info, KEEP__SIZE_UP_TO(struct keep_secret_info, purged));

    if (st == KEEP_OK)
        st = keep__place_find(secret, &spot);
    if (st == KEEP_OK)
        st = keep__place_tell(spot, &info);
    if (st == KEEP_OK)
        keep__report_fill(out_info, &info, sizeof info);
    return st;
}

keep_status keep_secret_free(keep_secret **secret)
{
    keep__spot spot;
    keep_status st;

    if (secret == NULL || *secret == NULL)
        return KEEP_OK;
    st = keep__place_find(*secret, &spot);
    if (st == KEEP_OK)
        st = keep__place_free(spot);
    if (st != KEEP_ERR_BUSY)
        *secret = NULL;
    return st;
}

keep_status keep_secret_free_batch(keep_secret **secrets, size_t count)
{
    keep_status first = KEEP_OK;

    if (secrets == NULL || count == 0 || count > KEEP_MAX_BATCH)
        return KEEP_ERR_INVALID_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        keep_status st = keep_secret_free(&secrets[i]);

        if (first == KEEP_OK)
            first = st;
    }
    return first;
}

keep_status keep__key_new(keep_pool *pool, size_t len, keep__key *out_key)
{
    keep__spot spot;
    keep_status st = keep__pool_resolve(pool, &pool);

    if (st == KEEP_OK && keep__pool_tier(pool, len) == NULL)
        st = KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK)
        st = keep__pool_claim(pool, len, &no_options, &spot);
    if (st != KEEP_OK)
        return st;
    out_key->bytes = keep__place_bytes(spot);
    out_key->len = len;
    return finish(KEEP_OK, spot, len, &out_key->secret);
}

void keep__key_free(keep__key *key)
{
    (void)keep_secret_free(&key->secret);
    *key = (keep__key){ 0 };
}

keep_status keep__key_from_secret(keep_pool *pool, const keep_secret *secret, size_t len, keep__key *out_key)
{
    const uint8_t *data;
    size_t secret_len;
    keep_status ended;
    keep_status st = keep_secret_read_begin(secret, &data, &secret_len);

    if (st != KEEP_OK)
        return st;
    st = secret_len == len ? keep__key_new(pool, len, out_key) : KEEP_ERR_INVALID_ARGUMENT;
    if (st == KEEP_OK)
        memcpy(out_key->bytes, data, len);
    ended = keep_secret_end(secret);
    if (st == KEEP_OK && ended != KEEP_OK) {
        keep__key_free(out_key);
        st = ended;
    }
    return st;
}

keep_status keep__secret_hold_pool(keep_pool *pool)
{
    keep_status st = keep__pool_resolve(pool, &pool);

    if (st == KEEP_OK)
        keep__pool_retain(pool);
    return st;
}
