/* SPDX-License-Identifier: MIT */
/*
 * Backend, proof and aead, white box: back ends that lie, fail or are not there (packet T15, T16).
 */
#include "packet/backend.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "packet/aead.h"
#include "packet/proof.h"
#include "packet/sodium.h"

#include "support/meanwhile.h"
#include "support/suite.h"
#include "support/threads.h"

uint32_t __real_keep__thread_processors(void);
uint32_t __wrap_keep__thread_processors(void);

static uint32_t processors; /* 0: those of the machine */

uint32_t __wrap_keep__thread_processors(void)
{
    return processors != 0 ? processors : __real_keep__thread_processors();
}

/* What a stub does instead of what is right. */
enum fault {
    RIGHT,
    WRONG_TAG,
    WRONG_BYTES,
    WRONG_LONG_BYTES,
    ACCEPTS_ALL,
    WRONG_PLAINTEXT,
    SEAL_FAILS,
    OPEN_FAILS,
    FAULTS
};

static atomic_int fault;
static size_t from_len; /* payloads that show it */
static uint32_t stub_is;
static keep_status making = KEEP_OK;
static atomic_int contexts;
static atomic_int forgotten;

static uint32_t stub_state(void)
{
    return stub_is;
}

static keep_status make_stub(keep__cipher_context **out_context)
{
    if (making == KEEP_OK) {
        *out_context = (keep__cipher_context *)malloc(1);
        contexts++;
    }
    return making;
}

static void end_stub(keep__cipher_context *context)
{
    free(context);
    contexts--;
}

static bool shows(enum fault which, const keep__cipher_job *job)
{
    return fault == (int)which && job->len >= from_len;
}

static keep_status stub_seal(keep__cipher_context *context, const keep__cipher_job *job)
{
    ck_assert_ptr_nonnull(context);
    if (shows(SEAL_FAILS, job)) {
        if (job->len != 0)
            job->out[0] ^= 0xFF; /* a failing library leaves anything */
        return KEEP_ERR_SYSTEM;
    }
    keep__sodium_seal_combined(job);
    if (shows(WRONG_TAG, job))
        job->tag[15] ^= 1;
    if (job->len > (fault == WRONG_LONG_BYTES ? 4096U : 0U) && (fault == WRONG_BYTES || fault == WRONG_LONG_BYTES))
        job->out[job->len - 1] ^= 1;
    return KEEP_OK;
}

static keep_status stub_open(keep__cipher_context *context, const keep__cipher_job *job)
{
    bool is_authentic;

    ck_assert_ptr_nonnull(context);
    if (fault == OPEN_FAILS) {
        if (job->len != 0)
            job->out[0] ^= 0xFF;
        return KEEP_ERR_SYSTEM;
    }
    is_authentic = keep__sodium_open_combined(job);
    if (!is_authentic && job->len != 0)
        job->out[0] = 0x77; /* plaintext that was written before the tag was known */
    if (fault == WRONG_PLAINTEXT && job->len != 0)
        job->out[0] ^= 1;
    return is_authentic || shows(ACCEPTS_ALL, job) ? KEEP_OK : KEEP_ERR_AUTH;
}

static void forget_stub(keep__cipher_context *context)
{
    ck_assert_ptr_nonnull(context);
    forgotten++;
}

static const char *stub_text(void)
{
    return "stub";
}

static const keep__cipher_form stub = {
    .name = "stub",
    .state = stub_state,
    .make = make_stub,
    .end = end_stub,
    .seal = stub_seal,
    .open = stub_open,
    .forget = forget_stub,
    .version = stub_text,
    .instructions = stub_text,
};

static keep__backend *begin_backend(void)
{
    keep__backend *backend = aligned_alloc(64, sizeof *backend);

    ck_assert_ptr_nonnull(backend);
    memset(backend, 0, sizeof *backend);
    assert_ok(keep__backend_begin(backend, &stub));
    return backend;
}

static void end_backend(keep__backend *backend)
{
    for (uint32_t i = 0; i < backend->count; i++)
        end_stub(backend->slots[i].context);
    ck_assert_int_eq(contexts, 0);
    free(backend);
}

/* packet R33 */
START_TEST(a_back_end_with_any_fault_is_not_used)
{
    keep__backend *backend;

    fault = _i;
    backend = begin_backend();
    ck_assert_uint_eq(backend->state, _i == RIGHT ? KEEP_AEAD_USABLE : KEEP_AEAD_SELF_TEST_FAILED);
    assert_ok(keep__backend_grow(backend));
    ck_assert((keep__backend_borrow(backend) != NULL) == (_i == RIGHT));
    end_backend(backend);
}
END_TEST

START_TEST(a_fault_that_only_long_payloads_show_is_found)
{
    static const enum fault faults[] = { WRONG_TAG, ACCEPTS_ALL, SEAL_FAILS };
    keep__backend *backend;

    fault = faults[_i];
    from_len = 1420;
    backend = begin_backend();
    ck_assert_uint_eq(backend->state, KEEP_AEAD_SELF_TEST_FAILED);
    end_backend(backend);
}
END_TEST

START_TEST(what_is_not_there_says_why)
{
    static const uint32_t states[] = { KEEP_AEAD_NOT_BUILT, KEEP_AEAD_NOT_FOUND, KEEP_AEAD_TOO_OLD };
    keep__backend *backend;

    stub_is = states[_i];
    backend = begin_backend();
    ck_assert_uint_eq(backend->state, states[_i]);
    ck_assert_ptr_null(keep__backend_borrow(backend));
    end_backend(backend);
}
END_TEST

START_TEST(a_library_that_gives_no_context_is_not_used_and_no_memory_is_told)
{
    keep__backend backend = { 0 };

    making = KEEP_ERR_UNSUPPORTED;
    assert_ok(keep__backend_begin(&backend, &stub));
    ck_assert_uint_eq(backend.state, KEEP_AEAD_SELF_TEST_FAILED);
    backend = (keep__backend){ 0 };
    making = KEEP_ERR_NO_MEMORY;
    assert_status(keep__backend_begin(&backend, &stub), KEEP_ERR_NO_MEMORY);
}
END_TEST

/* packet R36 */
START_TEST(contexts_are_2_to_64_and_each_is_lent_once)
{
    keep__backend *backend = begin_backend();
    keep__backend_slot *slots[KEEP__CONTEXTS_MAX];
    uint32_t count;

    assert_ok(keep__backend_grow(backend));
    assert_ok(keep__backend_grow(backend));
    count = backend->count;
    ck_assert(count >= KEEP__CONTEXTS_MIN && count <= KEEP__CONTEXTS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        slots[i] = keep__backend_borrow(backend);
        ck_assert_ptr_nonnull(slots[i]);
        for (uint32_t before = 0; before < i; before++)
            ck_assert_ptr_ne(slots[i], slots[before]);
    }
    ck_assert_ptr_null(keep__backend_borrow(backend));
    keep__backend_give_back(backend, slots[0]);
    ck_assert_int_eq(forgotten, 1);
    ck_assert_ptr_eq(keep__backend_borrow(backend), slots[0]);
    end_backend(backend);
}
END_TEST

/* packet R36 */
START_TEST(there_are_as_many_contexts_as_processors_within_bounds)
{
    static const uint32_t counts[][2] = { { 1, 2 }, { 2, 2 }, { 7, 7 }, { 64, 64 }, { 65, 64 } };
    keep__backend *backend = begin_backend();

    ck_assert_ptr_null(keep__backend_borrow(backend)); /* there is none yet */
    processors = counts[_i][0];
    assert_ok(keep__backend_grow(backend));
    ck_assert_uint_eq(backend->count, counts[_i][1]);
    end_backend(backend);
}
END_TEST

START_TEST(a_context_that_cannot_be_made_is_a_status)
{
    keep__backend *backend = begin_backend();

    making = KEEP_ERR_NO_MEMORY;
    assert_status(keep__backend_grow(backend), KEEP_ERR_NO_MEMORY);
    ck_assert_uint_eq(backend->count, 0);
    end_backend(backend);
}
END_TEST

static void borrow_too(void *slot)
{
    ((keep__backend_slot *)slot)->is_borrowed = true;
}

START_TEST(of_two_that_want_one_context_the_second_takes_the_next)
{
    keep__backend *backend = new_pages(sizeof *backend);

    assert_ok(keep__backend_begin(backend, &stub));
    assert_ok(keep__backend_grow(backend));
    before_write(backend, sizeof *backend, borrow_too, &backend->slots[0]);
    ck_assert_ptr_eq(keep__backend_borrow(backend), &backend->slots[1]);
    for (uint32_t i = 0; i < backend->count; i++)
        end_stub(backend->slots[i].context);
}
END_TEST

/* --- in use --- */

static const uint8_t key[32] = { 1 };
static const uint8_t nonce[12] = { 2 };
static const uint8_t aad[56] = { 3 };

static keep__cipher_job job_of(const uint8_t *in, uint8_t *out, size_t len, uint8_t *tag)
{
    return (keep__cipher_job){ key, nonce, aad, sizeof aad, in, out, len, tag };
}

static keep__backend *ready_backend(void)
{
    keep__backend *backend = begin_backend();

    assert_ok(keep__backend_grow(backend));
    return backend;
}

static void seal_right(uint8_t *out, size_t len, uint8_t *tag)
{
    static const uint8_t zeros[200];
    keep__cipher_job job = job_of(zeros, out, len, tag);

    keep__sodium_seal_combined(&job);
}

/* packet R37 */
START_TEST(a_back_end_that_fails_in_use_is_disabled_and_the_packet_is_right)
{
    keep__backend *backend = ready_backend();
    keep__cipher cipher = { .choice = { backend, backend } };
    uint8_t bytes[100] = { 0 };
    uint8_t wanted[100];
    uint8_t tag[16];
    uint8_t wanted_tag[16];
    keep__cipher_job job = job_of(bytes, bytes, sizeof bytes, tag);

    seal_right(wanted, sizeof wanted, wanted_tag);
    fault = SEAL_FAILS;
    assert_status(keep__cipher_seal(&cipher, &job), KEEP_ERR_SYSTEM);
    ck_assert_uint_eq(backend->state, KEEP_AEAD_DISABLED);
    memset(bytes, 0, sizeof bytes);
    assert_ok(keep__cipher_seal(&cipher, &job));
    assert_bytes(bytes, wanted, sizeof bytes);
    assert_bytes(tag, wanted_tag, sizeof tag);
    keep__cipher_end(&cipher);
    ck_assert_ptr_null(keep__backend_borrow(backend));
    end_backend(backend);
}
END_TEST

START_TEST(opening_falls_back_to_libsodium_unless_the_datagram_is_gone)
{
    static const uint8_t zeros[100];
    bool is_in_place = _i == 1;
    keep__backend *backend = ready_backend();
    keep__cipher cipher = { .choice = { backend, backend } };
    uint8_t sealed[100];
    uint8_t opened[100];
    uint8_t tag[16];
    keep__cipher_job job = job_of(sealed, is_in_place ? sealed : opened, sizeof sealed, tag);

    seal_right(sealed, sizeof sealed, tag);
    fault = OPEN_FAILS;
    assert_status(keep__cipher_open(&cipher, &job), is_in_place ? KEEP_ERR_AUTH : KEEP_OK);
    ck_assert_uint_eq(backend->state, KEEP_AEAD_DISABLED);
    assert_bytes(job.out, zeros, sizeof zeros); /* what was sealed, or what is left */
    keep__cipher_end(&cipher);
    end_backend(backend);
}
END_TEST

START_TEST(what_is_not_authentic_leaves_zeros)
{
    keep__backend *backend = ready_backend();
    keep__cipher cipher = { .choice = { backend, backend } };
    uint8_t sealed[100];
    uint8_t opened[100];
    uint8_t tag[16];
    keep__cipher_job job = job_of(sealed, opened, sizeof sealed, tag);

    seal_right(sealed, sizeof sealed, tag);
    tag[0] ^= 1;
    memset(opened, 0xA5, sizeof opened);
    assert_status(keep__cipher_open(&cipher, &job), KEEP_ERR_AUTH);
    ck_assert(are_all(opened, 0, sizeof opened));
    ck_assert_uint_eq(backend->state, KEEP_AEAD_USABLE);
    keep__cipher_end(&cipher);
    end_backend(backend);
}
END_TEST

START_TEST(short_payloads_go_to_libsodium_where_only_long_ones_are_faster)
{
    static uint8_t bytes[KEEP__LONG_PAYLOAD_LEN];
    keep__backend *backend = ready_backend();
    keep__cipher cipher = { .choice = { NULL, backend } };
    uint8_t tag[16];
    keep__cipher_job job = job_of(bytes, bytes, sizeof bytes - 1, tag);

    assert_ok(keep__cipher_seal(&cipher, &job));
    ck_assert_ptr_null(cipher.slot);
    job.len++;
    assert_ok(keep__cipher_seal(&cipher, &job));
    ck_assert_ptr_nonnull(cipher.slot);
    job.len--;
    assert_ok(keep__cipher_seal(&cipher, &job)); /* in a batch of both */
    keep__cipher_end(&cipher);
    ck_assert_int_eq(forgotten, 1);
    end_backend(backend);
}
END_TEST

/* --- two threads stopped inside a call --- */

static void seal_with_choice(struct worker *worker)
{
    keep__backend *backend = worker->shared;
    int count = rounds(20000);

    for (int i = 0; i < count; i++) {
        keep__cipher cipher = { .choice = { backend, backend } };
        uint8_t bytes[40] = { 0 };
        uint8_t wanted[40];
        uint8_t tag[16];
        uint8_t wanted_tag[16];
        keep__cipher_job job = job_of(bytes, bytes, sizeof bytes, tag);

        seal_right(wanted, sizeof wanted, wanted_tag);
        assert_ok(keep__cipher_seal(&cipher, &job));
        keep__cipher_end(&cipher);
        assert_bytes(bytes, wanted, sizeof bytes);
        assert_bytes(tag, wanted_tag, sizeof tag);
    }
}

/* packet T16: all contexts are with threads that do not go on */
START_TEST(nobody_waits_for_a_context)
{
    keep__backend *backend = ready_backend();
    struct crew crew = { 0 };

    while (keep__backend_borrow(backend) != NULL)
        continue;
    crew_add(&crew, MAX_THREADS, seal_with_choice, backend);
    crew_run(&crew, MAX_THREADS);
    end_backend(backend);
}
END_TEST

START_TEST(threads_share_contexts)
{
    keep__backend *backend = ready_backend();
    struct crew crew = { 0 };

    crew_add(&crew, 8, seal_with_choice, backend);
    crew_run(&crew, 8);
    end_backend(backend);
}
END_TEST

RUN_SUITE("backend", TIMES(a_back_end_with_any_fault_is_not_used, FAULTS), TIMES(what_is_not_there_says_why, 3),
          ONCE(a_library_that_gives_no_context_is_not_used_and_no_memory_is_told),
          ONCE(contexts_are_2_to_64_and_each_is_lent_once),
          ONCE(a_back_end_that_fails_in_use_is_disabled_and_the_packet_is_right),
          TIMES(opening_falls_back_to_libsodium_unless_the_datagram_is_gone, 2),
          ONCE(what_is_not_authentic_leaves_zeros),
          ONCE(short_payloads_go_to_libsodium_where_only_long_ones_are_faster), ONCE(nobody_waits_for_a_context),
          ONCE(threads_share_contexts), TIMES(a_fault_that_only_long_payloads_show_is_found, 3),
          TIMES(there_are_as_many_contexts_as_processors_within_bounds, 5),
          ONCE(a_context_that_cannot_be_made_is_a_status), ONCE(of_two_that_want_one_context_the_second_takes_the_next))
