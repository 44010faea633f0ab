/* SPDX-License-Identifier: MIT */
/*
 * Status: the maps as text, and the version.
 */
#include "keep/status.h"

#include <stddef.h>
#include <stdint.h>

#include "keep/error.h"
#include "keep/version.h"

#include "base/banned.h"

#define STATUS_NAME(name, number, sentence) [number] = #name,
#define STATUS_SENTENCE(name, number, sentence) [number] = sentence,
#define REASON_NAME(name, number) [number] = #name,

static const char *const status_names[256] = { KEEP_STATUS_MAP(STATUS_NAME) };
static const char *const status_sentences[256] = { KEEP_STATUS_MAP(STATUS_SENTENCE) };
static const char *const reason_names[] = { KEEP_REASON_MAP(REASON_NAME) };

static const char *text_at(const char *const *texts, size_t count, uint64_t index, const char *otherwise)
{
    return index < count && texts[index] != NULL ? texts[index] : otherwise;
}

const char *keep_status_name(keep_status status)
{
    return text_at(status_names, 256, (uint64_t)status, "UNKNOWN");
}

const char *keep_status_sentence(keep_status status)
{
    return text_at(status_sentences, 256, (uint64_t)status, "unknown status");
}

const char *keep_reason_name(uint32_t reason)
{
    return text_at(reason_names, sizeof reason_names / sizeof *reason_names, reason, "unknown");
}

uint32_t keep_version_number(void)
{
    return KEEP_VERSION_NUMBER;
}
