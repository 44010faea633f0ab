/* SPDX-License-Identifier: MIT */
/*
 * Requests, from their fields.
 */
#include "request.h"

enum {
    SETTINGS_FIELDS = 5
};

static bool take_elements(const shim_call *call, napi_value array, uint32_t first, uint32_t count, napi_value *out)
{
    uint32_t i;

    for (i = 0; i < count; i++)
        if (!shim_ok(call, napi_get_element(call->env, array, first + i, &out[i])))
            return false;
    return true;
}

bool shim_take_settings(const shim_call *call, napi_value value, keep_packet_settings *settings,
                        const keep_packet_settings **out)
{
    napi_value fields[SETTINGS_FIELDS];

    *out = NULL;
    if (!shim_is_array(call, value))
        return true;
    *out = settings;
    return take_elements(call, value, 0, SETTINGS_FIELDS, fields) &&
           shim_take_uint64(call, fields[0], "originHash", &settings->origin_hash) &&
           shim_take_uint32(call, fields[1], "subnetId", &settings->subnet_id) &&
           shim_take_uint16(call, fields[2], "channelHash", &settings->channel_hash) &&
           shim_take_uint8(call, fields[3], "priority", &settings->priority) &&
           shim_take_uint8(call, fields[4], "hopTtl", &settings->hop_ttl);
}

/* All but the events' place, which may still move. */
static bool take_fields(const shim_call *call, const napi_value *fields, keep_packet_request *packet,
                        keep_packet_settings *settings, shim_list *events)
{
    return shim_take_uint64(call, fields[1], "streamId", &packet->stream_id) &&
           shim_take_uint64(call, fields[2], "sequence", &packet->sequence) &&
           shim_take_uint8(call, fields[3], "flags", &packet->flags) &&
           shim_take_uint16(call, fields[4], "subprotocolId", &packet->subprotocol_id) &&
           shim_take_uint8(call, fields[5], "kind", &packet->kind) &&
           shim_take_settings(call, fields[6], settings, &packet->settings) &&
           shim_append_list(call, fields[0], "events", KEEP_MAX_PACKET_EVENTS, events, &packet->event_count);
}

bool shim_take_request(const shim_call *call, const napi_value *fields, shim_request *out)
{
    shim_begin_list(&out->events);
    if (!take_fields(call, fields, &out->packet, &out->settings, &out->events)) {
        (void)shim_end_request(out, KEEP_OK);
        return false;
    }
    out->packet.events = out->events.items;
    return true;
}

keep_status shim_end_request(shim_request *request, keep_status status)
{
    return shim_end_list(&request->events, status);
}

/* Points each request to its events; one with too many has none in the list. */
static void place_events(shim_requests *requests)
{
    const keep_bytes *events = requests->events.items;
    size_t i;

    for (i = 0; i < requests->count; i++) {
        keep_packet_request *packet = &requests->packets[i];

        packet->events = events;
        if (packet->event_count <= KEEP_MAX_PACKET_EVENTS)
            events += packet->event_count;
    }
}

static bool take_all(const shim_call *call, napi_value array, shim_requests *out)
{
    napi_value fields[SHIM_REQUEST_FIELDS];
    size_t i;

    for (i = 0; i < out->count; i++)
        if (!take_elements(call, array, (uint32_t)i * SHIM_REQUEST_FIELDS, SHIM_REQUEST_FIELDS, fields) ||
            !take_fields(call, fields, &out->packets[i], &out->settings[i], &out->events))
            return false;
    place_events(out);
    return true;
}

bool shim_take_requests(const shim_call *call, napi_value array, shim_requests *out)
{
    uint32_t len;

    if (napi_get_array_length(call->env, array, &len) != napi_ok)
        return shim_refuse_type(call, "requests", "an array");
    out->count = len / SHIM_REQUEST_FIELDS;
    if (out->count > KEEP_MAX_BATCH) {
        (void)shim_settle(call, KEEP_ERR_INVALID_ARGUMENT);
        return false;
    }
    shim_begin_list(&out->events);
    if (take_all(call, array, out))
        return true;
    (void)shim_end_requests(out, KEEP_OK);
    return false;
}

keep_status shim_end_requests(shim_requests *requests, keep_status status)
{
    return shim_end_list(&requests->events, status);
}

bool shim_overlaps(const uint8_t *out, size_t len, const keep_bytes *items, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (shim_overlap(out, len, items[i].data, items[i].len))
            return true;
    return false;
}

bool shim_batch_failed(keep_status status, keep_status first_item)
{
    return status != KEEP_OK && (first_item == SHIM_UNTOUCHED || status == KEEP_ERR_PURGED);
}
