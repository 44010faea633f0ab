/* SPDX-License-Identifier: MIT */
/*
 * Writes what other languages read, and reads what they wrote.
 *
 * usage: exchange write DIR
 *        exchange read DIR FROM
 *        exchange finish DIR FROM
 *        exchange beat PATH
 *        exchange observe PATH FROM
 *        exchange live PATH
 *        exchange flood PATH beats|garbage
 *
 * DIR/LANG/ holds the items of a language. PATH is the socket of an observer.
 */
#include "exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "packets.h"

enum {
    MAX_PATH = 512,
    HASH_TEXT_LEN = 2 * crypto_hash_sha256_BYTES,
    STATUSES = 256
};

#define NUMBER(constant) .name = #constant, .value = (constant)

static const struct {
    const char *name;
    int64_t value;
} numbers[] = {
    { NUMBER(KEEP_ACQUIRE_ALIGN16) },
    { NUMBER(KEEP_ACQUIRE_FALLBACK) },
    { NUMBER(KEEP_ACQUIRE_GUARDED) },
    { NUMBER(KEEP_ACQUIRE_RESIDENT) },
    { NUMBER(KEEP_ACTION_NONE) },
    { NUMBER(KEEP_ACTION_RECONNECT) },
    { NUMBER(KEEP_ADMISSION_EVICTED) },
    { NUMBER(KEEP_ADMISSION_RECOVERED) },
    { NUMBER(KEEP_ADMISSION_RECYCLED) },
    { NUMBER(KEEP_ADMISSION_TERMINAL) },
    { NUMBER(KEEP_ADMISSION_UPGRADED) },
    { NUMBER(KEEP_ADMISSION_WRAPPED) },
    { NUMBER(KEEP_AEAD_AUTO) },
    { NUMBER(KEEP_AEAD_DISABLED) },
    { NUMBER(KEEP_AEAD_IPSEC_MB) },
    { NUMBER(KEEP_AEAD_NOT_BUILT) },
    { NUMBER(KEEP_AEAD_NOT_FOUND) },
    { NUMBER(KEEP_AEAD_OPENSSL) },
    { NUMBER(KEEP_AEAD_SELF_TEST_FAILED) },
    { NUMBER(KEEP_AEAD_SODIUM) },
    { NUMBER(KEEP_AEAD_TOO_OLD) },
    { NUMBER(KEEP_AEAD_USABLE) },
    { NUMBER(KEEP_AGENT_ALIVE) },
    { NUMBER(KEEP_AGENT_REGISTERED) },
    { NUMBER(KEEP_AGENT_STALLED) },
    { NUMBER(KEEP_AGENT_STARTING) },
    { NUMBER(KEEP_AGENT_UNARMED) },
    { NUMBER(KEEP_BACKING_AUTO) },
    { NUMBER(KEEP_BACKING_LOCKED) },
    { NUMBER(KEEP_BACKING_MEMFD_SECRET) },
    { NUMBER(KEEP_BEAT_LEN) },
    { NUMBER(KEEP_BEAT_MASTER) },
    { NUMBER(KEEP_BEAT_MASTER_LEN) },
    { NUMBER(KEEP_BEAT_PLAIN) },
    { NUMBER(KEEP_BEAT_SHARED) },
    { NUMBER(KEEP_BEAT_SHARED_LEN) },
    { NUMBER(KEEP_CHECK_FORK_SAFE) },
    { NUMBER(KEEP_CHECK_GUARDS) },
    { NUMBER(KEEP_CHECK_HIDDEN) },
    { NUMBER(KEEP_CHECK_LOCKED) },
    { NUMBER(KEEP_CHECK_NOT_DUMPED) },
    { NUMBER(KEEP_CHECK_SEALING) },
    { NUMBER(KEEP_CHECK_WIPED) },
    { NUMBER(KEEP_CLOCK_BOOTTIME) },
    { NUMBER(KEEP_CLOCK_MONOTONIC) },
    { NUMBER(KEEP_CORE_PATTERN_FILE) },
    { NUMBER(KEEP_CORE_PATTERN_PIPE) },
    { NUMBER(KEEP_DEFAULT_AGENTS) },
    { NUMBER(KEEP_DEFAULT_PACKET_SLOTS) },
    { NUMBER(KEEP_EVENT_AUTH_FAILURE) },
    { NUMBER(KEEP_EVENT_BEAT) },
    { NUMBER(KEEP_EVENT_CRASH) },
    { NUMBER(KEEP_EVENT_DECODE_ERROR) },
    { NUMBER(KEEP_EVENT_EVICTED) },
    { NUMBER(KEEP_EVENT_EXITED) },
    { NUMBER(KEEP_EVENT_FAILED) },
    { NUMBER(KEEP_EVENT_GOODBYE) },
    { NUMBER(KEEP_EVENT_IO_ERROR) },
    { NUMBER(KEEP_EVENT_NAMESPACE_CONFLICT) },
    { NUMBER(KEEP_EVENT_ORIGIN_CONFLICT) },
    { NUMBER(KEEP_EVENT_OUTAGE) },
    { NUMBER(KEEP_EVENT_READY) },
    { NUMBER(KEEP_EVENT_RECOVERED) },
    { NUMBER(KEEP_EVENT_RECYCLED) },
    { NUMBER(KEEP_EVENT_REGISTERED) },
    { NUMBER(KEEP_EVENT_STALL) },
    { NUMBER(KEEP_EVENT_UID_REFUSED) },
    { NUMBER(KEEP_FAULT_BAD_CRC) },
    { NUMBER(KEEP_FAULT_BAD_LENGTH) },
    { NUMBER(KEEP_FAULT_BAD_MAGIC) },
    { NUMBER(KEEP_FAULT_BAD_NONCE) },
    { NUMBER(KEEP_FAULT_BAD_PID) },
    { NUMBER(KEEP_FAULT_BAD_RESERVED) },
    { NUMBER(KEEP_FAULT_BAD_STATUS) },
    { NUMBER(KEEP_FAULT_BAD_TIMESTAMP) },
    { NUMBER(KEEP_FAULT_BAD_VERSION) },
    { NUMBER(KEEP_FAULT_STALL_ON_WIRE) },
    { NUMBER(KEEP_HANDSHAKE_DONE) },
    { NUMBER(KEEP_HANDSHAKE_KEY_LEN) },
    { NUMBER(KEEP_HANDSHAKE_READ) },
    { NUMBER(KEEP_HANDSHAKE_SPENT) },
    { NUMBER(KEEP_HANDSHAKE_WRITE) },
    { NUMBER(KEEP_HARDEN_NO_CORE) },
    { NUMBER(KEEP_HARDEN_NO_DUMP) },
    { NUMBER(KEEP_HARDEN_NO_NEW_CODE) },
    { NUMBER(KEEP_HARDEN_NO_NEW_PRIVS) },
    { NUMBER(KEEP_HARDEN_RECOMMENDED) },
    { NUMBER(KEEP_HEALTH_CRITICAL) },
    { NUMBER(KEEP_HEALTH_DEGRADED) },
    { NUMBER(KEEP_HEALTH_OK) },
    { NUMBER(KEEP_INITIATOR) },
    { NUMBER(KEEP_KIND_GUARDED) },
    { NUMBER(KEEP_KIND_SLOT) },
    { NUMBER(KEEP_LAYER_CRYPTO) },
    { NUMBER(KEEP_LAYER_ERRNO) },
    { NUMBER(KEEP_LAYER_LOADER) },
    { NUMBER(KEEP_LAYER_NONE) },
    { NUMBER(KEEP_LAYER_SQLITE) },
    { NUMBER(KEEP_LAYER_TSS2) },
    { NUMBER(KEEP_LOCK_ALLOW_UNLOCKED) },
    { NUMBER(KEEP_LOCK_REQUIRE) },
    { NUMBER(KEEP_MARK_ATTESTED) },
    { NUMBER(KEEP_MARK_NO_CREDENTIALS) },
    { NUMBER(KEEP_MARK_SENDER_GONE) },
    { NUMBER(KEEP_MARK_TRUNCATED) },
    { NUMBER(KEEP_MAX_AGENTS) },
    { NUMBER(KEEP_MAX_ALLOWED_UIDS) },
    { NUMBER(KEEP_MAX_BATCH) },
    { NUMBER(KEEP_MAX_BEAT_KEYS) },
    { NUMBER(KEEP_MAX_EVENT_LEN) },
    { NUMBER(KEEP_MAX_HOT_CACHE) },
    { NUMBER(KEEP_MAX_LISTENERS) },
    { NUMBER(KEEP_MAX_PACKET_EVENTS) },
    { NUMBER(KEEP_MAX_PACKET_LEN) },
    { NUMBER(KEEP_MAX_PACKET_POOLS) },
    { NUMBER(KEEP_MAX_PACKET_SLOTS) },
    { NUMBER(KEEP_MAX_PAYLOAD_LEN) },
    { NUMBER(KEEP_MAX_POOL_BYTES) },
    { NUMBER(KEEP_MAX_PROLOGUE_LEN) },
    { NUMBER(KEEP_MAX_SEALED_SENDERS) },
    { NUMBER(KEEP_MAX_SECRETS) },
    { NUMBER(KEEP_MAX_SECRET_LEN) },
    { NUMBER(KEEP_MAX_SLOT_LEN) },
    { NUMBER(KEEP_MAX_TIERS) },
    { NUMBER(KEEP_MIN_SLOT_LEN) },
    { NUMBER(KEEP_NOISE_IKPSK2) },
    { NUMBER(KEEP_NOISE_XXPSK3) },
    { NUMBER(KEEP_ORIGIN_KERNEL) },
    { NUMBER(KEEP_ORIGIN_NETWORK) },
    { NUMBER(KEEP_ORIGIN_NONE) },
    { NUMBER(KEEP_ORIGIN_OPERATOR) },
    { NUMBER(KEEP_ORIGIN_SOCKET_MODE) },
    { NUMBER(KEEP_OUTCOME_DROPPED_NO_OBSERVER) },
    { NUMBER(KEEP_OUTCOME_DROPPED_PEER_GONE) },
    { NUMBER(KEEP_OUTCOME_DROPPED_QUEUE_FULL) },
    { NUMBER(KEEP_OUTCOME_DROPPED_STORAGE_FULL) },
    { NUMBER(KEEP_OUTCOME_FAILED) },
    { NUMBER(KEEP_OUTCOME_SENT) },
    { NUMBER(KEEP_PACKET_DATA) },
    { NUMBER(KEEP_PACKET_FIN) },
    { NUMBER(KEEP_PACKET_HANDSHAKE) },
    { NUMBER(KEEP_PACKET_HEADER_LEN) },
    { NUMBER(KEEP_PACKET_HEARTBEAT) },
    { NUMBER(KEEP_PACKET_NACK) },
    { NUMBER(KEEP_PACKET_OVERHEAD_LEN) },
    { NUMBER(KEEP_PACKET_PRIORITY) },
    { NUMBER(KEEP_PACKET_RELIABLE) },
    { NUMBER(KEEP_PACKET_TAG_LEN) },
    { NUMBER(KEEP_PID_UNKNOWN) },
    { NUMBER(KEEP_POLICY_BALANCED) },
    { NUMBER(KEEP_POLICY_STRICT) },
    { NUMBER(KEEP_REASON_EXITED) },
    { NUMBER(KEEP_REASON_GOODBYE) },
    { NUMBER(KEEP_REASON_OPERATOR) },
    { NUMBER(KEEP_REASON_RECYCLED) },
    { NUMBER(KEEP_RESPONDER) },
    { NUMBER(KEEP_SEALED_OVERHEAD) },
    { NUMBER(KEEP_SIGHTING_UNNUMBERED) },
    { NUMBER(KEEP_SOURCE_EXIT) },
    { NUMBER(KEEP_SOURCE_UDP) },
    { NUMBER(KEEP_SOURCE_UDP_SEALED) },
    { NUMBER(KEEP_SOURCE_UNIX) },
    { NUMBER(KEEP_UNLIMITED) },
    { NUMBER(KEEP_VERDICT_CAPACITY_EXCEEDED) },
    { NUMBER(KEEP_VERDICT_INSERTED) },
    { NUMBER(KEEP_VERDICT_NAMESPACE_CONFLICT) },
    { NUMBER(KEEP_VERDICT_ORIGIN_CONFLICT) },
    { NUMBER(KEEP_VERDICT_OUT_OF_ORDER) },
    { NUMBER(KEEP_VERDICT_REFRESHED) },
    { NUMBER(KEEP_VERSION_MAJOR) },
    { NUMBER(KEEP_VERSION_MINOR) },
    { NUMBER(KEEP_VERSION_NUMBER) },
    { NUMBER(KEEP_VERSION_PATCH) },
    { NUMBER(KEEP_WAIT_FOREVER) },
};

void must(keep_status status)
{
    if (status == KEEP_OK)
        return;
    fprintf(stderr, "exchange: %s\n", keep_status_sentence(status));
    exit(1);
}

json_t *inputs_of(const char *item)
{
    json_t *all = json_load_file(INPUTS, JSON_REJECT_DUPLICATES, NULL);
    json_t *inputs = json_incref(json_object_get(all, item));

    json_decref(all);
    return inputs;
}

char *compact(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);

    json_decref(value);
    return text;
}

/* Every public number under its name, every status with its number and sentence; free() it. */
static char *constants(void)
{
    json_t *values = json_object(), *statuses = json_object();

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new(values, numbers[i].name, json_integer(numbers[i].value));
    for (int number = 1; number < STATUSES; number++) {
        const char *name = keep_status_name((keep_status)number);

        if (strcmp(name, "UNKNOWN") != 0)
            json_object_set_new(statuses, name, json_pack("[i, s]", number, keep_status_sentence((keep_status)number)));
    }
    return compact(json_pack("{s: o, s: o}", "constants", values, "statuses", statuses));
}

static void hash_of(const void *data, size_t len, char out[HASH_TEXT_LEN + 1])
{
    uint8_t digest[crypto_hash_sha256_BYTES];

    (void)crypto_hash_sha256(digest, data, len);
    (void)sodium_bin2hex(out, HASH_TEXT_LEN + 1, digest, sizeof digest);
}

char *read_file(const char *folder, const char *name)
{
    enum {
        CAP = 1 << 16
    };
    char path[MAX_PATH], *text = NULL;
    FILE *stream;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    stream = fopen(path, "rb");
    if (stream != NULL) {
        text = calloc(1, CAP + 1);
        if (text != NULL && fread(text, 1, CAP, stream) == 0) {
            free(text);
            text = NULL;
        }
        (void)fclose(stream);
    }
    return text;
}

bool write_file(const char *folder, const char *name, const char *text, json_t *files)
{
    char path[MAX_PATH], hash[HASH_TEXT_LEN + 1];
    size_t len = strlen(text) + 1;
    char *line = malloc(len + 1);
    FILE *stream;
    bool is_written;

    (void)snprintf(line, len + 1, "%s\n", text);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    stream = fopen(path, "wb");
    is_written = stream != NULL && fwrite(line, 1, len, stream) == len;
    if (stream != NULL)
        is_written = fclose(stream) == 0 && is_written;
    hash_of(line, len, hash);
    json_object_set_new(files, name, json_string(hash));
    free(line);
    return is_written;
}

/* A language's folder, and those in it. */
static bool make_folders(const char *folder)
{
    static const char *const within[] = { "", "/packets", "/tracker" };
    char path[MAX_PATH];

    for (size_t i = 0; i < sizeof within / sizeof *within; i++) {
        (void)snprintf(path, sizeof path, "%s%s", folder, within[i]);
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

/* All items of this language, and the manifest of them. */
static bool write_items(const char *folder)
{
    json_t *files = json_object();
    char *text = constants(), *packets = compact(sealed_packets()), *manifest;
    bool is_written = make_folders(folder) && write_file(folder, "constants.json", text, files) &&
                      write_file(folder, "packets/sealed.json", packets, files) && write_tracker(folder, files);

    manifest = compact(json_pack("{s: O}", "files", files));
    is_written = is_written && write_file(folder, "manifest.json", manifest, files);
    free(manifest);
    free(packets);
    free(text);
    json_decref(files);
    return is_written;
}

/* What goes back to who sealed. */
static bool write_answers(const char *folder)
{
    json_t *files = json_object();
    char *text = compact(answering_packets());
    bool is_written = make_folders(folder) && write_file(folder, "packets/answers.json", text, files);

    free(text);
    json_decref(files);
    return is_written;
}

static bool has_hash(const char *folder, const char *name, const char *want)
{
    char hash[HASH_TEXT_LEN + 1], *text = read_file(folder, name);
    bool is_same = false;

    if (text != NULL && want != NULL) {
        hash_of(text, strlen(text), hash);
        is_same = strcmp(hash, want) == 0;
    }
    free(text);
    return is_same;
}

/* Every file that the manifest lists is there as it was written. */
static bool is_whole(const char *folder)
{
    char *text = read_file(folder, "manifest.json");
    json_t *manifest = text == NULL ? NULL : json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    json_t *files = json_object_get(manifest, "files"), *hash;
    bool is_good = json_object_size(files) > 0;
    const char *name;

    json_object_foreach(files, name, hash) is_good = is_good && has_hash(folder, name, json_string_value(hash));
    json_decref(manifest);
    free(text);
    return is_good;
}

bool is_in_file(const char *folder, const char *name, const char *text)
{
    char *content = read_file(folder, name);
    size_t len = strlen(text);
    bool is_same = content != NULL && strncmp(content, text, len) == 0 && strcmp(content + len, "\n") == 0;

    free(content);
    return is_same;
}

static bool has_same_constants(const char *folder)
{
    char *ours = constants();
    bool is_same = is_in_file(folder, "constants.json", ours);

    free(ours);
    return is_same;
}

static bool has_packets(const char *folder, const char *name, bool are_right(const json_t *sides))
{
    char *text = read_file(folder, name);
    json_t *sides = text == NULL ? NULL : json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool is_good = are_right(sides);

    json_decref(sides);
    free(text);
    return is_good;
}

static bool tell(const char *from, const char *item, bool is_good)
{
    printf("exchange %s->c %s %s\n", from, item, is_good ? "ok" : "FAILED");
    return is_good;
}

/* Says of all items of a language whether they are what they must be. */
static bool read_items(const char *folder, const char *from)
{
    bool is_good = tell(from, "manifest.json", is_whole(folder));

    is_good = tell(from, "constants.json", has_same_constants(folder)) && is_good;
    is_good = tell(from, "packets", has_packets(folder, "packets/sealed.json", are_sealed_packets)) && is_good;
    return tell(from, "tracker", is_same_tracker(folder)) && is_good;
}

/* Says whether a language answered to this one as it must. */
static bool read_answers(const char *folder, const char *from)
{
    return tell(from, "answers", has_packets(folder, "packets/answers.json", are_answering_packets));
}

static bool exchange_files(const char *verb, const char *directory, const char *from)
{
    char own[MAX_PATH], folder[MAX_PATH];

    (void)snprintf(own, sizeof own, "%s/c", directory);
    (void)snprintf(folder, sizeof folder, "%s/%s", directory, from);
    if (strcmp(verb, "write") == 0)
        return write_items(own);
    if (strcmp(verb, "read") == 0)
        return write_answers(own) && read_items(folder, from);
    return read_answers(folder, from);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";

    if ((argc == 3 && strcmp(verb, "write") == 0) ||
        (argc == 4 && (strcmp(verb, "read") == 0 || strcmp(verb, "finish") == 0)))
        return exchange_files(verb, argv[2], argc == 4 ? argv[3] : "") ? 0 : 1;
    if (argc == 3 && strcmp(verb, "beat") == 0)
        return beat_to(argv[2]) ? 0 : 1;
    if (argc == 4 && strcmp(verb, "observe") == 0)
        return tell(argv[3], "live", observe_at(argv[2])) ? 0 : 1;
    if (argc == 3 && strcmp(verb, "live") == 0)
        return live_at(argv[2]) ? 0 : 1;
    if (argc == 4 && strcmp(verb, "flood") == 0)
        return flood_at(argv[2], argv[3]) ? 0 : 1;
    fprintf(stderr, "usage: exchange write DIR | read DIR FROM | finish DIR FROM | beat PATH | observe PATH FROM | live PATH | "
                    "flood PATH beats|garbage\n");
    return 2;
}
