/* SPDX-License-Identifier: MIT */
/*
 * A printer writes text and numbers into a caller's buffer, and counts what it would have written without room. Pure.
 */
#ifndef KEEP_BASE_PRINTER_H
#define KEEP_BASE_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct keep__printer {
    char *out;
    size_t cap;
    size_t len; /* of the whole text, also beyond `cap` */
} keep__printer;

static inline keep__printer keep__printer_of(char *out, size_t cap)
{
    return (keep__printer){ .out = out, .cap = cap };
}

void keep__print_bytes(keep__printer *printer, const char *bytes, size_t len);
void keep__print(keep__printer *printer, const char *text);
void keep__print_u64(keep__printer *printer, uint64_t number);

/* A number of units of which `scale`, a power of ten, are one: 1500 of 1000 is 1.5. */
void keep__print_scaled(keep__printer *printer, uint64_t number, uint64_t scale);

/* Ends the text with a NUL, which is not counted. False: there was no room for all of it. */
bool keep__print_end(keep__printer *printer);

#endif
