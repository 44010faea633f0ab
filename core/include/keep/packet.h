/* SPDX-License-Identifier: MIT */
/*
 * Packets: events sealed into datagrams of at most 8192 bytes, and opened again. A datagram is a header of 68 bytes, of
 * which all that matters is authenticated, the encrypted frames `le32(len) ‖ bytes` of its events, and a tag of 16
 * bytes. Ways in, fastest first: the batches; seal_into and open_into; the pool of packet_pool.h.
 *
 * Lifetime: these functions make no handles. Output goes to the caller's buffers; events may lie in windows of secrets,
 * and plaintext may be opened into one, as no other copy is made.
 * Threads: locked
 * Limits: KEEP_MAX_EVENT_LEN bytes in an event, KEEP_MAX_PACKET_EVENTS events, KEEP_MAX_PAYLOAD_LEN bytes with the four of
 * each frame; KEEP_MAX_BATCH packets in a batch.
 *
 * No call allocates, and none but the first of a thread makes a system call. Every function may return
 * KEEP_ERR_INVALID_ARGUMENT (correct the call); with a session KEEP_ERR_FORKED (the parent's: make your own) and
 * KEEP_ERR_PURGED (its keys are gone, outputs are zero: make a new session). Sealing, here and in packet_pool.h, may return
 *
 * KEEP_ERR_STATE                   the session has no tx key
 * KEEP_ERR_PACKET_TOO_MANY_EVENTS  split them
 * KEEP_ERR_PACKET_TOO_LARGE        split them
 * KEEP_ERR_REKEY                   the counter is spent: make a new session
 *
 * and a refused build uses no counter and changes no output. Opening checks in this order, and the first that applies is
 * the result:
 *
 * KEEP_ERR_PACKET_SHORT            fewer than 68 bytes: drop
 * KEEP_ERR_PACKET_MAGIC            not a packet: drop, or try another protocol
 * KEEP_ERR_PACKET_VERSION          drop
 * KEEP_ERR_PACKET_TOO_LARGE        drop
 * KEEP_ERR_PACKET_TOO_MANY_EVENTS  drop
 * KEEP_ERR_PACKET_LENGTH           header and datagram disagree: drop
 * KEEP_ERR_PACKET_HANDSHAKE        give it to the handshake; nobody has authenticated it
 * KEEP_ERR_PACKET_SESSION          another session's: drop, or look the id up
 * KEEP_ERR_REKEY                   too many forged packets came: make a new session
 * KEEP_ERR_BUFFER_TOO_SMALL        the need is told, nothing changed: call again with room
 * KEEP_ERR_AUTH                    forged or damaged: drop
 * KEEP_ERR_REPLAY                  opened before, or older than the window: drop
 * KEEP_ERR_PACKET_EVENTS           authentic, but the frames are wrong: drop, suspect the peer
 * KEEP_ERR_PACKET_TRAILING         the same
 */
#ifndef KEEP_PACKET_H
#define KEEP_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include <keep/attributes.h>
#include <keep/bytes.h>
#include <keep/pool.h>
#include <keep/session.h>
#include <keep/status.h>

KEEP_BEGIN_DECLS

#define KEEP_PACKET_HEADER_LEN 68
#define KEEP_PACKET_TAG_LEN 16
#define KEEP_PACKET_OVERHEAD_LEN 84
#define KEEP_MAX_PACKET_LEN 8192
#define KEEP_MAX_PAYLOAD_LEN 8108
#define KEEP_MAX_EVENT_LEN 8104
#define KEEP_MAX_PACKET_EVENTS 2027

/* Kinds of packets. */
enum {
    KEEP_PACKET_DATA = 0,
    KEEP_PACKET_HEARTBEAT = 1, /* no events, flags, stream, sequence or subprotocol */
    KEEP_PACKET_HANDSHAKE = 2  /* one event in the clear: a message of handshake.h; nothing else, no settings */
};

/* Flags of a data packet. Bits 6 and 7 are carried too; 4 and 5 are the library's. */
enum {
    KEEP_PACKET_RELIABLE = 1,
    KEEP_PACKET_NACK = 2,
    KEEP_PACKET_PRIORITY = 4,
    KEEP_PACKET_FIN = 8
};

/* A piece of an output buffer. */
typedef struct keep_span {
    uint32_t offset, len;
} keep_span;

/* Header fields that a sender seldom changes. */
typedef struct keep_packet_settings {
    uint64_t origin_hash;
    uint32_t subnet_id;
    uint16_t channel_hash;
    uint8_t priority, hop_ttl;
} keep_packet_settings;

/* One packet to seal; batches are arrays of it. */
typedef struct keep_packet_request {
    const keep_bytes *events; /* NULL only if event_count is 0 */
    size_t event_count;
    uint64_t stream_id, sequence;
    const keep_packet_settings *settings; /* NULL: zeros; for keep_packet_build the packet's own */
    uint16_t subprotocol_id;              /* 0: plain events */
    uint8_t kind;                         /* KEEP_PACKET_DATA ... */
    uint8_t flags;                        /* KEEP_PACKET_RELIABLE ... */
} keep_packet_request;

/* A header as it was read. */
typedef struct keep_packet_info {
    uint64_t counter, session_id, stream_id, sequence, origin_hash;
    uint32_t subnet_id;
    uint16_t subprotocol_id, channel_hash, fragment_id, fragment_offset, payload_len, event_count;
    uint8_t kind, flags, priority, hop_ttl, hop_count, frag_flags;
} keep_packet_info;

/* Where a batch is sealed to. KEEP_PACKET_SEAL_OUT_INIT, then the first four fields. */
typedef struct keep_packet_seal_out {
    size_t size;
    uint8_t *data;          /* datagrams, back to back: i is [offsets[i], offsets[i + 1]) */
    size_t cap;
    size_t *offsets;        /* count + 1 entries */
    keep_status *statuses;  /* count entries */
    size_t data_len;        /* out: bytes written; the need if `cap` is too small */
    size_t sealed_count;    /* out */
} keep_packet_seal_out;

#define KEEP_PACKET_SEAL_OUT_INIT KEEP_SIZED(keep_packet_seal_out)

/* What became of one datagram. Not authentic: all zero but `status`. */
typedef struct keep_packet_opened {
    keep_status status;
    keep_packet_info info;
    keep_span payload;     /* the frames in `data` */
    uint32_t first_event;  /* its events are events[first_event] and the event_count - 1 after it */
    uint32_t event_count;
} keep_packet_opened;

/* Where datagrams are opened to. KEEP_PACKET_OPEN_OUT_INIT, then the first five fields. */
typedef struct keep_packet_open_out {
    size_t size;
    uint8_t *data;               /* plaintexts, back to back */
    size_t cap;
    keep_span *events;           /* offsets count from data */
    size_t event_cap;
    keep_packet_opened *packets; /* count entries; 1 for keep_packet_open_into */
    size_t data_len;             /* out: the room that was needed, also if it is not there */
    size_t event_count;          /* out: the same, of events */
    size_t opened_count;         /* out */
} keep_packet_open_out;

#define KEEP_PACKET_OPEN_OUT_INIT KEEP_SIZED(keep_packet_open_out)

/*
 * Seals one packet.
 *
 * session   NULL only for a handshake frame
 * out       room for `cap` bytes, apart from the events
 * out_len   the datagram's length, also when `cap` is too small
 *
 * KEEP_OK                    the datagram is `*out_len` bytes of `out`
 * KEEP_ERR_BUFFER_TOO_SMALL  call again with `*out_len` bytes; no counter was used
 * sealing                    at the top of this header
 *
 * Binding: payload request 32768
 */
KEEP_API KEEP_MUST_USE keep_status
keep_packet_seal_into(keep_session *session, const keep_packet_request *request, uint8_t *out, size_t cap,
                      size_t *out_len);

/*
 * Seals a batch, as one after the other would: refused requests have their status and length 0, the others take
 * consecutive counters in one step.
 *
 * count   1 to KEEP_MAX_BATCH requests; handshake frames are refused
 *
 * KEEP_OK                    every packet is sealed
 * KEEP_ERR_BUFFER_TOO_SMALL  `data_len` tells the need, nothing else was written, no counter was used
 * sealing                    the first status that is not KEEP_OK; the others are sealed. REKEY: too few counters are left
 *                            for the batch, and none is sealed
 *
 * Binding: payload requests 32768
 */
KEEP_API KEEP_MUST_USE keep_status
keep_packet_seal_batch(keep_session *session, const keep_packet_request *requests, size_t count,
                       keep_packet_seal_out *out);

/*
 * Opens one datagram.
 *
 * out   with room in `data`, which is apart from the datagram or its 69th byte (in place), in `events`, and for one packet
 *
 * KEEP_OK          its events are out->events[0 ... event_count - 1]
 * KEEP_ERR_STATE   the session has no rx key
 * opening          at the top of this header
 *
 * Binding: payload datagram 32768
 */
KEEP_API KEEP_MUST_USE keep_status
keep_packet_open_into(keep_session *session, const void *datagram, size_t len, keep_packet_open_out *out);

/*
 * Opens a batch, as one after the other would; each has its part of the room whether it uses it or not.
 *
 * count   1 to KEEP_MAX_BATCH datagrams
 *
 * KEEP_OK                    every packet is open
 * KEEP_ERR_BUFFER_TOO_SMALL  `data_len` and `event_count` tell the need, nothing changed
 * KEEP_ERR_STATE             the session has no rx key
 * opening                    the first status that is not KEEP_OK; the others are open
 *
 * Binding: payload datagrams 32768
 */
KEEP_API KEEP_MUST_USE keep_status
keep_packet_open_batch(keep_session *session, const keep_bytes *datagrams, size_t count, keep_packet_open_out *out);

/*
 * Reads a header, without a session: nobody has authenticated it.
 *
 * KEEP_OK   `*out_info` is filled, also of a handshake frame
 * opening   those up to PACKET_LENGTH
 */
KEEP_API KEEP_MUST_USE keep_status
keep_packet_parse(const void *datagram, size_t len, keep_packet_info *out_info);

/*
 * The length of the data packet that events make.
 *
 * KEEP_OK                          they fit
 * KEEP_ERR_PACKET_TOO_MANY_EVENTS  split them
 * KEEP_ERR_PACKET_TOO_LARGE        split them
 */
KEEP_API KEEP_MUST_USE keep_status
keep_packet_measure(const keep_bytes *KEEP_NULLABLE events, size_t count, size_t *out_len);

/* How many events of one length fit into a packet; 0 if one is too long. */
static inline size_t keep_packet_max_events(size_t event_len)
{
    return event_len > KEEP_MAX_EVENT_LEN ? 0 : KEEP_MAX_PAYLOAD_LEN / (event_len + 4);
}

KEEP_END_DECLS

#endif
