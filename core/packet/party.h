/* SPDX-License-Identifier: MIT */
/*
 * One side of a handshake, and what messages do to it. A message is tried on a copy of the state, which takes the state's
 * place only when the caller accepts it.
 */
#ifndef KEEP_PACKET_PARTY_H
#define KEEP_PACKET_PARTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/bytes.h"
#include "keep/status.h"
#include "packet/noise.h"

/* What messages change. */
typedef struct keep__party_state {
    keep__noise noise;
    uint8_t ephemeral[KEEP__NOISE_LEN];
    uint8_t remote_ephemeral[KEEP__NOISE_LEN];
    uint8_t remote_static[KEEP__NOISE_LEN];
    uint32_t next; /* message */
    bool has_ephemeral;
} keep__party_state;

/* All of it lies in one locked slot. */
typedef struct keep__party_secrets {
    uint8_t static_key[KEEP__NOISE_LEN];
    uint8_t pre_shared_key[KEEP__NOISE_LEN];
    uint8_t static_product[KEEP__NOISE_LEN]; /* ss, of the initiator of IK: begin makes it to judge the other's key */
    keep__party_state state;
    keep__party_state trial;
} keep__party_secrets;

typedef struct keep__party {
    uint32_t pattern; /* KEEP_NOISE_... */
    uint32_t role;    /* KEEP_INITIATOR or KEEP_RESPONDER */
    uint8_t static_public[KEEP__NOISE_LEN];
    keep__party_secrets *secrets;
} keep__party;

/*
 * Begins with keys that are there; `remote_static` is the responder's for the initiator of IK, else NULL.
 * INVALID_ARGUMENT: it is of small order.
 */
keep_status keep__party_begin(keep__party *party, keep_bytes prologue, const uint8_t *remote_static);

/* How many messages the pattern has. */
uint32_t keep__party_messages(const keep__party *party);

/* Whether this side writes the next message; how long it is without its payload. Only while there is a next one. */
bool keep__party_writes(const keep__party *party);
size_t keep__party_overhead(const keep__party *party);

/* Writes the next message. The ephemeral key is there. STATE: a product is all zero, which begin and read exclude. */
keep_status keep__party_write(keep__party *party, keep_bytes payload, uint8_t *out);

/* Reads the next message, whose payload is `len` bytes long. AUTH: `out` may hold anything. */
keep_status keep__party_read(keep__party *party, const uint8_t *message, size_t len, uint8_t *out);

/* What was tried becomes what is, or is forgotten. */
void keep__party_settle(keep__party *party, bool is_accepted);

#endif
