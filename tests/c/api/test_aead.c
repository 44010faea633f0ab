/* SPDX-License-Identifier: MIT */
/*
 * keep/aead.h from outside.
 */
#include <keep/aead.h>

#include <string.h>

#include <keep/packet.h>
#include <keep/session.h>

#include "support/packets.h"

static struct keep_aead_report report_of(uint32_t which)
{
    struct keep_aead_report report = KEEP_AEAD_REPORT_INIT;

    assert_ok(keep_aead_report(which, &report));
    return report;
}

START_TEST(only_back_ends_have_reports)
{
    struct keep_aead_report report = KEEP_AEAD_REPORT_INIT;

    assert_status(keep_aead_report(KEEP_AEAD_AUTO, &report), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_aead_report(4, &report), KEEP_ERR_INVALID_ARGUMENT);
    assert_status(keep_aead_report(KEEP_AEAD_SODIUM, NULL), KEEP_ERR_INVALID_ARGUMENT);
}
END_TEST

START_TEST(libsodium_is_always_usable_and_all_are_named)
{
    static const char *const names[] = { NULL, "sodium", "openssl", "ipsec-mb" };

    for (uint32_t which = KEEP_AEAD_SODIUM; which <= KEEP_AEAD_IPSEC_MB; which++)
        ck_assert_str_eq(report_of(which).name, names[which]);
    ck_assert_uint_eq(report_of(KEEP_AEAD_SODIUM).state, KEEP_AEAD_USABLE);
    ck_assert_uint_eq(report_of(KEEP_AEAD_OPENSSL).state, KEEP_AEAD_USABLE);
    ck_assert(report_of(KEEP_AEAD_SODIUM).version[0] != '\0');
}
END_TEST

/* packet R34 */
START_TEST(every_payload_has_one_back_end_in_auto)
{
    for (uint32_t len = 0; len <= KEEP_MAX_PAYLOAD_LEN; len++) {
        int takers = 0;

        for (uint32_t which = KEEP_AEAD_SODIUM; len % 64 == 0 && which <= KEEP_AEAD_IPSEC_MB; which++) {
            struct keep_aead_report report = report_of(which);

            takers += report.auto_min_len <= len && len <= report.auto_max_len;
        }
        if (len % 64 == 0)
            ck_assert_int_eq(takers, 1);
    }
}
END_TEST

/* packet R35, R36 */
START_TEST(a_demanded_back_end_is_there_or_the_session_is_refused)
{
    keep_session_options options = KEEP_SESSION_OPTIONS_INIT;
    keep_session *session = NULL;
    bool is_usable = _i == KEEP_AEAD_AUTO || report_of((uint32_t)_i).state == KEEP_AEAD_USABLE;

    options.aead = (uint32_t)_i;
    assert_status(try_session(1, 0, options, &session), is_usable ? KEEP_OK : KEEP_ERR_UNSUPPORTED);
    if (_i > KEEP_AEAD_SODIUM && is_usable)
        ck_assert_uint_ge(report_of((uint32_t)_i).contexts, 2);
    keep_session_free(&session);
}
END_TEST

RUN_SUITE("aead", ONCE(only_back_ends_have_reports), ONCE(libsodium_is_always_usable_and_all_are_named),
          ONCE(every_payload_has_one_back_end_in_auto),
          TIMES(a_demanded_back_end_is_there_or_the_session_is_refused, KEEP_AEAD_IPSEC_MB + 1))
