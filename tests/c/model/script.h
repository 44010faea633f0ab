/* SPDX-License-Identifier: MIT */
/*
 * Secrets and sealed secrets against a model of their rules: bytes are a script of calls on a few handles; the model
 * says what each must give, in the order of checks that the rules name.
 */
#ifndef MODEL_SCRIPT_H
#define MODEL_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

/* Runs the script in a pool of its own; NULL, or the call that did otherwise than the model. */
const char *model_script(const uint8_t *bytes, size_t len);

#endif
