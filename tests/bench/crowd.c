/* SPDX-License-Identifier: MIT */
#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define BEATS 10000 /* between looks at the clock */

struct crowd {
    const char *name;
    unsigned busy, idle;
    const char *where; /* they run */
};

static const struct crowd crowds[] = {
    { "observer_rate_8", 8, 8, "" },
    { "observer_rate_64", 64, CROWD_AGENTS - 64, "" },
    { "observer_rate_8_apart", 8, 8, "apart" },
    { "observer_rate_64_apart", 64, CROWD_AGENTS - 64, "apart" },
};

static void allow_descriptors(void)
{
    struct rlimit limit;

    BENCH_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    BENCH_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

struct crowd_call crowd_read(int argc, char **argv)
{
    BENCH_CHECK(argc == 2 || argc == 3);
    allow_descriptors();
    return (struct crowd_call){ argv[1], argc == 3 ? strtod(argv[2], NULL) : 2 };
}

static FILE *come(const struct crowd_call *call, const struct crowd *crowd, const char *path)
{
    char command[512];
    FILE *senders;

    (void)snprintf(command, sizeof command, "exec %s %s %u %u %s", call->senders, path, crowd->busy, crowd->idle,
                   crowd->where);
    senders = popen(command, "w");
    BENCH_CHECK(senders != NULL);
    return senders;
}

static void measure_one(const struct crowd_call *call, const struct crowd *crowd, const struct crowd_hearer *hearer)
{
    FILE *senders = come(call, crowd, hearer->path);
    double time = 0;
    size_t beats = 0;

    hearer->hear_all(hearer->state, crowd->busy + crowd->idle);
    for (; time < call->seconds * 1e9; beats += BEATS)
        time += bench_time(hearer->hear, hearer->state, BEATS);
    bench_tell(crowd->name, time / (double)beats);
    (void)pclose(senders);
}

void crowd_measure(const struct crowd_call *call, struct crowd_hearer (*open)(void), void (*close)(void))
{
    for (size_t i = 0; i < sizeof crowds / sizeof *crowds; i++) {
        struct crowd_hearer hearer = open();

        measure_one(call, &crowds[i], &hearer);
        close();
    }
}
