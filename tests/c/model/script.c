/* SPDX-License-Identifier: MIT */
/*
 * Script: the model of a secret is its bytes and four facts; of a sealed secret its bytes and whether a purge came.
 */
#include "model/script.h"

#include <stdbool.h>
#include <string.h>

#include <keep/keep.h>

enum {
    SECRETS = 4,
    SEALED = 3,
    SLOT_LEN = 48,
    SLOTS = 3
};

/* A handle that was freed keeps its value: it must be CLOSED from then on. */
struct secret {
    keep_secret *handle;
    bool is_live, is_frozen, is_purged, is_writing, is_slot;
    uint32_t readers;
    size_t len, capacity;
    uint8_t bytes[SLOT_LEN];
};

struct sealed {
    keep_sealed *handle;
    bool is_purged;
    size_t len;
    uint8_t bytes[SLOT_LEN];
};

struct script {
    const uint8_t *at;
    size_t left;
    keep_pool *pool;
    struct secret secrets[SECRETS];
    struct sealed sealed[SEALED];
};

static uint8_t next(struct script *script)
{
    if (script->left == 0)
        return 0;
    script->left--;
    return *script->at++;
}

static struct secret *any_secret(struct script *script)
{
    return &script->secrets[next(script) % SECRETS];
}

static struct sealed *any_sealed(struct script *script)
{
    return &script->sealed[next(script) % SEALED];
}

static int count_slots(const struct script *script)
{
    int count = 0;

    for (int i = 0; i < SECRETS; i++)
        count += script->secrets[i].is_live && script->secrets[i].is_slot;
    return count;
}

/* What every call on a secret looks at first. */
static keep_status check(const struct secret *secret)
{
    if (secret->handle == NULL)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (!secret->is_live)
        return KEEP_ERR_CLOSED;
    return secret->is_purged ? KEEP_ERR_PURGED : KEEP_OK;
}

static keep_status check_read(const struct secret *secret)
{
    keep_status st = check(secret);

    return st == KEEP_OK && secret->is_writing ? KEEP_ERR_BUSY : st;
}

/* `fits` stands between STATE and BUSY. */
static keep_status check_write(const struct secret *secret, bool fits)
{
    keep_status st = check(secret);

    if (st == KEEP_OK && secret->is_frozen)
        st = KEEP_ERR_STATE;
    if (st == KEEP_OK && !fits)
        st = KEEP_ERR_INVALID_ARGUMENT;
    return st == KEEP_OK && (secret->is_writing || secret->readers != 0) ? KEEP_ERR_BUSY : st;
}

static void become(struct secret *secret, keep_secret *handle, size_t len, bool is_slot)
{
    *secret = (struct secret){ .handle = handle, .is_live = true, .is_slot = is_slot, .len = len };
    secret->capacity = is_slot ? SLOT_LEN : len;
}

static const char *acquire(struct script *script)
{
    struct secret *secret = any_secret(script);
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;
    bool is_slot = next(script) % 3 != 0;
    size_t len = next(script) % (SLOT_LEN + 1);
    keep_status wanted = is_slot && count_slots(script) == SLOTS ? KEEP_ERR_EXHAUSTED : KEEP_OK;
    keep_secret *handle = NULL;

    if (secret->is_live)
        return NULL;
    options.flags = is_slot ? 0 : KEEP_ACQUIRE_GUARDED;
    if (keep_pool_acquire(script->pool, len, &options, &handle) != wanted)
        return "acquire";
    if (wanted == KEEP_OK)
        become(secret, handle, len, is_slot);
    return NULL;
}

static const char *put(struct script *script)
{
    struct secret *secret = any_secret(script);
    size_t offset = next(script) % SLOT_LEN;
    size_t len = next(script) % SLOT_LEN;
    uint8_t bytes[SLOT_LEN];
    keep_status wanted = check_write(secret, offset + len <= secret->len);

    memset(bytes, next(script), sizeof bytes);
    if (keep_secret_put(secret->handle, offset, bytes, len) != wanted)
        return "put";
    if (wanted == KEEP_OK)
        memcpy(secret->bytes + offset, bytes, len);
    return NULL;
}

static const char *reveal(struct script *script)
{
    const struct secret *secret = any_secret(script);
    size_t cap = next(script) % (SLOT_LEN + 1);
    uint8_t out[SLOT_LEN];
    size_t len = 99;
    keep_status wanted = check_read(secret);

    if (wanted == KEEP_OK && cap < secret->len)
        wanted = KEEP_ERR_BUFFER_TOO_SMALL;
    if (keep_secret_reveal(secret->handle, out, cap, &len) != wanted)
        return "reveal";
    if (wanted == KEEP_OK || wanted == KEEP_ERR_BUFFER_TOO_SMALL)
        return len == secret->len && (wanted != KEEP_OK || memcmp(out, secret->bytes, len) == 0) ? NULL
                                                                                                 : "revealed bytes";
    return len == 99 ? NULL : "reveal touched its output";
}

static const char *resize(struct script *script)
{
    struct secret *secret = any_secret(script);
    size_t len = next(script) % (SLOT_LEN + 2);
    keep_status wanted = check_write(secret, len <= secret->capacity);

    if (keep_secret_resize(secret->handle, len) != wanted)
        return "resize";
    if (wanted != KEEP_OK)
        return NULL;
    if (len < secret->len)
        memset(secret->bytes + len, 0, secret->len - len);
    secret->len = len;
    return NULL;
}

static const char *clear(struct script *script)
{
    struct secret *secret = any_secret(script);
    keep_status wanted = check_write(secret, true);

    if (keep_secret_clear(secret->handle) != wanted)
        return "clear";
    if (wanted == KEEP_OK)
        memset(secret->bytes, 0, sizeof secret->bytes);
    return NULL;
}

static const char *turn(struct script *script)
{
    struct secret *secret = any_secret(script);
    bool is_freeze = next(script) % 2 == 0;
    keep_status wanted = check(secret);

    if (wanted == KEEP_OK && (secret->is_writing || secret->readers != 0))
        wanted = KEEP_ERR_BUSY;
    if ((is_freeze ? keep_secret_freeze(secret->handle) : keep_secret_melt(secret->handle)) != wanted)
        return "freeze or melt";
    if (wanted == KEEP_OK)
        secret->is_frozen = is_freeze;
    return NULL;
}

static const char *begin(struct script *script)
{
    struct secret *secret = any_secret(script);
    bool is_write = next(script) % 2 == 0;
    keep_status wanted = is_write ? check_write(secret, true) : check_read(secret);
    const uint8_t *data = NULL;
    uint8_t *writable = NULL;
    size_t len;
    keep_status st = is_write ? keep_secret_write_begin(secret->handle, &writable, &len)
                              : keep_secret_read_begin(secret->handle, &data, &len);

    if (st != wanted)
        return "begin";
    if (st != KEEP_OK)
        return NULL;
    if (len != secret->len || memcmp(is_write ? writable : data, secret->bytes, len) != 0)
        return "a window's bytes";
    secret->is_writing = is_write;
    secret->readers += !is_write;
    return NULL;
}

static const char *end(struct script *script)
{
    struct secret *secret = any_secret(script);
    keep_status wanted = check(secret) == KEEP_ERR_PURGED ? KEEP_OK : check(secret);

    if (wanted == KEEP_OK && !secret->is_writing && secret->readers == 0)
        wanted = KEEP_ERR_STATE;
    if (keep_secret_end(secret->handle) != wanted)
        return "end";
    if (wanted == KEEP_OK && !secret->is_writing)
        secret->readers--;
    if (wanted == KEEP_OK)
        secret->is_writing = false;
    return NULL;
}

static const char *release(struct script *script)
{
    struct secret *secret = any_secret(script);
    keep_secret *handle = secret->handle;
    keep_status wanted = KEEP_OK;

    if (handle != NULL && !secret->is_live)
        wanted = KEEP_ERR_CLOSED;
    else if (secret->is_writing || secret->readers != 0)
        wanted = KEEP_ERR_BUSY;
    if (keep_secret_free(&handle) != wanted || (handle == NULL) != (wanted != KEEP_ERR_BUSY || secret->handle == NULL))
        return "free";
    if (wanted == KEEP_OK)
        secret->is_live = false;
    return NULL;
}

static const char *duplicate(struct script *script)
{
    const struct secret *from = any_secret(script);
    struct secret *to = any_secret(script);
    keep_status wanted = check_read(from);
    keep_secret *handle = NULL;

    if (to->is_live)
        return NULL;
    if (wanted == KEEP_OK && from->is_slot && count_slots(script) == SLOTS)
        wanted = KEEP_ERR_EXHAUSTED;
    if (keep_secret_duplicate(from->handle, &handle) != wanted)
        return "duplicate";
    if (wanted != KEEP_OK)
        return NULL;
    become(to, handle, from->len, from->is_slot);
    memcpy(to->bytes, from->bytes, from->len);
    return NULL;
}

static const char *equal(struct script *script)
{
    const struct secret *one = any_secret(script);
    const struct secret *two = any_secret(script);
    keep_status first = check(one);
    keep_status second = check(two);
    bool is_equal = one->len == two->len && memcmp(one->bytes, two->bytes, one->len) == 0;
    keep_status wanted = KEEP_OK;
    int out = 7;

    if (first == KEEP_ERR_INVALID_ARGUMENT || second == KEEP_ERR_INVALID_ARGUMENT)
        wanted = KEEP_ERR_INVALID_ARGUMENT;
    else if (first == KEEP_ERR_CLOSED || second == KEEP_ERR_CLOSED)
        wanted = KEEP_ERR_CLOSED;
    else if (first != KEEP_OK || second != KEEP_OK)
        wanted = KEEP_ERR_PURGED;
    else if (one->is_writing || two->is_writing)
        wanted = KEEP_ERR_BUSY;
    if (keep_secret_equal(one->handle, two->handle, &out) != wanted)
        return "equal";
    return out == (wanted == KEEP_OK ? is_equal : 7) ? NULL : "what equal found";
}

static const char *seal(struct script *script)
{
    const struct secret *secret = any_secret(script);
    struct sealed *sealed = any_sealed(script);
    keep_status wanted = check_read(secret);

    if (sealed->handle != NULL)
        return NULL;
    if (keep_sealed_from_secret(secret->handle, 1, &sealed->handle) != wanted)
        return "seal";
    sealed->is_purged = false;
    sealed->len = secret->len;
    memcpy(sealed->bytes, secret->bytes, sizeof sealed->bytes);
    return NULL;
}

static const char *open_new(struct script *script)
{
    const struct sealed *sealed = any_sealed(script);
    struct secret *secret = any_secret(script);
    keep_status wanted = sealed->is_purged ? KEEP_ERR_PURGED : KEEP_OK;
    keep_secret *handle = NULL;

    if (sealed->handle == NULL || secret->is_live)
        return NULL;
    if (wanted == KEEP_OK && count_slots(script) == SLOTS)
        wanted = KEEP_ERR_EXHAUSTED;
    if (keep_sealed_open(sealed->handle, NULL, &handle) != wanted)
        return "open";
    if (wanted != KEEP_OK)
        return NULL;
    become(secret, handle, sealed->len, true);
    memcpy(secret->bytes, sealed->bytes, sealed->len);
    secret->is_frozen = true;
    return NULL;
}

static const char *open_into(struct script *script)
{
    const struct sealed *sealed = any_sealed(script);
    struct secret *secret = any_secret(script);
    keep_status wanted = check_write(secret, sealed->len <= secret->capacity);

    if (sealed->handle == NULL)
        return NULL;
    if (sealed->is_purged && wanted != KEEP_ERR_INVALID_ARGUMENT && wanted != KEEP_ERR_CLOSED)
        wanted = KEEP_ERR_PURGED;
    else if (sealed->is_purged && secret->is_live)
        wanted = KEEP_ERR_PURGED;
    if (keep_sealed_open_into(sealed->handle, secret->handle) != wanted)
        return "open_into";
    if (wanted != KEEP_OK)
        return NULL;
    memset(secret->bytes, 0, sizeof secret->bytes);
    memcpy(secret->bytes, sealed->bytes, sealed->len);
    secret->len = sealed->len;
    return NULL;
}

static const char *free_sealed(struct script *script)
{
    struct sealed *sealed = any_sealed(script);

    keep_sealed_free(&sealed->handle);
    return sealed->handle == NULL ? NULL : "free of a sealed secret";
}

static const char *purge(struct script *script)
{
    uint64_t wanted = 0;
    uint64_t windows = 99;

    if (next(script) % 8 != 0)
        return NULL; /* seldom: it ends everything */
    for (int i = 0; i < SECRETS; i++) {
        struct secret *secret = &script->secrets[i];

        if (!secret->is_live)
            continue;
        wanted += secret->readers + secret->is_writing;
        secret->is_purged = true;
    }
    for (int i = 0; i < SEALED; i++)
        script->sealed[i].is_purged = true;
    return keep_purge(&windows) == KEEP_OK && windows == wanted ? NULL : "purge";
}

static const char *trim(struct script *script)
{
    return keep_pool_trim(script->pool, NULL) == KEEP_OK ? NULL : "trim";
}

static const char *stats(struct script *script)
{
    struct keep_pool_stats out = KEEP_POOL_STATS_INIT;

    if (keep_pool_stats(script->pool, &out) != KEEP_OK)
        return "stats";
    return out.tiers[0].in_use == (uint64_t)count_slots(script) ? NULL : "slots in use";
}

static const char *(*const steps[])(struct script *script) = {
    acquire,   put,   reveal, resize,   clear,     turn,        begin, end,  release,
    duplicate, equal, seal,   open_new, open_into, free_sealed, purge, trim, stats,
};

static void end_script(struct script *script)
{
    for (int i = 0; i < SECRETS; i++) {
        struct secret *secret = &script->secrets[i];
        keep_status st;

        do { /* also where the pages cannot be closed: the window ends all the same */
            st = keep_secret_end(secret->handle);
        } while (st == KEEP_OK || st == KEEP_ERR_SYSTEM);
        (void)keep_secret_free(&secret->handle);
    }
    for (int i = 0; i < SEALED; i++)
        keep_sealed_free(&script->sealed[i].handle);
    keep_pool_free(&script->pool);
}

const char *model_script(const uint8_t *bytes, size_t len)
{
    struct script script = { .at = bytes, .left = len };
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    const char *wrong = NULL;

    options.tier_count = 1;
    options.tier_len[0] = SLOT_LEN;
    options.tier_max_slots[0] = SLOTS;
    options.hot_cache = (uint32_t)(len % 3);
    options.resplit_views = 2;
    options.backing = KEEP_BACKING_LOCKED;
    if (keep_pool_new(&options, &script.pool) != KEEP_OK)
        return "a new pool";
    while (wrong == NULL && script.left > 0)
        wrong = steps[next(&script) % (sizeof steps / sizeof *steps)](&script);
    end_script(&script);
    return wrong;
}
