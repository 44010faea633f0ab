/* SPDX-License-Identifier: MIT */
/*
 * Requests: what is to be sealed. lib/packet.js hands a request over as its fields in the order of SHIM_REQUEST_FIELDS, in
 * the arguments of a call or, many of them, in one array.
 */
#ifndef SHIM_REQUEST_H
#define SHIM_REQUEST_H

#include "list.h"

/* events, streamId, sequence, flags, subprotocolId, kind, settings */
enum {
    SHIM_REQUEST_FIELDS = 7
};

/* One request and what it points to; borrowed until shim_end_request. It must not move. */
typedef struct shim_request {
    keep_packet_request packet;
    keep_packet_settings settings;
    shim_list events;
} shim_request;

/* A batch of 1 to KEEP_MAX_BATCH requests, the same way. */
typedef struct shim_requests {
    size_t count;
    keep_packet_request packets[KEEP_MAX_BATCH];
    keep_packet_settings settings[KEEP_MAX_BATCH];
    shim_list events;
} shim_requests;

bool shim_take_request(const shim_call *call, const napi_value *fields, shim_request *out);
keep_status shim_end_request(shim_request *request, keep_status status);

bool shim_take_requests(const shim_call *call, napi_value array, shim_requests *out);
keep_status shim_end_requests(shim_requests *requests, keep_status status);

/* originHash, subnetId, channelHash, priority, hopTtl in an array that lib/ has just made; what is none is NULL. */
bool shim_take_settings(const shim_call *call, napi_value value, keep_packet_settings *settings,
                        const keep_packet_settings **out);

/* Whether the output has a byte in common with an item that is read: then C would read what it has written. */
bool shim_overlaps(const uint8_t *out, size_t len, const keep_bytes *items, size_t count);

/* Stands where C has written no status of an item. */
#define SHIM_UNTOUCHED ((keep_status)(UINT8_MAX + 1))

/* Whether a batch failed as a whole: C has touched no item, or a purge has emptied them all. */
bool shim_batch_failed(keep_status status, keep_status first_item);

#endif
