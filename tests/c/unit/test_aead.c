/* SPDX-License-Identifier: MIT */
/*
 * Aead, white box: what is chosen on machines of every kind. The back ends themselves are in test_backend.c.
 */
#include "packet/aead.h"

#include "base/heap.h"
#include "keep/packet.h"
#include "memory/guard.h"
#include "packet/ipsec.h"

#include "support/suite.h"

keep_status __wrap_keep__backend_begin(keep__backend *backend, const keep__cipher_form *form);
keep_status __wrap_keep__backend_grow(keep__backend *backend);
bool __wrap_keep__ipsec_is_fast(void);
void *__real_keep__heap_new_line(size_t len);
void *__wrap_keep__heap_new_line(size_t len);

/* A machine: the states of sodium, openssl and ipsec, and whether the last is fast. */
struct machine {
    uint32_t states[3];
    bool is_fast;
};

static const char *say_stub(void)
{
    return "stub";
}

static const keep__cipher_form stub = { .name = "stub", .version = say_stub, .instructions = say_stub };
static struct machine machine;
static keep__backend *backends[3];
static int begun;
static bool has_no_memory; /* for what all back ends share */
static bool has_no_proof;  /* or for the proof of one */

keep_status __wrap_keep__backend_begin(keep__backend *backend, const keep__cipher_form *form)
{
    if (has_no_proof)
        return KEEP_ERR_NO_MEMORY;
    (void)form;
    backend->form = &stub;
    backend->state = machine.states[begun];
    backends[begun++] = backend;
    return KEEP_OK;
}

keep_status __wrap_keep__backend_grow(keep__backend *backend)
{
    backend->count = 2;
    return KEEP_OK;
}

bool __wrap_keep__ipsec_is_fast(void)
{
    return machine.is_fast;
}

void *__wrap_keep__heap_new_line(size_t len)
{
    return has_no_memory ? NULL : __real_keep__heap_new_line(len);
}

enum {
    USABLE = KEEP_AEAD_USABLE,
    GONE = KEEP_AEAD_NOT_FOUND,
    SODIUM = -1, /* the choice that is NULL */
    OPENSSL = 1,
    IPSEC = 2,
    LAST_SHORT = KEEP__LONG_PAYLOAD_LEN - 1,
    LAST = KEEP_MAX_PAYLOAD_LEN
};

/* packet R34: what is chosen for short and for long payloads, and the last payload length that each back end says. */
static const struct {
    struct machine machine;
    int shorter, longer;
    uint32_t last[3];
} choices[] = {
    { { { USABLE, USABLE, USABLE }, true }, IPSEC, IPSEC, { 0, 0, LAST } },
    { { { USABLE, USABLE, USABLE }, false }, SODIUM, OPENSSL, { LAST_SHORT, LAST, 0 } },
    { { { USABLE, USABLE, GONE }, true }, SODIUM, OPENSSL, { LAST_SHORT, LAST, 0 } },
    { { { USABLE, GONE, USABLE }, false }, SODIUM, SODIUM, { LAST, 0, 0 } },
    { { { USABLE, GONE, GONE }, false }, SODIUM, SODIUM, { LAST, 0, 0 } },
};

static void need_choice(const keep__backend *got, int wanted)
{
    ck_assert_ptr_eq(got, wanted == SODIUM ? NULL : backends[wanted]);
}

START_TEST(auto_takes_what_is_fastest_for_each_length)
{
    keep__cipher_choice choice;

    machine = choices[_i].machine;
    assert_ok(keep__guard_enter());
    assert_ok(keep__cipher_prepare(KEEP_AEAD_AUTO, &choice));
    need_choice(choice.shorter, choices[_i].shorter);
    need_choice(choice.longer, choices[_i].longer);
    for (uint32_t i = 0; i < 3; i++) {
        struct keep_aead_report report = KEEP_AEAD_REPORT_INIT;

        assert_ok(keep_aead_report(KEEP_AEAD_SODIUM + i, &report));
        ck_assert_uint_eq(report.state, choices[_i].machine.states[i]);
        ck_assert_uint_eq(report.auto_max_len, choices[_i].last[i]);
    }
}
END_TEST

START_TEST(a_back_end_that_is_asked_for_by_name_is_there_or_unsupported)
{
    keep__cipher_choice choice;

    machine = (struct machine){ { USABLE, USABLE, GONE }, false };
    assert_ok(keep__guard_enter());
    assert_ok(keep__cipher_prepare(KEEP_AEAD_SODIUM, &choice));
    need_choice(choice.longer, SODIUM);
    assert_ok(keep__cipher_prepare(KEEP_AEAD_OPENSSL, &choice));
    need_choice(choice.shorter, OPENSSL);
    assert_status(keep__cipher_prepare(KEEP_AEAD_IPSEC_MB, &choice), KEEP_ERR_UNSUPPORTED);
    assert_status(keep__cipher_prepare(KEEP_AEAD_IPSEC_MB + 1, &choice), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

/* packet R33: what all others are compared with */
START_TEST(without_libsodium_there_is_no_session)
{
    keep__cipher_choice choice;

    machine = (struct machine){ { KEEP_AEAD_SELF_TEST_FAILED, USABLE, USABLE }, true };
    assert_ok(keep__guard_enter());
    for (uint32_t aead = KEEP_AEAD_AUTO; aead <= KEEP_AEAD_IPSEC_MB; aead++)
        assert_status(keep__cipher_prepare(aead, &choice), KEEP_ERR_UNSUPPORTED);
}
END_TEST

START_TEST(without_memory_nothing_is_known_until_there_is_some)
{
    struct keep_aead_report report = KEEP_AEAD_REPORT_INIT;
    keep__cipher_choice choice;

    assert_ok(keep__guard_enter());
    has_no_memory = _i == 0;
    has_no_proof = _i == 1;
    assert_status(keep_aead_report(KEEP_AEAD_SODIUM, &report), KEEP_ERR_NO_MEMORY);
    has_no_memory = has_no_proof = false;
    assert_ok(keep__cipher_prepare(KEEP_AEAD_SODIUM, &choice));
    assert_ok(keep_aead_report(KEEP_AEAD_SODIUM, &report));
}
END_TEST

RUN_SUITE("aead", TIMES(auto_takes_what_is_fastest_for_each_length, sizeof choices / sizeof *choices),
          ONCE(a_back_end_that_is_asked_for_by_name_is_there_or_unsupported),
          ONCE(without_libsodium_there_is_no_session), TIMES(without_memory_nothing_is_known_until_there_is_some, 2))
