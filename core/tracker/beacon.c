/* SPDX-License-Identifier: MIT */
/*
 * Beacon: making, connecting and ending; a seam of sockets (the other one is listener.c).
 *
 * That nobody listens where a beacon connects to is not an error: it then has a socket that was never connected, and its
 * beats are dropped for the reason of that, without a system call.
 */
#include "tracker/beacon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/heap.h"
#include "base/options.h"
#include "base/trace.h"
#include "memory/guard.h"
#include "tracker/frame.h"
#include "tracker/identity.h"
#include "base/banned.h"

_Static_assert(sizeof(struct sockaddr_un) <= KEEP__ADDRESS_CAP, "room for a path");
_Static_assert(sizeof(struct sockaddr_in6) <= KEEP__ADDRESS_CAP, "room for an address");

keep_status keep__beacon_check(const keep_beacon *beacon)
{
    return beacon == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep__guard_check(beacon->stamp);
}

keep_status keep__beacon_check_key(const keep_beacon *beacon)
{
    if (beacon->options.mode == KEEP_BEAT_PLAIN || beacon->epoch == keep__guard_epoch())
        return KEEP_OK;
    return keep__trace(KEEP_ERR_PURGED);
}

uint64_t keep__beacon_clock(const keep_beacon *beacon)
{
    return beacon->peer.is_udp ? keep__clock_real_ns() : keep__clock_boot_ns();
}

static keep_status fail_beacon(keep_error *err, keep_status status, int code, const char *sentence)
{
    const keep__origin origin = { .layer = code != 0 ? KEEP_LAYER_ERRNO : KEEP_LAYER_NONE, .code = code };

    return keep__error_fill(err, status, &origin, sentence);
}

/* --- peers --- */

/* False: no path, or one that is too long. */
static bool find_path(const char *path, keep__peer *out)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';
        out->len = (uint32_t)(offsetof(struct sockaddr_un, sun_path) + len);
    } else {
        out->len = (uint32_t)sizeof address;
    }
    memcpy(out->address, &address, sizeof address);
    return true;
}

/* False: no numeric address. */
static bool find_host(const char *host, uint16_t port, keep__peer *out)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

    out->is_udp = true;
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        out->len = (uint32_t)sizeof v4;
        memcpy(out->address, &v4, sizeof v4);
        return true;
    }
    out->len = (uint32_t)sizeof v6;
    memcpy(out->address, &v6, sizeof v6);
    return inet_pton(AF_INET6, host, out->address + offsetof(struct sockaddr_in6, sin6_addr)) == 1;
}

/* --- connections --- */

static bool means_nobody_listens(int code)
{
    return code == ENOENT || code == ECONNREFUSED;
}

/* A socket that is connected, or that could not be because nobody listens. */
static int open_socket(const keep__peer *peer, uint32_t *out_error)
{
    struct sockaddr_storage address = { 0 };
    int fd;

    memcpy(&address, peer->address, peer->len);
    fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *out_error = 0;
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, (socklen_t)peer->len) == 0)
        return fd;
    *out_error = (uint32_t)errno;
    if (means_nobody_listens(errno))
        return fd;
    (void)close(fd);
    errno = (int)*out_error;
    return -1;
}

keep_status keep__connection_open(const keep__peer *peer, bool is_sealed, keep__connection *out, keep_error *err)
{
    keep__connection connection = { .fd = KEEP__NO_SOCKET };
    keep_status st = is_sealed ? keep__sealer_begin(&connection.sealer) : KEEP_OK;

    if (st != KEEP_OK)
        return fail_beacon(err, st, errno, "no random bytes for a salt");
    if (peer->len != 0) {
        connection.fd = open_socket(peer, &connection.error);
        if (connection.fd < 0)
            return fail_beacon(err, KEEP_ERR_SYSTEM, errno, "no socket could be connected");
    }
    *out = connection;
    return KEEP_OK;
}

void keep__connection_replace(int fd, const keep__peer *peer)
{
    uint32_t error;
    int new_fd = open_socket(peer, &error);

    if (new_fd < 0)
        return;
    if (error == 0)
        (void)dup3(new_fd, fd, O_CLOEXEC);
    (void)close(new_fd);
}

void keep__connection_close(keep__connection *connection)
{
    if (connection->fd >= 0)
        (void)close(connection->fd);
    connection->fd = KEEP__NO_SOCKET;
}

uint32_t keep__connection_send(int fd, const void *bytes, size_t len)
{
    ssize_t sent;

    do {
        sent = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? (uint32_t)errno : 0;
}

size_t keep__beacon_wrap(const keep_beacon *beacon, const uint8_t prefix[KEEP__PREFIX_LEN], uint32_t counter,
                         const uint8_t frame[KEEP_BEAT_LEN], uint8_t *out)
{
    keep__sealing sealing = {
        .key = beacon->key.bytes,
        .mode = beacon->options.mode,
        .pid = beacon->pid,
        .counter = counter,
    };

    if (sealing.mode == KEEP_BEAT_PLAIN) {
        memcpy(out, frame, KEEP_BEAT_LEN);
        return KEEP_BEAT_LEN;
    }
    memcpy(sealing.prefix, prefix, sizeof sealing.prefix);
    keep__sealed_seal(&sealing, frame, out);
    return keep__sealed_len(sealing.mode);
}

/* --- making --- */

static bool allows_beacon(const keep_beacon_options *options)
{
    bool is_detached = options->path == NULL && options->host == NULL;
    bool needs_pid = is_detached || options->mode == KEEP_BEAT_MASTER;

    if (options->mode > KEEP_BEAT_MASTER || options->fork_refresh > 1)
        return false;
    if ((options->mode == KEEP_BEAT_PLAIN) != (options->key == NULL))
        return false;
    return (options->path == NULL || options->host == NULL) && (options->agent_pid != 0 || !needs_pid);
}

/* Reads the options, and the peer they name. */
static keep_status read_beacon_options(const keep_beacon_options *given, keep_beacon_options *out, keep__peer *out_peer)
{
    static const keep_beacon_options defaults = KEEP_BEACON_OPTIONS_INIT;
    keep_status st;

    *out = defaults;
    st = keep__options_read(given, sizeof *out, sizeof *out, out);
    if (st != KEEP_OK)
        return st;
    if (!allows_beacon(out) || (out->path != NULL && !find_path(out->path, out_peer)) ||
        (out->host != NULL && !find_host(out->host, out->port, out_peer)))
        return KEEP_ERR_INVALID_ARGUMENT;
    return KEEP_OK;
}

/* A new life: the pid, the stream's begin. */
static keep_status begin_life(keep_beacon *beacon, keep_error *err)
{
    uint64_t start = beacon->peer.len == 0 ? beacon->options.start_nonce : keep__beacon_clock(beacon);
    uint32_t pid = beacon->options.agent_pid != 0 ? beacon->options.agent_pid : (uint32_t)getpid();

    if (beacon->peer.len != 0 && start == 0)
        return fail_beacon(err, KEEP_ERR_SYSTEM, 0, "the clock failed");
    beacon->pid = pid == 1 ? KEEP_PID_UNKNOWN : pid;
    beacon->turn = KEEP__TURN_PREPARE;
    keep__stream_begin(&beacon->stream, start);
    return KEEP_OK;
}

/* Copies the key; from then on the options have no pointers. */
static keep_status make_beacon(keep_beacon *beacon, keep_error *err)
{
    bool is_sealed = beacon->options.mode != KEEP_BEAT_PLAIN;
    keep_status st = keep__guard_enter();

    beacon->connection.fd = KEEP__NO_SOCKET;
    beacon->last_word.fd = KEEP__NO_SOCKET;
    if (st != KEEP_OK)
        return fail_beacon(err, st, 0, "no memory that a fork wipes");
    if (beacon->peer.len != 0 && !keep__identity_supported())
        return fail_beacon(err, KEEP_ERR_UNSUPPORTED, 0, "this kernel is older than 5.3");
    beacon->stamp = keep__guard_stamp();
    beacon->epoch = keep__guard_epoch();
    if (is_sealed)
        st = keep__key_from_secret(NULL, beacon->options.key, KEEP__BEAT_KEY_LEN, &beacon->key);
    if (st != KEEP_OK)
        return fail_beacon(err, st, 0, "the key cannot be copied");
    beacon->options.path = NULL;
    beacon->options.host = NULL;
    beacon->options.key = NULL;
    st = begin_life(beacon, err);
    return st != KEEP_OK ? st : keep__connection_open(&beacon->peer, is_sealed, &beacon->connection, err);
}

keep_status keep_beacon_new(const keep_beacon_options *options, keep_beacon **out_beacon, keep_error *err)
{
    keep_beacon_options read;
    keep__peer peer = { .len = 0 };
    keep_beacon *beacon;
    keep_status st =
        options == NULL || out_beacon == NULL ? KEEP_ERR_INVALID_ARGUMENT : read_beacon_options(options, &read, &peer);

    if (st != KEEP_OK)
        return st;
    beacon = keep__heap_new(sizeof *beacon);
    if (beacon == NULL)
        return fail_beacon(err, KEEP_ERR_NO_MEMORY, 0, "memory for the beacon was refused");
    beacon->options = read;
    beacon->peer = peer;
    st = make_beacon(beacon, err);
    if (st == KEEP_OK)
        *out_beacon = beacon;
    else
        keep_beacon_free(&beacon);
    return st;
}

void keep_beacon_free(keep_beacon **beacon)
{
    keep_beacon *one;

    if (beacon == NULL || *beacon == NULL)
        return;
    one = *beacon;
    *beacon = NULL;
    keep__beacon_disarm(one);
    keep__connection_close(&one->connection);
    keep__key_free(&one->key);
    keep__heap_free(one, sizeof *one);
}

/* --- connecting anew --- */

keep_status keep__beacon_reconnect(keep_beacon *beacon, keep_error *err)
{
    keep__connection connection = { .fd = KEEP__NO_SOCKET };
    keep_status st = keep__connection_open(&beacon->peer, beacon->options.mode != KEEP_BEAT_PLAIN, &connection, err);

    if (st != KEEP_OK)
        return st;
    if (connection.error != 0) {
        st = fail_beacon(err, KEEP_ERR_SYSTEM, (int)connection.error, "nobody observes");
        keep__connection_close(&connection);
        return st;
    }
    keep__connection_close(&beacon->connection);
    beacon->connection = connection;
    if (beacon->last_word.fd != KEEP__NO_SOCKET)
        keep__connection_replace(beacon->last_word.fd, &beacon->peer);
    return KEEP_OK;
}

keep_status keep_beacon_reconnect(keep_beacon *beacon, keep_error *err)
{
    keep_status st = keep__beacon_check(beacon);

    if (st != KEEP_OK)
        return st;
    if (beacon->peer.len == 0 && beacon->turn != KEEP__TURN_RECONNECT)
        return KEEP_ERR_STATE;
    st = keep__beacon_check_key(beacon);
    if (st != KEEP_OK)
        return fail_beacon(err, st, 0, "the key is gone");
    if (beacon->peer.len != 0)
        st = keep__beacon_reconnect(beacon, err);
    if (st == KEEP_OK)
        beacon->stream.dropped = 0;
    if (st == KEEP_OK && beacon->peer.len == 0)
        beacon->turn = KEEP__TURN_COMMIT_AGAIN;
    return st;
}

keep_status keep_beacon_restart(keep_beacon *beacon, keep_error *err)
{
    keep__connection connection = { .fd = KEEP__NO_SOCKET };
    keep_status st = keep__beacon_check(beacon);
    bool is_child = st == KEEP_ERR_FORKED;
    bool is_sealed;

    if (beacon == NULL)
        return st;
    is_sealed = beacon->options.mode != KEEP_BEAT_PLAIN;
    if (is_child && is_sealed)
        return fail_beacon(err, st, 0, "the key is not in the child");
    st = is_child ? keep__guard_enter() : keep__beacon_check_key(beacon);
    if (st != KEEP_OK)
        return fail_beacon(err, st, 0, "no new life can begin");
    st = keep__connection_open(&beacon->peer, is_sealed, &connection, err);
    if (st == KEEP_OK)
        st = begin_life(beacon, err);
    if (st != KEEP_OK) {
        keep__connection_close(&connection);
        return st;
    }
    if (is_child)
        keep__beacon_disarm(beacon);
    keep__connection_close(&beacon->connection);
    beacon->connection = connection;
    beacon->stamp = keep__guard_stamp();
    return KEEP_OK;
}

static keep_status derive_in_place(keep_secret *secret, uint32_t pid)
{
    KEEP__KEY32(key);
    uint8_t *data;
    size_t len;
    keep_status st = keep_secret_write_begin(secret, &data, &len);
    keep_status ended;

    if (st != KEEP_OK)
        return st;
    if (len == KEEP__BEAT_KEY_LEN) {
        keep__agent_key(data, pid, key.bytes);
        memcpy(data, key.bytes, sizeof key.bytes);
    } else {
        st = KEEP_ERR_INVALID_ARGUMENT;
    }
    ended = keep_secret_end(secret);
    return st != KEEP_OK ? st : ended;
}

/* Begins as a copy of the master, so in its pool. What a purge may have met half-way is not given out. */
keep_status keep_beacon_agent_key(const keep_secret *master, uint32_t pid, keep_secret **out_secret)
{
    keep_secret *agent = NULL;
    uint64_t epoch;
    keep_status st = out_secret == NULL ? KEEP_ERR_INVALID_ARGUMENT : keep_secret_duplicate(master, &agent);

    if (st != KEEP_OK)
        return st;
    epoch = keep__guard_epoch();
    st = derive_in_place(agent, pid);
    if (st == KEEP_OK && epoch != keep__guard_epoch())
        st = keep__trace(KEEP_ERR_PURGED);
    if (st == KEEP_OK)
        *out_secret = agent;
    else
        (void)keep_secret_free(&agent);
    return st;
}
