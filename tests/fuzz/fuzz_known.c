/* SPDX-License-Identifier: MIT */
/*
 * Known answers: no input of the caller's harms, a short buffer is told and left alone, and what is encoded decodes.
 */
#include "fuzz.h"

#include <string.h>

#include <keep/protect.h>

static const char *const names[] = { "sealed.aad",   "sealed.encode",  "sealed.decode",  "coffer.split",
                                     "coffer.join",  "coffer.resplit", "guarded.layout", "region.plan",
                                     "sealed.other" };

/* The same call with too little room, and with just enough. */
static void ask_twice(const char *name, const uint8_t *bytes, size_t len)
{
    uint8_t *out;
    size_t wanted = 0;
    size_t out_len = 0;
    keep_status st = keep_memory_known_answer(name, bytes, len, NULL, 0, &wanted);

    if (st != KEEP_ERR_BUFFER_TOO_SMALL)
        return;
    out = malloc(wanted + 1);
    fuzz_needs(out != NULL);
    memset(out, 0xA5, wanted + 1);
    fuzz_needs(keep_memory_known_answer(name, bytes, len, out, wanted - 1, &out_len) == KEEP_ERR_BUFFER_TOO_SMALL);
    fuzz_needs(out_len == wanted && out[0] == 0xA5);
    st = keep_memory_known_answer(name, bytes, len, out, wanted, &out_len);
    fuzz_needs(st == KEEP_OK || st == KEEP_ERR_AUTH);
    fuzz_needs(out[wanted] == 0xA5);
    free(out);
}

/* key(32) nonce(24) type(4) id(8) epoch(8) plaintext, encoded, is what decodes to the plaintext. */
static void round_trip(const uint8_t *in, size_t len)
{
    static uint8_t stored[1 << 16];
    static uint8_t again[1 << 16];
    static uint8_t plain[1 << 16];
    uint64_t plain_len = len - 76;
    size_t stored_len = 0;
    size_t out_len = 0;

    if (len < 76 || len > sizeof stored - 200)
        return;
    fuzz_needs(keep_memory_known_answer("sealed.encode", in, len, stored, sizeof stored, &stored_len) == KEEP_OK);
    fuzz_needs(stored_len == plain_len + 40);
    memcpy(again, in, 32);
    memcpy(again + 32, in + 56, 12);
    memcpy(again + 44, &plain_len, 8);
    memcpy(again + 52, in + 68, 8);
    memcpy(again + 60, stored, stored_len);
    fuzz_needs(keep_memory_known_answer("sealed.decode", again, 60 + stored_len, plain, sizeof plain, &out_len) ==
               KEEP_OK);
    fuzz_needs(out_len == plain_len && memcmp(plain, in + 76, plain_len) == 0);
    again[32 + in[0] % 12] ^= 1; /* type or id */
    fuzz_needs(keep_memory_known_answer("sealed.decode", again, 60 + stored_len, plain, sizeof plain, &out_len) ==
               KEEP_ERR_AUTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return 0;
    ask_twice(names[bytes[0] % (sizeof names / sizeof *names)], bytes + 1, len - 1);
    round_trip(bytes + 1, len - 1);
    return 0;
}
