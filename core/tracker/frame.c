/* SPDX-License-Identifier: MIT */
/*
 * Frame. A beat: magic 2 ‖ version ‖ health ‖ pid 4 ‖ timestamp 8 ‖ nonce 8 ‖ payload 4 ‖ CRC 4. A notice: magic 2 ‖
 * version ‖ op ‖ pid 4 ‖ threshold 4 ‖ grace 4 ‖ nonce 8 ‖ misses ‖ zeros 3 ‖ CRC 4. The order of the checks is the order
 * of the faults.
 */
#include "tracker/frame.h"

#include "base/attributes.h"
#include "base/cursor.h"
#include "base/banned.h"

#define CRC_AT ((size_t)28)

/*
 * [place of a digit][digit]: what four zero bytes make of it, by the polynomial 82F63B78 reflected. Digits of four bits
 * keep the tables small, and their lookups do not wait for each other.
 */
static const uint32_t crc_of_digit[8][16] = {
    { 0x00000000, 0xdd45aab8, 0xbf672381, 0x62228939, 0x7b2231f3, 0xa6679b4b, 0xc4451272, 0x1900b8ca, 0xf64463e6,
      0x2b01c95e, 0x49234067, 0x9466eadf, 0x8d665215, 0x5023f8ad, 0x32017194, 0xef44db2c },
    { 0x00000000, 0xe964b13d, 0xd725148b, 0x3e41a5b6, 0xaba65fe7, 0x42c2eeda, 0x7c834b6c, 0x95e7fa51, 0x52a0c93f,
      0xbbc47802, 0x8585ddb4, 0x6ce16c89, 0xf90696d8, 0x106227e5, 0x2e238253, 0xc747336e },
    { 0x00000000, 0xa541927e, 0x4f6f520d, 0xea2ec073, 0x9edea41a, 0x3b9f3664, 0xd1b1f617, 0x74f06469, 0x38513ec5,
      0x9d10acbb, 0x773e6cc8, 0xd27ffeb6, 0xa68f9adf, 0x03ce08a1, 0xe9e0c8d2, 0x4ca15aac },
    { 0x00000000, 0x70a27d8a, 0xe144fb14, 0x91e6869e, 0xc76580d9, 0xb7c7fd53, 0x26217bcd, 0x56830647, 0x8b277743,
      0xfb850ac9, 0x6a638c57, 0x1ac1f1dd, 0x4c42f79a, 0x3ce08a10, 0xad060c8e, 0xdda47104 },
    { 0x00000000, 0x13a29877, 0x274530ee, 0x34e7a899, 0x4e8a61dc, 0x5d28f9ab, 0x69cf5132, 0x7a6dc945, 0x9d14c3b8,
      0x8eb65bcf, 0xba51f356, 0xa9f36b21, 0xd39ea264, 0xc03c3a13, 0xf4db928a, 0xe7790afd },
    { 0x00000000, 0x3fc5f181, 0x7f8be302, 0x404e1283, 0xff17c604, 0xc0d23785, 0x809c2506, 0xbf59d487, 0xfbc3faf9,
      0xc4060b78, 0x844819fb, 0xbb8de87a, 0x04d43cfd, 0x3b11cd7c, 0x7b5fdfff, 0x449a2e7e },
    { 0x00000000, 0xf26b8303, 0xe13b70f7, 0x1350f3f4, 0xc79a971f, 0x35f1141c, 0x26a1e7e8, 0xd4ca64eb, 0x8ad958cf,
      0x78b2dbcc, 0x6be22838, 0x9989ab3b, 0x4d43cfd0, 0xbf284cd3, 0xac78bf27, 0x5e133c24 },
    { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d, 0x82f63b78,
      0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 },
};

uint32_t keep__crc32c_by_tables(const uint8_t *bytes, size_t len)
{
    keep__reader reader = keep__reader_of(bytes, len);
    uint32_t crc = UINT32_MAX;

    while (reader.left >= sizeof crc) {
        uint32_t word = crc ^ keep__read_u32le(&reader);

        crc = 0;
        for (unsigned place = 0; place < 8; place++)
            crc ^= crc_of_digit[place][word >> (4 * place) & 15];
    }
    for (; reader.left > 0; reader.at++, reader.left--) {
        uint32_t byte = (crc ^ *reader.at) & 0xFF;

        crc = crc >> 8 ^ crc_of_digit[6][byte & 15] ^ crc_of_digit[7][byte >> 4];
    }
    return ~crc;
}

/* By the processor's own instruction: half of the time of a beat would be spent in the tables. */
static KEEP__WITH_CRC32C uint32_t crc_by_processor(const uint8_t *bytes, size_t len)
{
    keep__reader reader = keep__reader_of(bytes, len);
    uint64_t crc = UINT32_MAX;

    while (reader.left >= sizeof crc)
        crc = KEEP__CRC32C_WORD(crc, keep__read_u64le(&reader));
    if (reader.left >= sizeof(uint32_t)) /* as in every frame */
        crc = KEEP__CRC32C_HALF((uint32_t)crc, keep__read_u32le(&reader));
    for (; reader.left > 0; reader.at++, reader.left--)
        crc = KEEP__CRC32C_BYTE((uint32_t)crc, *reader.at);
    return ~(uint32_t)crc;
}

uint32_t keep__crc32c(const uint8_t *bytes, size_t len)
{
    static uint32_t (*const forms[])(const uint8_t *bytes, size_t len) = { keep__crc32c_by_tables, crc_by_processor };

    return forms[KEEP__HAS_CRC32C != 0](bytes, len);
}

static keep__fault fault_of(uint8_t kind, uint64_t value)
{
    return (keep__fault){ .kind = kind, .value = value };
}

static void write_crc(uint8_t out[KEEP_BEAT_LEN])
{
    keep__writer writer = keep__writer_of(out + CRC_AT, KEEP_BEAT_LEN - CRC_AT);

    keep__write_u32le(&writer, keep__crc32c(out, CRC_AT));
}

/* What both kinds of frame begin and end with. */
static keep__fault check_envelope(const uint8_t *bytes, size_t len, const uint8_t begin[3])
{
    keep__reader reader;
    uint32_t computed;

    if (len != KEEP_BEAT_LEN)
        return fault_of(KEEP_FAULT_BAD_LENGTH, len);
    if (bytes[0] != begin[0] || bytes[1] != begin[1])
        return fault_of(KEEP_FAULT_BAD_MAGIC, 0);
    if (bytes[2] != begin[2])
        return fault_of(KEEP_FAULT_BAD_VERSION, 0);
    reader = keep__reader_of(bytes + CRC_AT, KEEP_BEAT_LEN - CRC_AT);
    computed = keep__crc32c(bytes, CRC_AT);
    if (keep__read_u32le(&reader) != computed)
        return fault_of(KEEP_FAULT_BAD_CRC, computed);
    return fault_of(0, 0);
}

static keep__fault check_beat(const keep__beat *beat)
{
    if (beat->health > 3)
        return fault_of(KEEP_FAULT_BAD_STATUS, beat->health);
    if (beat->health == 3)
        return fault_of(KEEP_FAULT_STALL_ON_WIRE, 0);
    if (beat->pid <= 1)
        return fault_of(KEEP_FAULT_BAD_PID, beat->pid);
    if (beat->timestamp_ns == UINT64_MAX)
        return fault_of(KEEP_FAULT_BAD_TIMESTAMP, beat->timestamp_ns);
    if (beat->nonce == KEEP__NONCE_TERMINAL && beat->health != KEEP_HEALTH_CRITICAL)
        return fault_of(KEEP_FAULT_BAD_NONCE, beat->nonce);
    return fault_of(0, 0);
}

static keep__fault check_notice(const keep__notice *notice, const uint8_t reserved[3])
{
    if (notice->op != KEEP__NOTICE_REGISTER && notice->op != KEEP__NOTICE_GOODBYE)
        return fault_of(KEEP_FAULT_BAD_STATUS, notice->op);
    if (notice->pid <= 1)
        return fault_of(KEEP_FAULT_BAD_PID, notice->pid);
    if (notice->nonce == KEEP__NONCE_TERMINAL)
        return fault_of(KEEP_FAULT_BAD_NONCE, notice->nonce);
    if ((reserved[0] | reserved[1] | reserved[2]) != 0)
        return fault_of(KEEP_FAULT_BAD_RESERVED, 0);
    return fault_of(0, 0);
}

static const uint8_t beat_begin[3] = { 0x56, 0x41, 2 };
static const uint8_t notice_begin[3] = { 0x4B, 0x50, 1 };
static const uint8_t zeros_of_notice[3] = { 0, 0, 0 };

keep_status keep__beat_encode(const keep__beat *beat, uint8_t out[KEEP_BEAT_LEN])
{
    keep__writer writer = keep__writer_of(out, CRC_AT);

    if (check_beat(beat).kind != 0)
        return KEEP_ERR_INVALID_ARGUMENT;
    keep__write_bytes(&writer, beat_begin, sizeof beat_begin);
    keep__write_bytes(&writer, &beat->health, 1);
    keep__write_u32le(&writer, beat->pid);
    keep__write_u64le(&writer, beat->timestamp_ns);
    keep__write_u64le(&writer, beat->nonce);
    keep__write_u32le(&writer, beat->payload);
    write_crc(out);
    return KEEP_OK;
}

keep_status keep__notice_encode(const keep__notice *notice, uint8_t out[KEEP_BEAT_LEN])
{
    keep__writer writer = keep__writer_of(out, CRC_AT);

    if (check_notice(notice, zeros_of_notice).kind != 0)
        return KEEP_ERR_INVALID_ARGUMENT;
    keep__write_bytes(&writer, notice_begin, sizeof notice_begin);
    keep__write_bytes(&writer, &notice->op, 1);
    keep__write_u32le(&writer, notice->pid);
    keep__write_u32le(&writer, notice->threshold_ms);
    keep__write_u32le(&writer, notice->grace_ms);
    keep__write_u64le(&writer, notice->nonce);
    keep__write_bytes(&writer, &notice->misses, 1);
    keep__write_bytes(&writer, zeros_of_notice, sizeof zeros_of_notice);
    write_crc(out);
    return KEEP_OK;
}

keep__fault keep__beat_decode(const uint8_t *bytes, size_t len, keep__beat *out)
{
    keep__fault fault = check_envelope(bytes, len, beat_begin);
    keep__reader reader;
    keep__beat beat;

    if (fault.kind != 0)
        return fault;
    beat.health = bytes[3];
    reader = keep__reader_of(bytes + 4, CRC_AT - 4);
    beat.pid = keep__read_u32le(&reader);
    beat.timestamp_ns = keep__read_u64le(&reader);
    beat.nonce = keep__read_u64le(&reader);
    beat.payload = keep__read_u32le(&reader);
    fault = check_beat(&beat);
    if (fault.kind == 0)
        *out = beat;
    return fault;
}

keep__fault keep__notice_decode(const uint8_t *bytes, size_t len, keep__notice *out)
{
    keep__fault fault = check_envelope(bytes, len, notice_begin);
    keep__reader reader;
    keep__notice notice;

    if (fault.kind != 0)
        return fault;
    notice.op = bytes[3];
    notice.misses = bytes[24];
    reader = keep__reader_of(bytes + 4, CRC_AT - 4);
    notice.pid = keep__read_u32le(&reader);
    notice.threshold_ms = keep__read_u32le(&reader);
    notice.grace_ms = keep__read_u32le(&reader);
    notice.nonce = keep__read_u64le(&reader);
    fault = check_notice(&notice, bytes + 25);
    if (fault.kind == 0)
        *out = notice;
    return fault;
}
