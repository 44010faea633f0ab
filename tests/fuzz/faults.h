/* SPDX-License-Identifier: MIT */
/*
 * Random faults: calls of the system that fail as an input's bytes say, so that what is found can be run again.
 */
#ifndef FUZZ_FAULTS_H
#define FUZZ_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <keep/status.h>

/*
 * Runs the body with none, few or many of its calls failing, and then with none: whatever failed, the library works. The
 * numbers begin with a hash of the bytes.
 */
void fuzz_with_faults(void (*body)(const uint8_t *bytes, size_t len), const uint8_t *bytes, size_t len);

/* Whether a call of the library succeeded. It must, unless a call of the system failed. */
bool fuzz_works(keep_status st);

/* Whether a call of the system failed in this run. */
bool has_fault(void);

#endif
