/* SPDX-License-Identifier: MIT */
/*
 * A ledger against an oracle of it, which keeps a plain list and searches all of it for everything; bytes are the
 * operations.
 */
#ifndef MODEL_LEDGER_H
#define MODEL_LEDGER_H

#include <stddef.h>
#include <stdint.h>

/* Runs the operations; NULL, or what the ledger did otherwise than the oracle. */
const char *model_ledger(const uint8_t *bytes, size_t len);

/* How many operations the bytes are. */
size_t model_ledger_operations(size_t len);

#endif
