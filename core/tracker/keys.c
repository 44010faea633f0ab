/* SPDX-License-Identifier: MIT */
/*
 * Keys. A purge between two looks at the epoch leaves zeros where keys were: what opened under them did not open.
 */
#include "tracker/keys.h"

#include <string.h>

#include "base/crypto.h"
#include "base/trace.h"
#include "memory/guard.h"
#include "tracker/sealed.h"
#include "base/banned.h"

static bool has_master_key(const keep__keys *keys)
{
    for (uint32_t i = 0; i < keys->count; i++) {
        if (keys->key[i].mode == KEEP_BEAT_MASTER)
            return true;
    }
    return false;
}

keep_status keep__keys_add(keep__keys *keys, const keep_secret *secret, uint32_t mode)
{
    keep__key key = { 0 };
    uint64_t epoch = keep__guard_epoch();
    keep_status st = keep__keys_check(keys);

    if (keep__sealed_len(mode) == 0)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (st != KEEP_OK)
        return st;
    if (mode == KEEP_BEAT_MASTER && has_master_key(keys))
        return KEEP_ERR_STATE;
    if (keys->count == KEEP_MAX_BEAT_KEYS)
        return keep__trace(KEEP_ERR_EXHAUSTED);
    st = keep__key_from_secret(NULL, secret, KEEP__BEAT_KEY_LEN, &key);
    if (st != KEEP_OK)
        return st;
    if (keys->count == 0)
        keys->epoch = epoch;
    keys->key[keys->count].key = key;
    keys->key[keys->count].mode = mode;
    keys->count++;
    return keep__keys_check(keys);
}

keep_status keep__keys_check(const keep__keys *keys)
{
    return keys->count == 0 || keys->epoch == keep__guard_epoch() ? KEEP_OK : keep__trace(KEEP_ERR_PURGED);
}

bool keep__keys_open(const keep__keys *keys, const uint8_t *wire, size_t len, uint8_t out_frame[KEEP_BEAT_LEN])
{
    uint8_t frame[KEEP_BEAT_LEN];
    bool is_open = false;

    for (uint32_t i = 0; i < keys->count; i++) {
        if (keep__sealed_open(keys->key[i].key.bytes, keys->key[i].mode, wire, len, frame) != KEEP_OK)
            continue;
        memcpy(out_frame, frame, sizeof frame);
        is_open = true;
    }
    return is_open && keep__keys_check(keys) == KEEP_OK;
}

void keep__keys_free(keep__keys *keys)
{
    for (uint32_t i = 0; i < keys->count; i++)
        keep__key_free(&keys->key[i].key);
    keys->count = 0;
}
