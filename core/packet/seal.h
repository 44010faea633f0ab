/* SPDX-License-Identifier: MIT */
/*
 * Sealing for those who bring their own buffer: the packet pool.
 */
#ifndef KEEP_PACKET_SEAL_H
#define KEEP_PACKET_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "keep/packet.h"
#include "keep/status.h"

/* Whether the request is of the right form, and for a session or (NULL) for none: INVALID_ARGUMENT. */
keep_status keep__seal_check(const keep_session *session, const keep_packet_request *request);

/* As keep_packet_seal_into; settings hold where the request has none. */
keep_status keep__seal(keep_session *session, const keep_packet_request *request, const keep_packet_settings *settings,
                       uint8_t *out, size_t cap, size_t *out_len);

#endif
