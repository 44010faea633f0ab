/* SPDX-License-Identifier: MIT */
/*
 * Frame. The struct below is the table of offsets: its fields lie in memory as on the wire, little-endian, and the
 * assertions bind each to its offset.
 */
#include "packet/frame.h"

#include <endian.h>
#include <string.h>

#include "base/attributes.h"
#include "base/checked.h"
#include "packet/nonce.h"
#include "base/banned.h"

#define MAGIC 0x4E45
#define VERSION 1
#define FLAG_HANDSHAKE 0x10
#define FLAG_HEARTBEAT 0x20

struct KEEP__OVERLAY header {
    uint16_t magic;
    uint8_t version, flags, priority, hop_ttl, hop_count, frag_flags;
    uint16_t subprotocol_id, channel_hash;
    uint32_t nonce_prefix;
    uint64_t counter, session_id, stream_id, sequence, origin_hash;
    uint32_t subnet_id;
    uint16_t fragment_id, fragment_offset, payload_len, event_count;
};

#define AT(field, offset) _Static_assert(offsetof(struct header, field) == (offset), #field)
AT(magic, 0);
AT(version, 2);
AT(flags, 3);
AT(priority, 4);
AT(hop_ttl, 5);
AT(hop_count, 6);
AT(frag_flags, 7);
AT(subprotocol_id, 8);
AT(channel_hash, 10);
AT(nonce_prefix, 12);
AT(counter, 16);
AT(session_id, 24);
AT(stream_id, 32);
AT(sequence, 40);
AT(origin_hash, 48);
AT(subnet_id, 56);
AT(fragment_id, 60);
AT(fragment_offset, 62);
AT(payload_len, 64);
AT(event_count, 66);
_Static_assert(offsetof(struct header, event_count) + 2 == KEEP_PACKET_HEADER_LEN, "header");
_Static_assert(KEEP_MAX_PAYLOAD_LEN + KEEP_PACKET_OVERHEAD_LEN == KEEP_MAX_PACKET_LEN, "packet");
_Static_assert(KEEP_MAX_EVENT_LEN + KEEP__FRAME_LEN == KEEP_MAX_PAYLOAD_LEN, "event");
_Static_assert(KEEP_MAX_PACKET_EVENTS == KEEP_MAX_PAYLOAD_LEN / KEEP__FRAME_LEN, "events");

keep_status keep__frame_measure(const keep_bytes *events, size_t count, size_t *out_len)
{
    size_t len = 0;

    if (count > KEEP_MAX_PACKET_EVENTS)
        return KEEP_ERR_PACKET_TOO_MANY_EVENTS;
    for (size_t i = 0; i < count; i++) {
        /* each length is compared before it is added, so nothing wraps */
        if (events[i].len > KEEP_MAX_EVENT_LEN)
            return KEEP_ERR_PACKET_TOO_LARGE;
        if (events[i].data == NULL && events[i].len != 0)
            return KEEP_ERR_INVALID_ARGUMENT;
        len += KEEP__FRAME_LEN + events[i].len;
        if (len > KEEP_MAX_PAYLOAD_LEN)
            return KEEP_ERR_PACKET_TOO_LARGE;
    }
    *out_len = len;
    return KEEP_OK;
}

static bool is_bare(const keep_packet_request *request)
{
    return request->stream_id == 0 && request->sequence == 0 && request->subprotocol_id == 0 && request->flags == 0;
}

static bool has_settings(const keep_packet_request *request)
{
    const keep_packet_settings *set = request->settings;

    return set != NULL && (set->origin_hash != 0 || set->subnet_id != 0 || set->channel_hash != 0 ||
                           set->priority != 0 || set->hop_ttl != 0);
}

keep_status keep__frame_check(const keep_packet_request *request)
{
    bool is_right = false;

    if (request->events == NULL && request->event_count != 0)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (request->kind == KEEP_PACKET_DATA)
        is_right = (request->flags & (FLAG_HANDSHAKE | FLAG_HEARTBEAT)) == 0;
    else if (request->kind == KEEP_PACKET_HEARTBEAT)
        is_right = is_bare(request) && request->event_count == 0;
    else if (request->kind == KEEP_PACKET_HANDSHAKE)
        is_right = is_bare(request) && request->event_count == 1 && !has_settings(request);
    return is_right ? KEEP_OK : KEEP_ERR_INVALID_ARGUMENT;
}

static void write_settings(struct header *header, const keep_packet_settings *settings)
{
    header->priority = settings->priority;
    header->hop_ttl = settings->hop_ttl;
    header->channel_hash = htole16(settings->channel_hash);
    header->origin_hash = htole64(settings->origin_hash);
    header->subnet_id = htole32(settings->subnet_id);
}

static void write_data(struct header *header, const keep_packet_request *request)
{
    header->flags = request->flags;
    header->subprotocol_id = htole16(request->subprotocol_id);
    header->stream_id = htole64(request->stream_id);
    header->sequence = htole64(request->sequence);
    header->event_count = htole16((uint16_t)request->event_count);
}

static void write_nonce(struct header *header, const keep__header_values *values)
{
    uint64_t id = values->session_id;

    header->session_id = htole64(id);
    header->nonce_prefix = htole32(keep__nonce_prefix(id));
    header->counter = htole64(values->counter);
}

void keep__frame_write_header(const keep_packet_request *request, const keep__header_values *values,
                              uint8_t out[KEEP_PACKET_HEADER_LEN])
{
    struct header *header = (struct header *)out;
    uint32_t kind = request->kind; /* once: what is written may lie anywhere */

    memset(header, 0, KEEP_PACKET_HEADER_LEN);
    header->magic = htole16(MAGIC);
    header->version = VERSION;
    header->payload_len = htole16((uint16_t)values->payload_len);
    if (kind == KEEP_PACKET_HANDSHAKE)
        header->flags = FLAG_HANDSHAKE;
    else
        write_nonce(header, values);
    if (kind == KEEP_PACKET_HEARTBEAT)
        header->flags = FLAG_HEARTBEAT;
    if (kind == KEEP_PACKET_DATA) {
        write_data(header, request);
        write_settings(header, values->settings);
    }
}

void keep__frame_write_events(const keep_bytes *events, size_t count, uint8_t *out)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t len = htole32((uint32_t)events[i].len);

        memcpy(out, &len, sizeof len);
        if (events[i].len != 0)
            memcpy(out + sizeof len, events[i].data, events[i].len);
        out += sizeof len + events[i].len;
    }
}

void keep__frame_aad(const uint8_t header[KEEP_PACKET_HEADER_LEN], uint8_t out[KEEP__PACKET_AAD_LEN])
{
    size_t before = offsetof(struct header, nonce_prefix);
    size_t after = offsetof(struct header, session_id);

    _Static_assert(offsetof(struct header, nonce_prefix) + KEEP_PACKET_HEADER_LEN -
                           offsetof(struct header, session_id) ==
                       KEEP__PACKET_AAD_LEN,
                   "aad");
    memcpy(out, header, before);
    memcpy(out + before, header + after, KEEP_PACKET_HEADER_LEN - after);
    out[offsetof(struct header, hop_count)] = 0;
}

static void read_info(const struct header *header, keep_packet_info *out)
{
    out->counter = le64toh(header->counter);
    out->session_id = le64toh(header->session_id);
    out->stream_id = le64toh(header->stream_id);
    out->sequence = le64toh(header->sequence);
    out->origin_hash = le64toh(header->origin_hash);
    out->subnet_id = le32toh(header->subnet_id);
    out->subprotocol_id = le16toh(header->subprotocol_id);
    out->channel_hash = le16toh(header->channel_hash);
    out->fragment_id = le16toh(header->fragment_id);
    out->fragment_offset = le16toh(header->fragment_offset);
    out->payload_len = le16toh(header->payload_len);
    out->event_count = le16toh(header->event_count);
    out->flags = header->flags;
    out->priority = header->priority;
    out->hop_ttl = header->hop_ttl;
    out->hop_count = header->hop_count;
    out->frag_flags = header->frag_flags;
}

static uint8_t kind_of(uint8_t flags)
{
    if ((flags & FLAG_HANDSHAKE) != 0)
        return KEEP_PACKET_HANDSHAKE;
    return (flags & FLAG_HEARTBEAT) != 0 ? KEEP_PACKET_HEARTBEAT : KEEP_PACKET_DATA;
}

/* The bytes that must follow the header. */
static keep_status check_len(const keep_packet_info *info, size_t body_len)
{
    size_t tag_len = info->kind == KEEP_PACKET_HANDSHAKE ? 0 : KEEP_PACKET_TAG_LEN;

    if (info->kind == KEEP_PACKET_HEARTBEAT && info->payload_len != 0)
        return KEEP_ERR_PACKET_LENGTH;
    return body_len == info->payload_len + tag_len ? KEEP_OK : KEEP_ERR_PACKET_LENGTH;
}

keep_status keep__frame_parse(const uint8_t *datagram, size_t len, keep_packet_info *out_info)
{
    struct header header = { 0 };
    keep_packet_info info = { 0 };
    keep_status st;

    if (len < KEEP_PACKET_HEADER_LEN)
        return KEEP_ERR_PACKET_SHORT;
    memcpy(&header, datagram, KEEP_PACKET_HEADER_LEN);
    if (le16toh(header.magic) != MAGIC)
        return KEEP_ERR_PACKET_MAGIC;
    if (header.version != VERSION)
        return KEEP_ERR_PACKET_VERSION;
    read_info(&header, &info);
    if (info.payload_len > KEEP_MAX_PAYLOAD_LEN)
        return KEEP_ERR_PACKET_TOO_LARGE;
    if (info.event_count > KEEP_MAX_PACKET_EVENTS)
        return KEEP_ERR_PACKET_TOO_MANY_EVENTS;
    info.kind = kind_of(info.flags);
    st = check_len(&info, len - KEEP_PACKET_HEADER_LEN);
    if (st == KEEP_OK)
        *out_info = info;
    return st;
}

keep_status keep__frame_read_events(keep_bytes plaintext, uint32_t base, size_t count, keep_span *out_events)
{
    const uint8_t *bytes = plaintext.data;
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t len;

        if (plaintext.len - at < KEEP__FRAME_LEN)
            return KEEP_ERR_PACKET_EVENTS;
        memcpy(&len, bytes + at, sizeof len);
        KEEP_CT_RELEASE("lengths are told", &len, sizeof len);
        len = le32toh(len);
        at += KEEP__FRAME_LEN;
        if (!keep__range_fits(at, len, plaintext.len))
            return KEEP_ERR_PACKET_EVENTS;
        out_events[i] = (keep_span){ base + (uint32_t)at, len };
        at += len;
    }
    return at == plaintext.len ? KEEP_OK : KEEP_ERR_PACKET_TRAILING;
}
