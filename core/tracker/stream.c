/* SPDX-License-Identifier: MIT */
/*
 * Stream. Nonces count up to 2^64 - 2, then from 0; a drop commits nothing.
 */
#include "tracker/stream.h"

#include <errno.h>

#include "base/checked.h"
#include "tracker/frame.h"
#include "base/banned.h"

void keep__stream_begin(keep__stream *stream, uint64_t nonce)
{
    *stream = (keep__stream){ .nonce = nonce };
}

void keep__stream_next(keep__stream *stream, uint64_t now_ns)
{
    stream->next_nonce = stream->nonce >= KEEP__NONCE_LAST ? 0 : stream->nonce + 1;
    stream->next_timestamp_ns = keep__u64_min(keep__u64_max(now_ns, stream->timestamp_ns), UINT64_MAX - 1);
}

static uint32_t outcome_of(uint32_t error)
{
    switch (error) {
    case 0:
        return KEEP_OUTCOME_SENT;
    case EAGAIN:
    case ENOBUFS:
        return KEEP_OUTCOME_DROPPED_QUEUE_FULL;
    case ECONNREFUSED:
    case ENOENT:
        return KEEP_OUTCOME_DROPPED_NO_OBSERVER;
    case ECONNRESET:
    case ENOTCONN:
    case EPIPE:
        return KEEP_OUTCOME_DROPPED_PEER_GONE;
    case ENOSPC:
        return KEEP_OUTCOME_DROPPED_STORAGE_FULL;
    default:
        return KEEP_OUTCOME_FAILED;
    }
}

void keep__stream_settle(keep__stream *stream, uint32_t error, keep_outcome *out_outcome)
{
    uint32_t kind = outcome_of(error);

    if (kind == KEEP_OUTCOME_SENT) {
        stream->nonce = stream->next_nonce;
        stream->timestamp_ns = stream->next_timestamp_ns;
    }
    if (kind == KEEP_OUTCOME_SENT || kind == KEEP_OUTCOME_FAILED)
        stream->dropped = 0;
    else if (stream->dropped < UINT32_MAX)
        stream->dropped++;
    *out_outcome = (keep_outcome){
        .kind = kind,
        .action = KEEP_ACTION_NONE,
        .error = error,
        .dropped = stream->dropped,
        .nonce = stream->nonce,
    };
}

bool keep__stream_wants_reconnect(const keep__stream *stream, const keep_outcome *outcome, uint32_t reconnect_after)
{
    bool is_dropped = outcome->kind != KEEP_OUTCOME_SENT && outcome->kind != KEEP_OUTCOME_FAILED;

    return is_dropped && reconnect_after > 0 && stream->dropped >= reconnect_after;
}
