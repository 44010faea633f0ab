/* SPDX-License-Identifier: MIT */
/*
 * Answers: one row of the shared vectors per transform, in hexadecimal as there. The keys are public.
 */
#include "memory/answers.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/crypto.h"
#include "keep/protect.h"
#include "base/banned.h"

#define MAX_QUESTION 128
#define MAX_ANSWER 64

#define TEST_KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define TEST_NONCE "404142434445464748494a4b4c4d4e4f5051525354555657"
#define TEST_TEXT "6b656570"
#define TEST_STORED TEST_NONCE "bf5c6000d4f2f85d77f5d74cada7227f54f75bb9"
#define TEST_LEFT "55077588667ab8df513ae90ab66a08f94c5973dc12c3986d8638bc4a16f7926b"
#define TEST_RIGHT "39c5f66990923b84d124a2efef97d6f15923c2917a5eb35e7b75b9d300334425"
#define TEST_JOINED "6cc283e1f6e8835b801e4be559fdde08157ab14d689d2b33fd4d059916c4d64e"

struct row {
    const char *transform, *in, *out;
};

static const struct row rows[] = {
    { "sealed.aad",
      "01000000"
      "0807060504030201"
      "ffff000000000000"
      "0300000000000000",
      "4b534d31"
      "010000000807060504030201ffff0000000000000300000000000000" },
    { "sealed.encode", TEST_KEY TEST_NONCE "0000000001000000000000000000000000000000" TEST_TEXT, TEST_STORED },
    { "sealed.decode", TEST_KEY "00000000010000000000000004000000000000000000000000000000" TEST_STORED, TEST_TEXT },
    { "coffer.split", TEST_JOINED TEST_RIGHT, TEST_LEFT },
    { "coffer.join", TEST_LEFT TEST_RIGHT, TEST_JOINED },
    { "coffer.resplit", TEST_LEFT TEST_RIGHT "8d70890de16543fce88766fe38258724af6f3a967504f72edd359003cf89e546",
      "d877fc85871ffb23b9bd8ff48e4f8fdde336494a67c76f435b0d2c49d97e772d"
      "b4b57f6471f7787839a3c411d7b251d5f64cf8070f5a4470a64029d0cfbaa163" },
    { "guarded.layout",
      "0010000000000000"
      "2100000000000000"
      "01000000",
      "0010000000000000"
      "d00f000000000000"
      "d00f000000000000"
      "0f00000000000000"
      "0030000000000000" },
    { "region.plan",
      "0010000000000000"
      "3000000000000000"
      "0000000000000000"
      "0000000000000000"
      "0100000000000000"
      "0000000000000000"
      "0000100000000000",
      "0020000000000000"
      "aa00000000000000" },
};

static uint8_t value_of_hex(char digit)
{
    return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static size_t decode_hex(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(value_of_hex(hex[2 * i]) << 4 | value_of_hex(hex[2 * i + 1]));
    return len;
}

static bool is_as_published(const struct row *row)
{
    uint8_t in[MAX_QUESTION];
    uint8_t wanted[MAX_ANSWER];
    uint8_t got[MAX_ANSWER];
    size_t wanted_len = decode_hex(row->out, wanted);
    size_t len = 0;
    keep_status st = keep_memory_known_answer(row->transform, in, decode_hex(row->in, in), got, sizeof got, &len);

    return st == KEEP_OK && len == wanted_len && keep__compare(got, wanted, len) == 0;
}

bool keep__answers_hold(void)
{
    bool holds = true;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        holds = holds && is_as_published(&rows[i]);
    return holds;
}
