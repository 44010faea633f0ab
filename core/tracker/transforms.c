/* SPDX-License-Identifier: MIT */
/*
 * Transforms: what the tracker publishes by name, on the caller's inputs alone: frames, faults and sealing. Frames go
 * in and out as their bytes 3 to 27, without what every frame begins and ends with.
 */
#include "keep/tracker.h"

#include <string.h>

#include "base/answer.h"
#include "base/crypto.h"
#include "base/trace.h"
#include "tracker/frame.h"
#include "tracker/sealed.h"
#include "base/banned.h"

#define BODY_AT ((size_t)3)
#define BEAT_BODY_LEN ((size_t)25)
#define NOTICE_BODY_LEN ((size_t)22)

static uint8_t read_u8(keep__reader *in)
{
    const uint8_t *byte = keep__read_bytes(in, 1);

    return byte == NULL ? 0 : *byte;
}

static keep_status answer_bytes(keep__answer answer, const void *bytes, size_t len)
{
    keep_status st = keep__answer_room(answer, len);

    if (st == KEEP_OK)
        memcpy(answer.out, bytes, len);
    return st;
}

static keep_status crc_of_bytes(keep__reader in, keep__answer answer)
{
    uint8_t out[4];
    keep__writer writer = keep__writer_of(out, sizeof out);

    keep__write_u32le(&writer, keep__crc32c(in.at, in.left));
    return answer_bytes(answer, out, sizeof out);
}

static keep_status beat_encode(keep__reader in, keep__answer answer)
{
    uint8_t frame[KEEP_BEAT_LEN];
    keep__beat beat;
    keep_status st;

    beat.health = read_u8(&in);
    beat.pid = keep__read_u32le(&in);
    beat.timestamp_ns = keep__read_u64le(&in);
    beat.nonce = keep__read_u64le(&in);
    beat.payload = keep__read_u32le(&in);
    st = keep__answer_whole(&in) ? keep__beat_encode(&beat, frame) : KEEP_ERR_INVALID_ARGUMENT;
    return st != KEEP_OK ? st : answer_bytes(answer, frame, sizeof frame);
}

static keep_status notice_encode(keep__reader in, keep__answer answer)
{
    uint8_t frame[KEEP_BEAT_LEN];
    keep__notice notice;
    keep_status st;

    notice.op = read_u8(&in);
    notice.pid = keep__read_u32le(&in);
    notice.threshold_ms = keep__read_u32le(&in);
    notice.grace_ms = keep__read_u32le(&in);
    notice.nonce = keep__read_u64le(&in);
    notice.misses = read_u8(&in);
    st = keep__answer_whole(&in) ? keep__notice_encode(&notice, frame) : KEEP_ERR_INVALID_ARGUMENT;
    return st != KEEP_OK ? st : answer_bytes(answer, frame, sizeof frame);
}

static keep_status beat_decode(keep__reader in, keep__answer answer)
{
    keep__beat beat;

    if (keep__beat_decode(in.at, in.left, &beat).kind != 0)
        return keep__trace(KEEP_ERR_MALFORMED);
    return answer_bytes(answer, in.at + BODY_AT, BEAT_BODY_LEN);
}

static keep_status notice_decode(keep__reader in, keep__answer answer)
{
    keep__notice notice;

    if (keep__notice_decode(in.at, in.left, &notice).kind != 0)
        return keep__trace(KEEP_ERR_MALFORMED);
    return answer_bytes(answer, in.at + BODY_AT, NOTICE_BODY_LEN);
}

static keep_status answer_fault(keep__answer answer, keep__fault fault)
{
    uint8_t out[9];
    keep__writer writer = keep__writer_of(out, sizeof out);

    keep__write_bytes(&writer, &fault.kind, 1);
    keep__write_u64le(&writer, fault.value);
    return answer_bytes(answer, out, sizeof out);
}

static keep_status beat_fault(keep__reader in, keep__answer answer)
{
    keep__beat beat;

    return answer_fault(answer, keep__beat_decode(in.at, in.left, &beat));
}

static keep_status notice_fault(keep__reader in, keep__answer answer)
{
    keep__notice notice;

    return answer_fault(answer, keep__notice_decode(in.at, in.left, &notice));
}

static keep_status iv_prefix(keep__reader in, keep__answer answer)
{
    uint8_t out[KEEP__PREFIX_LEN];
    const uint8_t *salt = keep__read_bytes(&in, KEEP__SALT_LEN);
    uint32_t index = keep__read_u32le(&in);

    if (!keep__answer_whole(&in))
        return KEEP_ERR_INVALID_ARGUMENT;
    keep__sealed_prefix(salt, index, out);
    return answer_bytes(answer, out, sizeof out);
}

/* The key is the one of the mode: in master mode the master key. */
static keep_status beat_seal(keep__reader in, keep__answer answer)
{
    KEEP__KEY32(agent);
    uint8_t out[KEEP_BEAT_MASTER_LEN];
    keep__sealing sealing = { .mode = read_u8(&in) };
    const uint8_t *prefix;
    const uint8_t *frame;

    sealing.key = keep__read_bytes(&in, KEEP__BEAT_KEY_LEN);
    sealing.pid = keep__read_u32le(&in);
    prefix = keep__read_bytes(&in, KEEP__PREFIX_LEN);
    sealing.counter = keep__read_u32le(&in);
    frame = keep__read_bytes(&in, KEEP_BEAT_LEN);
    if (!keep__answer_whole(&in) || keep__sealed_len(sealing.mode) == 0)
        return KEEP_ERR_INVALID_ARGUMENT;
    memcpy(sealing.prefix, prefix, sizeof sealing.prefix);
    if (sealing.mode == KEEP_BEAT_MASTER) {
        keep__agent_key(sealing.key, sealing.pid, agent.bytes);
        sealing.key = agent.bytes;
    }
    keep__sealed_seal(&sealing, frame, out);
    return answer_bytes(answer, out, keep__sealed_len(sealing.mode));
}

static keep_status beat_open(keep__reader in, keep__answer answer)
{
    uint8_t frame[KEEP_BEAT_LEN];
    uint32_t mode = read_u8(&in);
    const uint8_t *key = keep__read_bytes(&in, KEEP__BEAT_KEY_LEN);
    keep_status st;

    if (in.failed || keep__sealed_len(mode) == 0)
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__sealed_open(key, mode, in.at, in.left, frame);
    return st != KEEP_OK ? st : answer_bytes(answer, frame, sizeof frame);
}

static const keep__transform tracker_transforms[] = {
    { "crc32c", crc_of_bytes },       { "beat.encode", beat_encode },     { "beat.decode", beat_decode },
    { "beat.fault", beat_fault },     { "notice.encode", notice_encode }, { "notice.decode", notice_decode },
    { "notice.fault", notice_fault }, { "iv.prefix", iv_prefix },         { "beat.seal", beat_seal },
    { "beat.open", beat_open },
};

keep_status keep_tracker_known_answer(const char *name, const void *in, size_t in_len, void *out, size_t cap,
                                      size_t *out_len)
{
    return keep__answer_known(tracker_transforms, sizeof tracker_transforms / sizeof *tracker_transforms, name,
                              (keep_bytes){ in, in_len }, (keep__answer){ out, cap, out_len });
}
