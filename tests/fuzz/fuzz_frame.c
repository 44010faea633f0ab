/* SPDX-License-Identifier: MIT */
/*
 * Headers and frames: any bytes give a status, what is read lies within them, and what is written reads back.
 */
#include "fuzz.h"

#include <string.h>

#include "packet/frame.h"

static void read_any_header(const uint8_t *bytes, size_t len)
{
    keep_packet_info info;
    keep_status st = keep__frame_parse(bytes, len, &info);
    size_t tag_len = KEEP_PACKET_TAG_LEN;

    if (st != KEEP_OK)
        return;
    if (info.kind == KEEP_PACKET_HANDSHAKE)
        tag_len = 0;
    fuzz_needs(info.payload_len <= KEEP_MAX_PAYLOAD_LEN && info.event_count <= KEEP_MAX_PACKET_EVENTS);
    fuzz_needs(len == KEEP_PACKET_HEADER_LEN + info.payload_len + tag_len);
    fuzz_needs(keep__frame_span_count(&info) <= info.payload_len / KEEP__FRAME_LEN);
}

/* The first byte is how many events are said to be there. */
static void read_any_frames(const uint8_t *bytes, size_t len)
{
    keep_span spans[256];
    uint8_t written[4096];
    keep_bytes events[256];
    size_t count = bytes[0];
    size_t measured = 0;

    if (keep__frame_read_events((keep_bytes){ bytes + 1, len - 1 }, 0, count, spans) != KEEP_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        fuzz_needs(spans[i].offset <= len - 1 && spans[i].len <= len - 1 - spans[i].offset);
        events[i] = (keep_bytes){ bytes + 1 + spans[i].offset, spans[i].len };
    }
    fuzz_needs(keep__frame_measure(events, count, &measured) == KEEP_OK && measured == len - 1);
    keep__frame_write_events(events, count, written);
    fuzz_needs(memcmp(written, bytes + 1, measured) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0 || len > 4096)
        return 0;
    read_any_header(bytes, len);
    read_any_frames(bytes, len);
    return 0;
}
