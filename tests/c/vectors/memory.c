/* SPDX-License-Identifier: MIT */
/*
 * Schema keep-memory-1 (memory §11): known answers, and scripts over pools, secrets and sealed secrets.
 */
#include "vectors.h"

#include <string.h>

/* --- handles --- */

KIND(pool)
KIND(sealed)

static bool free_secret(void *handle)
{
    return keep_secret_free(&(keep_secret *){ handle }) != KEEP_ERR_BUSY;
}

static const struct kind secret_kind = { "secret", free_secret, true };

static keep_secret *on_secret(struct step *step)
{
    return handle(step, "on", &secret_kind);
}

/* --- pools --- */

static const struct words lock_policies =
    WORDS([KEEP_LOCK_REQUIRE] = "require", [KEEP_LOCK_ALLOW_UNLOCKED] = "allow_unlocked");
static const struct fields pool_options =
    FIELDS(NUMBER(keep_pool_options, max_bytes), NUMBER(keep_pool_options, hot_cache),
           NUMBER(keep_pool_options, resplit_views));

static uint32_t fill_tiers(struct step *step, const char *key, uint32_t values[KEEP_MAX_TIERS])
{
    const json_t *numbers = list(step, key);
    size_t count = json_array_size(numbers);

    for (size_t i = 0; i < count && i < KEEP_MAX_TIERS; i++)
        values[i] = (uint32_t)number_of(step, json_array_get(numbers, i), UINT32_MAX);
    return (uint32_t)count;
}

static void pool_new(struct step *step)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    keep_pool *pool = NULL;
    keep_status status;

    options.tier_count = fill_tiers(step, "tiers", options.tier_len);
    (void)fill_tiers(step, "tier_slots", options.tier_slots);
    (void)fill_tiers(step, "tier_max_slots", options.tier_max_slots);
    take_fields(step, &pool_options, &options, SOME);
    options.lock_policy = word(step, "lock", &lock_policies, KEEP_LOCK_REQUIRE);
    status = keep_pool_new(&options, &pool);
    (void)is_made(step, &pool_kind, status, pool);
}

#define STATISTIC(name) NUMBER(struct keep_pool_stats, name)
static const struct fields statistics = FIELDS(STATISTIC(guarded), STATISTIC(cache_entries), STATISTIC(cache_hits),
                                               STATISTIC(cache_misses), STATISTIC(cache_evictions));
static const struct fields tier_statistics = FIELDS(NUMBER(keep_tier_stats, slot_len), NUMBER(keep_tier_stats, slots),
                                                    NUMBER(keep_tier_stats, in_use), NUMBER(keep_tier_stats, cached));

static void pool_stats(struct step *step)
{
    struct keep_pool_stats stats = KEEP_POOL_STATS_INIT;
    uint64_t tier = number(step, "tier", KEEP_MAX_TIERS - 1);
    json_t *lens = json_array();

    if (came_out(step, keep_pool_stats(on_pool(step), &stats))) {
        for (uint32_t i = 0; i < stats.tier_count; i++)
            json_array_append_new(lens, json_integer((json_int_t)stats.tiers[i].slot_len));
        expect_json(step, "tiers", json_incref(lens));
        expect_fields(step, &statistics, &stats, SOME);
        if (has(step, "tier"))
            expect_fields(step, &tier_statistics, &stats.tiers[tier], SOME);
    }
    json_decref(lens);
}

static void reserve(struct step *step)
{
    size_t len = number(step, "len", SIZE_MAX), count = number(step, "count", SIZE_MAX);

    (void)came_out(step, keep_pool_reserve(on_pool(step), len, count));
}

static void trim(struct step *step)
{
    uint64_t freed = 0;

    (void)came_out(step, keep_pool_trim(on_pool(step), &freed));
}

/* --- making secrets --- */

static const struct words secret_kinds = WORDS([KEEP_KIND_SLOT] = "slot", [KEEP_KIND_GUARDED] = "guarded");
#define INFO struct keep_secret_info
static const struct fields secret_info = FIELDS(
    NUMBER(INFO, len), NUMBER(INFO, capacity), WORD(INFO, kind, &secret_kinds), FLAG(INFO, frozen), FLAG(INFO, purged));

static void expect_info(struct step *step, const keep_secret *secret)
{
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;

    if (came_out(step, keep_secret_info(secret, &info)))
        expect_fields(step, &secret_info, &info, SOME);
}

static void secret_made(struct step *step, keep_status status, keep_secret *secret)
{
    if (is_made(step, &secret_kind, status, secret))
        expect_info(step, secret);
}

static keep_acquire_options acquire_options(struct step *step, uint32_t flags)
{
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;
    uint64_t timeout_ms = number(step, "timeout_ms", UINT64_MAX);

    if (timeout_ms > KEEP_WAIT_FOREVER)
        fail(step, "timeout_ms", "KEEP_WAIT_FOREVER at most", "more");
    options.timeout_ms = (uint32_t)timeout_ms;
    options.flags = flags | (flag(step, "fallback") ? KEEP_ACQUIRE_FALLBACK : 0) |
                    (flag(step, "align16") ? KEEP_ACQUIRE_ALIGN16 : 0) |
                    (flag(step, "resident") ? KEEP_ACQUIRE_RESIDENT : 0);
    return options;
}

static void acquire(struct step *step)
{
    keep_acquire_options options = acquire_options(step, step->op->variant);
    size_t len = number(step, "len", SIZE_MAX);
    keep_secret *secret = NULL;
    keep_status status = keep_pool_acquire(on_pool(step), len, &options, &secret);

    secret_made(step, status, secret);
}

static void acquire_batch(struct step *step)
{
    const json_t *names = list(step, "as");
    size_t count = json_array_size(names), len = number(step, "len", SIZE_MAX);
    keep_secret **made = memset(room(step, (count + 1) * sizeof *made), 0, (count + 1) * sizeof *made);
    keep_status status;

    for (size_t i = 0; i < count; i++)
        expect_unused(step, json_string_value(json_array_get(names, i)));
    status = keep_pool_acquire_batch(on_pool(step), len, count, made);
    if (status != KEEP_OK && made[0] != NULL)
        fail(step, "the output of a failed call", "untouched", "a handle");
    for (size_t i = 0; status == KEEP_OK && i < count; i++) {
        const char *name = json_string_value(json_array_get(names, i));

        expect_unused(step, name);
        bind_handle(step, name, &secret_kind, made[i]);
    }
    (void)came_out(step, status);
}

static void generate(struct step *step)
{
    size_t len = number(step, "len", SIZE_MAX);
    keep_secret *secret = NULL;
    keep_status status = keep_secret_generate(on_pool(step), len, &secret);

    secret_made(step, status, secret);
}

/* The caller's own copy of bytes, which the TAKE variants wipe if and only if something was made of it. */
enum {
    COPY,
    TAKE
};

static uint8_t *source_of(struct step *step)
{
    keep_bytes data = bytes(step, "data");

    return data.len == 0 ? NULL : memcpy(room(step, data.len), data.data, data.len);
}

static void end_source(struct step *step, keep_status status, uint8_t *source)
{
    size_t len = bytes(step, "data").len;

    if (step->op->variant == TAKE && status == KEEP_OK)
        keep_wipe(source, len);
    expect_bytes(step, "source", source, len);
}

static void from_bytes(struct step *step)
{
    uint8_t *source = source_of(step);
    keep_secret *secret = NULL;
    keep_status status = keep_secret_from_bytes(on_pool(step), source, bytes(step, "data").len, &secret);

    end_source(step, status, source);
    secret_made(step, status, secret);
}

static void duplicate(struct step *step)
{
    keep_secret *secret = NULL;
    keep_status status = keep_secret_duplicate(on_secret(step), &secret);

    secret_made(step, status, secret);
}

/* --- using secrets --- */

static void info(struct step *step)
{
    expect_info(step, on_secret(step));
}

static void put(struct step *step)
{
    keep_bytes data = bytes(step, "data");
    size_t offset = number(step, "offset", SIZE_MAX);

    (void)came_out(step, keep_secret_put(on_secret(step), offset, data.data, data.len));
}

static void get(struct step *step)
{
    size_t len = number(step, "len", SIZE_MAX), offset = number(step, "offset", SIZE_MAX);
    size_t cap = len <= KEEP_MAX_SECRET_LEN ? len : 0; /* a longer one is refused before any byte */
    uint8_t *out = room(step, cap);

    if (came_out(step, keep_secret_get(on_secret(step), offset, out, len)))
        expect_bytes(step, "data", out, len);
    else
        expect_untouched(step, out, cap);
}

static void reveal_into(struct step *step, const keep_secret *secret, size_t cap)
{
    uint8_t *out = room(step, cap);
    size_t len = SIZE_MAX;
    keep_status status = keep_secret_reveal(secret, out, cap, &len);

    if (len != SIZE_MAX)
        expect_number(step, "len", len);
    if (came_out(step, status))
        expect_bytes(step, "data", out, len);
    else
        expect_untouched(step, out, cap);
}

/* Reveals without knowing how much: once for the length, once for the bytes. */
static void reveal_all(struct step *step, const keep_secret *secret)
{
    size_t len = 0;
    keep_status status = keep_secret_reveal(secret, NULL, 0, &len);

    reveal_into(step, secret, status == KEEP_ERR_BUFFER_TOO_SMALL ? len : 0);
}

static void reveal(struct step *step)
{
    if (has(step, "cap"))
        reveal_into(step, on_secret(step), number(step, "cap", KEEP_MAX_SECRET_LEN));
    else
        reveal_all(step, on_secret(step));
}

enum {
    RANDOMIZE,
    CLEAR,
    FREEZE,
    MELT
};

static void change(struct step *step)
{
    static keep_status (*const calls[])(keep_secret *) = {
        [RANDOMIZE] = keep_secret_randomize,
        [CLEAR] = keep_secret_clear,
        [FREEZE] = keep_secret_freeze,
        [MELT] = keep_secret_melt,
    };

    (void)came_out(step, calls[step->op->variant](on_secret(step)));
}

static void resize(struct step *step)
{
    (void)came_out(step, keep_secret_resize(on_secret(step), number(step, "len", SIZE_MAX)));
}

static void equal(struct step *step)
{
    int same = 0;

    if (came_out(step, keep_secret_equal(on_secret(step), handle(step, "with", &secret_kind), &same)))
        expect_flag(step, "equal", same);
}

static void equal_bytes(struct step *step)
{
    keep_bytes data = bytes(step, "data");
    int same = 0;

    if (came_out(step, keep_secret_equal_bytes(on_secret(step), data.data, data.len, &same)))
        expect_flag(step, "equal", same);
}

/* A window that is open is ended, whatever went wrong inside; the steps of one that is not do not run. */
static void end_window(struct step *step, keep_status begun)
{
    if (begun == KEEP_OK)
        expect_status(step, "the end of a window", KEEP_OK, keep_secret_end(on_secret(step)));
    else
        (void)json_array_clear(list(step, "steps"));
}

static void read_window(struct step *step)
{
    const uint8_t *seen = NULL;
    size_t len = 0;
    keep_status status = keep_secret_read_begin(on_secret(step), &seen, &len);

    if (came_out(step, status)) {
        expect_bytes(step, "data", seen, len);
        run_steps(step, "steps");
    }
    end_window(step, status);
}

static void write_window(struct step *step)
{
    keep_bytes data = bytes(step, "data");
    uint8_t *seen = NULL;
    size_t len = 0;
    keep_status status = keep_secret_write_begin(on_secret(step), &seen, &len);

    if (came_out(step, status)) {
        expect_bytes(step, "data", seen, len);
        if (data.len > len)
            fail(step, "data", "no longer than the window", "more bytes");
        else if (data.len > 0)
            memcpy(seen, data.data, data.len);
        run_steps(step, "steps");
    }
    end_window(step, status);
}

static void release(struct step *step)
{
    keep_secret *secret = on_secret(step), *left = secret;
    keep_status status = keep_secret_free(&left);

    if (status == KEEP_OK)
        unbind_handle(step, secret);
    (void)came_out(step, status);
}

static void purge(struct step *step)
{
    uint64_t open_windows = 0;

    if (came_out(step, keep_purge(&open_windows)))
        expect_number(step, "open_windows", open_windows);
}

/* --- sealed secrets --- */

static void seal(struct step *step)
{
    uint8_t *source = source_of(step);
    uint32_t type = (uint32_t)number(step, "type", UINT32_MAX);
    keep_sealed *sealed = NULL;
    keep_status status = keep_sealed_new(on_pool(step), source, bytes(step, "data").len, type, &sealed);

    end_source(step, status, source);
    (void)is_made(step, &sealed_kind, status, sealed);
}

static void seal_secret(struct step *step)
{
    uint32_t type = (uint32_t)number(step, "type", UINT32_MAX);
    keep_sealed *sealed = NULL;
    keep_status status = keep_sealed_from_secret(on_secret(step), type, &sealed);

    (void)is_made(step, &sealed_kind, status, sealed);
}

static void open_sealed(struct step *step)
{
    keep_acquire_options options = acquire_options(step, 0);
    keep_secret *secret = NULL;
    keep_status status = keep_sealed_open(on_sealed(step), &options, &secret);

    secret_made(step, status, secret);
    if (secret != NULL)
        reveal_all(step, secret);
}

static void open_into(struct step *step)
{
    keep_secret *into = handle(step, "into", &secret_kind);

    if (came_out(step, keep_sealed_open_into(on_sealed(step), into)))
        reveal_all(step, into);
}

#define SEALED struct keep_sealed_info
static const struct fields sealed_fields =
    FIELDS(NUMBER(SEALED, len), NUMBER(SEALED, type), NUMBER(SEALED, stored_len), FLAG(SEALED, purged));

static void sealed_info(struct step *step)
{
    struct keep_sealed_info seen = KEEP_SEALED_INFO_INIT;

    if (came_out(step, keep_sealed_info(on_sealed(step), &seen)))
        expect_fields(step, &sealed_fields, &seen, SOME);
}

static void id_before(struct step *step)
{
    struct keep_sealed_info one = KEEP_SEALED_INFO_INIT, other = KEEP_SEALED_INFO_INIT;

    if (came_out(step, keep_sealed_info(on_sealed(step), &one)) &&
        came_out(step, keep_sealed_info(handle(step, "with", &sealed_kind), &other)))
        expect_flag(step, "before", one.id < other.id);
}

/* --- cases --- */

static void known(struct step *step)
{
    keep_bytes in = bytes(step, "in");
    const char *transform = text(step, "transform");
    uint8_t *out = NULL;
    size_t len = 0;
    keep_status status = keep_memory_known_answer(transform, in.data, in.len, NULL, 0, &len);

    if (status == KEEP_ERR_BUFFER_TOO_SMALL) {
        out = room(step, len);
        status = keep_memory_known_answer(transform, in.data, in.len, out, len, &len);
    }
    if (status == KEEP_OK)
        need(step, "out");
    if (came_out(step, status))
        expect_bytes(step, "out", out, len);
    else if (out != NULL)
        expect_untouched(step, out, len);
}

static const struct constant constants[] = {
    CONSTANT(KEEP_MAX_SECRET_LEN), CONSTANT(KEEP_MAX_SECRETS),
    CONSTANT(KEEP_MAX_TIERS),      CONSTANT(KEEP_MIN_SLOT_LEN),
    CONSTANT(KEEP_MAX_SLOT_LEN),   CONSTANT(KEEP_MAX_BATCH),
    CONSTANT(KEEP_MAX_HOT_CACHE),  CONSTANT(KEEP_SEALED_OVERHEAD),
    CONSTANT(KEEP_WAIT_FOREVER),   { .name = NULL },
};

static const struct op arrays[] = {
    { "known", "transform in", known, 0 },
    { "scripts", "script", run_script, 0 },
    { .name = NULL },
};

static const struct op ops[] = {
    { "pool_new", "as", pool_new, 0 },
    { "pool_stats", "", pool_stats, 0 },
    { "acquire", "as len", acquire, 0 },
    { "acquire_guarded", "as len", acquire, KEEP_ACQUIRE_GUARDED },
    { "acquire_batch", "as len", acquire_batch, 0 },
    { "reserve", "len count", reserve, 0 },
    { "trim", "", trim, 0 },
    { "generate", "as len", generate, 0 },
    { "from_bytes", "as data", from_bytes, COPY },
    { "take_bytes", "as data", from_bytes, TAKE },
    { "duplicate", "on as", duplicate, 0 },
    { "info", "on", info, 0 },
    { "put", "on offset data", put, 0 },
    { "get", "on offset len", get, 0 },
    { "reveal", "on", reveal, 0 },
    { "randomize", "on", change, RANDOMIZE },
    { "clear", "on", change, CLEAR },
    { "freeze", "on", change, FREEZE },
    { "melt", "on", change, MELT },
    { "resize", "on len", resize, 0 },
    { "equal", "on with", equal, 0 },
    { "equal_bytes", "on data", equal_bytes, 0 },
    { "read_window", "on steps", read_window, 0 },
    { "write_window", "on steps", write_window, 0 },
    { "release", "on", release, 0 },
    { "purge", "", purge, 0 },
    { "seal", "as data", seal, COPY },
    { "seal_take", "as data", seal, TAKE },
    { "seal_secret", "on as", seal_secret, 0 },
    { "open", "on as", open_sealed, 0 },
    { "open_into", "on into", open_into, 0 },
    { "sealed_info", "on", sealed_info, 0 },
    { "id_before", "on with", id_before, 0 },
    { .name = NULL },
};

const struct schema memory_schema = { "keep-memory-1", constants, arrays, ops };
