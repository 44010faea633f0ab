/* SPDX-License-Identifier: MIT */
/*
 * Schema keep-memory-1 (memory §11): known answers, and scripts over pools, secrets and sealed secrets.
 */
#include "vectors.h"

#include <string.h>

struct args {
    keep_pool *pool;
    keep_secret *secret, *with, *into;
    keep_sealed *sealed, *with_sealed;
    const char *as, *transform, *lock;
    json_t *names, *steps, *tiers, *tier_slots, *tier_max_slots;
    uint64_t len, offset, count, cap, type, tier, timeout_ms, max_bytes, hot_cache, resplit_views;
    bool fallback, align16, resident;
    keep_bytes data, in;
};

/* --- handles --- */

static bool free_pool(void *handle)
{
    keep_pool *pool = handle;

    keep_pool_free(&pool);
    return true;
}

static bool free_secret(void *handle)
{
    keep_secret *secret = handle;

    return keep_secret_free(&secret) != KEEP_ERR_BUSY;
}

static bool free_sealed(void *handle)
{
    keep_sealed *sealed = handle;

    keep_sealed_free(&sealed);
    return true;
}

static const struct vector_kind pools = { "pool", false, free_pool };
static const struct vector_kind secrets = { "secret", true, free_secret };
static const struct vector_kind sealeds = { "sealed secret", false, free_sealed };

static void expect_info(struct vector_step *step, const keep_secret *secret)
{
    struct keep_secret_info info = KEEP_SECRET_INFO_INIT;

    if (!came_out(step, keep_secret_info(secret, &info)))
        return;
    expect_number(step, "len", info.len);
    expect_number(step, "capacity", info.capacity);
    expect(step, "kind", json_string(info.kind == KEEP_KIND_SLOT ? "slot" : "guarded"));
    expect(step, "frozen", json_boolean(info.frozen));
    expect(step, "purged", json_boolean(info.purged));
}

static void secret_made(struct vector_step *step, keep_status status, keep_secret *secret)
{
    if (is_made(step, ((const struct args *)step->args)->as, &secrets, status, secret))
        expect_info(step, secret);
}

/* --- pools --- */

static void fill(uint32_t values[KEEP_MAX_TIERS], const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && i < KEEP_MAX_TIERS; i++)
        values[i] = (uint32_t)json_integer_value(json_array_get(list, i));
}

static uint32_t lock_policy(struct vector_run *run, const char *word)
{
    if (word == NULL || strcmp(word, "require") == 0)
        return KEEP_LOCK_REQUIRE;
    if (strcmp(word, "allow_unlocked") != 0)
        fail(run, "lock", "require or allow_unlocked", word);
    return KEEP_LOCK_ALLOW_UNLOCKED;
}

static void pool_new(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    keep_pool *pool = NULL;
    keep_status status;

    options.tier_count = (uint32_t)json_array_size(args->tiers);
    fill(options.tier_len, args->tiers);
    fill(options.tier_slots, args->tier_slots);
    fill(options.tier_max_slots, args->tier_max_slots);
    options.max_bytes = args->max_bytes;
    options.hot_cache = (uint32_t)args->hot_cache;
    options.resplit_views = (uint32_t)args->resplit_views;
    options.lock_policy = lock_policy(step->run, args->lock);
    status = keep_pool_new(&options, &pool);
    (void)is_made(step, args->as, &pools, status, pool);
}

static void expect_tiers(struct vector_step *step, const struct keep_pool_stats *stats, uint64_t tier)
{
    json_t *tiers = json_array();

    for (uint32_t i = 0; i < stats->tier_count; i++)
        json_array_append_new(tiers, json_integer((json_int_t)stats->tiers[i].slot_len));
    expect(step, "tiers", tiers);
    if (tier >= stats->tier_count)
        return;
    expect_number(step, "slot_len", stats->tiers[tier].slot_len);
    expect_number(step, "slots", stats->tiers[tier].slots);
    expect_number(step, "in_use", stats->tiers[tier].in_use);
    expect_number(step, "cached", stats->tiers[tier].cached);
}

static void pool_stats(struct vector_step *step)
{
    const struct args *args = step->args;
    struct keep_pool_stats stats = KEEP_POOL_STATS_INIT;

    if (!came_out(step, keep_pool_stats(args->pool, &stats)))
        return;
    expect_tiers(step, &stats, args->tier);
    expect_number(step, "guarded", stats.guarded);
    expect_number(step, "cache_entries", stats.cache_entries);
    expect_number(step, "cache_hits", stats.cache_hits);
    expect_number(step, "cache_misses", stats.cache_misses);
    expect_number(step, "cache_evictions", stats.cache_evictions);
}

static keep_acquire_options acquire_options(const struct args *args, uint32_t flags)
{
    keep_acquire_options options = KEEP_ACQUIRE_OPTIONS_INIT;

    options.timeout_ms = (uint32_t)args->timeout_ms;
    options.flags = flags | (args->fallback ? KEEP_ACQUIRE_FALLBACK : 0) | (args->align16 ? KEEP_ACQUIRE_ALIGN16 : 0) |
                    (args->resident ? KEEP_ACQUIRE_RESIDENT : 0);
    return options;
}

static void acquire(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_acquire_options options = acquire_options(args, step->variant);
    keep_secret *secret = NULL;
    keep_status status = keep_pool_acquire(args->pool, args->len, &options, &secret);

    secret_made(step, status, secret);
}

static void acquire_batch(struct vector_step *step)
{
    const struct args *args = step->args;
    size_t count = json_array_size(args->names);
    keep_secret **made = (keep_secret **)(void *)room(step->run, (count + 1) * sizeof *made);
    keep_status status;

    memset(made, 0, (count + 1) * sizeof *made);
    status = keep_pool_acquire_batch(args->pool, args->len, count, made);
    if (status != KEEP_OK && made[0] != NULL)
        fail(step->run, "the output of a failed call", "untouched", "a handle");
    for (size_t i = 0; status == KEEP_OK && i < count; i++)
        bind_handle(step, json_string_value(json_array_get(args->names, i)), &secrets, made[i]);
    (void)came_out(step, status);
}

static void reserve(struct vector_step *step)
{
    const struct args *args = step->args;

    (void)came_out(step, keep_pool_reserve(args->pool, args->len, args->count));
}

static void trim(struct vector_step *step)
{
    const struct args *args = step->args;
    uint64_t bytes = 0;

    (void)came_out(step, keep_pool_trim(args->pool, &bytes));
}

/* --- making secrets --- */

static void generate(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_secret *secret = NULL;
    keep_status status = keep_secret_generate(args->pool, args->len, &secret);

    secret_made(step, status, secret);
}

/* The caller's own copy of bytes, which the TAKE variants wipe if and only if the secret was made. */
enum {
    COPY,
    TAKE
};

static uint8_t *copy(struct vector_step *step, keep_bytes data)
{
    return data.len == 0 ? NULL : memcpy(room(step->run, data.len), data.data, data.len);
}

static void from_bytes(struct vector_step *step)
{
    const struct args *args = step->args;
    size_t len = args->data.len;
    uint8_t *source = copy(step, args->data);
    keep_secret *secret = NULL;
    keep_status status = keep_secret_from_bytes(args->pool, source, len, &secret);

    if (step->variant == TAKE && status == KEEP_OK)
        keep_wipe(source, len);
    expect_bytes(step, "source", source, len);
    secret_made(step, status, secret);
}

static void duplicate(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_secret *secret = NULL;
    keep_status status = keep_secret_duplicate(args->secret, &secret);

    secret_made(step, status, secret);
}

/* --- using secrets --- */

static void info(struct vector_step *step)
{
    const struct args *args = step->args;

    expect_info(step, args->secret);
}

static void put(struct vector_step *step)
{
    const struct args *args = step->args;

    (void)came_out(step, keep_secret_put(args->secret, args->offset, args->data.data, args->data.len));
}

static void get(struct vector_step *step)
{
    const struct args *args = step->args;
    size_t cap = args->len <= KEEP_MAX_SECRET_LEN ? args->len : 0; /* a longer one is refused before any byte */
    uint8_t *out = room(step->run, cap);

    if (came_out(step, keep_secret_get(args->secret, args->offset, out, args->len)))
        expect_bytes(step, "data", out, args->len);
    else
        expect_untouched(step, out, cap);
}

static void reveal_into(struct vector_step *step, const keep_secret *secret, size_t cap)
{
    uint8_t *out = room(step->run, cap);
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
static void reveal_all(struct vector_step *step, const keep_secret *secret)
{
    uint8_t *out = NULL;
    size_t len = 0;
    keep_status status = keep_secret_reveal(secret, NULL, 0, &len);

    if (status == KEEP_ERR_BUFFER_TOO_SMALL) {
        out = room(step->run, len);
        status = keep_secret_reveal(secret, out, len, &len);
    }
    if (!came_out(step, status))
        return;
    expect_number(step, "len", len);
    expect_bytes(step, "data", out, len);
}

static void reveal(struct vector_step *step)
{
    const struct args *args = step->args;

    if (args->cap == UINT64_MAX)
        reveal_all(step, args->secret);
    else
        reveal_into(step, args->secret, args->cap);
}

enum {
    RANDOMIZE,
    CLEAR,
    FREEZE,
    MELT
};

static void change(struct vector_step *step)
{
    static keep_status (*const calls[])(keep_secret *) = {
        [RANDOMIZE] = keep_secret_randomize,
        [CLEAR] = keep_secret_clear,
        [FREEZE] = keep_secret_freeze,
        [MELT] = keep_secret_melt,
    };
    const struct args *args = step->args;

    (void)came_out(step, calls[step->variant](args->secret));
}

static void resize(struct vector_step *step)
{
    const struct args *args = step->args;

    (void)came_out(step, keep_secret_resize(args->secret, args->len));
}

static void equal(struct vector_step *step)
{
    const struct args *args = step->args;
    int same = 0;

    if (came_out(step, keep_secret_equal(args->secret, args->with, &same)))
        expect(step, "equal", json_boolean(same));
}

static void equal_bytes(struct vector_step *step)
{
    const struct args *args = step->args;
    int same = 0;

    if (came_out(step, keep_secret_equal_bytes(args->secret, args->data.data, args->data.len, &same)))
        expect(step, "equal", json_boolean(same));
}

/* A window that is open is ended, whatever went wrong inside. */
static void end_window(struct vector_step *step, keep_status begun)
{
    if (begun == KEEP_OK)
        (void)came_out(step, keep_secret_end(((const struct args *)step->args)->secret));
}

static void read_window(struct vector_step *step)
{
    const struct args *args = step->args;
    const uint8_t *data = NULL;
    size_t len = 0;
    keep_status status = keep_secret_read_begin(args->secret, &data, &len);

    if (came_out(step, status)) {
        expect_bytes(step, "data", data, len);
        run_steps(step->run, args->steps);
    }
    end_window(step, status);
}

static void write_window(struct vector_step *step)
{
    const struct args *args = step->args;
    uint8_t *data = NULL;
    size_t len = 0;
    keep_status status = keep_secret_write_begin(args->secret, &data, &len);

    if (came_out(step, status)) {
        expect_bytes(step, "data", data, len);
        if (args->data.len > len)
            fail(step->run, "data", "no longer than the window", "more bytes");
        else if (args->data.len > 0)
            memcpy(data, args->data.data, args->data.len);
        run_steps(step->run, args->steps);
    }
    end_window(step, status);
}

static void release(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_secret *handle = args->secret;
    keep_status status = keep_secret_free(&handle);

    if (status == KEEP_OK)
        unbind_handle(step, args->secret);
    (void)came_out(step, status);
}

static void purge(struct vector_step *step)
{
    uint64_t open_windows = 0;

    if (came_out(step, keep_purge(&open_windows)))
        expect_number(step, "open_windows", open_windows);
}

/* --- sealed secrets --- */

static void seal(struct vector_step *step)
{
    const struct args *args = step->args;
    size_t len = args->data.len;
    uint8_t *source = copy(step, args->data);
    keep_sealed *sealed = NULL;
    keep_status status = keep_sealed_new(args->pool, source, len, (uint32_t)args->type, &sealed);

    if (step->variant == TAKE && status == KEEP_OK)
        keep_wipe(source, len);
    expect_bytes(step, "source", source, len);
    (void)is_made(step, args->as, &sealeds, status, sealed);
}

static void seal_secret(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_sealed *sealed = NULL;
    keep_status status = keep_sealed_from_secret(args->secret, (uint32_t)args->type, &sealed);

    (void)is_made(step, args->as, &sealeds, status, sealed);
}

static void open_sealed(struct vector_step *step)
{
    const struct args *args = step->args;
    keep_acquire_options options = acquire_options(args, 0);
    keep_secret *secret = NULL;
    keep_status status = keep_sealed_open(args->sealed, &options, &secret);

    if (!is_made(step, args->as, &secrets, status, secret))
        return;
    expect_info(step, secret);
    reveal_all(step, secret);
}

static void open_into(struct vector_step *step)
{
    const struct args *args = step->args;

    if (came_out(step, keep_sealed_open_into(args->sealed, args->into)))
        reveal_all(step, args->into);
}

static void sealed_info(struct vector_step *step)
{
    const struct args *args = step->args;
    struct keep_sealed_info seen = KEEP_SEALED_INFO_INIT;

    if (!came_out(step, keep_sealed_info(args->sealed, &seen)))
        return;
    expect_number(step, "len", seen.len);
    expect_number(step, "type", seen.type);
    expect_number(step, "stored_len", seen.stored_len);
    expect(step, "purged", json_boolean(seen.purged));
}

static void id_before(struct vector_step *step)
{
    const struct args *args = step->args;
    struct keep_sealed_info one = KEEP_SEALED_INFO_INIT, other = KEEP_SEALED_INFO_INIT;

    if (came_out(step, keep_sealed_info(args->sealed, &one)) &&
        came_out(step, keep_sealed_info(args->with_sealed, &other)))
        expect(step, "before", json_boolean(one.id < other.id));
}

/* --- cases --- */

static void known(struct vector_step *one)
{
    const struct args *args = one->args;
    uint8_t *out = NULL;
    size_t len = 0;
    keep_status status = keep_memory_known_answer(args->transform, args->in.data, args->in.len, NULL, 0, &len);

    if (status == KEEP_ERR_BUFFER_TOO_SMALL) {
        out = room(one->run, len);
        status = keep_memory_known_answer(args->transform, args->in.data, args->in.len, out, len, &len);
    }
    if (came_out(one, status))
        expect_bytes(one, "out", out, len);
    else if (out != NULL)
        expect_untouched(one, out, len);
}

static void script(struct vector_step *one)
{
    run_steps(one->run, ((const struct args *)one->args)->steps);
}

#define INPUT(text, in_file, what, name) \
    .word = (text), .key = (in_file), .form = (what), .field = offsetof(struct args, name)
#define CONSTANT(constant) .name = #constant, .value = (constant)

static const struct vector_input inputs[] = {
    { INPUT("pool", "on", VECTOR_HANDLE, pool), .kind = &pools },
    { INPUT("secret", "on", VECTOR_HANDLE, secret), .kind = &secrets },
    { INPUT("sealed", "on", VECTOR_HANDLE, sealed), .kind = &sealeds },
    { INPUT("with", "with", VECTOR_HANDLE, with), .kind = &secrets },
    { INPUT("with_sealed", "with", VECTOR_HANDLE, with_sealed), .kind = &sealeds },
    { INPUT("into", "into", VECTOR_HANDLE, into), .kind = &secrets },
    { INPUT("as", "as", VECTOR_NAME, as) },
    { INPUT("names", "as", VECTOR_NAMES, names) },
    { INPUT("transform", "transform", VECTOR_TEXT, transform) },
    { INPUT("lock", "lock", VECTOR_TEXT, lock) },
    { INPUT("script", "script", VECTOR_LIST, steps) },
    { INPUT("steps", "steps", VECTOR_LIST, steps) },
    { INPUT("tiers", "tiers", VECTOR_LIST, tiers) },
    { INPUT("tier_slots", "tier_slots", VECTOR_LIST, tier_slots) },
    { INPUT("tier_max_slots", "tier_max_slots", VECTOR_LIST, tier_max_slots) },
    { INPUT("len", "len", VECTOR_NUMBER, len), .max = SIZE_MAX },
    { INPUT("offset", "offset", VECTOR_NUMBER, offset), .max = SIZE_MAX },
    { INPUT("count", "count", VECTOR_NUMBER, count), .max = SIZE_MAX },
    { INPUT("cap", "cap", VECTOR_NUMBER, cap), .max = KEEP_MAX_SECRET_LEN, .absent = UINT64_MAX },
    { INPUT("type", "type", VECTOR_NUMBER, type), .max = UINT32_MAX },
    { INPUT("tier", "tier", VECTOR_NUMBER, tier), .max = KEEP_MAX_TIERS, .absent = UINT64_MAX },
    { INPUT("timeout_ms", "timeout_ms", VECTOR_NUMBER, timeout_ms), .max = UINT32_MAX },
    { INPUT("max_bytes", "max_bytes", VECTOR_NUMBER, max_bytes), .max = UINT64_MAX },
    { INPUT("hot_cache", "hot_cache", VECTOR_NUMBER, hot_cache), .max = UINT32_MAX },
    { INPUT("resplit_views", "resplit_views", VECTOR_NUMBER, resplit_views), .max = UINT32_MAX },
    { INPUT("fallback", "fallback", VECTOR_FLAG, fallback) },
    { INPUT("align16", "align16", VECTOR_FLAG, align16) },
    { INPUT("resident", "resident", VECTOR_FLAG, resident) },
    { INPUT("data", "data", VECTOR_BYTES, data) },
    { INPUT("in", "in", VECTOR_BYTES, in) },
    { .word = NULL },
};

static const struct vector_constant constants[] = {
    { CONSTANT(KEEP_MAX_SECRET_LEN) }, { CONSTANT(KEEP_MAX_SECRETS) },
    { CONSTANT(KEEP_MAX_TIERS) },      { CONSTANT(KEEP_MIN_SLOT_LEN) },
    { CONSTANT(KEEP_MAX_SLOT_LEN) },   { CONSTANT(KEEP_MAX_BATCH) },
    { CONSTANT(KEEP_MAX_HOT_CACHE) },  { CONSTANT(KEEP_SEALED_OVERHEAD) },
    { CONSTANT(KEEP_WAIT_FOREVER) },   { NULL, 0 },
};

static const struct vector_op arrays[] = {
    { "known", "transform in", known, 0 },
    { "scripts", "script", script, 0 },
    { NULL, NULL, NULL, 0 },
};

static const struct vector_op ops[] = {
    { "pool_new", "as ?tiers ?tier_slots ?tier_max_slots ?max_bytes ?hot_cache ?resplit_views ?lock", pool_new, 0 },
    { "pool_stats", "?pool ?tier", pool_stats, 0 },
    { "acquire", "?pool as len ?timeout_ms ?fallback ?align16 ?resident", acquire, 0 },
    { "acquire_guarded", "?pool as len ?timeout_ms ?fallback ?align16 ?resident", acquire, KEEP_ACQUIRE_GUARDED },
    { "acquire_batch", "?pool names len", acquire_batch, 0 },
    { "reserve", "?pool len count", reserve, 0 },
    { "trim", "?pool", trim, 0 },
    { "generate", "?pool as len", generate, 0 },
    { "from_bytes", "?pool as data", from_bytes, COPY },
    { "take_bytes", "?pool as data", from_bytes, TAKE },
    { "duplicate", "secret as", duplicate, 0 },
    { "info", "secret", info, 0 },
    { "put", "secret offset data", put, 0 },
    { "get", "secret offset len", get, 0 },
    { "reveal", "secret ?cap", reveal, 0 },
    { "randomize", "secret", change, RANDOMIZE },
    { "clear", "secret", change, CLEAR },
    { "freeze", "secret", change, FREEZE },
    { "melt", "secret", change, MELT },
    { "resize", "secret len", resize, 0 },
    { "equal", "secret with", equal, 0 },
    { "equal_bytes", "secret data", equal_bytes, 0 },
    { "read_window", "secret steps", read_window, 0 },
    { "write_window", "secret steps ?data", write_window, 0 },
    { "release", "secret", release, 0 },
    { "purge", "", purge, 0 },
    { "seal", "?pool as data ?type", seal, COPY },
    { "seal_take", "?pool as data ?type", seal, TAKE },
    { "seal_secret", "secret as ?type", seal_secret, 0 },
    { "open", "sealed as ?timeout_ms ?fallback", open_sealed, 0 },
    { "open_into", "sealed into", open_into, 0 },
    { "sealed_info", "sealed", sealed_info, 0 },
    { "id_before", "sealed with_sealed", id_before, 0 },
    { NULL, NULL, NULL, 0 },
};

const struct vector_schema vectors_memory = {
    "keep-memory-1", sizeof(struct args), constants, inputs, arrays, ops,
};
