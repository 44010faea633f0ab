/* SPDX-License-Identifier: MIT */
/*
 * The version of libkeep: of the headers at compile time, of the loaded library at run time. A program or binding
 * compares the two when it loads: major, before 1.0 also minor, must be equal.
 *
 * Threads: immutable
 */
#ifndef KEEP_VERSION_H
#define KEEP_VERSION_H

#include <stdint.h>

#include <keep/attributes.h>

KEEP_BEGIN_DECLS

#define KEEP_VERSION_MAJOR 0
#define KEEP_VERSION_MINOR 1
#define KEEP_VERSION_PATCH 0
#define KEEP_VERSION_NUMBER (KEEP_VERSION_MAJOR * 1000000 + KEEP_VERSION_MINOR * 1000 + KEEP_VERSION_PATCH)

/*
 * The version of the loaded library as one number: major * 1 000 000 + minor * 1 000 + patch. Cannot fail.
 */
KEEP_API uint32_t keep_version_number(void);

KEEP_END_DECLS

#endif
