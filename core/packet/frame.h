/* SPDX-License-Identifier: MIT */
/*
 * Frames: the header, what of it is authenticated, and the framed events in a payload. Pure.
 *
 * Datagram = header 68 ‖ ciphertext (payload_len) ‖ tag 16; a handshake frame has its bytes in the clear and no tag.
 * Plaintext = le32(len) ‖ bytes for each event. All header bytes are authenticated but hop_count and, except as the
 * nonce, bytes 12 to 23.
 */
#ifndef KEEP_PACKET_FRAME_H
#define KEEP_PACKET_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "keep/bytes.h"
#include "keep/packet.h"
#include "keep/status.h"

#define KEEP__PACKET_AAD_LEN 56
#define KEEP__FRAME_LEN 4 /* what each event has in front */

/* Length of the plaintext: PACKET_TOO_MANY_EVENTS, PACKET_TOO_LARGE; INVALID_ARGUMENT: an event without data. */
keep_status keep__frame_measure(const keep_bytes *events, size_t count, size_t *out_len);

/* Whether a request is one: INVALID_ARGUMENT. Events' data is not looked at. */
keep_status keep__frame_check(const keep_packet_request *request);

/* The header of a request; `settings` are those that hold. */
typedef struct keep__header_values {
    uint64_t session_id, counter;
    size_t payload_len;
    const keep_packet_settings *settings;
} keep__header_values;

void keep__frame_write_header(const keep_packet_request *request, const keep__header_values *values,
                              uint8_t out[KEEP_PACKET_HEADER_LEN]);

/* The events, framed; `out` has room for what was measured. */
void keep__frame_write_events(const keep_bytes *events, size_t count, uint8_t *out);

/* What of a header is authenticated. */
void keep__frame_aad(const uint8_t header[KEEP_PACKET_HEADER_LEN], uint8_t out[KEEP__PACKET_AAD_LEN]);

/* Steps 1 to 7 of opening: what can be said of a datagram without a key. */
keep_status keep__frame_parse(const uint8_t *datagram, size_t len, keep_packet_info *out_info);

/* How many spans opening a packet may need: no more than its payload has room for. */
static inline size_t keep__frame_span_count(const keep_packet_info *info)
{
    size_t most = info->payload_len / KEEP__FRAME_LEN;

    return info->event_count < most ? info->event_count : most;
}

/*
 * Finds exactly `count` events in a plaintext; their offsets count from `base` + the plaintext's begin. PACKET_EVENTS,
 * PACKET_TRAILING.
 */
keep_status keep__frame_read_events(keep_bytes plaintext, uint32_t base, size_t count, keep_span *out_events);

#endif
