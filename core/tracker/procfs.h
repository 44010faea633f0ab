/* SPDX-License-Identifier: MIT */
/*
 * What /proc says of a process, parsed. Pure.
 */
#ifndef KEEP_TRACKER_PROCFS_H
#define KEEP_TRACKER_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The start time, in clock ticks, and the name in a text of /proc/PID/stat. False: it is none. */
bool keep__procfs_stat(const char *text, uint64_t *out_start, char *out_comm, size_t comm_cap);

/* The number in a text like "pid:[4026531836]". 0: it is none. */
uint64_t keep__procfs_inode(const char *text);

#endif
