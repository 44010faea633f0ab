/* SPDX-License-Identifier: MIT */
/*
 * A slab against a model of it: bytes are operations on a group of places; the model says what each must give.
 */
#ifndef MODEL_SLAB_H
#define MODEL_SLAB_H

#include <stddef.h>
#include <stdint.h>

/* Runs the operations; NULL, or what the slab did otherwise than the model. */
const char *model_slab(const uint8_t *bytes, size_t len);

#endif
