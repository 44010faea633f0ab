/* SPDX-License-Identifier: MIT */
/*
 * Known: the published transforms of memory, on the caller's inputs alone.
 */
#include "keep/protect.h"

#include <string.h>

#include "base/answer.h"
#include "base/checked.h"
#include "base/crypto.h"
#include "base/trace.h"
#include "keep/sealed.h"
#include "memory/coffer.h"
#include "memory/layout.h"
#include "base/banned.h"

#define KEY_LEN KEEP__AEAD_KEY_LEN

/* The answer is `count` numbers. */
static keep_status answer_numbers(keep__answer answer, const uint64_t *numbers, size_t count)
{
    keep_status st = keep__answer_room(answer, count * sizeof *numbers);
    keep__writer writer = keep__writer_of(answer.out, answer.cap);

    for (size_t i = 0; st == KEEP_OK && i < count; i++)
        keep__write_u64le(&writer, numbers[i]);
    return st;
}

static keep_status sealed_aad(keep__reader in, keep__answer answer)
{
    keep__binding binding;
    keep_status st;

    binding.type = keep__read_u32le(&in);
    binding.id = keep__read_u64le(&in);
    binding.len = keep__read_u64le(&in);
    binding.epoch = keep__read_u64le(&in);
    if (!keep__answer_whole(&in))
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__answer_room(answer, KEEP__AAD_LEN);
    if (st == KEEP_OK)
        keep__layout_aad(&binding, answer.out);
    return st;
}

static keep_status sealed_encode(keep__reader in, keep__answer answer)
{
    uint8_t aad[KEEP__AAD_LEN];
    keep__binding binding;
    keep__aead aead = { .aad = aad, .aad_len = sizeof aad };
    keep_status st;

    aead.key = keep__read_bytes(&in, KEY_LEN);
    aead.nonce = keep__read_bytes(&in, KEEP__AEAD_NONCE_LEN);
    binding.type = keep__read_u32le(&in);
    binding.id = keep__read_u64le(&in);
    binding.epoch = keep__read_u64le(&in);
    binding.len = in.left;
    if (in.failed || in.left > KEEP_MAX_SECRET_LEN)
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__answer_room(answer, in.left + KEEP_SEALED_OVERHEAD);
    if (st != KEEP_OK)
        return st;
    keep__layout_aad(&binding, aad);
    memcpy(answer.out, aead.nonce, KEEP__AEAD_NONCE_LEN);
    keep__aead_seal(&aead, in.at, in.left, answer.out + KEEP__AEAD_NONCE_LEN);
    return KEEP_OK;
}

static keep_status sealed_decode(keep__reader in, keep__answer answer)
{
    uint8_t aad[KEEP__AAD_LEN];
    keep__binding binding;
    keep__aead aead = { .aad = aad, .aad_len = sizeof aad };
    keep_status st;

    aead.key = keep__read_bytes(&in, KEY_LEN);
    binding.type = keep__read_u32le(&in);
    binding.id = keep__read_u64le(&in);
    binding.len = keep__read_u64le(&in);
    binding.epoch = keep__read_u64le(&in);
    if (in.failed)
        return KEEP_ERR_INVALID_ARGUMENT;
    if (in.left < KEEP_SEALED_OVERHEAD || in.left - KEEP_SEALED_OVERHEAD != binding.len)
        return keep__trace(KEEP_ERR_AUTH);
    st = keep__answer_room(answer, binding.len);
    if (st != KEEP_OK)
        return st;
    keep__layout_aad(&binding, aad);
    aead.nonce = keep__read_bytes(&in, KEEP__AEAD_NONCE_LEN);
    st = keep__aead_check(&aead, in.at, binding.len); /* first, so that a failure leaves the output untouched */
    return st != KEEP_OK ? st : keep__aead_open(&aead, in.at, binding.len, answer.out);
}

/* key ‖ right → left, and left ‖ right → key: the same formula both ways. */
static keep_status coffer_halves(keep__reader in, keep__answer answer)
{
    const uint8_t *first = keep__read_bytes(&in, KEY_LEN);
    const uint8_t *second = keep__read_bytes(&in, KEY_LEN);
    keep_status st;

    if (!keep__answer_whole(&in))
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__answer_room(answer, KEY_LEN);
    if (st == KEEP_OK)
        keep__coffer_xor(first, second, answer.out);
    return st;
}

static keep_status coffer_resplit(keep__reader in, keep__answer answer)
{
    const uint8_t *left = keep__read_bytes(&in, KEY_LEN);
    const uint8_t *right = keep__read_bytes(&in, KEY_LEN);
    const uint8_t *change = keep__read_bytes(&in, KEY_LEN);
    keep_status st;

    if (!keep__answer_whole(&in))
        return KEEP_ERR_INVALID_ARGUMENT;
    st = keep__answer_room(answer, 2 * KEY_LEN);
    if (st != KEEP_OK)
        return st;
    keep__coffer_xor(left, change, answer.out);
    keep__coffer_xor(right, change, answer.out + KEY_LEN);
    return KEEP_OK;
}

static keep_status guarded_layout(keep__reader in, keep__answer answer)
{
    keep__guarded_plan plan;
    uint64_t page = keep__read_u64le(&in);
    uint64_t len = keep__read_u64le(&in);
    uint32_t flags = keep__read_u32le(&in);
    keep_status st =
        keep__answer_whole(&in) ? keep__layout_guarded(page, len, flags, &plan) : KEEP_ERR_INVALID_ARGUMENT;

    if (st != KEEP_OK)
        return st;
    return answer_numbers(answer, (uint64_t[]){ plan.inner, plan.offset, plan.front, plan.rear, plan.mapped }, 5);
}

static keep_status region_plan(keep__reader in, keep__answer answer)
{
    keep__region_plan plan;
    keep__region_need need;
    keep_status st;

    need.page = keep__read_u64le(&in);
    need.slot = keep__read_u64le(&in);
    need.have_bytes = keep__read_u64le(&in);
    need.have_slots = keep__read_u64le(&in);
    need.want = keep__read_u64le(&in);
    need.max_slots = keep__read_u64le(&in);
    need.room = keep__read_u64le(&in);
    st = keep__answer_whole(&in) ? keep__layout_region(&need, &plan) : KEEP_ERR_INVALID_ARGUMENT;
    return st != KEEP_OK ? st : answer_numbers(answer, (uint64_t[]){ plan.bytes, plan.slots }, 2);
}

static const keep__transform memory_transforms[] = {
    { "sealed.aad", sealed_aad },         { "sealed.encode", sealed_encode }, { "sealed.decode", sealed_decode },
    { "coffer.split", coffer_halves },    { "coffer.join", coffer_halves },   { "coffer.resplit", coffer_resplit },
    { "guarded.layout", guarded_layout }, { "region.plan", region_plan },
};

keep_status keep_memory_known_answer(const char *name, const void *in, size_t in_len, void *out, size_t cap,
                                     size_t *out_len)
{
    return keep__answer_known(memory_transforms, sizeof memory_transforms / sizeof *memory_transforms, name,
                              (keep_bytes){ in, in_len }, (keep__answer){ out, cap, out_len });
}
