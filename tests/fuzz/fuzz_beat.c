/* SPDX-License-Identifier: MIT */
/*
 * Frames of beats and notices: what decodes encodes to the same bytes, and what opens seals to the same bytes.
 */
#include "fuzz.h"

#include <string.h>

#include "keep/observer.h"
#include "tracker/frame.h"
#include "tracker/sealed.h"

static const uint8_t key[KEEP__BEAT_KEY_LEN] = { 1 };

/* A frame whose checksum is right, so that the checks behind it are reached. */
static void set_crc(uint8_t frame[KEEP_BEAT_LEN])
{
    uint32_t crc = keep__crc32c(frame, 28);

    for (int i = 0; i < 4; i++)
        frame[28 + i] = (uint8_t)(crc >> (8 * i));
}

static void look_at_frame(const uint8_t *bytes, size_t len)
{
    uint8_t again[KEEP_BEAT_LEN];
    keep__beat beat;
    keep__notice notice;

    if (keep__beat_decode(bytes, len, &beat).kind == 0) {
        fuzz_needs(keep__beat_encode(&beat, again) == KEEP_OK);
        fuzz_needs(len == sizeof again && memcmp(again, bytes, len) == 0);
    }
    if (keep__notice_decode(bytes, len, &notice).kind == 0) {
        fuzz_needs(keep__notice_encode(&notice, again) == KEEP_OK);
        fuzz_needs(len == sizeof again && memcmp(again, bytes, len) == 0);
    }
}

static void look_at_sealed(const uint8_t *bytes, size_t len)
{
    uint8_t frame[KEEP_BEAT_LEN];

    for (uint32_t mode = KEEP_BEAT_SHARED; mode <= KEEP_BEAT_MASTER; mode++) {
        if (keep__sealed_open(key, mode, bytes, len, frame) != KEEP_OK)
            for (size_t i = 0; i < sizeof frame; i++)
                fuzz_needs(frame[i] == 0);
    }
}

static void seal_and_open(const uint8_t frame[KEEP_BEAT_LEN])
{
    keep__sealing sealing = { .key = key, .mode = KEEP_BEAT_SHARED, .counter = frame[0], .prefix = { frame[1] } };
    uint8_t wire[KEEP_BEAT_MASTER_LEN], opened[KEEP_BEAT_LEN];

    keep__sealed_seal(&sealing, frame, wire);
    fuzz_needs(keep__sealed_open(key, KEEP_BEAT_SHARED, wire, KEEP_BEAT_SHARED_LEN, opened) == KEEP_OK);
    fuzz_needs(memcmp(opened, frame, sizeof opened) == 0);
    wire[frame[2] % KEEP_BEAT_SHARED_LEN] ^= 1;
    fuzz_needs(keep__sealed_open(key, KEEP_BEAT_SHARED, wire, KEEP_BEAT_SHARED_LEN, opened) == KEEP_ERR_AUTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    uint8_t frame[KEEP_BEAT_LEN] = { 0 };

    look_at_frame(bytes, len);
    look_at_sealed(bytes, len);
    if (len > 0)
        memcpy(frame, bytes, len < sizeof frame ? len : sizeof frame);
    set_crc(frame);
    look_at_frame(frame, sizeof frame);
    seal_and_open(frame);
    return 0;
}
