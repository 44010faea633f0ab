/* SPDX-License-Identifier: MIT */
/*
 * Random operations on a ledger (style R36, tracker T2): a hundred thousand, or KEEP_TEST_OPERATIONS of them.
 */
#include "model/ledger.h"

#include <stdlib.h>

#include "support/stream.h"
#include "support/suite.h"

START_TEST(a_ledger_does_what_its_oracle_says)
{
    const char *wanted = getenv("KEEP_TEST_OPERATIONS");
    unsigned long left = wanted == NULL ? 100000 : strtoul(wanted, NULL, 10);
    struct stream stream = stream_begin();
    static uint8_t bytes[8000];

    while (left > 0) {
        unsigned long count = model_ledger_operations(sizeof bytes);
        const char *wrong;

        stream_fill(&stream, bytes, sizeof bytes);
        wrong = model_ledger(bytes, sizeof bytes);
        ck_assert_msg(wrong == NULL, "otherwise than the oracle: %s", wrong);
        left -= left < count ? left : count;
    }
}
END_TEST

RUN_SUITE("ledger", ONCE(a_ledger_does_what_its_oracle_says))
