/* SPDX-License-Identifier: MIT */
/*
 * Senders of sealed frames, and the marks that refuse a frame that was heard before. Pure.
 */
#ifndef KEEP_TRACKER_SENDERS_H
#define KEEP_TRACKER_SENDERS_H

#include <stdbool.h>
#include <stdint.h>

#include "keep/observer.h"

typedef struct keep__sender {
    uint64_t nonce, terminal_ns; /* the highest accepted ones */
    uint64_t last_ns;            /* clock of the last accepted frame */
    uint32_t pid;
    bool has_nonce, has_terminal;
} keep__sender;

typedef struct keep__senders {
    uint32_t count;
    uint64_t evicted;
    keep__sender sender[KEEP_MAX_SEALED_SENDERS]; /* by pid */
} keep__senders;

/* What a sealed frame says of its place in its sender's stream. */
typedef struct keep__heard {
    uint64_t nonce, timestamp_ns;
    uint32_t pid;
    bool is_terminal, is_notice;
} keep__heard;

/* Marks a frame as heard. False: it was heard before, or a later one was. `session_gap_ns` 0: never begins again. */
bool keep__senders_accept(keep__senders *senders, const keep__heard *heard, uint64_t now_ns, uint64_t session_gap_ns);

#endif
