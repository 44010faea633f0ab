/* SPDX-License-Identifier: MIT */
/*
 * Random scripts on secrets and sealed secrets (style R36).
 */
#include "model/script.h"

#include "support/stream.h"
#include "support/suite.h"

START_TEST(secrets_do_what_their_model_says)
{
    struct stream stream = stream_begin();
    uint8_t bytes[4000];

    for (int i = 0; i < 200; i++) {
        const char *wrong;

        stream_fill(&stream, bytes, sizeof bytes);
        wrong = model_script(bytes, 2000 + (size_t)stream_below(&stream, 2000));
        ck_assert_msg(wrong == NULL, "otherwise than the model: %s", wrong);
    }
}
END_TEST

RUN_SUITE("script", ONCE(secrets_do_what_their_model_says))
