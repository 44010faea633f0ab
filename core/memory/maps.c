/* SPDX-License-Identifier: MIT */
/*
 * Maps: reads smaps, where a mapping is a line `START-END ...` in hexadecimal, and further down a line `VmFlags:` of
 * two-letter words.
 *
 * Formula: a property holds if it holds for each mapping that shares bytes with the pages, and if those mappings
 * together cover the pages.
 */
#include "memory/maps.h"

#include <string.h>

#include "base/checked.h"
#include "base/file.h"
#include "keep/protect.h"
#include "base/banned.h"

struct survey {
    const keep__pages *pages;
    size_t count;
    uint64_t start, end; /* of the mapping whose lines are being read */
    uint64_t covered;    /* bytes of the pages in mappings with flags */
    uint32_t holding;
    bool has_flags; /* the kernel lists flags at all */
};

static uint64_t shared_bytes(const keep__pages *pages, uint64_t start, uint64_t end)
{
    uint64_t first = keep__size_max((uintptr_t)pages->data, start);
    uint64_t last = keep__size_min((uintptr_t)pages->data + pages->len, end);

    return first < last ? last - first : 0;
}

static void read_range(struct survey *survey, const char *line)
{
    uint64_t start;
    uint64_t end;
    const char *rest = keep__parse_u64(line, 16, &start);

    if (rest == NULL || *rest != '-' || keep__parse_u64(rest + 1, 16, &end) == NULL)
        return;
    survey->start = start;
    survey->end = end;
}

static bool has_word(const char *words, const char *word)
{
    return strstr(words, word) != NULL;
}

/* Words stand between blanks. */
static uint32_t holding_by(const char *words)
{
    uint32_t holding = 0;

    if (has_word(words, " lo"))
        holding |= KEEP_CHECK_LOCKED;
    if (has_word(words, " dd"))
        holding |= KEEP_CHECK_NOT_DUMPED;
    if (has_word(words, " wf") || has_word(words, " dc"))
        holding |= KEEP_CHECK_FORK_SAFE;
    return holding;
}

static void read_flags(struct survey *survey, const char *words)
{
    survey->has_flags = true;
    for (size_t i = 0; i < survey->count; i++) {
        uint64_t shared = shared_bytes(&survey->pages[i], survey->start, survey->end);

        survey->covered += shared;
        if (shared != 0)
            survey->holding &= holding_by(words);
    }
}

static uint64_t bytes_of_all(const keep__pages *pages, size_t count)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += pages[i].len;
    return bytes;
}

bool keep__maps_ask(const keep__pages *pages, size_t count, uint32_t *out_holding)
{
    struct survey survey = { .pages = pages, .count = count, .holding = UINT32_MAX };
    keep__lines lines;

    if (keep__lines_open("/proc/thread-self/smaps", &lines) != KEEP_OK)
        return false;
    while (keep__lines_next(&lines)) {
        const char *words = keep__skip_prefix(lines.line, "VmFlags:");

        if (words != NULL)
            read_flags(&survey, words);
        else
            read_range(&survey, lines.line);
    }
    keep__lines_close(&lines);
    *out_holding = survey.covered == bytes_of_all(pages, count) ? survey.holding : 0;
    return survey.has_flags;
}
