/* SPDX-License-Identifier: MIT */
/*
 * Random operations on a slab (style R36).
 */
#include "model/slab.h"

#include "support/stream.h"
#include "support/suite.h"

START_TEST(a_slab_does_what_its_model_says)
{
    struct stream stream = stream_begin();
    uint8_t bytes[2000];

    for (int i = 0; i < 2000; i++) {
        const char *wrong;

        stream_fill(&stream, bytes, sizeof bytes);
        wrong = model_slab(bytes, sizeof bytes);
        ck_assert_msg(wrong == NULL, "otherwise than the model: %s", wrong);
    }
}
END_TEST

RUN_SUITE("slab", ONCE(a_slab_does_what_its_model_says))
