/* SPDX-License-Identifier: MIT */
/*
 * Ways by which secrets leave a process: its core file, and its memory seen from another process.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keep/bytes.h"
#include "keep/sealed.h"
#include "support/memories.h"
#include "support/pattern.h"
#include "support/pools.h"

/* An ordinary run of bytes that a search must find, or it finds nothing at all. */
static char *volatile control;

static void plant_control(void)
{
    control = strdup("an ordinary, visible run of bytes of this process");
    ck_assert_ptr_nonnull(control);
}

#define CONTROL "visible run of bytes of this process"

/* A process that holds the pattern in every way it can, then does `last`. */
static void hold_secrets(int memory, void (*last)(void))
{
    keep_pool_options options = options_of(memory);
    keep_pool *pool = new_pool(&options);
    keep_secret *slot = new_secret(pool, PATTERN_LEN);
    keep_secret *guarded = new_guarded(pool, PATTERN_LEN, KEEP_ACQUIRE_RESIDENT);
    keep_sealed *sealed = NULL;
    keep_secret *opened = NULL;
    uint8_t *data;
    size_t len;

    assert_ok(keep_secret_write_begin(slot, &data, &len));
    pattern_write(data);
    assert_ok(keep_secret_end(slot));
    assert_ok(keep_secret_write_begin(guarded, &data, &len));
    pattern_write(data);
    assert_ok(keep_secret_end(guarded));
    assert_ok(keep_sealed_from_secret(slot, 0, &sealed));
    assert_ok(keep_sealed_open(sealed, NULL, &opened));
    plant_control();
    last();
}

static void dump_core(void)
{
    struct rlimit limit;

    (void)prctl(PR_SET_DUMPABLE, 1);
    (void)getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_CORE, &limit);
    (void)signal(SIGQUIT, SIG_DFL);
    raise(SIGQUIT);
}

/* The core file of the folder; NULL: none was written. */
static uint8_t *read_core(const char *folder, size_t *out_len)
{
    char command[512];
    FILE *file;
    uint8_t *bytes;
    size_t cap = 256 << 20;

    snprintf(command, sizeof command, "cat %s/core* 2>/dev/null", folder);
    file = popen(command, "r");
    ck_assert_ptr_nonnull(file);
    bytes = malloc(cap);
    ck_assert_ptr_nonnull(bytes);
    *out_len = fread(bytes, 1, cap, file);
    pclose(file);
    return bytes;
}

static void remove_folder(const char *folder)
{
    char command[512];

    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* memory T22 */
START_TEST(a_core_file_holds_no_secret)
{
    char folder[] = "keep-core-XXXXXX";
    pid_t child;
    int status;
    uint8_t *core;
    size_t len;

    if (!has_memory(_i))
        return;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    child = fork();
    if (child == 0) {
        (void)!chdir(folder);
        hold_secrets(_i, dump_core);
        _exit(1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    core = read_core(folder, &len);
    remove_folder(folder);
    if (len == 0) {
        printf("skipped: no core files are written here\n");
        fflush(stdout);
    } else {
        ck_assert_ptr_nonnull(memmem(core, len, CONTROL, strlen(CONTROL)));
        ck_assert_uint_eq(count_pattern_in(core, len), 0);
    }
    free(core);
}
END_TEST

static void wait_for_parent(void)
{
    raise(SIGSTOP);
}

/* What another process finds in all of a child's mappings. */
struct found {
    size_t patterns, controls;
};

static struct found look_into(pid_t child)
{
    char path[64];
    struct found found = { 0, 0 };
    FILE *maps;
    int memory;
    char line[512];
    uint64_t start;
    uint64_t end;

    snprintf(path, sizeof path, "/proc/%d/mem", (int)child);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/maps", (int)child);
    maps = fopen(path, "re");
    ck_assert(memory >= 0 && maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL) {
        uint8_t *bytes;
        ssize_t got;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2 || end - start > 64 << 20)
            continue;
        bytes = malloc(end - start);
        got = pread(memory, bytes, end - start, (off_t)start);
        if (got > 0) {
            found.patterns += count_pattern_in(bytes, (size_t)got);
            found.controls += memmem(bytes, (size_t)got, CONTROL, strlen(CONTROL)) != NULL;
        }
        keep_wipe(bytes, end - start);
        free(bytes);
    }
    fclose(maps);
    close(memory);
    return found;
}

/* memory R32, style R33: memfd_secret is absent from the kernel's own map */
START_TEST(secret_memory_is_hidden_from_other_processes)
{
    struct found found;
    pid_t child;
    int status;

    if (!has_memory(0))
        return;
    child = fork();
    if (child == 0) {
        hold_secrets(0, wait_for_parent);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
    ck_assert(WIFSTOPPED(status));
    found = look_into(child);
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_uint_gt(found.controls, 0);
    ck_assert_uint_eq(found.patterns, 0);
}
END_TEST

RUN_SUITE("leaks", TIMES(a_core_file_holds_no_secret, BACKINGS), ONCE(secret_memory_is_hidden_from_other_processes))
