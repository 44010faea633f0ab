/* SPDX-License-Identifier: MIT */
/*
 * libkeep: one library for programs that hold secrets. This header brings the whole interface.
 *
 * Five rules hold everywhere:
 *
 * 1  Who gets a handle frees it with `keep_<noun>_free(&handle)`, which accepts NULL, wipes, and nulls the handle.
 * 2  Inputs are borrowed for the call; the library keeps no pointer to the caller's memory.
 * 3  A handle given to a constructor is retained by what it makes: any order of freeing is safe.
 * 4  The library returns nothing to free(): output goes to the caller's buffers, or to handles.
 * 5  On failure outputs are untouched; buffers that held plaintext are zeroed.
 *
 * Options, reports and other structs that begin with `size_t size` are set up with their ..._INIT; a NULL options
 * pointer means the defaults. Fields are only ever appended.
 *
 * Each header says of its types: immutable, one at a time, or locked (any function from any thread). After fork every
 * inherited handle is KEEP_ERR_FORKED in the child.
 */
#ifndef KEEP_KEEP_H
#define KEEP_KEEP_H

#include <keep/aead.h>
#include <keep/attributes.h>
#include <keep/beacon.h>
#include <keep/bytes.h>
#include <keep/error.h>
#include <keep/handshake.h>
#include <keep/packet.h>
#include <keep/packet_pool.h>
#include <keep/observer.h>
#include <keep/pool.h>
#include <keep/protect.h>
#include <keep/sealed.h>
#include <keep/secret.h>
#include <keep/session.h>
#include <keep/status.h>
#include <keep/tracker.h>
#include <keep/version.h>

#endif
