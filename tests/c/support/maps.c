/* SPDX-License-Identifier: MIT */
/*
 * Maps: /proc/self read line by line.
 */
#include "support/maps.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *open_own(const char *path)
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        abort();
    return file;
}

static bool is_header(const char *line, struct mapping *out)
{
    struct mapping mapping = { 0 };
    int fields = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %127s", &mapping.start, &mapping.end,
                        mapping.access, mapping.name);

    if (fields < 3)
        return false;
    *out = mapping;
    return true;
}

static void read_detail(const char *line, struct mapping *mapping)
{
    size_t kib;

    if (sscanf(line, "Locked: %zu", &kib) == 1)
        mapping->locked_len = kib * 1024;
    else if (strncmp(line, "VmFlags: ", 9) == 0)
        snprintf(mapping->flags, sizeof mapping->flags, "%.*s", (int)sizeof mapping->flags - 1, line + 9);
}

void each_mapping(void (*visit)(const struct mapping *mapping, void *ctx), void *ctx)
{
    FILE *file = open_own("/proc/self/smaps");
    struct mapping mapping = { 0 };
    struct mapping next;
    char line[512];

    while (fgets(line, sizeof line, file) != NULL) {
        if (is_header(line, &next)) {
            if (mapping.end != 0)
                visit(&mapping, ctx);
            mapping = next;
        }
        read_detail(line, &mapping);
    }
    if (mapping.end != 0)
        visit(&mapping, ctx);
    fclose(file);
}

struct search {
    uintptr_t address;
    struct mapping *out;
    bool is_found;
};

static void look_for(const struct mapping *mapping, void *ctx)
{
    struct search *search = ctx;

    if (search->address < mapping->start || search->address >= mapping->end)
        return;
    *search->out = *mapping;
    search->is_found = true;
}

bool mapping_at(const void *address, struct mapping *out)
{
    struct search search = { (uintptr_t)address, out, false };

    each_mapping(look_for, &search);
    return search.is_found;
}

bool mapping_has(const struct mapping *mapping, const char *flag)
{
    char spaced[8];
    char flags[sizeof mapping->flags + 2];

    snprintf(spaced, sizeof spaced, " %s ", flag);
    snprintf(flags, sizeof flags, " %s", mapping->flags);
    return strstr(flags, spaced) != NULL;
}

static void count_one(const struct mapping *mapping, void *ctx)
{
    (void)mapping;
    ++*(size_t *)ctx;
}

size_t count_mappings(void)
{
    size_t count = 0;

    each_mapping(count_one, &count);
    return count;
}

size_t count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    if (folder == NULL)
        abort();
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

size_t locked_len(void)
{
    FILE *file = open_own("/proc/self/status");
    char line[256];
    size_t kib = 0;

    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmLck: %zu", &kib) == 1)
            break;
    }
    fclose(file);
    return kib * 1024;
}
