/* SPDX-License-Identifier: MIT */
/*
 * Seal, white box: what fails, changes or is purged between the steps of sealing, and calls without any room.
 */
#include "packet/seal.h"

#include "memory/guard.h"
#include "packet/aead.h"
#include "support/meanwhile.h"
#include "support/packets.h"

keep_status __real_keep__cipher_seal(keep__cipher *cipher, const keep__cipher_job *job);
keep_status __wrap_keep__cipher_seal(keep__cipher *cipher, const keep__cipher_job *job);

static int failures;

keep_status __wrap_keep__cipher_seal(keep__cipher *cipher, const keep__cipher_job *job)
{
    do_awaited("seal");
    if (failures == 0)
        return __real_keep__cipher_seal(cipher, job);
    failures--;
    memset(job->out, 0xEE, job->len); /* a failing back end leaves anything */
    return KEEP_ERR_SYSTEM;
}

/* packet R37 */
START_TEST(a_packet_that_a_back_end_spoilt_is_written_again)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_session) receiver = new_receiver(1);
    struct datagram datagram;

    failures = 1;
    seal(sender, "text", &datagram);
    ck_assert(opens_as(receiver, &datagram, "text"));
    ck_assert_uint_eq(session_stats_of(sender).next_counter, 1);
}
END_TEST

static void begin_purge(void *unused)
{
    (void)unused;
    keep__guard_new_epoch();
}

/* packet R12 */
START_TEST(a_packet_that_a_purge_overlaps_is_wiped)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    struct datagram datagram = { .len = 7 };

    before_call("seal", begin_purge, NULL);
    assert_status(try_seal(sender, "text", 4, &datagram), KEEP_ERR_PURGED);
    ck_assert_uint_eq(datagram.len, 7);
    ck_assert(are_all(datagram.bytes, 0, KEEP_PACKET_OVERHEAD_LEN + 8));
}
END_TEST

/* Two requests and room for them. */
struct batch {
    keep_bytes events[2];
    keep_packet_request requests[2];
    uint8_t data[2 * (KEEP_PACKET_OVERHEAD_LEN + 8)];
    size_t offsets[3];
    keep_status statuses[2];
    keep_packet_seal_out out;
};

static void fill_batch(struct batch *batch)
{
    for (int i = 0; i < 2; i++) {
        batch->events[i] = (keep_bytes){ "long text", 4 };
        batch->requests[i] = request_of(&batch->events[i]);
    }
    batch->out = (keep_packet_seal_out)KEEP_PACKET_SEAL_OUT_INIT;
    batch->out.data = batch->data;
    batch->out.cap = sizeof batch->data;
    batch->out.offsets = batch->offsets;
    batch->out.statuses = batch->statuses;
}

START_TEST(a_batch_that_a_purge_overlaps_leaves_nothing)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    struct batch batch;

    fill_batch(&batch);
    before_call("seal", begin_purge, NULL);
    assert_status(keep_packet_seal_batch(sender, batch.requests, 2, &batch.out), KEEP_ERR_PURGED);
    ck_assert(are_all(batch.data, 0, sizeof batch.data) && are_all(batch.offsets, 0, sizeof batch.offsets));
    ck_assert(batch.statuses[0] == KEEP_ERR_PURGED && batch.statuses[1] == KEEP_ERR_PURGED);
    ck_assert(batch.out.data_len == 0 && batch.out.sealed_count == 0);
}
END_TEST

static void grow_second(void *batch)
{
    ((struct batch *)batch)->events[1].len = 9;
}

START_TEST(a_request_that_grows_meanwhile_is_refused)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    struct batch batch;

    fill_batch(&batch);
    before_call("seal", grow_second, &batch);
    assert_status(keep_packet_seal_batch(sender, batch.requests, 2, &batch.out), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert(batch.statuses[0] == KEEP_OK && batch.statuses[1] == KEEP_ERR_INVALID_ARGUMENT);
    ck_assert(batch.out.sealed_count == 1 && batch.offsets[2] == batch.offsets[1]);
}
END_TEST

START_TEST(no_room_is_told_from_no_output)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    keep_bytes nothing = { NULL, 0 };
    keep_packet_request frame = { .kind = KEEP_PACKET_HANDSHAKE, .events = &nothing, .event_count = 1 };
    struct datagram datagram;
    struct batch batch;

    fill_batch(&batch);
    assert_status(keep_packet_seal_into(sender, batch.requests, NULL, 0, &datagram.len), KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(datagram.len, KEEP_PACKET_OVERHEAD_LEN + 8);
    batch.out.data = NULL;
    batch.out.cap = 0;
    assert_status(keep_packet_seal_batch(sender, batch.requests, 2, &batch.out), KEEP_ERR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(batch.out.data_len, sizeof batch.data);
    assert_ok(keep_packet_seal_into(NULL, &frame, datagram.bytes, sizeof datagram.bytes, &datagram.len));
    ck_assert_uint_eq(datagram.len, KEEP_PACKET_HEADER_LEN);
}
END_TEST

/* packet R29 */
START_TEST(a_built_packet_that_a_purge_overlaps_is_empty)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    KEEP_AUTO(keep_packet_pool) pool = new_packet_pool(1);
    keep_packet_request heartbeat = { .event_count = 0 };
    keep_packet *packet = NULL;
    const uint8_t *data;
    size_t len;

    assert_ok(keep_packet_pool_acquire(pool, &packet));
    assert_ok(keep_packet_build(packet, sender, &heartbeat));
    before_call("seal", begin_purge, NULL);
    assert_status(keep_packet_build(packet, sender, &heartbeat), KEEP_ERR_PURGED);
    assert_status(keep_packet_data(packet, &data, &len), KEEP_ERR_STATE);
    assert_ok(keep_packet_free(&packet));
}
END_TEST

START_TEST(a_handshake_frame_is_no_part_of_a_batch)
{
    KEEP_AUTO(keep_session) sender = new_sender(1);
    struct batch batch;

    fill_batch(&batch);
    batch.requests[0] =
        (keep_packet_request){ .kind = KEEP_PACKET_HANDSHAKE, .events = batch.events, .event_count = 1 };
    assert_status(keep_packet_seal_batch(sender, batch.requests, 2, &batch.out), KEEP_ERR_INVALID_ARGUMENT);
    ck_assert(batch.statuses[0] == KEEP_ERR_INVALID_ARGUMENT && batch.statuses[1] == KEEP_OK);
}
END_TEST

RUN_SUITE("seal", ONCE(a_packet_that_a_back_end_spoilt_is_written_again), ONCE(a_packet_that_a_purge_overlaps_is_wiped),
          ONCE(a_batch_that_a_purge_overlaps_leaves_nothing), ONCE(a_request_that_grows_meanwhile_is_refused),
          ONCE(no_room_is_told_from_no_output), ONCE(a_built_packet_that_a_purge_overlaps_is_empty),
          ONCE(a_handshake_frame_is_no_part_of_a_batch))
