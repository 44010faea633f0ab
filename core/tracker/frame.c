/* SPDX-License-Identifier: MIT */
/*
 * Frame. A beat: magic 2 ‖ version ‖ health ‖ pid 4 ‖ timestamp 8 ‖ nonce 8 ‖ payload 4 ‖ CRC 4. A notice: magic 2 ‖
 * version ‖ op ‖ pid 4 ‖ threshold 4 ‖ grace 4 ‖ nonce 8 ‖ misses ‖ zeros 3 ‖ CRC 4. The order of the checks is the order
 * of the faults.
 */
#include "tracker/frame.h"

#include "base/cursor.h"
#include "base/banned.h"

#define CRC_AT ((size_t)28)

/*
 * [place of a digit][digit]: what zero bytes make of it, by the polynomial 82F63B78 reflected; eight bytes for the places
 * of a first word, four for those of a second. Digits of four bits keep the tables small, and their lookups do not wait
 * for each other.
 */
static const uint32_t crc_of_digit[16][16] = {
    { 0x00000000, 0x493c7d27, 0x9278fa4e, 0xdb448769, 0x211d826d, 0x6821ff4a, 0xb3657823, 0xfa590504, 0x423b04da,
      0x0b0779fd, 0xd043fe94, 0x997f83b3, 0x632686b7, 0x2a1afb90, 0xf15e7cf9, 0xb86201de },
    { 0x00000000, 0x847609b4, 0x0d006599, 0x89766c2d, 0x1a00cb32, 0x9e76c286, 0x1700aeab, 0x9376a71f, 0x34019664,
      0xb0779fd0, 0x3901f3fd, 0xbd77fa49, 0x2e015d56, 0xaa7754e2, 0x230138cf, 0xa777317b },
    { 0x00000000, 0x68032cc8, 0xd0065990, 0xb8057558, 0xa5e0c5d1, 0xcde3e919, 0x75e69c41, 0x1de5b089, 0x4e2dfd53,
      0x262ed19b, 0x9e2ba4c3, 0xf628880b, 0xebcd3882, 0x83ce144a, 0x3bcb6112, 0x53c84dda },
    { 0x00000000, 0x9c5bfaa6, 0x3d5b83bd, 0xa100791b, 0x7ab7077a, 0xe6ecfddc, 0x47ec84c7, 0xdbb77e61, 0xf56e0ef4,
      0x6935f452, 0xc8358d49, 0x546e77ef, 0x8fd9098e, 0x1382f328, 0xb2828a33, 0x2ed97095 },
    { 0x00000000, 0xef306b19, 0xdb8ca0c3, 0x34bccbda, 0xb2f53777, 0x5dc55c6e, 0x697997b4, 0x8649fcad, 0x6006181f,
      0x8f367306, 0xbb8ab8dc, 0x54bad3c5, 0xd2f32f68, 0x3dc34471, 0x097f8fab, 0xe64fe4b2 },
    { 0x00000000, 0xc00c303e, 0x85f4168d, 0x45f826b3, 0x0e045beb, 0xce086bd5, 0x8bf04d66, 0x4bfc7d58, 0x1c08b7d6,
      0xdc0487e8, 0x99fca15b, 0x59f09165, 0x120cec3d, 0xd200dc03, 0x97f8fab0, 0x57f4ca8e },
    { 0x00000000, 0x38116fac, 0x7022df58, 0x4833b0f4, 0xe045beb0, 0xd854d11c, 0x906761e8, 0xa8760e44, 0xc5670b91,
      0xfd76643d, 0xb545d4c9, 0x8d54bb65, 0x2522b521, 0x1d33da8d, 0x55006a79, 0x6d1105d5 },
    { 0x00000000, 0x8f2261d3, 0x1ba8b557, 0x948ad484, 0x37516aae, 0xb8730b7d, 0x2cf9dff9, 0xa3dbbe2a, 0x6ea2d55c,
      0xe180b48f, 0x750a600b, 0xfa2801d8, 0x59f3bff2, 0xd6d1de21, 0x425b0aa5, 0xcd796b76 },
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

/* What eight or four zero bytes make of a word. */
static uint32_t crc_of_word(uint32_t word, const uint32_t digits[8][16])
{
    uint32_t crc = 0;

    for (unsigned place = 0; place < 8; place++)
        crc ^= digits[place][word >> (4 * place) & 15];
    return crc;
}

uint32_t keep__crc32c(const uint8_t *bytes, size_t len)
{
    const uint32_t(*after_eight)[16] = crc_of_digit, (*after_four)[16] = crc_of_digit + 8;
    keep__reader reader = keep__reader_of(bytes, len);
    uint32_t crc = UINT32_MAX;

    while (reader.left >= 2 * sizeof crc) {
        crc = crc_of_word(crc ^ keep__read_u32le(&reader), after_eight);
        crc ^= crc_of_word(keep__read_u32le(&reader), after_four);
    }
    if (reader.left >= sizeof crc)
        crc = crc_of_word(crc ^ keep__read_u32le(&reader), after_four);
    for (; reader.left > 0; reader.at++, reader.left--) {
        uint32_t byte = (crc ^ *reader.at) & 0xFF;

        crc = crc >> 8 ^ after_four[6][byte & 15] ^ after_four[7][byte >> 4];
    }
    return ~crc;
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
