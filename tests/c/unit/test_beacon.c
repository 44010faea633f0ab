/* SPDX-License-Identifier: MIT */
/*
 * Beacon, white box: a clock that fails, a purge at the worst moment, and the ends of counters (tracker R43, R46, R53,
 * R54).
 */
#include "tracker/beacon.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "keep/protect.h"
#include "keep/secret.h"
#include "support/maps.h"
#include "support/pools.h"
#include "support/suite.h"

int __real_clock_gettime(clockid_t id, struct timespec *out);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);
void __real_keep__agent_key(const uint8_t *master, uint32_t pid, uint8_t *out);
void __wrap_keep__agent_key(const uint8_t *master, uint32_t pid, uint8_t *out);
keep_status __real_keep_secret_duplicate(const keep_secret *secret, keep_secret **out);
keep_status __wrap_keep_secret_duplicate(const keep_secret *secret, keep_secret **out);

static bool has_clock = true;
static enum {
    NEVER,
    WHEN_MADE,
    WHEN_DERIVED
} purged;

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    errno = EINVAL;
    return has_clock ? __real_clock_gettime(id, out) : -1;
}

void __wrap_keep__agent_key(const uint8_t *master, uint32_t pid, uint8_t *out)
{
    __real_keep__agent_key(master, pid, out);
    if (purged == WHEN_DERIVED)
        assert_ok(keep_purge(NULL));
}

keep_status __wrap_keep_secret_duplicate(const keep_secret *secret, keep_secret **out)
{
    keep_status st = __real_keep_secret_duplicate(secret, out);

    if (purged == WHEN_MADE)
        assert_ok(keep_purge(NULL));
    return st;
}

static keep_beacon *beacon_of(const keep_beacon_options *options)
{
    keep_beacon *beacon = NULL;

    assert_ok(keep_beacon_new(options, &beacon, NULL));
    return beacon;
}

START_TEST(a_life_that_cannot_begin_leaves_the_former_one)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    KEEP_AUTO(keep_beacon) beacon = NULL;
    keep_outcome outcome;
    uint64_t nonce;
    size_t before;

    options.path = "@libkeep-nobody";
    beacon = beacon_of(&options);
    nonce = beacon->stream.nonce;
    before = count_descriptors();
    has_clock = false;
    assert_status(keep_beacon_restart(beacon, NULL), KEEP_ERR_SYSTEM);
    has_clock = true;
    ck_assert_uint_eq(count_descriptors(), before);
    assert_ok(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome));
    ck_assert_uint_eq(outcome.nonce, nonce);
}
END_TEST

/* A pool for keys, and one in it. */
static keep_secret *new_master(keep_pool **out_pool)
{
    keep_pool_options options = one_tier(KEEP__BEAT_KEY_LEN, 0);
    keep_secret *master = NULL;

    *out_pool = new_pool(&options);
    assert_ok(keep_secret_generate(*out_pool, KEEP__BEAT_KEY_LEN, &master));
    return master;
}

START_TEST(an_agents_key_is_made_where_its_master_is)
{
    keep_secret *agent = NULL, *other = NULL;
    keep_pool *pool = NULL;
    keep_secret *master = new_master(&pool);
    int is_equal;

    assert_ok(keep_beacon_agent_key(master, 7, &agent));
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 2);
    assert_ok(keep_beacon_agent_key(master, 7, &other));
    assert_ok(keep_secret_equal(agent, other, &is_equal));
    ck_assert_int_eq(is_equal, 1);
    assert_ok(keep_secret_equal(agent, master, &is_equal));
    ck_assert_int_eq(is_equal, 0);
    (void)keep_secret_free(&agent);
    (void)keep_secret_free(&other);
    (void)keep_secret_free(&master);
    keep_pool_free(&pool);
}
END_TEST

START_TEST(an_agents_key_does_not_survive_a_purge_of_its_master)
{
    keep_secret *agent = NULL;
    keep_pool *pool = NULL;
    keep_secret *master = new_master(&pool);

    purged = _i == 0 ? WHEN_MADE : WHEN_DERIVED;
    assert_status(keep_beacon_agent_key(master, 7, &agent), KEEP_ERR_PURGED);
    purged = NEVER;
    ck_assert_ptr_null(agent);
    ck_assert_uint_eq(stats_of(pool).tiers[0].in_use, 1);
    (void)keep_secret_free(&master);
    keep_pool_free(&pool);
}
END_TEST

/* A UDP socket of this machine, and a sealed beacon to it. */
static int open_ear(uint16_t *out_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *out_port = ntohs(address.sin_port);
    return fd;
}

static keep_beacon *sealed_beacon(int *out_ear)
{
    keep_beacon_options options = KEEP_BEACON_OPTIONS_INIT;
    keep_secret *key = NULL;
    keep_beacon *beacon;

    assert_ok(keep_secret_generate(NULL, KEEP__BEAT_KEY_LEN, &key));
    *out_ear = open_ear(&options.port);
    options.host = "127.0.0.1";
    options.mode = KEEP_BEAT_SHARED;
    options.key = key;
    beacon = beacon_of(&options);
    (void)keep_secret_free(&key);
    return beacon;
}

/* Index or counter of the next datagram, as it stands in the clear; false: there is none. */
static bool hear_counter(int ear, uint32_t *out_counter)
{
    uint8_t wire[KEEP_BEAT_MASTER_LEN];

    if (recv(ear, wire, sizeof wire, MSG_DONTWAIT) != KEEP_BEAT_SHARED_LEN)
        return false;
    memcpy(out_counter, wire + KEEP__PREFIX_LEN, sizeof *out_counter);
    return true;
}

/* tracker T14 */
START_TEST(a_spent_salt_is_followed_by_another_before_the_next_frame)
{
    KEEP_AUTO(keep_beacon) beacon = NULL;
    uint8_t salt[KEEP__SALT_LEN];
    keep_outcome outcome;
    uint32_t counter;
    int ear;

    beacon = sealed_beacon(&ear);
    memcpy(salt, beacon->connection.sealer.salt, sizeof salt);
    beacon->connection.sealer.index = UINT32_MAX;
    beacon->connection.sealer.counter = UINT32_MAX - 1;
    assert_ok(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome));
    ck_assert(hear_counter(ear, &counter));
    ck_assert_uint_eq(counter, UINT32_MAX - 1);
    assert_ok(keep_beacon_beat(beacon, KEEP_HEALTH_OK, 0, &outcome));
    ck_assert(hear_counter(ear, &counter));
    ck_assert_uint_eq(counter, 0);
    ck_assert_uint_eq(beacon->connection.sealer.index, 0);
    ck_assert(memcmp(salt, beacon->connection.sealer.salt, sizeof salt) != 0);
    close(ear);
}
END_TEST

/* A last word has no way to another salt: it falls silent rather than seal twice with one nonce. */
START_TEST(last_words_end_with_their_counter)
{
    KEEP_AUTO(keep_beacon) beacon = NULL;
    uint32_t counter;
    int ear;

    beacon = sealed_beacon(&ear);
    assert_ok(keep_beacon_arm(beacon, 0, NULL));
    beacon->last_word.counter = UINT32_MAX - 1;
    keep_beacon_crash(beacon, 1);
    ck_assert(hear_counter(ear, &counter));
    ck_assert_uint_eq(counter, UINT32_MAX - 1);
    for (int i = 0; i < 3; i++)
        keep_beacon_crash(beacon, 1);
    ck_assert(!hear_counter(ear, &counter));
    close(ear);
}
END_TEST

RUN_SUITE("beacon", ONCE(a_life_that_cannot_begin_leaves_the_former_one),
          ONCE(an_agents_key_is_made_where_its_master_is),
          TIMES(an_agents_key_does_not_survive_a_purge_of_its_master, 2),
          ONCE(a_spent_salt_is_followed_by_another_before_the_next_frame), ONCE(last_words_end_with_their_counter))
