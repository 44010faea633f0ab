/* SPDX-License-Identifier: MIT */
/*
 * Calls that do not compile in core/. The last include of every .c file outside tool/. A seam takes back the calls it
 * is the seam of with #undef, and says so.
 */
#ifndef KEEP_BASE_BANNED_H
#define KEEP_BASE_BANNED_H

#define KEEP__BANNED(name) keep__##name##_is_banned_see_base_banned_h

/* glibc has these as macros, the last two for clang alone. */
#undef alloca
#undef sprintf
#undef printf

#define strcpy(...) KEEP__BANNED(strcpy)
#define strcat(...) KEEP__BANNED(strcat)
#define strncpy(...) KEEP__BANNED(strncpy)
#define sprintf(...) KEEP__BANNED(sprintf)
#define vsprintf(...) KEEP__BANNED(vsprintf)
#define gets(...) KEEP__BANNED(gets)
#define strtok(...) KEEP__BANNED(strtok)
#define memcmp(...) KEEP__BANNED(memcmp)
#define alloca(...) KEEP__BANNED(alloca)
#define rand(...) KEEP__BANNED(rand)
#define system(...) KEEP__BANNED(system)
#define popen(...) KEEP__BANNED(popen)
#define atoi(...) KEEP__BANNED(atoi)
#define getenv(...) KEEP__BANNED(getenv)
#define printf(...) KEEP__BANNED(printf)

/* heap.c, clock.c, die.c */
#define malloc(...) KEEP__BANNED(malloc)
#define calloc(...) KEEP__BANNED(calloc)
#define realloc(...) KEEP__BANNED(realloc)
#define free(...) KEEP__BANNED(free)
#define clock_gettime(...) KEEP__BANNED(clock_gettime)
#define abort(...) KEEP__BANNED(abort)

#endif
