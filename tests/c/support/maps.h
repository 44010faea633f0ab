/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says of this process: its mappings, locked bytes and descriptors.
 */
#ifndef SUPPORT_MAPS_H
#define SUPPORT_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping {
    uintptr_t start, end;
    char access[5];  /* "rw-p" */
    char name[128];
    char flags[192]; /* of smaps: "rd wr mr" */
    size_t locked_len;
};

/* The mapping that holds an address. False: none does. */
bool mapping_at(const void *address, struct mapping *out);

/* Whether a mapping has a flag of smaps: "lo". */
bool mapping_has(const struct mapping *mapping, const char *flag);

/* Calls `visit` for each mapping. */
void each_mapping(void (*visit)(const struct mapping *mapping, void *ctx), void *ctx);

size_t count_mappings(void);
size_t count_descriptors(void);

/* Bytes of VmLck. */
size_t locked_len(void);

#endif
