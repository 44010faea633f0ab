/* SPDX-License-Identifier: MIT */
/*
 * Text: lines KEY=VALUE, ended by line feeds or carriage returns.
 */
#include "tracker/text.h"

#include <string.h>

#include "base/banned.h"

#define MAX_USEC (UINT64_MAX / 1000)

static bool is_text_byte(uint8_t byte)
{
    return byte >= 0x20 || byte == '\t' || byte == '\n' || byte == '\r';
}

bool keep__is_text(const uint8_t *bytes, size_t len)
{
    bool has_equals = false;

    if (len == 0 || len > KEEP__TEXT_CAP)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool is_final_nul = bytes[i] == 0 && i == len - 1;

        if (!is_text_byte(bytes[i]) && !is_final_nul)
            return false;
        has_equals = has_equals || bytes[i] == '=';
    }
    return has_equals;
}

/* What follows `key` on a line of `*len` bytes, whose length becomes that of the value; NULL: another key. */
static const uint8_t *value_of_key(const uint8_t *line, size_t *len, const char *key)
{
    size_t key_len = strlen(key);

    if (*len < key_len || strncmp((const char *)line, key, key_len) != 0)
        return NULL;
    *len -= key_len;
    return line + key_len;
}

static bool is_line(const uint8_t *line, size_t len, const char *wanted)
{
    return value_of_key(line, &len, wanted) != NULL && len == 0;
}

static void parse_usec(const uint8_t *line, size_t len, uint64_t *out)
{
    const uint8_t *digits = value_of_key(line, &len, "WATCHDOG_USEC=");
    uint64_t value = 0;

    if (digits == NULL)
        return;
    for (size_t i = 0; i < len; i++) {
        if (digits[i] < '0' || digits[i] > '9' || value > MAX_USEC)
            return;
        value = value * 10 + (uint64_t)(digits[i] - '0');
    }
    if (value >= 1 && value <= MAX_USEC)
        *out = value;
}

static void parse_line(const uint8_t *line, size_t len, keep__text *out)
{
    if (is_line(line, len, "READY=1"))
        out->is_ready = true;
    else if (is_line(line, len, "STOPPING=1"))
        out->is_stopping = true;
    else if (is_line(line, len, "WATCHDOG=1") || is_line(line, len, "WATCHDOG=trigger")) {
        out->has_beat = true;
        out->has_failed = line[len - 1] == 'r';
    } else
        parse_usec(line, len, &out->watchdog_usec);
}

keep__text keep__text_parse(const uint8_t *bytes, size_t len)
{
    keep__text text = { 0 };
    size_t begin = 0;

    if (len > 0 && bytes[len - 1] == 0)
        len--;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && bytes[i] != '\n' && bytes[i] != '\r')
            continue;
        parse_line(bytes + begin, i - begin, &text);
        begin = i + 1;
    }
    return text;
}
