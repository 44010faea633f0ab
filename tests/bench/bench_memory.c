/* SPDX-License-Identifier: MIT */
/*
 * Memory: slots, windows, guarded buffers and sealed secrets, each beside the floor it is held against: the least that
 * any implementation must do. Floors are named `floor.…`, libsodium's guarded heap `sodium.…`.
 */
#include <keep/keep.h>

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

#define LONGEST 65535
#define STORED_LONGEST (LONGEST + 16)
#define ACQUIRED_AT_ONCE 10000

static uint8_t plaintext[LONGEST];
static uint8_t ciphertext[STORED_LONGEST];
static uint8_t opened[LONGEST];
static uint8_t copied[LONGEST];
static const uint8_t key[32];
static const uint8_t nonce[24];
static const uint8_t aad[32];
static volatile uint8_t sink;

struct slot {
    keep_pool *pool;
    size_t len;
    keep_acquire_options options;
};

static void slot_pair(void *given, size_t count)
{
    struct slot *slot = given;
    keep_secret *secret = NULL;

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(keep_pool_acquire(slot->pool, slot->len, &slot->options, &secret) == KEEP_OK);
        BENCH_CHECK(keep_secret_free(&secret) == KEEP_OK);
    }
}

static void slot_write_pair(void *given, size_t count)
{
    struct slot *slot = given;
    keep_secret *secret = NULL;

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(keep_secret_from_bytes(slot->pool, plaintext, slot->len, &secret) == KEEP_OK);
        BENCH_CHECK(keep_secret_free(&secret) == KEEP_OK);
    }
}

static void window_pair(void *given, size_t count)
{
    const uint8_t *data;
    size_t len;

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(keep_secret_read_begin(given, &data, &len) == KEEP_OK);
        sink = data[0];
        BENCH_CHECK(keep_secret_end(given) == KEEP_OK);
    }
}

static void wipe_1024(void *given, size_t count)
{
    (void)given;
    for (size_t i = 0; i < count; i++)
        keep_wipe(opened, 1024);
}

struct sealing {
    keep_pool *pool;
    size_t len;
    keep_sealed *sealed;
    keep_secret *into; /* NULL: opening acquires */
};

static void seal_and_free(void *given, size_t count)
{
    struct sealing *sealing = given;
    keep_sealed *sealed = NULL;

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(keep_sealed_new(sealing->pool, plaintext, sealing->len, 1, &sealed) == KEEP_OK);
        keep_sealed_free(&sealed);
    }
}

static void open_and_free(void *given, size_t count)
{
    struct sealing *sealing = given;
    keep_secret *secret = NULL;

    for (size_t i = 0; i < count; i++) {
        if (sealing->into != NULL) {
            BENCH_CHECK(keep_sealed_open_into(sealing->sealed, sealing->into) == KEEP_OK);
            continue;
        }
        BENCH_CHECK(keep_sealed_open(sealing->sealed, NULL, &secret) == KEEP_OK);
        BENCH_CHECK(keep_secret_free(&secret) == KEEP_OK);
    }
}

static void floor_open(void *given, size_t count)
{
    size_t len = ((struct sealing *)given)->len;

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(crypto_aead_xchacha20poly1305_ietf_decrypt(opened, NULL, NULL, ciphertext, len + 16, aad, sizeof aad,
                                                               nonce, key) == 0);
        memcpy(copied, opened, len);
        sodium_memzero(opened, len);
        sink = copied[0];
    }
}

static void floor_seal(void *given, size_t count)
{
    size_t len = ((struct sealing *)given)->len;
    uint8_t drawn[24];

    for (size_t i = 0; i < count; i++) {
        uint8_t *block = malloc(len + 40);

        BENCH_CHECK(block != NULL);
        randombytes_buf(drawn, sizeof drawn);
        (void)crypto_aead_xchacha20poly1305_ietf_encrypt(block, NULL, plaintext, len, aad, sizeof aad, NULL, drawn, key);
        sink = block[0];
        free(block);
    }
}

static void floor_guarded(void *given, size_t count)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    (void)given;
    for (size_t i = 0; i < count; i++) {
        uint8_t *range = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        uint8_t *data = range + page;

        BENCH_CHECK(range != MAP_FAILED);
        BENCH_CHECK(mprotect(data, page, PROT_READ | PROT_WRITE) == 0);
        BENCH_CHECK(madvise(data, page, MADV_DONTDUMP) == 0 && madvise(data, page, MADV_WIPEONFORK) == 0);
        BENCH_CHECK(mlock(data, page) == 0);
        BENCH_CHECK(mprotect(data, page, PROT_READ | PROT_WRITE) == 0);
        keep_wipe(data, page);
        BENCH_CHECK(munmap(range, 3 * page) == 0);
    }
}

static void floor_window(void *given, size_t count)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    for (size_t i = 0; i < count; i++) {
        BENCH_CHECK(mprotect(given, page, PROT_READ) == 0);
        sink = *(uint8_t *)given;
        BENCH_CHECK(mprotect(given, page, PROT_NONE) == 0);
    }
}

static void sodium_pair(void *given, size_t count)
{
    (void)given;
    for (size_t i = 0; i < count; i++) {
        uint8_t *bytes = sodium_malloc(32);

        BENCH_CHECK(bytes != NULL);
        sodium_free(bytes);
    }
}

static keep_pool *pool_of_locked_memory(void)
{
    keep_pool_options options = KEEP_POOL_OPTIONS_INIT;
    keep_pool *pool = NULL;

    options.backing = KEEP_BACKING_LOCKED;
    BENCH_CHECK(keep_pool_new(&options, &pool) == KEEP_OK);
    return pool;
}

static void measure_slots(keep_pool *pool)
{
    struct slot slot = { pool, 32, KEEP_ACQUIRE_OPTIONS_INIT };
    struct slot longer = { pool, 1024, KEEP_ACQUIRE_OPTIONS_INIT };
    void *const both[] = { &slot, &slot };
    keep_secret *secret = NULL;

    bench_run("slot_pair", slot_pair, &slot);
    bench_run("slot_write_pair", slot_write_pair, &slot);
    bench_run_threads("slot_pair_2t", slot_pair, both, 2);
    bench_run("slot_pair_1024", slot_pair, &longer);
    bench_run("floor.wipe_1024", wipe_1024, NULL);
    BENCH_CHECK(keep_pool_acquire(pool, 32, NULL, &secret) == KEEP_OK);
    bench_run("slot_window", window_pair, secret);
    BENCH_CHECK(keep_secret_free(&secret) == KEEP_OK);
}

static void measure_guarded(keep_pool *pool)
{
    struct slot guarded = { pool, 32, KEEP_ACQUIRE_OPTIONS_INIT };
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    keep_secret *secret = NULL;
    void *mapped = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    BENCH_CHECK(mapped != MAP_FAILED);
    guarded.options.flags = KEEP_ACQUIRE_GUARDED;
    bench_run("guarded_pair", slot_pair, &guarded);
    bench_run("floor.guarded_pair", floor_guarded, NULL);
    bench_run("sodium.guarded_pair", sodium_pair, NULL);
    BENCH_CHECK(keep_pool_acquire(pool, 32, &guarded.options, &secret) == KEEP_OK);
    bench_run("guarded_window", window_pair, secret);
    bench_run("floor.guarded_window", floor_window, mapped);
    BENCH_CHECK(keep_secret_free(&secret) == KEEP_OK);
}

static void name_with(char *out, size_t cap, const char *name, size_t len)
{
    (void)snprintf(out, cap, "%s_%zu", name, len);
}

static void measure_sealed(keep_pool *pool, size_t len)
{
    struct sealing sealing = { pool, len, NULL, NULL };
    keep_acquire_options resident = KEEP_ACQUIRE_OPTIONS_INIT;
    char name[64];

    resident.flags = KEEP_ACQUIRE_GUARDED | KEEP_ACQUIRE_RESIDENT;
    BENCH_CHECK(keep_sealed_new(pool, plaintext, len, 1, &sealing.sealed) == KEEP_OK);
    if (len > 1024)
        BENCH_CHECK(keep_pool_acquire(pool, len, &resident, &sealing.into) == KEEP_OK);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(ciphertext, NULL, plaintext, len, aad, sizeof aad, NULL, nonce, key);
    name_with(name, sizeof name, "sealed_open", len);
    bench_run(name, open_and_free, &sealing);
    name_with(name, sizeof name, "floor.sealed_open", len);
    bench_run(name, floor_open, &sealing);
    name_with(name, sizeof name, "sealed_seal", len);
    bench_run(name, seal_and_free, &sealing);
    name_with(name, sizeof name, "floor.sealed_seal", len);
    bench_run(name, floor_seal, &sealing);
    keep_sealed_free(&sealing.sealed);
    BENCH_CHECK(keep_secret_free(&sealing.into) == KEEP_OK);
}

/* Bytes that many short secrets take. */
static void tell_footprint(void)
{
    static keep_secret *secrets[ACQUIRED_AT_ONCE];
    struct keep_pool_stats stats = KEEP_POOL_STATS_INIT;
    keep_pool *pool = NULL;

    BENCH_CHECK(keep_pool_new(NULL, &pool) == KEEP_OK);
    for (size_t i = 0; i < ACQUIRED_AT_ONCE; i++)
        BENCH_CHECK(keep_pool_acquire(pool, 32, NULL, &secrets[i]) == KEEP_OK);
    BENCH_CHECK(keep_pool_stats(pool, &stats) == KEEP_OK);
    bench_tell("bytes.locked_10000_secrets", (double)stats.locked_bytes);
    bench_tell("bytes.metadata_per_slot", (double)stats.metadata_bytes / (double)stats.tiers[0].slots);
    for (size_t i = 0; i < ACQUIRED_AT_ONCE; i++)
        BENCH_CHECK(keep_secret_free(&secrets[i]) == KEEP_OK);
    keep_pool_free(&pool);
}

int main(void)
{
    static const size_t lens[] = { 31, 32, 256, 1024, 4096, 65535 };
    keep_pool *pool = NULL;
    keep_pool *locked = pool_of_locked_memory();

    BENCH_CHECK(sodium_init() >= 0);
    BENCH_CHECK(keep_pool_new(NULL, &pool) == KEEP_OK);
    measure_slots(pool);
    measure_guarded(locked);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
        measure_sealed(pool, lens[i]);
    tell_footprint();
    keep_pool_free(&pool);
    keep_pool_free(&locked);
    return 0;
}
