/* SPDX-License-Identifier: MIT */
/*
 * Libraries that are used when they are installed: loaded at first need, never unloaded.
 */
#ifndef KEEP_BASE_LOADER_H
#define KEEP_BASE_LOADER_H

/* NULL: it is not there, or does not load. */
void *keep__loader_open(const char *name);

/* One function of a library; NULL: it has none of that name. */
typedef void (*keep__function)(void);
keep__function keep__loader_find(void *library, const char *symbol);

#endif
