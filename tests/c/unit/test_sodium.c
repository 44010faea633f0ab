/* SPDX-License-Identifier: MIT */
/*
 * Sodium, white box: the composed form is the combined one, in place and apart.
 */
#include "packet/sodium.h"

#include <string.h>

#include "support/stream.h"
#include "support/suite.h"

enum {
    MOST = 600
};

struct sides {
    uint8_t key[32], nonce[12], aad[56], plaintext[MOST], combined[MOST], composed[MOST], tag[16], other_tag[16];
};

static keep__cipher_job job_of(struct sides *sides, const uint8_t *in, uint8_t *out, size_t len, uint8_t *tag)
{
    return (keep__cipher_job){ sides->key, sides->nonce, sides->aad, sizeof sides->aad, in, out, len, tag };
}

/* packet R32 */
START_TEST(both_forms_give_equal_bytes)
{
    struct stream stream = stream_begin();
    struct sides sides;

    for (size_t len = 0; len <= MOST; len++) {
        keep__cipher_job combined = job_of(&sides, sides.plaintext, sides.combined, len, sides.tag);
        keep__cipher_job composed = job_of(&sides, sides.composed, sides.composed, len, sides.other_tag);
        keep__cipher_job opened = job_of(&sides, sides.combined, sides.composed, len, sides.tag);

        stream_fill(&stream, &sides, sizeof sides);
        memcpy(sides.composed, sides.plaintext, len);
        keep__sodium_seal_combined(&combined);
        keep__sodium_seal(&composed);
        assert_bytes(sides.combined, sides.composed, len);
        assert_bytes(sides.tag, sides.other_tag, 16);
        ck_assert(keep__sodium_open(&opened));
        assert_bytes(sides.composed, sides.plaintext, len);
    }
}
END_TEST

START_TEST(neither_form_opens_what_was_changed_or_leaves_anything)
{
    static const size_t lens[] = { 1, 16, 448, 449, 600 };
    struct stream stream = stream_begin();
    struct sides sides;

    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        size_t len = lens[i];
        keep__cipher_job sealed = job_of(&sides, sides.plaintext, sides.combined, len, sides.tag);
        keep__cipher_job opened = job_of(&sides, sides.combined, sides.composed, len, sides.tag);

        stream_fill(&stream, &sides, sizeof sides);
        keep__sodium_seal_combined(&sealed);
        sides.combined[len - 1] ^= 1;
        ck_assert(!keep__sodium_open(&opened));
        ck_assert(are_all(sides.composed, 0, len));
        sides.combined[len - 1] ^= 1;
        sides.aad[55] ^= 1;
        ck_assert(!keep__sodium_open(&opened));
        sides.aad[55] ^= 1;
        ck_assert(keep__sodium_open(&opened));
    }
}
END_TEST

/* RFC 8439 has no bounds for them; what is composed has. */
START_TEST(other_lengths_of_associated_data_are_right_too)
{
    static const size_t lens[] = { 0, 1, 56, 57, 100 };
    static const uint8_t aad[100] = { 3 };
    struct stream stream = stream_begin();
    struct sides sides;

    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        keep__cipher_job combined = job_of(&sides, sides.plaintext, sides.combined, 40, sides.tag);
        keep__cipher_job composed = job_of(&sides, sides.plaintext, sides.composed, 40, sides.other_tag);

        stream_fill(&stream, &sides, sizeof sides);
        combined.aad = composed.aad = aad;
        combined.aad_len = composed.aad_len = lens[i];
        keep__sodium_seal_combined(&combined);
        keep__sodium_seal(&composed);
        assert_bytes(sides.combined, sides.composed, 40);
        assert_bytes(sides.tag, sides.other_tag, 16);
    }
}
END_TEST

RUN_SUITE("sodium", ONCE(both_forms_give_equal_bytes), ONCE(neither_form_opens_what_was_changed_or_leaves_anything),
          ONCE(other_lengths_of_associated_data_are_right_too))
