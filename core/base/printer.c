/* SPDX-License-Identifier: MIT */
/*
 * Printer. What lies beyond the room is counted and dropped, so one pass tells how much room the text needs.
 */
#include "base/printer.h"

#include <string.h>

#include "base/checked.h"
#include "base/banned.h"

void keep__print_bytes(keep__printer *printer, const char *bytes, size_t len)
{
    if (printer->len < printer->cap)
        memcpy(printer->out + printer->len, bytes, keep__size_min(len, printer->cap - printer->len));
    printer->len += len;
}

void keep__print(keep__printer *printer, const char *text)
{
    keep__print_bytes(printer, text, strlen(text));
}

/* The last digits of a number, at least `width` of them. */
static void print_digits(keep__printer *printer, uint64_t number, size_t width)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0 || sizeof digits - at < width);
    keep__print_bytes(printer, digits + at, sizeof digits - at);
}

void keep__print_u64(keep__printer *printer, uint64_t number)
{
    print_digits(printer, number, 1);
}

void keep__print_scaled(keep__printer *printer, uint64_t number, uint64_t scale)
{
    uint64_t rest = number % scale;
    size_t width = 0;

    print_digits(printer, number / scale, 1);
    if (rest == 0)
        return;
    for (uint64_t left = scale; left > 1; left /= 10)
        width++;
    for (; rest % 10 == 0; rest /= 10)
        width--;
    keep__print(printer, ".");
    print_digits(printer, rest, width);
}

bool keep__print_end(keep__printer *printer)
{
    if (printer->len >= printer->cap)
        return false;
    printer->out[printer->len] = '\0';
    return true;
}
